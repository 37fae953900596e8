"""A small study twice at once, over damaged artefacts, and over what an older version left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from resources.artifacts import Artifacts
from resources.warehouse import query

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = """
name: tiny
title: A tiny study
painters:
  tiny_master:
    title: Tiny stand-ins
    paint_side: 64
    classes:
      0: {name: the master, paint: {hand: master, count: 8}}
      1: {name: other painters, paint: {hand: others, count: 8}}
    split: {valid: 0.25, test: 0.25}
    prepare: {size: 64}
networks:
  probe: {painter: tiny_master, recipe: {architecture: probe}}
"""
STEPS = {
    *(f"painters/{name}" for name in ("raw_paintings", "paintings", "classes")),
    *("classifier/network", "classifier/verdicts"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "studies").mkdir()
    (folder / "studies" / "tiny.yaml").write_text(STUDY)
    state = folder / "state"
    settings = {
        "LIKENESS_STUDIES": str(folder / "studies"),
        "LIKENESS_STATE_DIR": str(state),
        "LIKENESS_THREADS": "1",
        "DAGSTER_HOME": str(ROOT),
        "COLUMNS": "200",
    }
    return SimpleNamespace(
        state=state,
        environment=os.environ | settings,
        artifacts=Artifacts(store_uri=str(state / "artifacts"), state_dir=str(state)),
    )


def start(place, version=""):
    """The command as a person gives it; a ``version`` of the intake's code as an update would."""
    code = "import sys; sys.argv = ['likeness', 'study', 'tiny']\n"
    if version:
        code += (
            "from assets_defs import painters\n"
            f"painters.INTAKE = painters.INTAKE.model_copy(update={{'version': {version!r}}})\n"
        )
    return subprocess.Popen(
        [sys.executable, "-c", code + "from pipelines.cli import app; app()"],
        env=place.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    said, log = process.communicate(timeout=240)
    return SimpleNamespace(code=process.returncode, said=said, log=log)


def hits_and_misses(said):
    """Asset -> hit or miss, from the table that a run prints."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines()]
    return {row[0]: row[3] for row in rows if len(row) == 4 and row[3] in ("hit", "miss")}


@pytest.fixture(scope="module")
def both(place):
    """Two runs of the same study at once."""
    return [ended(process) for process in [start(place), start(place)]]


def whole(place):
    """Nothing is half there and every step has its artefact."""
    assert place.artifacts.store.verify() == []
    refs = {ref.asset for ref in place.artifacts.store.refs()}
    assert refs >= STEPS
    judged = query(place.artifacts.warehouse, "SELECT count(*) AS n FROM verdicts")
    assert judged["n"][0] == 8
    assert "Tiny stand-ins" in place.artifacts.report.read_text("utf-8")


def test_two_runs_of_a_study_at_once_both_succeed_and_do_the_work_once(place, both):
    assert [(done.code, done.log[-2000:]) for done in both if done.code] == []
    costs = [hits_and_misses(done.said) for done in both]
    for asset in STEPS - {"painters/raw_paintings"}:
        # whoever came second waited for the first and found it
        assert sorted(cost[asset] for cost in costs) == ["hit", "miss"]
    made = [one.asset for one in place.artifacts.store.manifests() if one.asset in STEPS]
    assert sorted(made) == sorted(STEPS)
    assert not list((place.state / "scratch").iterdir())
    whole(place)


def test_what_was_damaged_behind_our_back_is_found_and_made_again(place, both):
    store = place.artifacts.store
    paintings = place.artifacts.current("painters/paintings", "tiny_master")
    folder = place.artifacts.fetch(paintings)
    picture = min(folder.glob("images/*.png"))
    data = bytearray(picture.read_bytes())
    data[-20] ^= 1
    picture.write_bytes(data)
    verdicts = place.artifacts.fetch(place.artifacts.current("classifier/verdicts", "tiny__probe"))
    (verdicts / "verdicts.parquet").unlink()
    place.artifacts.warehouse.write_bytes(b"not a database any more")
    first = ended(start(place))
    if first.code:
        # a step met the changed bytes, set them aside and said so
        assert "it is set aside now: materialise painters/paintings again" in first.said
        assert "Traceback" not in first.said
        assert ended(start(place)).code == 0
    assert place.artifacts.current("painters/paintings", "tiny_master").content == paintings.content
    assert store.verify() == []
    whole(place)


def test_a_new_version_works_over_the_state_of_an_old_one(place, both):
    old = place.artifacts.current("painters/paintings", "tiny_master")
    # an older version wrote other fields, other tables
    for file in place.state.glob("artifacts/**/manifest.json"):
        written = json.loads(file.read_text())
        if "fingerprint" in written:
            del written["gpu_seconds"]
            file.write_text(json.dumps(written | {"written_by": "an older version"}))
    with duckdb.connect(str(place.artifacts.warehouse)) as connection:
        connection.execute("DROP VIEW cost; ALTER TABLE images DROP COLUMN prompt")
    done = ended(start(place, version="next"))
    assert done.code == 0, done.said[-2000:] + done.log[-2000:]
    costs = hits_and_misses(done.said)
    # the intake has other code now and gives the same bytes: nothing behind it is done again
    assert {asset for asset, cache in costs.items() if cache == "miss"} <= {
        "painters/paintings",
        "report/gallery",
    }
    assert costs["painters/paintings"] == "miss"
    new = place.artifacts.current("painters/paintings", "tiny_master")
    assert (new.content, new.fingerprint == old.fingerprint) == (old.content, False)
    assert place.artifacts.store.find("painters/paintings", old.fingerprint) is not None
    whole(place)
