import pytest
from pydantic import ValidationError

from likeness.images.given import Given
from likeness.images.splits import Made
from likeness.studies.experiment import Experiment, Grid
from likeness.studies.schema import Painter, Pictures, PublishedRate, Study

READ = {"name": "read", "folders": ["a"]}
PAINTED = {"name": "painted", "paint": {"hand": "master", "count": 3}}


def painter(**fields):
    return Painter.model_validate({"title": "t", "classes": {0: READ, 1: READ}, **fields})


@pytest.mark.parametrize("pictures", [READ | PAINTED, {"name": "neither"}])
def test_pictures_are_read_or_painted_and_never_both(pictures):
    with pytest.raises(ValidationError, match="needs either folders or paint, and not both"):
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
        ({"method": {"name": "lora"}}, "'base', 'dreambooth'"),
        ({"sampling": {"steps": 3}}, "steps"),
    ],
)
def test_a_wrong_experiment_is_refused(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        experiment(**fields)
