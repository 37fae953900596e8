import pytest

from likeness.errors import BadInput
from likeness.studies.load import load_registry, merge, read_study

PAINTER = "{title: t, classes: {0: {name: a, folders: [a]}, 1: {name: b, folders: [b]}}}"
MINE = f"""
name: mine
title: Mine, façon Cézanne
painters:
  my_painter: {PAINTER}
  smaller: {{extends: my_painter, prepare: {{size: 64}}, classes: {{1: {{name: B}}}}}}
networks:
  tiles: {{painter: my_painter, recipe: {{epochs: 3, seed: 1}}}}
  longer: {{extends: tiles, recipe: {{epochs: 9}}}}
  longest: {{extends: longer, painter: smaller, recipe: {{epochs: 99}}}}
"""


@pytest.fixture
def study(tmp_path):
    def write(text, name="mine"):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path / f"{name}.yaml"

    return write


def test_the_shipped_studies_load_and_the_demo_runs_keys_of_others():
    registry = load_registry()
    assert {"cezanne", "cezanne_real", "demo"} <= set(registry.studies)
    painters, networks = registry.keys_of("demo")
    assert set(networks) <= set(registry.networks)
    assert set(painters) >= {registry.networks[key].painter for key in networks}


def test_extends_lays_the_change_over_the_whole_chain(study):
    one = read_study(study(MINE))
    assert [one.networks[key].recipe.epochs for key in ("tiles", "longer", "longest")] == [3, 9, 99]
    assert {network.recipe.seed for network in one.networks.values()} == {1}
    assert one.networks["longest"].painter == "smaller"
    smaller = one.painters["smaller"]
    assert (smaller.prepare.size, smaller.prepare.color) == (64, "gray")
    assert (smaller.classes[1].name, smaller.classes[1].folders) == ("B", ["b"])
    assert one.painters["my_painter"].prepare.size == 512


def test_mappings_merge_and_everything_else_is_replaced():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merge(base, {"a": {"y": [3]}, "c": None}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": None}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


SPOILT = {
    "unknown field": (MINE + "colour: gray\n", "colour"),
    "unknown field deep down": (MINE.replace("seed: 1", "sede: 1"), "networks.tiles.recipe.sede"),
    "value out of bounds": (MINE.replace("epochs: 9}", "epochs: -9}"), "networks.longer.recipe"),
    "no title": (MINE.replace("title: Mine", "about: Mine"), "title"),
    "another name": (MINE.replace("name: mine", "name: yours"), "'yours'"),
    "broken YAML": (MINE + "  : [", "line"),
    "the same key twice": (MINE + "  tiles: {painter: smaller}\n", "tiles"),
    "empty": ("", "name and title"),
    "a list": ("- mine", "name and title"),
    "painters are a list": ("name: mine\ntitle: t\npainters: [a]", "painters"),
    "a network without fields": ("name: mine\ntitle: t\nnetworks: {tiles: }", "networks"),
    "extends nobody": (MINE.replace("extends: tiles", "extends: tils"), "'longer' extends 'tils'"),
    "extends itself": (MINE.replace("extends: tiles", "extends: longer"), "'longer'"),
    "a circle": (
        MINE.replace("{painter: my_painter,", "{extends: longest, painter: my_painter,"),
        "extends",
    ),
}


@pytest.mark.parametrize("text, field", SPOILT.values(), ids=SPOILT)  # noqa: PT006
def test_a_mistake_is_one_sentence_with_file_and_field(study, text, field):
    file = study(text)
    with pytest.raises(BadInput) as error:
        read_study(file)
    sentence = str(error.value)
    assert str(file) in sentence
    assert field in sentence
    assert "\n" not in sentence


def test_a_file_that_is_no_text_is_named(study):
    file = study("")
    file.write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadInput, match=r"mine\.yaml is not readable YAML"):
        read_study(file)


def test_a_user_folder_adds_its_studies_to_the_shipped_ones(study):
    registry = load_registry(study(MINE).parent)
    assert registry.painters["smaller"].prepare.size == 64
    assert registry.networks["mine__longest"].painter == "smaller"
    painters, networks = registry.keys_of("mine")
    assert painters == ["my_painter", "smaller"]
    assert networks == ["mine__tiles", "mine__longer", "mine__longest"]


def test_a_study_runs_what_it_includes_and_the_painters_that_networks_stand_on(study):
    study(MINE)
    folder = study("name: both\ntitle: t\nincludes: {networks: [mine__longest]}", "both").parent
    assert load_registry(folder).keys_of("both") == (["smaller"], ["mine__longest"])


def test_a_study_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(BadInput, match=r"no study 'dmo'; there are: .*demo"):
        load_registry().keys_of("dmo")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (MINE.replace("painter: smaller", "painter: nobody"), "'mine__longest' names .*'nobody'"),
        (MINE.replace("my_painter", "small_master"), "painter 'small_master' is in .*cezanne"),
        (MINE + "includes: {painters: [nobody]}", "'mine' includes painter 'nobody'"),
        (MINE + "includes: {networks: [mine__no]}", "'mine' includes network 'mine__no'"),
    ],
    ids=["missing painter", "painter twice", "included painter", "included network"],
)
def test_names_that_lead_nowhere_or_twice_are_refused(study, text, sentence):
    folder = study(text).parent
    with pytest.raises(BadInput, match=sentence):
        load_registry(folder)


def test_a_study_named_as_a_shipped_one_is_refused(study):
    folder = study("name: demo\ntitle: t", "demo").parent
    with pytest.raises(BadInput, match="two study files are called 'demo'"):
        load_registry(folder)


def test_a_folder_of_studies_that_is_none_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"LIKENESS_STUDIES names .*nowhere, which is no folder"):
        load_registry(tmp_path / "nowhere")
