import pytest
from pydantic import ValidationError

from likeness.images.given import Given
from likeness.images.splits import Made
from likeness.studies.experiment import Experiment, Grid
from likeness.studies.schema import Painter, Pictures, PublishedRate, Sampled, Study

READ = {"name": "read", "folders": ["a"]}
PAINTED = {"name": "painted", "paint": {"hand": "master", "count": 3}}


def painter(**fields):
    return Painter.model_validate({"title": "t", "classes": {0: READ, 1: READ}, **fields})


@pytest.mark.parametrize("pictures", [READ | PAINTED, {"name": "neither"}])
def test_pictures_are_read_or_painted_and_never_both(pictures):
    with pytest.raises(ValidationError, match="needs one source of folders, paint, sampled"):
        Pictures.model_validate(pictures)


@pytest.mark.parametrize(
    "fields", [{"classes": {0: READ, 1: PAINTED}}, {"tests": {"T": PAINTED}}], ids=["class", "test"]
)
def test_painted_pictures_and_folders_never_mix_in_one_painter(fields):
    with pytest.raises(ValidationError, match="mixes painted pictures with folders"):
        painter(**fields)


def test_a_painter_is_painted_when_its_pictures_are():
    assert painter(classes={0: PAINTED, 1: PAINTED}).painted
    assert not painter().painted


SAMPLED = {
    "name": "sampled",
    "sampled": {"model": "small", "prompts": ["a", "b"], "count": 5, "guidance_scale": 8},
}


def sampled(**fields):
    return Sampled.model_validate(SAMPLED["sampled"] | fields)


def test_prompts_of_sampled_classes_take_turns_and_each_picture_has_its_seed():
    asked = sampled(seed=7).asked
    assert [(one.prompt, one.seeds) for one in asked] == [("a", [7, 9, 11]), ("b", [8, 10])]
    assert [one.guidance_scales for one in asked] == [[8, 8, 8], [8, 8]]
    assert [one.prompt for one in sampled(count=1).asked] == ["a"]


def test_a_drawn_guidance_is_within_its_bounds_and_depends_on_the_seed_alone():
    def scales(**fields):
        some = sampled(guidance_scale=[0.25, 0.75], prompts=["a"], **fields).asked[0]
        return dict(zip(some.seeds, some.guidance_scales, strict=True))

    many = scales(count=200)
    assert len(set(many.values())) == 200
    assert 0.25 <= min(many.values()) < 0.27
    assert 0.73 < max(many.values()) <= 0.75
    assert scales(count=3, seed=50) == {seed: many[seed] for seed in (50, 51, 52)}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"guidance_scale": [1, 0]}, "upside down"),
        ({"guidance_scale": -1}, "greater than or equal to 0"),
        ({"guidance_scale": [0, 1, 2]}, "guidance_scale"),
        ({"prompts": ["a", "a"]}, "there twice"),
        ({"prompts": []}, "at least 1"),
        ({"num_inference_steps": 9}, "take 10, 20, 25"),
        ({"seed": 2**32 - 2}, "beyond"),
    ],
)
def test_wrong_sampled_classes_are_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        sampled(**fields)


def of_experiment(**fields):
    return {"name": "made", "experiment": "mine__word", **fields}


def rebuilt(of="T"):
    return {"name": "rebuilt", "rebuilt": {"of": of, "model": "sd15"}}


def test_a_painter_knows_which_models_and_experiments_its_pictures_come_from():
    one = painter(
        classes={0: PAINTED, 2: SAMPLED},
        tests={"T": PAINTED, "U": rebuilt(), "V": of_experiment(role="x"), "W": of_experiment()},
    )
    assert (one.models, one.experiments) == (["small", "sd15"], ["mine__word"])
    assert (list(one.sampled), list(one.rebuilt), one.painted) == (["2"], ["U"], True)
    assert (painter().models, painter().experiments) == ([], [])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"classes": {0: READ, 1: of_experiment()}}, "class 1 .* only test sets can be"),
        ({"classes": {0: READ, 1: rebuilt()}, "tests": {"T": READ}}, "only test sets can be"),
        ({"tests": {"U": rebuilt()}}, "'U' rebuilds 'T', which is no painted or read"),
        ({"tests": {"T": SAMPLED, "U": rebuilt()}}, "is no painted or read"),
        ({"tests": {"T": READ | {"role": "x"}}}, "has a role and no experiment"),
        ({"classes": {0: SAMPLED, 1: SAMPLED}}, "neither painted pictures nor folders"),
        ({"tests": {"T": of_experiment() | SAMPLED}}, "has sampled and experiment"),
    ],
)
def test_pictures_that_a_painter_cannot_have_are_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        painter(**fields)


