import json
from itertools import count
from types import SimpleNamespace

import pandas as pd
import pytest
import small_tasks

from likeness.images import image_set
from likeness.metrics.passports import Passport, write
from likeness.studies.load import Registry
from likeness.studies.schema import Study
from resources.manifest import Work, fingerprint_of
from resources.summaries import Current, _experiment, collect

KEY = "mine__plain"
REGISTRY = Registry(
    studies={
        "mine": Study.model_validate(
            {
                "name": "mine",
                "title": "Mine",
                "experiments": {
                    "plain": {"title": "p", "model": "small", "prompts": ["a"], "seeds": [0]}
                },
            }
        )
    }
)
AS_MADE = {"sampling": {"num_inference_steps": 10, "guidance_scale": 1.0}, "model": "small"}
AS_EDITED = {"editor": {"num_inference_steps": 10, "guidance_scale": 1.0}, "model": "small"}
EDITING = {"title": "e", "model": "small", "source": {"prompt": "a dog", "seeds": [0]}}
EDITING |= {"edits": {"cat": {"target": "a cat"}}}


@pytest.fixture
def keep(tmp_path):
    artifacts = small_tasks.artifacts(tmp_path / "state", "inline")

    def kept(asset, key, text, params=AS_MADE, **inputs):
        (tmp_path / "found").mkdir(exist_ok=True)
        (tmp_path / "found" / "found.txt").write_text(text)
        used = {name: manifest.content for name, manifest in inputs.items()}
        told = {"asset": asset, "params": params, "inputs": used}
        work = Work(
            fingerprint=fingerprint_of(told | {"text": text}), summary={"method": "base"}, **told
        )
        made = artifacts.store.publish(tmp_path / "found", work)
        artifacts.store.set_ref(asset, key, made, False, 0.0)
        return made

    kept.artifacts = artifacts
    return kept


def test_pictures_are_stale_as_soon_as_anything_before_them_has_changed(keep):
    def made():
        found = Current(keep.artifacts, REGISTRY).made(KEY)
        return found and found.content

    old = keep("models/base", "small", "old")
    model = keep("models/finetuned", KEY, "old", base=old)
    pictures = keep("images/made", KEY, "old", model=model)
    assert made() == pictures.content
    new = keep("models/base", "small", "new")
    assert made() is None
    model = keep("models/finetuned", KEY, "new", base=new)
    assert made() is None
    pictures = keep("images/made", KEY, "new", model=model)
    assert made() == pictures.content


@pytest.mark.parametrize(
    ("experiment", "params", "other"),
    [("sampled", AS_MADE, AS_EDITED), ("edited", AS_EDITED, AS_MADE)],
)
def test_an_experiment_that_edits_now_or_no_longer_has_no_pictures_until_it_is_made_again(
    keep, experiment, params, other
):
    study = REGISTRY.studies["mine"]
    if experiment == "edited":
        asked = study.model_dump() | {"experiments": {"plain": EDITING}}
        study = Study.model_validate(asked)
    registry = Registry(studies={"mine": study})
    base = keep("models/base", "small", "old")
    model = keep("models/finetuned", KEY, "old", base=base)
    made = keep("images/made", KEY, "old", other, model=model)
    keep("scores/pairs", KEY, "old", made=made)
    found = collect(keep.artifacts, registry)
    assert found["images"].empty
    assert found["pair_scores"].empty
    # as the study says
    (row,) = found["experiments"].itertuples()
    assert row.steps != 10
    made = keep("images/made", KEY, "new", params, model=model)
    current = Current(keep.artifacts, registry)
    assert current.made(KEY) == made
    assert _experiment(current, KEY)["steps"] == 10


def test_what_stands_on_an_input_that_experiments_do_not_have_is_not_current(keep):
    base = keep("models/base", "small", "old")
    model = keep("models/finetuned", KEY, "old", base=base)
    keep("images/made", KEY, "old", model=model, portraits=base)
    found = collect(keep.artifacts, REGISTRY)
    assert found["images"].empty
    assert len(found["experiments"]) == 1


def test_verdicts_on_pictures_that_have_changed_are_none(keep):
    probe = {"painter": "he", "recipe": {"architecture": "probe"}}
    painted = {"name": "n", "paint": {"hand": "master", "count": 3}}
    tests = {"T": {"name": "t", "experiment": KEY}}
    painter = {"title": "He", "classes": {0: painted, 1: painted}, "tests": tests}
    mine = REGISTRY.studies["mine"].model_dump() | {
        "painters": {"he": painter},
        "networks": {"probe": probe},
    }
    registry = Registry(studies={"mine": Study.model_validate(mine)})

    def found():
        return Current(keep.artifacts, registry).verdicts("mine__probe") is not None

    base = keep("models/base", "small", "old")
    model = keep("models/finetuned", KEY, "old", base=base)
    made = keep("images/made", KEY, "old", model=model)
    pictures = {name: keep(f"painters/{name}", "he", "old") for name in ("paintings", "classes")}
    network = keep("classifier/network", "mine__probe", "old", **pictures)
    known = pictures | {"network": network}
    keep("classifier/verdicts", "mine__probe", "old", **known)
    # without a word on the experiment, which was not there yet
    assert found()
    keep("classifier/verdicts", "mine__probe", "new", **known, **{KEY: made})
    assert found()
    keep("images/made", KEY, "new", model=model)
    assert not found()


