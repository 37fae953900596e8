"""An encoder that a study names is a part of what results depend on, with its bytes."""

from pathlib import Path

import pandas as pd
import pytest
import small_tasks

from assets_defs import experiments, scores
from assets_defs.edits import scores_asked_of
from assets_defs.steps import (
    CLIP_WEIGHTS,
    FINETUNE,
    INTAKE,
    LEARN,
    SCORE_EDITS,
    SCORE_PAINTER,
    SPLIT_PEOPLE,
)
from assets_defs.studies import registry
from likeness.images import image_set
from likeness.images.prepare import Preparation
from likeness.metrics.edits import EditMeasures
from likeness.metrics.encoders import KNOWN, SMALL

DRAWN, WORD = "prompt_to_prompt__landscape__prompt_to_prompt", "cezanne_word__word"
TAUGHT = "time_machine__small_person__dreambooth__child_01"
IDS = [f"{n:016x}" for n in range(4)]


@pytest.fixture
def artifacts(tmp_path):
    return small_tasks.artifacts(tmp_path / "state", "inline")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "config.json").write_text('{"backbone": "alex"}')
    (tmp_path / "encoder" / "model.safetensors").write_bytes(b"alex")
    return tmp_path / "encoder"


@pytest.fixture
def paintings(artifacts, tmp_path):
    """Four pictures of a painter."""
    (tmp_path / "paintings").mkdir()
    rows = [
        {"image_id": name, "file": f"images/{name}.png", "status": "accepted"}
        | {"path": name, "label_key": "0", "group": number}
        for number, name in enumerate(IDS)
    ]
    extra = {"path": "string", "label_key": "string", "group": "Int64"}
    image_set.write(tmp_path / "paintings", image_set.frame(rows, extra))
    kept = artifacts.keep(INTAKE, "unseen_master", tmp_path / "paintings", {}).manifest
    return kept.model_copy(update={"params": {"prepare": Preparation().model_dump()}})


@pytest.fixture
def asked(artifacts, paintings, tmp_path, monkeypatch):
    """Parameters of a step with an encoder named so, by the step."""

    def edits(encoder, measure):
        experiment = registry().experiments[DRAWN]
        measures = EditMeasures.model_validate({measure: encoder})
        experiment = experiment.model_copy(update={"measures": measures})
        return scores_asked_of(artifacts, DRAWN, experiment)[0]

    def word(encoder):
        experiment = registry().experiments[WORD]
        changes = {"clip": encoder, "pictures": IDS[:2]}
        method = experiment.method.model_copy(update=changes)
        experiment = experiment.model_copy(update={"method": method})
        return experiments._word_params(artifacts, experiment, "x", paintings)

    def painter(encoder):
        experiment = registry().experiments[WORD]
        one = registry().painters[experiment.painter]
        measures = one.measures.model_copy(update={"clip": encoder})
        known = registry().painters | {
            experiment.painter: one.model_copy(update={"measures": measures})
        }
        with monkeypatch.context() as changed:
            changed.setattr(type(registry()), "painters", known)
            changed.setattr(scores, "_learned_from", lambda painter, known: set(IDS[:2]))
            return scores._asked_of_painter(artifacts, experiment, paintings)

    def taught(encoder):
        (tmp_path / "splits").mkdir(exist_ok=True)
        members = pd.DataFrame({"split": "child_01", "image_id": IDS})
        members.to_parquet(tmp_path / "splits" / "splits.parquet")
        photos = pd.DataFrame({"image_id": ["h"], "held_back": True})
        photos.to_parquet(tmp_path / "splits" / "photos.parquet")
        kept = artifacts.keep(SPLIT_PEOPLE, "small_person", tmp_path / "splits", {}).manifest
        inputs = {"splits": kept.model_copy(update={"params": {"minimum": 1}})}
        experiment = registry().experiments[TAUGHT]
        method = experiment.method.model_copy(update={"clip": encoder})
        experiment = experiment.model_copy(update={"method": method})
        return experiments._finetune_params(artifacts, experiment, method.recipe, "x", inputs)

    return {
        "clip of edits": (SCORE_EDITS, lambda one: edits(one, "clip")),
        "lpips of edits": (SCORE_EDITS, lambda one: edits(one, "lpips")),
        "structure of edits": (SCORE_EDITS, lambda one: edits(one, "structure")),
        "clip of a word": (LEARN, word),
        "clip of a painter": (SCORE_PAINTER, painter),
        "clip of a person": (FINETUNE, taught),
    }


PLACES = [f"{measure} of edits" for measure in ("clip", "lpips", "structure")]
PLACES += [f"clip of a {one}" for one in ("word", "painter", "person")]


@pytest.mark.parametrize("place", PLACES)
def test_another_byte_of_an_encoder_is_other_work_and_the_same_bytes_are_the_same(
    artifacts, asked, folder, place
):
    step, params = asked[place]

    def fingerprint():
        return artifacts.fingerprint(step, params(str(folder)), {})

    before = fingerprint()
    assert params(str(folder)).encoders[str(folder)].startswith("content://")
    (folder / "model.safetensors").write_bytes(b"vggs")
    assert fingerprint() != before
    (folder / "model.safetensors").write_bytes(b"alex")
    assert fingerprint() == before


@pytest.mark.parametrize("place", [place for place in PLACES if "lpips" not in place])
def test_the_encoder_that_ships_is_known_by_the_files_of_its_step(asked, place):
    step, params = asked[place]
    assert params(SMALL).encoders == {}
    assert set(CLIP_WEIGHTS) <= set(step.files)


def test_a_step_names_all_that_is_read_of_the_encoder_that_ships():
    known = {Path(file).name for file in CLIP_WEIGHTS}
    about = {"README.md", "SHA256SUMS", "measured.json", "training.json"}
    about |= {"curve.json", "curve.png"}
    assert known == {file.name for file in Path(KNOWN[SMALL]).iterdir()} - about


def test_scores_after_a_painter_whose_encoder_is_not_here_say_so_and_are_taken_when_it_is(
    artifacts, asked, folder
):
    step, params = asked["clip of a painter"]
    hidden = folder.rename(folder.parent / "away")
    without = params(str(folder))
    assert "there is no encoder" in str(without.lacking)
    hidden.rename(folder)
    with_it = params(str(folder))
    assert (without.encoders, with_it.lacking) == ({}, None)
    assert len({artifacts.fingerprint(step, one, {}) for one in (without, with_it)}) == 2
