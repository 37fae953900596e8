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
experiments:
  plain: {{title: p, model: small, prompts: [a dog], seeds: [0, 7], sampling: {{batch: 2}}}}
  larger: {{extends: plain, model: sd15, sampling: {{guidance_scale: 7.5}}}}
  wordy: {{extends: plain, prompts: [a cat, a cow]}}
"""


@pytest.fixture
def study(tmp_path):
    def write(text, name="mine"):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path / f"{name}.yaml"

    return write


def test_extends_lays_the_change_over_the_whole_chain(study):
    one = read_study(study(MINE))
    assert [one.networks[key].recipe.epochs for key in ("tiles", "longer", "longest")] == [3, 9, 99]
    assert {network.recipe.seed for network in one.networks.values()} == {1}
    assert one.networks["longest"].painter == "smaller"
    smaller = one.painters["smaller"]
    assert (smaller.prepare.size, smaller.prepare.color) == (64, "gray")
    assert (smaller.classes[1].name, smaller.classes[1].folders) == ("B", ["b"])
    assert one.painters["my_painter"].prepare.size == 512


def test_an_experiment_that_extends_another_keeps_what_it_does_not_say(study):
    found = read_study(study(MINE)).experiments
    assert [found[key].sampling.guidance_scale for key in ("plain", "larger")] == [4.0, 7.5]
    assert {one.sampling.batch for one in found.values()} == {2}
    assert (found["wordy"].prompts, found["wordy"].seeds) == (["a cat", "a cow"], [0, 7])
    assert {one.method.name for one in found.values()} == {"base"}


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
    keys = registry.keys_of("mine")
    assert keys.painters == ["my_painter", "smaller"]
    assert keys.networks == ["mine__tiles", "mine__longer", "mine__longest"]
    assert keys.models == ["small", "sd15"]
    assert keys.experiments == ["mine__plain", "mine__larger", "mine__wordy"]


def test_a_study_runs_what_it_includes_and_what_that_stands_on(study):
    study(MINE)
    includes = "{networks: [mine__longest], experiments: [mine__larger]}"
    folder = study(f"name: both\ntitle: t\nincludes: {includes}", "both").parent
    keys = load_registry(folder).keys_of("both")
    assert keys == ([], ["smaller"], ["mine__longest"], ["sd15"], ["mine__larger"])


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
        (MINE + "includes: {experiments: [nil]}", "'mine' includes experiment 'nil'"),
        (
            MINE.replace("model: sd15", "model: sd3"),
            "experiment 'mine__larger': there is no base model 'sd3': choose one of small, sd15",
        ),
    ],
    ids=[
        *("missing painter", "painter twice", "included painter", "included network"),
        *("included experiment", "unknown model"),
    ],
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


def test_seeds_are_replaced_whole():
    base = {"seeds": {"seed": 5, "images_per_prompt": 2}}
    assert merge(base, {"seeds": {"images_per_prompt": 9}}) == {"seeds": {"images_per_prompt": 9}}


def test_another_method_is_replaced_whole_and_the_same_one_is_changed():
    base = {"method": {"name": "lora", "rank": 8, "steps": 100}}
    assert merge(base, {"method": {"name": "base"}}) == {"method": {"name": "base"}}
    for change in ({"rank": 4}, {"name": "lora", "rank": 4}):
        merged = merge(base, {"method": change})["method"]
        assert merged == {"name": "lora", "rank": 4, "steps": 100}


TAUGHT = """
name: mine
title: Mine
subjects:
  me: {title: Me, folder: photos/me, faces: {backend: small}}
  painted: {title: Nobody, album: {person: 1, photos: 30}, splits: {held_back: 3}}
  younger: {extends: painted, album: {oldest: 20}}
experiments:
  base: {title: b, model: small, subject: me, prompts: [a man], seeds: [0]}
  taught:
    title: t
    model: small
    subject: me
    called: sks man
    method:
      name: dreambooth
      split: adult_01
      instance_prompt: a photo of sks man
      class_prompt: a photo of man
    prompts: ["a photo of {model}"]
    seeds: [0]
  of_nobody: {extends: taught, subject: painted, method: {split: all_02}}