def test_an_experiment_is_told_as_it_was_made_and_else_as_the_study_says():
    sampling = {"num_inference_steps": 50, "guidance_scale": 2.0}
    pictures = SimpleNamespace(params={"sampling": sampling, "model": "sd15"})
    manifests = {"models/finetuned": SimpleNamespace(summary={"method": "lora"}, params={})}
    current = SimpleNamespace(
        registry=REGISTRY, made=lambda key: pictures, manifest=lambda asset, key: manifests[asset]
    )
    fields = ("base", "method", "steps", "guidance_scale")
    assert [_experiment(current, KEY)[name] for name in fields] == ["sd15", "lora", 50, 2.0]
    current.made = lambda key: None
    assert [_experiment(current, KEY)[name] for name in fields] == ["small", "base", 25, 4.0]


TAUGHT = "mine__taught"
PEOPLE = Registry(
    studies={
        "mine": Study.model_validate(
            {
                "name": "mine",
                "title": "Mine",
                "subjects": {"me": {"title": "Me", "album": {}}},
                "experiments": {
                    name: {"title": name, "model": "small", "subject": subject}
                    | {"prompts": ["a"], "seeds": [0]}
                    for name, subject in (("taught", "me"), ("plain", None))
                },
                "published": {
                    "pairs": [{"set_a": "a", "set_b": "b", "ssim": 0.5, "verification": 0.25}]
                },
            }
        )
    }
)
OF_ME = ("photos", "faces", "splits", "variety")


@pytest.fixture
def shelf(tmp_path):
    """Publishes small artefacts; ``taught`` makes all of an experiment about a person."""
    artifacts = small_tasks.artifacts(tmp_path / "state", "inline")
    kept, numbers = {}, count()

    def keep(asset, key, write_into, **inputs):
        folder = tmp_path / f"found-{next(numbers)}"
        folder.mkdir()
        write_into(folder)
        used = {name: manifest.content for name, manifest in inputs.items()}
        fingerprint = fingerprint_of({"folder": folder.name})
        work = Work(
            asset=asset,
            fingerprint=fingerprint,
            params=AS_MADE,
            inputs=used,
            summary={"method": "base"},
        )
        made = artifacts.store.publish(folder, work)
        artifacts.store.set_ref(asset, key, made, False, 0.0)
        kept[asset.removeprefix("people/")] = made
        return made

    def person(text="old", only=OF_ME):
        for name in only:
            if name == "photos":
                keep("people/photos", "me", lambda folder: pictures(folder, text, "age"))
            else:
                keep(f"people/{name}", "me", lambda folder: (folder / "x.txt").write_text(text))

    def taught(text="old", about=OF_ME):
        base = keep("models/base", "small", lambda folder: (folder / "m").write_text(text))
        model = keep(
            "models/finetuned", TAUGHT, lambda folder: (folder / "m").write_text("m"), base=base
        )
        made = keep("images/made", TAUGHT, lambda folder: pictures(folder, text), model=model)
        score("pairs", made, text, **{name: kept[name] for name in about})
        score("images", made, text, pairs=kept["scores/pairs"])

    def score(what, made, text, **inputs):
        keep(
            f"scores/{what}", TAUGHT, lambda folder: scores(folder, what, text), made=made, **inputs
        )

    return SimpleNamespace(
        artifacts=artifacts, keep=keep, person=person, taught=taught, kept=kept, score=score
    )


def pictures(folder, text, *own):
    rows = [{"image_id": f"{text}-{n}", "file": f"images/{n}.png"} for n in range(2)]
    rows = [
        row | {"status": "accepted", "role": "ages", "age": 5.0 * n} for n, row in enumerate(rows)
    ]
    image_set.write(folder, image_set.frame(rows, {"role": "string", "age": "Float64"}))


