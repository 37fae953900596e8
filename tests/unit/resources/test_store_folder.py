import multiprocessing
import os
import shutil
import time

import pytest

from likeness.errors import BadInput
from resources.manifest import CorruptArtifact, Work, describe_folder, fingerprint_of
from resources.read_cache import ReadCache
from resources.store import open_store

ASSET = "painters/paintings"
FINGERPRINT = fingerprint_of({"asset": ASSET})
OLD = 1_000_000_000


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"), tmp_path / "cache", 1)


def made(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def published(store, tmp_path):
    folder = made(tmp_path / "made", {"a.png": b"aaaa", "sub/b.png": b"bbbb"})
    return store.publish(folder, Work(asset=ASSET, fingerprint=FINGERPRINT))


def test_an_artefact_is_fetched_where_it_lies(store, published, tmp_path):
    assert store.fetch(published) == tmp_path / "store" / published.location
    assert not (tmp_path / "cache").exists()


def test_bytes_changed_behind_the_back_of_the_store_are_noticed(store, published):
    (store.fetch(published) / "sub/b.png").write_bytes(b"BBBB")
    with pytest.raises(CorruptArtifact, match=r"'sub/b.png' of the artefact painters/paintings"):
        store.fetch(published)


def test_a_new_time_on_the_same_bytes_is_no_damage(store, published):
    os.utime(store.fetch(published) / "a.png", (OLD, OLD))
    folder = store.fetch(published)
    # and from then on that time is the known one: equal size and time are not read again
    (folder / "a.png").write_bytes(b"AAAA")
    os.utime(folder / "a.png", (OLD, OLD))
    assert store.fetch(published) == folder
    assert [problem.path for problem in store.verify()] == ["a.png"]


def test_an_artefact_with_a_file_cut_short_does_not_exist(store, published, caplog):
    (store.fetch(published) / "a.png").write_bytes(b"aa")
    assert store.find(ASSET, FINGERPRINT) is None
    assert "'a.png' is missing or of another size" in caplog.text


def test_a_store_carried_to_another_place_still_holds(store, published, tmp_path):
    (tmp_path / "store").rename(tmp_path / "moved")
    moved = open_store(str(tmp_path / "moved"), tmp_path / "cache", 1)
    found = moved.find(ASSET, FINGERPRINT)
    assert describe_folder(moved.fetch(found)) == published.files


def test_a_store_on_another_file_system_takes_the_files_too(tmp_path):
    other = "/dev/shm"
    if os.stat(other).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is only one file system here")
    folder = made(tmp_path / "made", {"ü/a b.png": b"aaaa"})
    root = os.path.join(other, f"likeness-{os.getpid()}")
    store = open_store(root, tmp_path / "cache", 1)
    try:
        manifest = store.publish(folder, Work(asset=ASSET, fingerprint=FINGERPRINT))
        assert describe_folder(store.fetch(manifest)) == manifest.files
        assert not folder.exists()
    finally:
        shutil.rmtree(root)


@pytest.mark.parametrize("uri", ["gs://bucket/x", "http://host/x", "s3://"])
def test_an_address_that_is_no_store_is_refused(uri, tmp_path):
    with pytest.raises(BadInput, match="LIKENESS_STORE"):
        open_store(uri, tmp_path / "cache", 1)


def test_a_file_in_the_place_of_the_store_is_refused(tmp_path):
    (tmp_path / "store").write_text("x")
    with pytest.raises(BadInput, match="set LIKENESS_STORE to a folder"):
        open_store(str(tmp_path / "store"), tmp_path / "cache", 1)


# The read cache: a folder of one megabyte for each letter, in a cache of two and a half.


def megabyte(letter, source):
    folder = made(source / letter, {"data": letter.encode() * 1_000_000})
    return describe_folder(folder), lambda temp: made(temp, {"data": letter.encode() * 1_000_000})


def put(cache, letters, source):
    for letter in letters:
        files, fill = megabyte(letter, source)
        cache.put(letter, files, fill)
        time.sleep(0.02)  # file times must differ to tell the older from the younger


def entries(root):
    return {path.name for path in root.iterdir() if path.is_dir()}


def test_the_least_recently_used_folder_is_removed(tmp_path):
    cache = ReadCache(tmp_path / "cache", cap_gb=0.0025)
    put(cache, "ab", tmp_path)
    put(cache, "a", tmp_path)  # used again, so that b is the oldest
    put(cache, "c", tmp_path)
    assert entries(tmp_path / "cache") == {"a", "c"}


def hold(root, source, ready, leave):
    files, fill = megabyte("a", source)
    ReadCache(root, cap_gb=0.0025).get("a", files, fill)
    ready.set()
    leave.wait(30)


def test_a_folder_in_use_by_a_living_process_is_never_removed(tmp_path):
    root = tmp_path / "cache"
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    user = context.Process(target=hold, args=(root, tmp_path, ready, leave))
    user.start()
    try:
        assert ready.wait(30)
        cache = ReadCache(root, cap_gb=0.0025)
        put(cache, "bcd", tmp_path)
        assert entries(root) == {"a", "d"}
    finally:
        user.kill()
        user.join()
    put(cache, "e", tmp_path)  # the lock died with its process
    assert entries(root) == {"d", "e"}


def test_a_folder_this_process_uses_stays_above_the_cap_with_a_warning(tmp_path, caplog):
    cache = ReadCache(tmp_path / "cache", cap_gb=0.0005)
    files, fill = megabyte("a", tmp_path)
    assert (cache.get("a", files, fill) / "data").stat().st_size == 1_000_000
    put(cache, "b", tmp_path)
    assert entries(tmp_path / "cache") == {"a"}
    assert "all of them in use" in caplog.text


def test_a_damaged_folder_in_the_cache_is_filled_again(tmp_path):
    cache = ReadCache(tmp_path / "cache", cap_gb=1)
    files, fill = megabyte("a", tmp_path)
    (cache.get("a", files, fill) / "data").write_bytes(b"b" * 1_000_000)
    assert describe_folder(cache.get("a", files, fill)) == files


def test_a_fill_that_fails_leaves_nothing(tmp_path):
    cache = ReadCache(tmp_path / "cache", cap_gb=1)

    def fill(temp):
        made(temp, {"data": b"half"})
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.get("a", [], fill)
    assert entries(tmp_path / "cache") == set()


def test_a_clock_that_jumps_takes_nothing_from_who_reads_or_fills_a_folder(tmp_path):
    now = [time.time()]
    cache = ReadCache(tmp_path / "cache", 0.0015, clock=lambda: now[0])
    files, fill = megabyte("a", tmp_path)
    read = cache.get("a", files, fill)

    def interrupted(temp):
        for jump in (1e7, -1e7):
            now[0] += jump
            ReadCache(tmp_path / "cache", 0.0015, clock=lambda: now[0])
            put(cache, "c", tmp_path)
        made(temp, {"data": b"b" * 1_000_000})

    files, _ = megabyte("b", tmp_path)
    assert (cache.get("b", files, interrupted) / "data").is_file()
    assert (read / "data").is_file()


def test_after_a_clock_was_set_back_the_copy_used_last_may_go_first_and_comes_again(tmp_path):
    now = [2000.0]
    cache = ReadCache(tmp_path / "cache", 0.0025, clock=lambda: now[0])
    put(cache, "a", tmp_path)
    now[0] = 1000.0
    put(cache, "bc", tmp_path)
    assert len(entries(tmp_path / "cache")) == 2
    assert (cache.get("b", *megabyte("b", tmp_path)) / "data").is_file()


def test_what_a_crash_left_a_day_ago_is_swept_and_what_is_young_stays(tmp_path):
    for name in (".tmp-old", ".tmp-young"):
        made(tmp_path / "cache" / name, {"data": b"1"})
    os.utime(tmp_path / "cache" / ".tmp-old", (OLD, OLD))
    ReadCache(tmp_path / "cache", cap_gb=1)
    assert entries(tmp_path / "cache") == {".tmp-young"}


def test_damage_that_was_repaired_meanwhile_is_left_alone(store, published, tmp_path):
    (store.fetch(published) / "a.png").write_bytes(b"AAAA")
    problems = store.verify()
    store.quarantine(published)
    again = made(tmp_path / "again", {"a.png": b"aaaa", "sub/b.png": b"bbbb"})
    repaired = store.publish(again, Work(asset=ASSET, fingerprint=FINGERPRINT))
    store.set_aside_damaged(problems)
    assert store.find(ASSET, FINGERPRINT) == repaired
    (store.fetch(repaired) / "a.png").write_bytes(b"AAAA")
    store.set_aside_damaged(store.verify())
    assert store.find(ASSET, FINGERPRINT) is None