"""


def test_a_study_runs_the_people_that_its_experiments_are_about(study):
    registry = load_registry(study(TAUGHT).parent)
    assert registry.keys_of("mine").subjects == ["me", "painted", "younger"]
    album = registry.subjects["younger"].album
    assert (album.person, album.photos, album.oldest) == (1, 30, 20)
    method = registry.experiments["mine__of_nobody"].method
    assert (method.split, method.instance_prompt) == ("all_02", "a photo of sks man")


def test_people_of_other_studies_come_with_their_experiments_or_by_name(study):
    study(TAUGHT)
    text = "name: {name}\ntitle: t\nincludes: {includes}"
    for name, includes, wanted in (
        ("by_experiment", "{experiments: [mine__of_nobody]}", ["painted"]),
        ("by_name", "{subjects: [younger]}", ["younger"]),
        ("by_both", "{subjects: [me], experiments: [mine__base, mine__of_nobody]}", None),
    ):
        folder = study(text.format(name=name, includes=includes), name).parent
        found = load_registry(folder).keys_of(name).subjects
        assert found == (wanted or ["me", "painted"])


def test_an_experiment_may_be_about_a_person_of_another_study(study):
    study(TAUGHT)
    fields = "{title: p, model: small, subject: painted, prompts: [a man], seeds: [0]}"
    folder = study(f"name: other\ntitle: t\nexperiments: {{p: {fields}}}", "other").parent
    registry = load_registry(folder)
    assert registry.keys_of("other").subjects == ["painted"]
    assert registry.experiments["other__p"].subject == "painted"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            TAUGHT.replace("subject: painted", "subject: nobody"),
            "experiment 'mine__of_nobody' names subject 'nobody', which no study has",
        ),
        (
            TAUGHT.replace("split: all_02", "split: all_03"),
            "experiment 'mine__of_nobody' learns from split 'all_03', and subject 'painted' has: "
            "child_01, child_02, adult_01, adult_02, all_01, all_02",
        ),
        (
            TAUGHT.replace("  painted: {", "  small_person: {").replace("painted", "small_person"),
            "subject 'small_person' is in .*time_machine",
        ),
        (
            TAUGHT + "includes: {subjects: [nobody]}",
            "'mine' includes subject 'nobody', which no study has",
        ),
        (
            TAUGHT.replace("title: Me, folder: photos/me,", "title: Me,"),
            "subjects.me.*needs either a folder or an album",
        ),
        (
            TAUGHT.replace("{title: Nobody,", "{title: Nobody, folder: photos,"),
            "subjects.painted.*needs either a folder or an album",
        ),
        (
            TAUGHT.replace("photos/me, faces: {backend: small}}", "photos/me}"),
            "subjects.me.*does not say by what network faces are compared",
        ),
        (
            TAUGHT.replace("prompts: [a man]", "prompts: {train: [a man]}"),
            "experiments.base.*calls its prompts 'train'",
        ),
    ],
    ids=[
        *("unknown subject", "unknown split", "the same subject twice", "included subject"),
        *("no photos", "two sources of photos", "no face network", "a role that photos have"),
    ],
)
def test_people_and_splits_that_are_not_there_are_refused(study, text, sentence):
    folder = study(text).parent
    with pytest.raises(BadInput, match=sentence):
        load_registry(folder)


LEARNED = """
name: mine
title: Mine
painters:
  he:
    title: He
    classes:
      0: {name: a, paint: {hand: master, count: 9}}
      1: {name: b, sampled: {model: small, prompts: [a cat], count: 9, guidance_scale: 8}}
    tests:
      ONE: {name: a <Cézanne>, experiment: mine__word, role: one}
networks:
  probe: {painter: he, recipe: {architecture: probe}}
experiments:
  word:
    title: <Cézanne>
    model: sd15
    painter: he
    method:
      name: textual_inversion
      placeholder_token: <Cézanne>
      initializer_token: cezanne
      pictures: {label: 0, count: 4}
    prompts: {one: [a <Cézanne>], two: [the <Cézanne>]}
    seeds: [0]
"""


def test_a_network_brings_the_experiments_it_judges_and_all_their_models(study):
    study(LEARNED)
    folder = study("name: other\ntitle: t\nincludes: {networks: [mine__probe]}", "other").parent
    registry = load_registry(folder)
    found = ([], ["he"], ["mine__probe"], ["sd15", "small"], ["mine__word"])
    assert registry.keys_of("mine") == found
    assert registry.keys_of("other") == found
    text = "name: third\ntitle: t\nincludes: {experiments: [mine__word]}"
    keys = load_registry(study(text, "third").parent).keys_of("third")
    assert (keys.painters, keys.networks, keys.models) == (["he"], [], ["sd15", "small"])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("    painter: he", "    painter: she", "'mine__word' names painter 'she', which no study"),
        ("label: 0", "label: 5", "'mine__word' learns from class or set 5, .* 'he' has: 0, 1$"),
        ("label: 0", "label: ONE", "'mine__word' learns from class or set ONE, .* 'he' has: 0, 1$"),
        ("model: sd15", "model: sdxl", "a model with one text encoder: take .* instead of sdxl"),
        ("mine__word", "mine__wrd", "'ONE' of painter 'he' names experiment 'mine__wrd', which"),
        ("role: one", "role: three", "'ONE' .* role 'three', .* 'mine__word' has: one, two"),
        ("model: small", "model: tall", "painter 'he': there is no base model 'tall'"),
        ("model: small", "model: sdxl", "painter 'he' has pictures by sdxl"),
    ],
)
def test_painters_and_experiments_that_name_each_other_must_fit(study, old, new, sentence):
    assert old in LEARNED
    with pytest.raises(BadInput, match=sentence):
        load_registry(study(LEARNED.replace(old, new)).parent)


@pytest.mark.parametrize(
    ("method", "more", "fits"),
    [
        ("prompt_to_prompt", "bench: {bench: world}", False),
        ("plug_and_play", "bench: {bench: world}", False),
        ("regenerate", "bench: {bench: world}", True),
        ("imported, folder: theirs", "bench: {bench: world}", True),
        (
            "prompt_to_prompt",
            "source: {prompt: a dog, seeds: [0]}, edits: {cat: {target: a cat}}",
            True,
        ),
    ],
)
def test_a_model_with_two_encoders_makes_only_edits_that_need_one_or_none(
    study, method, more, fits
):
    text = "name: mine\ntitle: t\nexperiments:\n  e: {title: e, model: sdxl, method: {name: "
    folder = study(f"{text}{method}}}, {more}}}").parent
    if fits:
        assert load_registry(folder).experiments
    else:
        with pytest.raises(BadInput, match="a model with one text encoder"):
            load_registry(folder)