def scores(folder, what, text):
    """Tables with one row of which the value says where it is from."""
    about = {"metric": what, "protocol": text, "passport_id": "p"}
    if what == "pairs":
        sets = {"set_a": "ages", "set_b": "ages"}
        rows = {"pairs": about | sets | {"image_a": f"{text}-0", "image_b": f"{text}-1"}}
        rows["means"] = about | sets | {"part": "all", "n": 1}
    else:
        rows = {"scores": about | {"image_id": f"{text}-0"}}
        rows["means"] = about | {"role": "ages", "part": "all", "n": 1}
    for name, row in rows.items():
        table = pd.DataFrame([row | {"value": 0.5}])
        if name != "means":
            table = table.assign(status="ok")
        table.to_parquet(folder / f"{name}.parquet", index=False)
    write(folder, [Passport(metric=what, protocol="p", libraries={"numpy": "2"})])


def collected(shelf):
    return collect(shelf.artifacts, PEOPLE)


SCORE_TABLES = ("pair_scores", "pair_means", "image_scores", "image_means")


def test_scores_of_current_pictures_are_collected_with_study_and_experiment(shelf):
    shelf.person()
    shelf.taught()
    found = collected(shelf)
    for name in SCORE_TABLES:
        (row,) = found[name].itertuples()
        assert (row.study, row.experiment, row.protocol) == ("mine", "taught", "old")
    assert sorted(found["passports"]["metric"]) == ["images", "pairs"]
    assert set(found["passports"]["libraries"].map(json.loads).map(str)) == {"{'numpy': '2'}"}


def test_scores_of_other_pictures_are_not_collected(shelf):
    shelf.person()
    shelf.taught()
    model = shelf.kept["models/finetuned"]
    new = shelf.keep("images/made", TAUGHT, lambda folder: pictures(folder, "new"), model=model)
    found = collected(shelf)
    assert set(found["images"]["image_id"].dropna()) >= {"new-0", "new-1"}
    assert all(found[name].empty for name in (*SCORE_TABLES, "passports"))
    shelf.score("pairs", new, "new", **{name: shelf.kept[name] for name in OF_ME})
    found = collected(shelf)
    assert len(found["pair_means"]) == 1
    # these still stand on pairs of the old pictures
    assert found["image_scores"].empty


@pytest.mark.parametrize("changed", OF_ME)
def test_scores_against_photos_faces_or_splits_of_before_are_not_collected(shelf, changed):
    shelf.person()
    shelf.taught()
    shelf.person("new", only=[changed])
    found = collected(shelf)
    assert all(found[name].empty for name in SCORE_TABLES)
    # the pictures themselves have learned from nobody
    assert "old-0" in set(found["images"]["image_id"])


def test_scores_of_pictures_of_a_changed_model_are_not_collected(shelf):
    shelf.person()
    shelf.taught()
    shelf.keep("models/base", "small", lambda folder: (folder / "m").write_text("new"))
    found = collected(shelf)
    assert all(found[name].empty for name in SCORE_TABLES)
    assert set(found["images"]["role"]) == {"photo"}


def test_photos_and_pictures_are_told_apart_by_role_and_belong_to_subject_or_experiment(shelf):
    shelf.person("photo")
    shelf.taught()
    images = collected(shelf)["images"]
    photos, made = (images[images["role"] == role] for role in ("photo", "ages"))
    assert (len(photos), len(made)) == (2, 2)
    assert set(photos["subject"]) == {"me"}
    assert photos["experiment"].isna().all()
    assert set(made["experiment"]) == {"taught"}
    assert made["subject"].isna().all()
    assert made["age"].tolist() == [0, 5]
    assert set(images["study"]) == {"mine"}


def test_experiments_say_whom_they_are_about_and_published_pairs_go_by_study(shelf):
    found = collected(shelf)
    about = found["experiments"].set_index("experiment")["subject"]
    assert about["taught"] == "me"
    assert pd.isna(about["plain"])
    assert found["published_pairs"].to_dict("records") == [
        {"study": "mine", "set_a": "a", "set_b": "b", "ssim": 0.5, "verification": 0.25}
    ]


def test_a_method_that_trained_is_told_by_its_recipe():
    pictures = SimpleNamespace(params=AS_MADE)
    model = SimpleNamespace(summary={"photos": 4}, params={"recipe": {"name": "dreambooth"}})
    current = SimpleNamespace(
        registry=PEOPLE, made=lambda key: pictures, manifest=lambda asset, key: model
    )
    assert _experiment(current, TAUGHT)["method"] == "dreambooth"


def test_adapters_are_a_method_of_their_own():
    method = {"name": "dreambooth", "split": "all_01", "trains": {"rank": 2}}
    asked = {"model": "small", "subject": "me", "called": "sks person", "method": method}
    asked |= {"title": "t", "prompts": ["a"], "seeds": [0]}
    study = PEOPLE.studies["mine"].model_dump() | {"experiments": {"adapted": asked}}
    registry = Registry(studies={"mine": Study.model_validate(study)})
    current = SimpleNamespace(
        registry=registry, made=lambda key: None, manifest=lambda asset, key: None
    )
    assert _experiment(current, "mine__adapted")["method"] == "dreambooth_lora"
