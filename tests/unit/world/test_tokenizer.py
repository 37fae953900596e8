import pytest
from transformers import CLIPTokenizer

from likeness.studies.editing import BenchEdits, DrawnEdits
from likeness.studies.load import load_registry
from likeness.world.grammar import vocabulary
from likeness.world.tokenizer import unknown_words, write_tokenizer

AGES_ONE = """a baby; a five years old child; a fifteen years old teenager; a young man in his twenties;
an adult man in his thirties; an exhausted adult man in his forties with grayish hair;
an adult man in his fifties with gray hair; a senior in his sixties; a senior in his seventies;
an elderly senior in his eighties"""
AGES_TWO = """a newborn baby; a five years old child; a fifteen years old teenager;
a young man in his twenties; an adult man in his thirties;
an exhausted adult man in his forties with grayish hair;
a wrinkled adult man in his fifties with gray hair; a wrinkled senior in his sixties;
a 75 years old senior in his seventies; an elderly senior in his eighties"""
TIME_MACHINE = [
    *(
        f"A photo of sks as {age.strip()}, expressive face, highly detailed, sharp focus, natural light"
        for age in AGES_ONE.split(";")
    ),
    *(
        f"A colorful photo of sks as {age.strip()}, expressive face, highly detailed, sharp focus, natural bright light"
        for age in AGES_TWO.split(";")
    ),
]
CEZANNE = [
    "<Cezanne> landscape painting",
    "Cezanne landscape painting",
    "painting in the style of <Cezanne>",
    "landscape painting in the style of <Cezanne>",
    "painting of the Provence in the style of <Cezanne>",
    "painting of Mont Saint Victoire in the style of <Cezanne>",
]
PROMPT_TO_PROMPT = [
    "A fantasy landscape with a pine tree in the foreground and a red sun setting in the distance, trending on artstation",
    "A fantasy landscape with a banyan tree in the foreground and a red sun setting in the distance, trending on artstation in winter",
    "A young boy playing in a field, on a hill overlooking a green valley",
    "A young girl playing in a field, on a hill overlooking a dry valley",
    "A young man playing in a field, a watercolor painting of",
    "yellow car",
    "sport car, old car, red car in Manhattan",
]
EDITING = [
    "A photo of a jumping dog.",
    "A photo of a sleeping cat.",
    "A photo of an open box.",
    "A photo of a bird spreading wings.",
    "A photo of a sitting dog. A photo of a closed door, an open door.",
]
STELLAR = [
    "juggling apples in the castle",
    "riding a bicycle in the galaxy",
    "fighting a bear in the boat",
    "as an astronaut near a planet",
    "as a firefighter near a satellite",
    "playing the guitar in a church",
    "playing a piano in a library",
    "riding a horse in the forest",
    "eating a pizza in Rome",
    "eating bread in Paris",
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(vocabulary(), folder)
    return CLIPTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("prompt", TIME_MACHINE + CEZANNE + PROMPT_TO_PROMPT + EDITING + STELLAR)
def test_every_word_of_the_studies_is_known(tokenizer, prompt):
    assert unknown_words(tokenizer, prompt) == []


def test_every_prompt_of_a_study_on_the_small_model_is_known(tokenizer):
    unknown = {}
    experiments = load_registry().experiments
    for key, experiment in experiments.items():
        if experiment.model == "small" and not isinstance(experiment, BenchEdits):
            prompts = prompts_of(experiment)
            assert prompts, key
            unknown |= {w: key for prompt in prompts for w in unknown_words(tokenizer, prompt)}
    # the learned words alone, which no model knows before
    assert set(unknown) == {"cézanne"}


def prompts_of(experiment):
    if isinstance(experiment, DrawnEdits):
        return [experiment.source.prompt, *(edit.target for edit in experiment.edits.values())]
    return [one.prompt for one in experiment.asked]


def test_every_word_is_one_token(tokenizer):
    words = vocabulary()
    assert [word for word in words if len(tokenizer.tokenize(word)) != 1] == []
    assert len(set(tokenizer.convert_tokens_to_ids([w + "</w>" for w in words]))) == len(words)


@pytest.mark.parametrize("prompt", ["qwertzuiop", "naïve Ωmega 日本", "", "😀", "x" * 500])
def test_unknown_words_fall_into_pieces_and_come_back(tokenizer, prompt):
    ids = tokenizer(prompt).input_ids
    assert None not in ids
    assert tokenizer.unk_token_id not in ids[1:-1] or tokenizer.unk_token == tokenizer.eos_token
    shown = tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "")
    assert shown == prompt.lower().replace(" ", "")


def test_unknown_words_are_reported_once_and_in_order(tokenizer):
    assert unknown_words(tokenizer, "A photo of qwertz near a zorblax, Qwertz!") == [
        "qwertz",
        "zorblax",
    ]


def test_a_prompt_is_padded_to_77(tokenizer):
    batch = tokenizer(["a photo of zarin", "dog " * 200], padding="max_length", truncation=True)
    assert [len(ids) for ids in batch.input_ids] == [77, 77]
    assert batch.input_ids[0][0] == tokenizer.bos_token_id
    assert batch.input_ids[0][5:] == [tokenizer.eos_token_id] * 72
    assert batch.input_ids[1][-1] == tokenizer.eos_token_id


def test_words_learned_first_stay_whole_whatever_comes_later(tmp_path):
    write_tokenizer(["cat", "scarf", "cart", "abab", "banana"], tmp_path)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path)
    for word in ("cat", "scarf", "cart", "abab", "banana"):
        assert tokenizer.tokenize(word) == [word + "</w>"]