def test_a_split_is_given_or_made_by_what_it_says():
    assert painter(split={"train": ["train"], "valid": ["valid"]}).given == Given(
        train=["train"], valid=["valid"]
    )
    made = painter(split={"valid": 3, "test": 0.5})
    assert (made.given, made.split) == (None, Made(valid=3, test=0.5))


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"classes": {0: READ}}, "classes"),
        ({"classes": {"zero": READ, 1: READ}}, "classes"),
        ({"paint_side": 63}, "paint_side"),
        ({"folds": 1}, "folds"),
        ({"prepare": {"sise": 5}}, "prepare.sise"),
        ({"split": {"valid": 1.5}}, "split"),
        ({"colour": "gray"}, "colour"),
    ],
)
def test_values_out_of_bounds_and_unknown_fields_are_refused_by_name(fields, where):
    with pytest.raises(ValidationError) as error:
        painter(**fields)
    assert ".".join(str(part) for part in error.value.errors()[0]["loc"]).startswith(where)


@pytest.mark.parametrize("key", ["Upper", "with space", "a/b", "..", "-a", "", "é", "x" * 61])
def test_a_key_is_a_name_that_every_file_system_takes(key):
    Study(name="fine-1_a", title="t")
    with pytest.raises(ValidationError, match="name"):
        Study(name=key, title="t")


@pytest.mark.parametrize("measure", ["valid", "test", "folds", "recall_1_test"])
def test_published_rates_name_a_measure_that_the_warehouse_has(measure):
    PublishedRate(architecture="a", measure=measure, value=0.5, n=1)
    with pytest.raises(ValidationError):
        PublishedRate(architecture="a", measure=f"{measure}s", value=0.5, n=1)


def experiment(**fields):
    given = {"title": "t", "model": "small", "prompts": ["a", "b", "c"], "seeds": [4, 0]}
    return Experiment.model_validate(given | fields)


def test_listed_seeds_are_those_of_every_prompt_and_fresh_ones_of_one_picture_each():
    def seeds(**fields):
        return [one.seeds for one in experiment(**fields).asked]

    assert seeds() == [[4, 0]] * 3
    fresh = {"seed": 10, "images_per_prompt": 2}
    assert seeds(seeds=fresh) == [[10, 11], [12, 13], [14, 15]]
    assert seeds(seeds={"images_per_prompt": 1}) == [[0], [1], [2]]
    roles = {"few": ["a"], "many": ["b", "c"], "one": ["d"]}
    fresh = {"seed": 7, "images_per_prompt": 1, "by_role": {"many": 3}}
    assert seeds(prompts=roles, seeds=fresh) == [[7], [8, 9, 10], [11, 12, 13], [14]]


GRID = {
    "template": "a photo of {model} as {age}",
    "ages": {"a {noun} in {his} twenties": 25, "a baby": 1},
    "words": {"noun": "man", "his": "his"},
}


