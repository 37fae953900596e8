"""The laws of the artefact store, in a folder and on a real S3 server, with real processes."""

import multiprocessing
import os
import signal
from io import BytesIO
from pathlib import Path

import pytest

from likeness.errors import BadInput
from resources.manifest import CorruptArtifact, Work, describe_folder, fingerprint_of
from resources.store import open_store

pytestmark = pytest.mark.s3

ASSET = "painters/paintings"
FINGERPRINT = fingerprint_of({"asset": ASSET, "seed": 1})
WORK = Work(
    asset=ASSET,
    fingerprint=FINGERPRINT,
    inputs={"painters/raw_paintings": "c" * 64},
    params={"size": 64, "crop": "centre"},
    code_version="3",
    libraries={"pillow": "13.0"},
    summary={"images": 3},
    seconds=1.5,
)
FILES = {
    "images.parquet": b"PAR1",
    "images/Église d’Auvers, 1890.jpg": b"\xff\xd8 van gogh",
    "images/夜 + 100% #1 & more?.png": b"stars",
    "images/landscape in the style of <Cézanne>.png": b"a hill",
    "<Cézanne>/learned_embeds.safetensors": b"one vector",
    "unet/deep/er/config.json": b"{}",
    "unet/manifest.json": b"not ours",
    "empty": b"",
}


@pytest.fixture(params=["folder", "s3"])
def uri(request, tmp_path, s3_environment):
    """An empty store of either kind."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return f"s3://{s3_environment.bucket}/{tmp_path.name}/some prefix"


@pytest.fixture
def disk(uri, tmp_path, s3):
    """Where the store's bytes really lie."""
    return tmp_path / "store" if "://" not in uri else s3.folder / tmp_path.name / "some prefix"


@pytest.fixture
def spoil(uri, tmp_path, disk, s3):
    """Replace what is stored under a key, or with None remove it, behind the back of the store."""

    def remote(key, data):
        name = f"{tmp_path.name}/some prefix/{key}"
        if data is None:
            s3.client.remove_object(s3.bucket, name)
        else:
            s3.client.put_object(s3.bucket, name, BytesIO(data), len(data))

    def local(key, data):
        (disk / key).unlink() if data is None else (disk / key).write_bytes(data)

    return remote if "://" in uri else local


@pytest.fixture
def store(uri, tmp_path):
    return open_store(uri, tmp_path / "cache", 1)


def elsewhere(uri, tmp_path):
    """The same store as seen by another machine, whose read cache is empty."""
    return open_store(uri, tmp_path / "another cache", 1)


