import pytest
from pydantic import TypeAdapter, ValidationError

from likeness.edit.inversion import Inversion
from likeness.studies.editing import BenchEdits, DrawnEdits
from likeness.studies.experiment import AnyExperiment, Experiment
from likeness.studies.load import load_registry

ANY = TypeAdapter(AnyExperiment)
DOG = "a photo of a dog, on a beach"
DRAWN = {
    "title": "t",
    "model": "small",
    "source": {
        "prompt": DOG,
        "seeds": [3, 7],
        "shows": {"thing_kind": "dog", "place": "beach", "pose": "sitting"},
    },
    "edits": {"cat": {"target": "a photo of a cat, on a beach", "asked": {"thing_kind": "cat"}}},
}
BENCH = {"title": "t", "model": "small", "bench": {"bench": "world"}}


def drawn(edit=None, **fields):
    """The experiment with this as its only edit."""
    edits = {} if edit is None else {"edits": {"it": edit}}
    return ANY.validate_python(DRAWN | edits | fields)


def bench(method="prompt_to_prompt", **fields):
    return ANY.validate_python(BENCH | {"method": {"name": method}} | fields)


def test_an_experiment_is_what_its_fields_say():
    sampling = {"title": "t", "model": "small", "prompts": ["a"], "seeds": [0]}
    assert type(ANY.validate_python(sampling)) is Experiment
    assert type(drawn()) is DrawnEdits
    assert type(bench()) is BenchEdits
    assert ANY.validate_python(drawn()) == drawn()


def test_every_edit_of_every_source_is_asked_once_and_a_source_stays_together():
    one = drawn(
        edits=DRAWN["edits"]
        | {
            "less": {"target": DOG, "weights": {"dog": -1}, "plain": "a photo on a beach"},
            "red": {"target": "a photo of a red dog, on a beach"},
        }
    )
    assert [pair.pair_id for pair in one.wanted] == [
        *("3-cat", "3-less", "3-red", "7-cat", "7-less", "7-red")
    ]
    assert [pair.kind for pair in one.wanted[:3]] == ["swap", "reweight", "refine"]
    assert {pair.seed for pair in one.wanted[:3]} == {3}
    assert one.wanted[1].change.weights == {"dog": -1}
    plain = drawn(edits=dict(one.edits), method={"name": "regenerate"})
    assert [p.change.target for p in plain.wanted[:2]] == [
        "a photo of a cat, on a beach",
        "a photo on a beach",
    ]
    assert plain.wanted[1].change.weights == {}
    assert [p.pair_id for p in plain.wanted] == [p.pair_id for p in one.wanted]


def test_what_should_be_read_follows_from_the_source_and_the_edit():
    edit = {"target": "a photo of a cat, on a beach", "asked": {"thing_kind": "cat"}}
    claims = drawn(edit | {"free": ["pose"]}).claims["7-it"]
    assert claims.was == {"thing_kind": "dog"}
    assert claims.asked == {"thing_kind": "cat"}
    assert claims.kept == {"place": "beach"}


CAT = "a photo of a cat, on a beach"


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            {"target": CAT, "weights": {"dog": 2}},
            "names 'dog', which is no word of 'a photo of a c",
        ),
        ({"target": CAT, "cross_replace_steps": {"hat": [0, 1]}}, "names 'hat', which is no word"),
        ({"target": CAT, "local_blend": {"source": ["cat"], "target": ["cat"]}}, "'cat', which is"),
        ({"target": "a red dog", "alignment": "swap"}, "a swap from 8 words to 3: give as many"),
        ({"target": DOG}, "has the words of its source and no weights: it would change nothing"),
        ({"target": DOG.replace(",", "").upper()}, "it would change nothing"),
    ],
)
def test_a_wrong_edit_is_one_sentence_with_its_name(edit, sentence):
    with pytest.raises(ValidationError, match="edit 'it' of 't' ") as error:
        drawn(edit)
    assert sentence in str(error.value)


