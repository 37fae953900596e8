"""What nobody needs goes, and nothing else: not what is current, read, made or young."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_tasks

from likeness.errors import BadInput
from resources import step
from resources.prune import find_rubbish, prune
from resources.read_cache import ReadCache


@pytest.fixture(autouse=True)
def _sources(monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)


@pytest.fixture
def artifacts(tmp_path):
    return small_tasks.artifacts(tmp_path, "inline")


OTHER = """
import sys
from pathlib import Path
import small_tasks
from small_tasks import NEXT, STEP, Number
from resources import step
step.REPOSITORY = Path(small_tasks.__file__).parent
artifacts = small_tasks.artifacts(Path(sys.argv[1]), "inline")
"""


def elsewhere(tmp_path, work):
    """Do it in a process of its own, whose claims end with it."""
    subprocess.run([sys.executable, "-c", OTHER + work, str(tmp_path)], check=True)


MAKE = """
for number in {numbers}:
    made = artifacts.make(STEP, "a", Number(number=number), {{}})
    artifacts.adopt(made)
    artifacts.adopt(artifacts.make(NEXT, "a", Number(number=0), {{"before": made.manifest}}))
"""


def named(found, what="artefact"):
    return sorted((one.asset, one.what) for one in found if one.what == what)


def fingerprints(store):
    return {one.fingerprint for one in store.manifests()}


def test_what_is_current_and_what_it_was_made_from_stays(artifacts, tmp_path):
    # 10 and 20 yield other bytes, so each has a follower of its own
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    artifacts.store.set_ref(
        "small/number",
        "a",
        next(
            m
            for m in artifacts.store.manifests()
            if m.params == {"number": 10} and m.asset == "small/number"
        ),
        True,
        0.0,
    )
    # current now: the number of 10, and the follower of 20, which needs the number of 20
    found = find_rubbish(artifacts, 0)
    assert named(found) == [("small/next", "artefact")]
    before = fingerprints(artifacts.store)
    (removed,) = prune(artifacts, 0)
    assert removed == found[0]
    assert fingerprints(artifacts.store) == before - {removed.name.rsplit("/", 1)[1]}
    assert not (tmp_path / "store" / removed.name).exists()
    assert artifacts.store.verify() == []
    assert artifacts.find_current("small/next", "a") is not None
    assert prune(artifacts, 0) == []


def test_what_is_young_stays(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    assert len(find_rubbish(artifacts, 0)) == 2
    assert find_rubbish(artifacts, 1) == []
    assert prune(artifacts, 1) == []


def test_what_a_living_process_has_looked_up_stays_until_it_ends(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    # back to 10, not yet current: between the hit and its adoption lie the checks
    waits = OTHER + (
        'made = artifacts.make(STEP, "a", Number(number=10), {})\nassert made.hit\n'
        "print('there', flush=True)\nsys.stdin.read()\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", waits, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "there\n"
    assert named(prune(artifacts, 0)) == [("small/next", "artefact")]
    reader.communicate()
    assert named(prune(artifacts, 0)) == [("small/number", "artefact")]


def test_what_came_back_into_use_after_it_was_found_stays(artifacts, tmp_path, monkeypatch):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    from resources import prune as module

    find = module._rubbish

    def found_and_then_used(*given):
        found = find(*given)
        elsewhere(tmp_path, MAKE.format(numbers="(10,)"))
        return found

    monkeypatch.setattr(module, "_rubbish", found_and_then_used)
    assert prune(artifacts, 0) == []
    assert len(fingerprints(artifacts.store)) == 4


def test_files_of_writers_that_never_finished_go_and_those_of_a_writer_at_work_stay(
    artifacts, tmp_path
):
    elsewhere(tmp_path, MAKE.format(numbers="(10,)"))
    root = tmp_path / "store" / "small" / "number"
    (fingerprint,) = (path.name for path in root.iterdir())
    killed = root / ("0" * 64) / "abc"
    second = root / fingerprint / "def"
    aside = root / fingerprint / "manifest.json.0123.quarantined"
    for folder in (killed, second):
        folder.mkdir(parents=True)
        (folder / "number.txt").write_text("1")
        folder.with_name(f"{folder.name}.times.json").write_text("{}")
    aside.write_text("{}")
    with artifacts.lock("0" * 64):
        found = find_rubbish(artifacts, 0)
        assert len([one for one in found if one.what == "leftover"]) == 3
        removed = prune(artifacts, 0)
        assert killed.exists()
    assert not second.exists()
    assert not aside.exists()
    assert not second.with_name("def.times.json").exists()
    assert len(removed) == 2
    assert len(prune(artifacts, 0)) == 1
    assert not killed.parent.exists()
    assert artifacts.find_current("small/number", "a") is not None


def test_checkpoints_of_unfinished_work_stay_and_those_of_published_work_go(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10,)"))
    done = next(iter(fingerprints(artifacts.store)))
    folders = [artifacts.scratch() / name for name in (done, "1" * 64, "tmp_half_a_report")]
    for folder in folders:
        folder.mkdir()
        (folder / "checkpoint").write_bytes(b"0" * 1000)
    with artifacts.lock(done):  # it is being made anew
        assert [one.name for one in prune(artifacts, 0)] == ["tmp_half_a_report"]
    assert [one.name for one in prune(artifacts, 0)] == [done]
    assert [folder.exists() for folder in folders] == [False, True, False]


HOLD = """
with artifacts.room() as room:
    (room / "half").write_text("1")
    print(room, flush=True)
    sys.stdin.read()
    print(room.exists(), flush=True)
    if sys.argv[2:]:
        import os
        os.abort()