def test_prompts_by_role_are_filled_in_and_say_which_age_they_ask_for():
    one = experiment(
        called="sks man", prompts={"ages": GRID, "scenes": ["{model} on a beach"]}, seeds=[3]
    )
    assert [(a.role, a.prompt, a.age) for a in one.asked] == [
        ("ages", "a photo of sks man as a man in his twenties", 25),
        ("ages", "a photo of sks man as a baby", 1),
        ("scenes", "sks man on a beach", None),
    ]
    assert [(a.role, a.age) for a in experiment().asked] == [("made", None)] * 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"template": "a photo"}, "has no {age}"),
        ({"words": {"noun": "man"}}, "what {his} in"),
        ({"ages": {}}, "at least 1"),
    ],
)
def test_a_grid_with_something_left_open_is_refused(change, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Grid.model_validate(GRID | change)


LEARNED = {
    "method": {
        "name": "dreambooth",
        "split": "all_02",
        "instance_prompt": "a photo of sks man",
        "class_prompt": "a photo of a man",
    },
    "subject": "me",
    "called": "sks man",
}


def test_a_learned_experiment_says_whose_photos_and_calls_its_subject_by_the_token():
    assert experiment(**LEARNED).method.recipe.rare_words == ["sks"]
    assert "split" not in experiment(**LEARNED).method.recipe.model_dump()
    with pytest.raises(ValidationError, match="no subject"):
        experiment(**LEARNED | {"subject": None})
    with pytest.raises(ValidationError, match="put the rare token"):
        experiment(**LEARNED | {"called": "a man"})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"clip": "small-clip"}, "say judged, or no clip"),
        ({"judged": {"prompts": ["a sks man", "an old man"]}}, "'an old man' has no sks"),
        ({"judged": {"prompts": ["a photo of sksman"]}}, "'a photo of sksman' has no sks"),
    ],
)
def test_checkpoints_are_judged_by_what_was_learned(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        experiment(**LEARNED | {"method": LEARNED["method"] | fields})
    good = {"judged": {"prompts": ["a photo of SKS, a man"]}, "clip": "small-clip"}
    method = experiment(**LEARNED | {"method": LEARNED["method"] | good}).method
    assert method.clip == "small-clip"
    assert {"split", "clip"}.isdisjoint(method.recipe.model_dump())


WORD = {
    "method": {
        "name": "textual_inversion",
        "placeholder_token": "<C\u00e9zanne>",
        "initializer_token": "cezanne",
        "pictures": {"label": 0, "count": 4},
    },
    "painter": "he",
    "prompts": {"one": ["a <C\u00e9zanne>"], "two": ["the {model}"]},
    "called": "<Ce\u0301zanne>",
}


def test_a_learned_word_is_said_in_composed_letters_in_every_prompt():
    one = experiment(**WORD)
    assert [a.prompt for a in one.asked] == ["a <C\u00e9zanne>", "the <C\u00e9zanne>"]
    assert one.roles == ["one", "two"]
    assert one.method.recipe.placeholder_token == "<C\u00e9zanne>"
    assert {"pictures", "clip"}.isdisjoint(one.method.recipe.model_dump())
    ids = ["0123456789abcdef"]
    assert (
        experiment(**WORD | {"method": WORD["method"] | {"pictures": ids}}).method.pictures == ids
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"painter": None}, "learns <C\u00e9zanne> and has no painter"),
        ({"subject": "me"}, "is about subject 'me' and painter 'he': choose one"),
        ({"prompts": ["a <C\u00e9zanne>", "a cat"]}, "its prompt 'a cat' does not say it"),
        ({"prompts": ["a <Cezanne>"]}, "does not say it"),
    ],
)
def test_an_experiment_that_does_not_fit_its_word_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        experiment(**WORD | fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"placeholder_token": "cezanne"}, "may be a word .* angle brackets, <cezanne>"),
        ({"placeholder_token": "<the painter>"}, "one word, without spaces"),
        ({"clip": "small-clip"}, "say judged, or no clip"),
        ({"pictures": []}, "at least 1"),
        ({"pictures": ["a.png"]}, "pictures"),
        ({"pictures": {"label": 0, "count": 0}}, "greater than or equal to 1"),
        ({"judged": {"prompts": ["a dog"]}}, "'a dog' has no <C\u00e9zanne>"),
    ],
)
def test_a_word_that_cannot_be_learned_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        experiment(**WORD | {"method": WORD["method"] | fields})


def test_an_experiment_without_a_method_is_the_baseline():
    assert experiment().method == experiment(method={"name": "base"}).method


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompts": []}, "at least 1"),
        ({"prompts": ["a"] * 501}, "at most 500"),
        ({"prompts": ["  "]}, "at least 1 character"),
        # blanks around it make no other prompt
        ({"prompts": ["a dog", " a dog "]}, "has one of its prompts twice"),
        ({"seeds": [1, 2, 1]}, "has one of its seeds twice"),
        ({"seeds": []}, "has no seeds"),
        ({"seeds": [-1]}, "greater than or equal to 0"),
        ({"seeds": [2**32]}, "less than 4294967296"),
        ({"seeds": {"images_per_prompt": 0}}, "greater than or equal to 1"),
        ({"seeds": {"images_per_prompt": 1, "by_role": {"edit": 2}}}, "seeds for role 'edit'"),
        ({"method": {"name": "lora"}}, "'base', 'dreambooth', 'textual_inversion'"),
        ({"sampling": {"steps": 3}}, "steps"),
    ],
)
def test_a_wrong_experiment_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        experiment(**fields)
