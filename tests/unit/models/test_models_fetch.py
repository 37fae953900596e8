import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from hub import COMMIT, TEMPLATE, Hub

from likeness.errors import BadInput
from likeness.models.fetch import fetch
from likeness.models.local import local_folder, lock_file, model_identity
from likeness.models.registry import spec_of

UNET = "unet/diffusion_pytorch_model.safetensors"


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_exactly_the_files_of_the_model_arrive(served, cache, known, tiny):
    seen = []
    folder = fetch("tiny", lambda *step: seen.append(step))
    assert folder == cache / "models--some--tiny" / "snapshots" / COMMIT
    assert names(folder) == names(tiny)
    assert all((folder / name).read_bytes() == (tiny / name).read_bytes() for name in names(folder))
    total = sum((tiny / name).stat().st_size for name in names(folder))
    done = [step[1] for step in seen]
    assert done == sorted(done)
    assert (done[-1], {step[2] for step in seen}) == (total, {total})


def test_the_commit_found_is_kept_to(served, cache, known):
    with pytest.raises(BadInput, match="run likeness models fetch tiny"):
        model_identity("tiny")
    fetch("tiny")
    lock = json.loads(lock_file(spec_of("tiny")).read_text())
    assert lock == {"source": "some/tiny", "revision": COMMIT}
    assert model_identity("tiny") == f"hub://some/tiny@{COMMIT}"
    # the repository moves on
    served.commit = "f" * 40
    assert model_identity("tiny") == f"hub://some/tiny@{COMMIT}"
    assert local_folder(spec_of("tiny")).name == COMMIT


def test_a_damaged_lock_is_named(served, cache, known):
    fetch("tiny")
    for text in ("{", '{"revision": "main"}', "[]"):
        lock_file(spec_of("tiny")).write_text(text)
        with pytest.raises(BadInput, match=r"tiny\.lock\.json .*fetch 'tiny' again"):
            model_identity("tiny")


def test_nothing_is_transferred_twice_and_a_damaged_file_again(served, cache, known):
    folder = fetch("tiny")
    served.asked.clear()
    fetch("tiny")
    assert served.asked == []
    blob = (folder / UNET).resolve()
    right = blob.read_bytes()
    blob.write_bytes(right[:-1] + b"?")
    assert fetch("tiny") == folder
    assert served.asked == [(UNET, None)]
    assert blob.read_bytes() == right


@pytest.mark.parametrize("file", [UNET, "vae/config.json"])
def test_wrong_bytes_are_refused_and_not_kept(served, cache, known, file):
    served.wrong = {file}
    with pytest.raises(BadInput, match=rf"{file} of some/tiny arrived with a wrong sha256"):
        fetch("tiny")
    assert local_folder(spec_of("tiny")) is None
    assert not list((cache / "models--some--tiny" / "blobs").glob("*half"))
    served.wrong = set()
    assert fetch("tiny") is not None


def test_a_killed_fetch_goes_on_where_it_was(tiny, cache, known, monkeypatch, tmp_path):
    from huggingface_hub import constants

    big = tmp_path / "big"
    shutil.copytree(tiny, big)
    weights = os.urandom(13_000_000)
    (big / UNET).write_bytes(weights)
    hub = Hub({"some/tiny": big})
    hub.stall_after = {UNET: 12_000_000}
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(cache)}
    code = "from likeness.models.fetch import fetch; fetch('tiny')"
    try:
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        deadline = time.monotonic() + 30
        while (arrived := half_of(cache)) < 10_000_000 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + TEMPLATE)
        hub.asked.clear()
        folder = fetch("tiny")
    finally:
        hub.close()
    assert hub.asked == [(UNET, f"bytes={arrived}-")]
    assert (folder / UNET).read_bytes() == weights


def half_of(cache):
    """Bytes of the largest half file, 0 while there is none."""
    return max((path.stat().st_size for path in cache.rglob("*half")), default=0)


def test_what_the_hub_lacks_is_said(served, cache, settings, monkeypatch):
    from huggingface_hub import constants

    settings(a={"like": "sd15", "source": "some/other"}, b={"like": "sdxl", "source": "some/tiny"})
    with pytest.raises(BadInput, match="has no some/other for you"):
        fetch("a")
    with pytest.raises(BadInput, match=r"some/tiny has no \S*fp16.safetensors at commit 0123"):
        fetch("b")
    # the port of "discard", where nothing listens
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BadInput, match=r"could not be fetched from http://127\.0\.0\.1:9 "):
        fetch("b")


def test_what_needs_no_fetch(settings, tiny):
    settings(mine={"like": "sd15", "source": f"folder:{tiny}"})
    assert fetch("mine") == tiny.resolve()
    assert fetch("sdxl-random") is None


def test_a_whole_model_is_found_while_the_hub_is_not(served, cache, known, caplog, monkeypatch):
    from huggingface_hub import constants

    folder = fetch("tiny")
    # the port of "discard", where nothing listens
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    # the hub's library asks five times, and waits in between
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    assert fetch("tiny") == folder
    assert "all files of 'tiny' are here already" in caplog.text
    (folder / UNET).unlink()
    with pytest.raises(BadInput, match="could not be fetched from"):
        fetch("tiny")
