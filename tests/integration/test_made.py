"""Pictures from a model of a few kB, through the whole flow, and after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
import tiny_pipeline
import yaml
from PIL import Image
from working import working

from likeness.errors import BadInput
from likeness.generate.tasks import ImagesParams, make_images
from likeness.images import image_set
from resources.artifacts import Artifacts
from resources.export import export_results
from resources.warehouse import query

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "made"
STUDY = """
name: light
title: Light & <b>shade</b>
experiments:
  plain:
    title: Plain & simple
    model: tiny
    prompts: [a photo of a dog, a photo of <zarin> on a beach]
    seeds: [3, 12]
    sampling: {num_inference_steps: 60, batch: 1}
  far:
    title: A model that is not here
    model: sd15
    prompts: [a dog]
    seeds: {images_per_prompt: 1}
"""
KEY = "light__plain"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with the model and its settings."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("studies", "state", "home"):
        (folder / name).mkdir()
    tiny_pipeline.write_settings(folder)
    return folder


def run(work: Path, study: str, meanwhile=lambda driver: None) -> SimpleNamespace:
    """One process runs the study; ``meanwhile`` is called with it at once."""
    (work / "studies" / "light.yaml").write_text(study)
    settings = {
        "LIKENESS_STUDIES": str(work / "studies"),
        "LIKENESS_STATE_DIR": str(work / "state"),
        "LIKENESS_MODELS": str(work / "models.yaml"),
        "LIKENESS_THREADS": "1",
        "HF_HOME": str(work / "home"),
    }
    log = work / "run.log"
    with log.open("w") as output:
        driver = psutil.Popen(
            [
                sys.executable,
                str(HERE / "run_made.py"),
                str(work / "state"),
                str(work / "run.json"),
            ],
            env=os.environ | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            meanwhile(driver)
            assert driver.wait(timeout=300) == 0, log.read_text()[-4000:]
        finally:
            if driver.poll() is None:
                driver.kill()
    found = json.loads((work / "run.json").read_text())
    costs = {(cost["asset"], cost["partition"]): cost["cache"] for cost in found["costs"]}
    return SimpleNamespace(said=log.read_text(), caches=costs, failures=found["failures"])


def kill_behind_the_first_picture(work: Path, driver: psutil.Process) -> None:
    """End the working process, as a machine without memory does."""
    deadline = time.monotonic() + 200
    while not list(work.glob("state/scratch/*/state/images/*.png")):
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.005)
    for work_of in working(driver):
        work_of.send_signal(signal.SIGKILL)


def store_of(work: Path) -> Artifacts:
    return Artifacts(store_uri=str(work / "state" / "artifacts"), state_dir=str(work / "state"))


@pytest.fixture(scope="module")
def first(work):
    """The first run, killed once while it sampled; its pictures and its page."""
    done = run(work, STUDY, lambda driver: kill_behind_the_first_picture(work, driver))
    manifest = store_of(work).current("images/made", KEY)
    page = (work / "state" / "report" / "index.html").read_text()
    folder = store_of(work).fetch(manifest)
    return SimpleNamespace(run=done, manifest=manifest, folder=folder, page=page)


def test_a_missing_model_stops_its_experiments_with_the_command_that_fetches_it(first):
    assert first.run.failures == [
        "models_job [sd15]: model 'sd15' is not on this machine: run likeness models fetch sd15",
        "experiments_job [light__far]: not started, its model [sd15] failed",
    ]
    assert first.run.caches["images/made", KEY] == "miss"
    assert first.run.caches["report/gallery", None] == "miss"


def test_a_picture_per_prompt_and_seed_with_what_was_not_read(first):
    table = image_set.read(first.folder)
    assert list(table["file"]) == [f"images/{n:03d}-{s}.png" for n in (0, 1) for s in (3, 12)]
    assert list(table["seed"]) == [3, 12, 3, 12]
    assert set(table["base"]) == {"tiny"}
    assert table["model"].str.startswith("content://").all()
    assert table["not_read"].isna().tolist() == [True, True, False, False]
    assert set(table["not_read"].dropna()) == {"unknown words: zarin"}
    assert set(table["status"]) == {"accepted"}
    for row in table.itertuples():
        with Image.open(first.folder / row.file) as picture:
            assert picture.size == (row.width, row.height) == (16, 16)
    with Image.open(first.folder / "preview.jpg") as sheet:
        assert sheet.width > 2 * 128


def test_weights_are_referred_to_and_never_copied(work, first):
    store = work / "state" / "artifacts"
    assert not list(store.rglob("*.safetensors"))
    reference = json.loads(
        (
            store_of(work).fetch(store_of(work).current("models/finetuned", KEY)) / "reference.json"
        ).read_text()
    )
    identity = first.manifest.params["identity"]
    assert reference == {"model": "tiny", "reference": identity, "method": "base"}


def test_tables_and_pictures_leave_as_plain_files(work, first, tmp_path):
    said: list[str] = []
    target = tmp_path / "out"
    export_results(store_of(work), ["light"], [KEY, "light__far"], target, said.append)
    assert said[1:] == [f"{KEY}: 4 pictures", "light__far: no pictures yet"]
    rows = pd.read_csv(target / "pictures" / KEY / "images.csv")
    assert list(rows["prompt"]) == list(image_set.read(first.folder)["prompt"])
    for file in rows["file"]:
        copy = (target / "pictures" / KEY / file).read_bytes()
        assert copy == (first.folder / file).read_bytes()
    tables = {file.stem: pd.read_csv(file) for file in (target / "tables").iterdir()}
    made = tables["experiments_made"].set_index("experiment")
    assert made.loc["plain", "n"] == 4
    assert made.loc["far", "n"] == 0
    with pytest.raises(BadInput, match="out exists already"):
        export_results(store_of(work), ["light"], [KEY], target, said.append)
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_the_page_and_the_tables_show_the_pictures_by_prompt(work, first):
    assert "<h3>Plain &amp; simple</h3>" in first.page
    assert "<b>shade" not in first.page
    assert "<strong>unknown words: zarin</strong>" in first.page
    assert first.page.count('src="pictures/light__plain-') == 4
    assert len(list((work / "state" / "report" / "pictures").glob("light__plain-*.png"))) == 4
    assert "Pictures made" in first.run.said
    rows = query(work / "state" / "likeness.duckdb", "SELECT * FROM experiments_made")
    found = {row.experiment: (row.prompts, row.n, row.not_whole) for row in rows.itertuples()}
    assert {name: found[name] for name in ("plain", "far")} == {
        "plain": (2, 4, 1),
        "far": (0, 0, 0),
    }


def test_killed_work_goes_on_behind_the_pictures_that_are_there(work, first):
    (behind,) = re.findall(r"going on behind (\d) of 4 batches", first.run.said)
    assert 1 <= int(behind) < 4
    assert not list((work / "state" / "scratch").iterdir())


def test_a_second_run_is_a_hit_and_another_prompt_is_another_artefact(work, first):
    changed = yaml.safe_load(STUDY)
    changed["experiments"]["other"] = {"extends": "plain", "prompts": ["a photo of a dog", "a cat"]}
    del changed["experiments"]["far"]
    again = run(work, yaml.safe_dump(changed))
    assert again.failures == []
    missed = {key for key, cache in again.caches.items() if cache == "miss"}
    made_anew = ("images/made", "scores/pairs", "scores/images")
    assert missed == {*((asset, "light__other") for asset in made_anew), ("report/gallery", None)}
    other = store_of(work).current("images/made", "light__other")
    assert other.fingerprint != first.manifest.fingerprint
    after, before = (
        {entry.path: entry.sha256 for entry in one.files} for one in (other, first.manifest)
    )
    # of these two, one was sampled before the kill and one behind it, and here without any
    for file in ("images/000-3.png", "images/000-12.png"):
        assert after[file] == before[file]
    assert after["images/001-3.png"] != before["images/001-3.png"]


def test_a_model_that_has_changed_since_is_not_taken_for_the_one_asked_for(
    work, first, tmp_path, monkeypatch
):
    settings = tmp_path / "models.yaml"
    settings.write_text(tiny_pipeline.settings(tiny_pipeline.write(tmp_path / "model", seed=1)))
    monkeypatch.setenv("LIKENESS_MODELS", str(settings))
    params = ImagesParams.model_validate(first.manifest.params)
    with pytest.raises(BadInput, match=r"model 'tiny' is content://.* by now and no longer"):
        make_images(params, {}, tmp_path / "output", tmp_path / "scratch")