"""


def in_a_room(tmp_path, *how):
    """A process that works in a room until it is told to end."""
    command = [sys.executable, "-c", OTHER + HOLD, str(tmp_path), *how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, Path(process.stdout.readline().strip())


def test_the_room_of_a_living_process_stays_at_any_age_and_that_of_a_dead_one_goes(
    artifacts, tmp_path
):
    living, room = in_a_room(tmp_path)
    killed, left = in_a_room(tmp_path, "abort")
    killed.communicate()
    assert left.exists()
    # to a clock that has jumped forward everything is old
    assert [one.name for one in prune(artifacts, 24, time.time() + 1e6)] == [left.name]
    assert [one.name for one in prune(artifacts, 0)] == []
    assert living.communicate()[0] == "True\n"
    assert not room.exists()


def test_to_a_clock_that_was_set_back_everything_is_young(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    past = time.time() - 1e6
    assert find_rubbish(artifacts, 0, past) == prune(artifacts, 0, past) == []
    # and to one that has jumped forward old: what is current stays all the same
    assert len(prune(artifacts, 24, time.time() + 1e6)) == 2
    assert artifacts.current("small/next", "a").params == {"number": 0}
    assert artifacts.store.verify() == []


def test_local_copies_of_what_nobody_needs_go(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    contents = {one.asset: one.content for one in artifacts.store.manifests()}
    current = artifacts.current("small/next", "a").content
    old = next(
        m.content
        for m in artifacts.store.manifests()
        if m.asset == "small/next" and m.content != current
    )
    assert current in contents.values() or old in contents.values()
    cache = ReadCache(tmp_path / "read_cache", 1)
    for content in (current, old):
        cache.put(content, [], lambda folder: (folder / "a").write_bytes(b"1234"))
        os.utime(tmp_path / "read_cache" / f"{content}.lock", (time.time() - 7200,) * 2)
    copies = [one for one in prune(artifacts, 1) if one.what == "copy"]
    assert [(one.name, one.bytes) for one in copies] == [(old, 4)]
    assert (tmp_path / "read_cache" / current).is_dir()
    assert not (tmp_path / "read_cache" / old).exists()


def test_a_ref_that_cannot_be_read_stops_everything(artifacts, tmp_path):
    elsewhere(tmp_path, MAKE.format(numbers="(10, 20)"))
    (tmp_path / "store" / "refs" / "small" / "number" / "a.json").write_text("{")
    with pytest.raises(BadInput, match=r"refs/small/number/a\.json in the store cannot be read"):
        prune(artifacts, 0)
    assert len(fingerprints(artifacts.store)) == 4