def test_a_phrase_is_found_without_regard_to_case_and_punctuation():
    assert drawn({"target": CAT, "weights": {"Cat": 2, "on a beach": 1}})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompts": ["a"]}, "'t' has edits and prompts: an experiment edits or samples"),
        ({"seeds": [1]}, "'t' has edits and seeds"),
        ({"bench": {"bench": "world"}}, "'t' has a bench and edits: a bench brings its own"),
        ({"source": {"prompt": DOG, "seeds": [1, 1]}}, "one of its seeds twice"),
        ({"method": {"name": "prompt_to_prompt", "strengths": [1, 1]}}, "strengths twice"),
        ({"method": {"name": "hiper"}}, "expected tags: 'prompt_to_prompt'"),
        ({"colour": "gray"}, "colour"),
    ],
)
def test_what_belongs_to_another_kind_of_experiment_is_refused(fields, sentence):
    with pytest.raises(ValidationError) as error:
        drawn(**fields)
    assert sentence in str(error.value)


def test_only_weights_need_plain_words_for_editors_that_know_no_weights():
    edit = {"target": DOG, "weights": {"dog": -1}}
    assert drawn(edit).wanted[0].change.weights
    with pytest.raises(ValidationError, match="of which plug_and_play knows nothing: say in plain"):
        drawn(edit, method={"name": "plug_and_play"})


def test_editors_of_one_schedule_share_their_inversion():
    both = [bench(name).inverted_as for name in ("prompt_to_prompt", "plug_and_play")]
    assert both[0] == both[1] == Inversion(num_inference_steps=25)
    strong = {"name": "plug_and_play", "feature_threshold": 0.1, "strengths": [1, 0.5]}
    assert ANY.validate_python(BENCH | {"method": strong}).inverted_as == both[0]
    assert bench("hiper").inverted_as is None


@pytest.mark.parametrize(
    ("method", "fields", "sentence"),
    [
        ("prompt_to_prompt", {"substeps": 3}, "cannot be divided by 3 substeps"),
        ("hiper", {"substeps": 2}, "inverts nothing"),
        ("regenerate", {"inversion": {}}, "inverts nothing"),
        ("plug_and_play", {"inversion": {}}, "of which plug_and_play knows nothing"),
        ("plug_and_play", {"inversion": "ddim"}, "of which plug_and_play knows nothing"),
        ("prompt_to_prompt", {"inversion": {"guidance_scale": 7.5}}, "edits at guidance 4 and"),
        ("prompt_to_prompt", {"folder": "mine"}, "is drawn and has no folder"),
        ("prompt_to_prompt", {"bench": {"bench": "tedbench"}}, "is read: say its folder"),
    ],
)
def test_a_bench_that_cannot_be_edited_so_is_refused(method, fields, sentence):
    with pytest.raises(ValidationError) as error:
        bench(method, **fields)
    assert sentence in str(error.value)


def test_null_text_takes_the_place_of_a_negative_prompt():
    method = {"name": "prompt_to_prompt", "negative_prompt": "blurry"}
    with pytest.raises(ValidationError, match="whose place null-text takes: leave it out"):
        ANY.validate_python(BENCH | {"method": method, "inversion": {"guidance_scale": 4.0}})


def test_shipped_edits_are_in_words_that_the_small_model_knows():
    from likeness.world.grammar import vocabulary

    known = set(vocabulary())
    studies = load_registry().studies
    for one in studies["prompt_to_prompt"].edits.values():
        for pair in one.wanted:
            said = f"{pair.source_prompt} {pair.change.target}".replace(",", " ")
            assert set(said.split()) <= known


def test_shipped_claims_are_of_attributes_that_the_reader_reads():
    from likeness.world.reader.truth import ATTRIBUTES

    studies = load_registry().studies
    for one in studies["prompt_to_prompt"].edits.values():
        for claims in one.claims.values():
            for said in (claims.was, claims.asked, claims.kept):
                for name, value in said.items():
                    assert name == "age" or value in ATTRIBUTES[name]
