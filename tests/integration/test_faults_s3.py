"""A bucket behind a network that fails: what is published is whole or not there."""

import os
import threading
import time
from collections import Counter

import faulty_front
import pytest

from likeness.errors import BadInput
from resources.manifest import Work, describe_folder, fingerprint_of
from resources.store import open_store

pytestmark = pytest.mark.s3

ASSET = "painters/paintings"
FINGERPRINT = fingerprint_of({"asset": ASSET, "seed": 7})
WORK = Work(asset=ASSET, fingerprint=FINGERPRINT)
BIG = 6 << 20  # above 5 MiB the client sends parts


@pytest.fixture
def front(s3_environment, monkeypatch):
    made = faulty_front.Front(s3_environment.endpoint)
    made.up()
    monkeypatch.setenv("LIKENESS_S3_ENDPOINT", made.endpoint)
    yield made
    made.down()


@pytest.fixture
def uri(s3_environment, tmp_path):
    return f"s3://{s3_environment.bucket}/{tmp_path.name}"


@pytest.fixture
def store(front, uri, tmp_path):
    return open_store(uri, tmp_path / "cache", 1)


@pytest.fixture
def whole(uri, s3_environment, monkeypatch, tmp_path):
    """Look at the bucket past the front, from a machine that has nothing."""

    def looked():
        monkeypatch.setenv("LIKENESS_S3_ENDPOINT", s3_environment.endpoint)
        other = open_store(uri, tmp_path / "another cache", 1)
        found = other.find(ASSET, FINGERPRINT)
        if found is None:
            return None
        assert other.verify() == []
        return {entry.path: entry.sha256 for entry in describe_folder(other.fetch(found))}

    return looked


def made(folder, sizes):
    folder.mkdir()
    for name, size in sizes.items():
        (folder / name).write_bytes(os.urandom(size))
    return folder, {entry.path: entry.sha256 for entry in describe_folder(folder)}


SMALL = {f"{n:02d}.bin": 200_000 for n in range(16)}


def test_a_server_that_goes_and_comes_back_in_mid_upload_is_waited_for(
    front, store, whole, tmp_path
):
    folder, sums = made(tmp_path / "made", SMALL | {"weights.safetensors": BIG})
    front.pace = 0.02
    went = threading.Event()

    def restart():
        while sum(front.seen.values()) < 8:
            time.sleep(0.01)
        front.down()
        went.set()
        time.sleep(2)
        front.up()

    thread = threading.Thread(target=restart)
    thread.start()
    store.publish(folder, WORK)
    thread.join()
    assert went.is_set()
    assert whole() == sums


def test_a_server_that_stays_away_leaves_nothing_to_find_and_is_one_sentence(
    front, store, whole, tmp_path
):
    folder, _ = made(tmp_path / "made", SMALL)

    def fault(method, path, nth):
        if method == "PUT" and path.endswith("07.bin"):
            front.down()

    front.fault = fault
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"does not answer as it should; check \S+ and that the"):
        store.publish(folder, WORK)
    assert time.monotonic() - began < 40
    assert whole() is None
    front.fault = lambda method, path, nth: None
    front.up()
    # what was made is still there, for the one who tries again
    assert len(describe_folder(folder)) == len(SMALL)
    store.publish(folder, WORK)
    assert len(whole()) == len(SMALL)


@pytest.mark.parametrize("kind", ["error", "cut", "lost"])
def test_every_request_may_fail_once(front, store, whole, tmp_path, kind, caplog):
    folder, sums = made(tmp_path / "made", {"a.bin": 300_000, "weights.safetensors": BIG})
    failed = Counter()

    def fault(method, path, nth):
        # a look costs nothing; of what is written, each first time fails
        if method in ("PUT", "POST") and nth == 1:
            failed[method] += 1
            return kind
        return None

    front.fault = fault
    store.publish(folder, WORK)
    # two files, two parts, the manifest; the parts' beginning and end
    assert failed["PUT"] >= 4
    assert failed["POST"] >= 2
    assert whole() == sums
    assert "Signature" not in caplog.text


def test_a_server_that_answers_errors_for_ever_is_one_sentence_without_a_secret(
    front, store, whole, tmp_path, s3_environment, caplog
):
    folder, _ = made(tmp_path / "made", {"weights.safetensors": BIG})
    front.fault = lambda method, path, nth: "error"
    with pytest.raises(BadInput, match="does not answer as it should") as caught:
        store.publish(folder, WORK)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="does not answer as it should"):
        store.set_ref(ASSET, "a", store_manifest(), cache_hit=False, seconds=0)
    assert s3_environment.secret not in str(caught.value) + caplog.text
    front.fault = lambda method, path, nth: None
    assert whole() is None


def store_manifest():
    from resources.manifest import Manifest, content_digest

    return Manifest(
        **WORK.model_dump(), content=content_digest([]), files=[], location="a", created="now"
    )


def test_a_slow_server_is_waited_for(front, store, whole, tmp_path):
    folder, sums = made(tmp_path / "made", {"a.bin": 400_000, "b.bin": 400_000})
    front.pace = 0.4
    began = time.monotonic()
    store.publish(folder, WORK)
    assert time.monotonic() - began > 2
    assert whole() == sums
