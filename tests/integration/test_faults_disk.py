"""Full disks and disks that cannot be written to, in a name space of their own."""

import sys

import small_disk

BEGIN = """
import os, sys
from pathlib import Path
import small_tasks
from small_tasks import STEP, Number
from resources import step
from resources.artifacts import Artifacts
from resources.shortage import shortage
step.REPOSITORY = Path(small_tasks.__file__).parent
disk = Path(sys.argv[1])
FILL = STEP.model_copy(update={"function": "small_tasks:fill"})

def fails(call, kind=Exception):
    try:
        call()
    except kind as error:
        return str(error) if kind is not Exception else shortage(error)
    raise SystemExit("it did not fail")

def used():
    return sum(path.stat().st_size for path in disk.rglob("*") if path.is_file())
"""

STORE = """
artifacts = Artifacts(store_uri=str(disk / "store"), state_dir=str(disk.parent / "state"))
def make(megabytes):
    return artifacts.make(FILL, "a", Number(number=megabytes), {}, say=lambda line: None)
sentence = fails(lambda: make(12))
assert sentence.startswith("the disk is full"), sentence
assert list(artifacts.store.manifests()) == [] and artifacts.store.verify() == []
# the file that had found room has made room again
assert used() < 1000, used()
made = make(6)
assert artifacts.store.verify() == [] and used() >= 6 << 20
# an artefact more, for which there is no room, leaves the first one as it is
assert fails(lambda: make(3)).startswith("the disk is full")
assert make(6).hit and artifacts.store.verify() == []
"""

TASK = """
from resources.compute import TaskFailed
artifacts = Artifacts(store_uri=str(disk.parent / "store"), state_dir=str(disk))
def make(megabytes):
    return artifacts.make(FILL, "a", Number(number=megabytes), {}, say=lambda line: None)
sentence = fails(lambda: make(12), TaskFailed)
assert sentence.startswith("small_tasks:fill: the disk is full"), sentence
assert "\\n" not in sentence
assert used() < 1000, used()
assert not make(6).hit and make(6).hit
assert artifacts.store.verify() == []
"""

WAREHOUSE = """
import pandas as pd
from resources.warehouse import build, query
def numbers(rows):
    # values without a pattern: nothing of them can be packed away
    names = [os.urandom(32).hex() for _ in range(rows)]
    return {"labels": pd.DataFrame({"painter": "p", "label": range(rows), "name": names})}
file = disk / "likeness.duckdb"
build(file, numbers(3))
small = used()
sentence = fails(lambda: build(file, numbers(400_000)))
assert sentence and sentence.startswith("the disk is full"), sentence
assert query(file, "SELECT count(*) AS n FROM labels")["n"][0] == 3
assert used() == small
build(file, numbers(5))
assert query(file, "SELECT count(*) AS n FROM labels")["n"][0] == 5
"""

REPORT = """
from resources.report.page import put_in_place
page = disk / "report" / "index.html"
def report(name, megabytes):
    folder = disk.parent / name
    (folder / "pictures").mkdir(parents=True)
    for number in range(megabytes):
        (folder / "pictures" / f"{number}.png").write_bytes(os.urandom(1 << 20))
    (folder / "index.html").write_text(name)
    return folder
put_in_place(report("small", 1), page)
assert fails(lambda: put_in_place(report("large", 9), page)).startswith("the disk is full")
assert page.read_text() == "small" and used() < 2 << 20
put_in_place(report("next", 2), page)
assert page.read_text() == "next"
"""


def test_an_artefact_for_which_the_store_has_no_room_is_not_there(tmp_path):
    small_disk.on_megabytes(tmp_path / "disk", 8, BEGIN + STORE)


def test_work_for_which_there_is_no_room_says_so_and_gives_the_room_back(tmp_path):
    small_disk.on_megabytes(tmp_path / "disk", 8, BEGIN + TASK)


def test_a_warehouse_for_which_there_is_no_room_leaves_the_old_one(tmp_path):
    small_disk.on_megabytes(tmp_path / "disk", 6, BEGIN + WAREHOUSE)


def test_a_report_for_which_there_is_no_room_leaves_the_old_one(tmp_path):
    small_disk.on_megabytes(tmp_path / "disk", 6, BEGIN + REPORT)


READ_ONLY = """
artifacts = Artifacts(store_uri=str(disk / "store"), state_dir=str(disk))
sentence = fails(lambda: artifacts.make(FILL, "a", Number(number=1), {}))
assert "cannot be written" in sentence and "Read-only file system" in sentence, sentence
"""


def test_a_state_that_cannot_be_written_is_one_sentence(tmp_path):
    disk = tmp_path / "state"
    (disk / "store").mkdir(parents=True)
    command = [sys.executable, "-m", "pipelines.cli", "study", "demo"]
    here = {"LIKENESS_STATE_DIR": str(disk), "DAGSTER_HOME": str(small_disk.ROOT)}
    done = small_disk.read_only(disk, command, **here)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout.startswith(f"nothing can be written to the state folder {disk} (Read-only")
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    done = small_disk.read_only(disk, [sys.executable, "-c", BEGIN + READ_ONLY, str(disk)])
    assert done.returncode == 0, done.stdout + done.stderr
