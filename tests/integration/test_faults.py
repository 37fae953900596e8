"""Kills, full disks and too little memory: nothing is lost, and nothing is there by half."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import small_tasks
from small_tasks import STEP, Number, job

from likeness.errors import BadInput
from resources import step
from resources.compute import Compute, TaskFailed
from resources.manifest import Work, fingerprint_of
from resources.report.page import find_page, put_in_place
from resources.store import open_store
from resources.warehouse import build, query

SPAWN = multiprocessing.get_context("spawn")
WORK = Work(asset="small/many", fingerprint=fingerprint_of({"asset": "small/many"}))


def run_and_kill(target, *args, when):
    """A process of its own, killed as soon as ``when()``."""
    process = SPAWN.Process(target=target, args=args)
    process.start()
    deadline = time.monotonic() + 60
    while not when():
        assert time.monotonic() < deadline
        assert process.is_alive()
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    assert process.exitcode == -signal.SIGKILL


# Too little memory.


@pytest.mark.parametrize("function", ["eat", "eat_tensors"])
def test_memory_that_does_not_suffice_is_one_sentence(tmp_path, function):
    compute = Compute(lease_folder=tmp_path, threads=1)
    with pytest.raises(TaskFailed, match="the memory of this machine did not suffice") as caught:
        compute.run(job(tmp_path, function, 1000, torch="tensors" in function), lambda line: None)
    assert str(caught.value).startswith(f"small_tasks:{function}: ")
    assert "\n" not in str(caught.value)


# Kills.


def publish_many(store: Path, folder: Path) -> None:
    open_store(str(store), store, 1).publish(folder, WORK)


def many(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05d}.txt").write_text(str(number))
    return folder


def test_a_writer_killed_while_it_places_its_files_leaves_nothing_to_find_and_all_to_publish(
    tmp_path,
):
    store, count = tmp_path / "store", 1500
    folder = many(tmp_path / "made", count)
    for part in (0.1, 0.6):
        before = sum(1 for _ in store.rglob("*.txt"))

        def placed(before=before, part=part):
            return sum(1 for _ in store.rglob("*.txt")) - before >= part * count

        run_and_kill(publish_many, store, folder, when=placed)
        found = open_store(str(store), tmp_path, 1)
        assert found.find(WORK.asset, WORK.fingerprint) is None
        assert (list(found.manifests()), found.verify()) == ([], [])
    found.publish(folder, WORK)
    assert len(found.find(WORK.asset, WORK.fingerprint).files) == count
    assert found.verify() == []


def test_work_that_could_not_be_published_is_not_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)
    (tmp_path / "calls").mkdir()
    artifacts = small_tasks.artifacts(tmp_path, "inline")

    def make():
        located = {"calls": tmp_path / "calls"}
        return artifacts.make(STEP, "a", Number(number=57), {}, located=located)

    def away(folder, manifest):
        raise BadInput("the store does not answer")

    def fail():
        with monkeypatch.context() as patched:
            patched.setattr(artifacts.store._backend, "put", away)
            make()

    with pytest.raises(BadInput, match="does not answer"):
        fail()
    assert artifacts.find_current(STEP.asset, "a") is None
    made = make().manifest
    assert made.summary == {"double": 114}
    assert len(list((tmp_path / "calls").iterdir())) == 1
    # of an output that is no longer whole nothing is taken
    artifacts.store.quarantine(made)
    with pytest.raises(BadInput):
        fail()
    (output,) = tmp_path.glob("scratch/*/output/number.txt")
    output.write_text("55")
    assert artifacts.store.read_file(make().manifest, "number.txt") == b"5"
    assert len(list((tmp_path / "calls").iterdir())) == 3
    assert not list((tmp_path / "scratch").iterdir())


def numbers(rows: int) -> dict[str, pd.DataFrame]:
    return {"labels": pd.DataFrame({"painter": "p", "label": range(rows), "name": "n" * 50})}


def build_for_ever(file: Path) -> None:
    while True:
        build(file, numbers(200_000))


def put_for_ever(folder: Path, page: Path) -> None:
    while True:
        put_in_place(folder, page)


def test_a_warehouse_is_whole_whenever_its_builder_is_killed(tmp_path):
    file = tmp_path / "likeness.duckdb"
    build(file, numbers(3))
    for wait in (0.0, 0.15):
        # beside the file while a new one is written
        def half(wait=wait):
            ready = any(tmp_path.glob(".warehouse-*/likeness.duckdb"))
            time.sleep(wait if ready else 0)
            return ready

        run_and_kill(build_for_ever, file, when=half)
        assert query(file, "SELECT count(*) AS n FROM labels")["n"][0] in (3, 200_000)
    build(file, numbers(5))
    assert query(file, "SELECT count(*) AS n FROM labels")["n"][0] == 5
    # what the killed ones left is gone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["likeness.duckdb", "locks"]


def report(folder: Path, pictures: int) -> Path:
    (folder / "pictures").mkdir(parents=True)
    (folder / "index.html").write_text(str(pictures))
    for number in range(pictures):
        (folder / "pictures" / f"{number}.png").write_bytes(b"x")
    return folder


def test_a_report_is_whole_whenever_its_writer_is_killed(tmp_path):
    page = tmp_path / "state" / "report" / "index.html"
    one = report(tmp_path / "one", 300)
    put_in_place(one, page)
    for wait in (0.0, 0.05, 0.1):

        def half(wait=wait):
            ready = any(page.parent.parent.glob(".report-*"))
            time.sleep(wait if ready else 0)
            return ready

        run_and_kill(put_for_ever, one, page, when=half)
        put_in_place(one, page)
        assert len(list((page.parent / "pictures").iterdir())) == int(page.read_text())
        assert sorted(path.name for path in page.parent.parent.glob("*report*")) == ["report"]


def test_a_report_put_aside_by_a_killed_writer_is_shown_and_outlives_a_failing_one(tmp_path):
    page = tmp_path / "state" / "report" / "index.html"
    put_in_place(report(tmp_path / "one", 3), page)

    def killed_between_the_renames():
        page.parent.rename(page.parent.with_name(".old-report"))

    killed_between_the_renames()
    assert find_page(page)
    killed_between_the_renames()
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "nowhere", page)
    assert page.read_text() == "3"
    put_in_place(report(tmp_path / "two", 4), page)
    assert page.read_text() == "4"
    assert sorted(path.name for path in page.parent.parent.glob("*report*")) == ["report"]


def put_some(folder: Path, page: Path) -> None:
    for _ in range(30):
        put_in_place(folder, page)


def test_two_who_put_a_report_in_place_at_once_both_succeed(tmp_path):
    page = tmp_path / "state" / "report" / "index.html"
    both = [report(tmp_path / str(pictures), pictures) for pictures in (20, 40)]
    writers = [SPAWN.Process(target=put_some, args=(folder, page)) for folder in both]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(list((page.parent / "pictures").iterdir())) == int(page.read_text())


# A damaged warehouse.


def test_a_damaged_warehouse_is_rebuilt_and_until_then_told_in_a_sentence(tmp_path):
    file = tmp_path / "likeness.duckdb"
    build(file, numbers(3))
    data = bytearray(file.read_bytes())
    for damaged in (b"no database", bytes(data[:4096]), b"\0" * len(data), b""):
        file.write_bytes(damaged)
        with pytest.raises(BadInput, match=r"likeness\.duckdb cannot be read .*report_job"):
            query(file, "SELECT * FROM labels")
        build(file, numbers(4))
        assert len(query(file, "SELECT * FROM labels")) == 4
    with duckdb.connect(str(file), read_only=True) as reader:
        # whoever reads meanwhile goes on reading the old one
        build(file, numbers(7))
        assert reader.execute("SELECT count(*) FROM labels").fetchone() == (4,)