def made(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def content_of(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_what_is_published_comes_back_byte_for_byte(store, uri, tmp_path):
    manifest = store.publish(made(tmp_path / "made", FILES), WORK)
    assert not (tmp_path / "made").exists()
    assert content_of(store.fetch(manifest)) == FILES

    other = elsewhere(uri, tmp_path)
    found = other.find(ASSET, FINGERPRINT)
    assert found == manifest
    assert content_of(other.fetch(found)) == FILES
    assert all(other.read_file(found, name) == data for name, data in FILES.items())
    assert list(other.manifests()) == [manifest]
    assert other.verify() == []


def test_a_manifest_says_what_was_done_and_holds_no_more(store, tmp_path):
    manifest = store.publish(made(tmp_path / "made", {"a": b"12"}), WORK)
    assert Work(**manifest.model_dump(include=set(Work.model_fields))) == WORK
    assert (manifest.bytes_total, [file.path for file in manifest.files]) == (2, ["a"])
    assert manifest.location.startswith(f"{ASSET}/{FINGERPRINT}/")


def test_what_was_not_published_is_not_found(store):
    assert store.find(ASSET, FINGERPRINT) is None
    assert (list(store.manifests()), store.refs(), store.ref(ASSET, None)) == ([], [], None)


def test_a_big_file_goes_in_parts_and_comes_back_whole(store, uri, tmp_path):
    data = os.urandom(20 << 20)
    manifest = store.publish(made(tmp_path / "made", {"weights.safetensors": data}), WORK)
    assert content_of(elsewhere(uri, tmp_path).fetch(manifest)) == {"weights.safetensors": data}


def test_an_artefact_without_files_is_an_empty_folder(store, uri, tmp_path):
    (tmp_path / "made").mkdir()
    store.publish(tmp_path / "made", WORK)
    other = elsewhere(uri, tmp_path)
    assert content_of(other.fetch(other.find(ASSET, FINGERPRINT))) == {}


def test_the_first_of_two_publications_stays(store, uri, tmp_path, disk):
    first = store.publish(made(tmp_path / "one", {"a": b"first"}), WORK)
    second = store.publish(made(tmp_path / "two", {"a": b"second"}), WORK)
    assert second == first
    assert content_of(elsewhere(uri, tmp_path).fetch(first)) == {"a": b"first"}
    assert len([path for path in (disk / ASSET / FINGERPRINT).iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("left", [None, b"1"])
def test_an_artefact_that_lost_a_file_or_half_of_it_is_made_anew(store, uri, tmp_path, spoil, left):
    lost = store.publish(made(tmp_path / "one", {"a": b"12", "b": b"34"}), WORK)
    spoil(f"{lost.location}/a", left)
    assert elsewhere(uri, tmp_path).find(ASSET, FINGERPRINT) is None
    again = store.publish(made(tmp_path / "two", {"a": b"12", "b": b"34"}), WORK)
    assert store.find(ASSET, FINGERPRINT) == again != lost
    assert store.verify() == []


def test_changed_bytes_are_never_handed_out(store, uri, tmp_path, disk):
    manifest = store.publish(made(tmp_path / "made", {"a": b"12", "b/c": b"34"}), WORK)
    (disk / manifest.location / "b" / "c").write_bytes(b"43")
    other = elsewhere(uri, tmp_path)
    with pytest.raises(CorruptArtifact, match="'b/c' of the artefact painters/paintings"):
        other.fetch(manifest)
    with pytest.raises(CorruptArtifact, match="'b/c'"):
        other.read_file(manifest, "b/c")
    assert other.read_file(manifest, "a") == b"12"
    assert [(problem.asset, problem.path) for problem in other.verify()] == [(ASSET, "b/c")]
    if (tmp_path / "another cache").exists():
        assert [path for path in (tmp_path / "another cache").iterdir() if path.is_dir()] == []


def test_a_file_lost_after_it_was_found_is_corruption(store, uri, tmp_path, spoil):
    manifest = store.publish(made(tmp_path / "made", {"a": b"12"}), WORK)
    spoil(f"{manifest.location}/a", None)
    other = elsewhere(uri, tmp_path)
    for read in (other.fetch, lambda lost: other.read_file(lost, "a")):
        with pytest.raises(CorruptArtifact, match=r"lost|missing"):
            read(manifest)


def test_a_quarantined_artefact_does_not_exist_until_it_is_made_again(store, tmp_path, disk):
    bad = store.publish(made(tmp_path / "one", {"a": b"12"}), WORK)
    store.quarantine(bad)
    assert store.find(ASSET, FINGERPRINT) is None
    assert list(store.manifests()) == []
    assert len(list((disk / ASSET / FINGERPRINT).glob("*.quarantined"))) == 1

    good = store.publish(made(tmp_path / "two", {"a": b"12"}), WORK)
    store.quarantine(bad)  # told late: the one made since is left alone
    assert store.find(ASSET, FINGERPRINT) == good


@pytest.mark.parametrize(
    ("old", "new"),
    [('"path": "a"', '"path": "../../../../a"'), (ASSET, "painters/drawings"), ("{", "")],
)
def test_a_manifest_that_was_tampered_with_does_not_exist(store, tmp_path, disk, spoil, old, new):
    store.publish(made(tmp_path / "made", {"a": b"12"}), WORK)
    key = f"{ASSET}/{FINGERPRINT}/manifest.json"
    text = (disk / key).read_text()
    assert old in text
    spoil(key, text.replace(old, new).encode())
    assert store.find(ASSET, FINGERPRINT) is None
    assert [problem.reason for problem in store.verify()] == ["cannot be read"]


def test_a_file_that_is_not_listed_cannot_be_read(store, tmp_path):
    manifest = store.publish(made(tmp_path / "made", {"a": b"12"}), WORK)
    for name in ("b", "../manifest.json"):
        with pytest.raises(FileNotFoundError):
            store.read_file(manifest, name)


def test_refs_name_the_current_artefact_of_each_partition(store, uri, tmp_path):
    manifest = store.publish(made(tmp_path / "made", {"a": b"12"}), WORK)
    partitions = [None, "_", "cézanne/夜 50%", "..", "demo__subject__lora", "word__<Cézanne>"]
    for partition in partitions:
        store.set_ref(ASSET, partition, manifest, cache_hit=False, seconds=2.5)
    store.set_ref(ASSET, "_", manifest, cache_hit=True, seconds=0.1)

    other = elsewhere(uri, tmp_path)
    assert {ref.partition for ref in other.refs()} == set(partitions)
    assert {ref.content for ref in other.refs()} == {manifest.content}
    assert (other.ref(ASSET, "_").cache_hit, other.ref(ASSET, None).cache_hit) == (True, False)
    assert other.ref(ASSET, "other") is None


# Real processes.


def publish_at_the_same_time(uri, folder, cache, barrier, answers):
    store = open_store(uri, cache, 1)
    barrier.wait(60)
    answers.put(store.publish(folder, WORK).model_dump_json())


def test_two_processes_that_publish_at_once_leave_one_whole_artefact(uri, tmp_path, disk):
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    written = [{f"{n}.bin": bytes([writer]) * 300_000 for n in range(12)} for writer in (1, 2)]
    folders = [made(tmp_path / str(n), files) for n, files in enumerate(written)]
    writers = [
        context.Process(
            target=publish_at_the_same_time,
            args=(uri, folder, tmp_path / f"cache {folder.name}", barrier, answers),
        )
        for folder in folders
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]

    store = elsewhere(uri, tmp_path)
    assert [found.fingerprint for found in store.manifests()] == [FINGERPRINT]
    assert store.verify() == []
    manifest = store.find(ASSET, FINGERPRINT)
    assert content_of(store.fetch(manifest)) in written
    if "://" not in uri:
        # in a folder the race is decided: both were told the same, and the loser has cleaned up
        assert {answers.get(timeout=5) for _ in writers} == {manifest.model_dump_json()}
        assert len([path for path in (disk / ASSET / FINGERPRINT).iterdir() if path.is_dir()]) == 1


def publish_and_be_killed(uri, folder, cache):
    store = open_store(uri, cache, 1)
    # the last moment before the artefact exists
    store._backend.create = lambda key, data: os.kill(os.getpid(), signal.SIGKILL)
    store.publish(folder, WORK)


def test_a_writer_killed_before_the_manifest_leaves_nothing_to_find(uri, tmp_path, disk):
    folder = made(tmp_path / "made", FILES)
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=publish_and_be_killed, args=(uri, folder, tmp_path / "cache"))
    writer.start()
    writer.join(60)
    assert writer.exitcode == -signal.SIGKILL
    assert any(path.name == "images.parquet" for path in disk.rglob("*"))

    store = elsewhere(uri, tmp_path)
    assert store.find(ASSET, FINGERPRINT) is None
    assert (list(store.manifests()), store.verify()) == ([], [])
    manifest = store.publish(made(tmp_path / "again", FILES), WORK)
    assert content_of(store.fetch(manifest)) == FILES


@pytest.mark.parametrize("how", ["fails", "killed"])
def test_a_store_that_fails_at_the_manifest_takes_nothing_from_the_finished_work(
    store, uri, tmp_path, monkeypatch, how
):
    folder = made(tmp_path / "made", FILES)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    if how == "killed":
        context = multiprocessing.get_context("spawn")
        where = (uri, folder, tmp_path / "cache")
        writer = context.Process(target=publish_and_be_killed, args=where)
        writer.start()
        writer.join(60)
    else:
        with monkeypatch.context() as failing:

            def fail(key, data):
                raise OSError("no space left")

            failing.setattr(store._backend, "create", fail)
            with pytest.raises(OSError, match="no space left"):
                store.publish(folder, WORK)
        assert store.listing() == {}
    assert content_of(folder) == FILES
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # the second try publishes the very same files
    manifest = store.publish(folder, WORK)
    assert content_of(elsewhere(uri, tmp_path).fetch(manifest)) == FILES
    assert not folder.exists()


def fetch_at_the_same_time(uri, cache, barrier, answers):
    store = open_store(uri, cache, 1)
    manifest = store.find(ASSET, FINGERPRINT)
    barrier.wait(60)
    folder = store.fetch(manifest)
    answers.put((str(folder), describe_folder(folder) == manifest.files))


def test_two_processes_that_fetch_at_once_both_get_the_whole_artefact(store, uri, tmp_path):
    files = {f"{n}.bin": os.urandom(500_000) for n in range(10)}
    store.publish(made(tmp_path / "made", files), WORK)
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    cache = tmp_path / "shared cache"
    readers = [
        context.Process(target=fetch_at_the_same_time, args=(uri, cache, barrier, answers))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    (one, whole), (two, too) = (answers.get(timeout=60) for _ in readers)
    for reader in readers:
        reader.join(60)
    assert (one == two, whole, too) == (True, True, True)
    assert not list(Path(one).parent.glob(".tmp-*"))


@pytest.mark.parametrize("uri", ["s3"], indirect=True)
def test_keys_without_the_right_to_delete_are_a_sentence_and_no_endless_work(
    store, tmp_path, monkeypatch
):
    """The error is what a server answers; the server of these tests knows no such rights."""
    from minio.deleteobjects import DeleteError

    bad = store.publish(made(tmp_path / "one", {"a": b"12"}), WORK)
    client = store._backend._minio
    client.remove_object(store._backend._bucket, store._backend._prefix + f"{bad.location}/a")

    def refuse(bucket, objects):
        return iter(
            [DeleteError("AccessDenied", "Access Denied.", one.name, None) for one in objects]
        )

    monkeypatch.setattr(client, "remove_objects", refuse)
    with pytest.raises(BadInput, match=r"cannot be deleted from the bucket .*the right to delete"):
        store.publish(made(tmp_path / "two", {"a": b"12"}), WORK)
    with pytest.raises(BadInput, match="the right to delete"):
        store.probe()
