import threading

import pytest

from likeness.devices import best_device
from likeness.errors import BadInput
from resources import gpu
from resources.gpu import gpu_indices, gpu_lease


@pytest.fixture(autouse=True)
def forget():
    gpu_indices.cache_clear()
    yield
    gpu_indices.cache_clear()


def test_two_leases_are_of_two_gpus_and_a_third_waits_for_the_first_that_is_free(tmp_path):
    got, waiting = [], threading.Event()

    def third():
        waiting.set()
        with gpu_lease(tmp_path, ("0", "1")) as gpu:
            got.append(gpu)

    thread = threading.Thread(target=third)
    with gpu_lease(tmp_path, ("0", "1")) as first:
        with gpu_lease(tmp_path, ("0", "1")) as second:
            assert {first, second} == {"0", "1"}
            thread.start()
            waiting.wait(5)
            thread.join(0.5)
            assert got == []
        thread.join(5)
        assert got == [second]


def test_a_lease_ends_with_an_error_too(tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"), gpu_lease(tmp_path, ("3",)):
        raise RuntimeError("out of memory")
    with gpu_lease(tmp_path, ("3",)) as gpu:
        assert gpu == "3"


def test_where_there_is_no_gpu_nobody_waits(tmp_path):
    with gpu_lease(tmp_path, ()) as first, gpu_lease(tmp_path, ()) as second:
        assert (first, second) == (None, None)


@pytest.mark.parametrize(
    ("value", "indices"),
    [
        ("2, 5", ("2", "5")),
        ("GPU-8932f937", ("GPU-8932f937",)),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("1,-1,2", ("1",)),
    ],
)
def test_only_visible_gpus_are_offered(monkeypatch, value, indices):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert gpu_indices() == indices


def test_a_machine_without_the_driver_offers_none(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_indices() == ()
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    gpu_indices.cache_clear()
    assert gpu_indices() == ("0", "1")
    # a driver that does not answer
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'no devices were found'\nexit 6\n")
    gpu_indices.cache_clear()
    assert gpu_indices() == ()


def test_a_gpu_that_torch_cannot_use_is_no_reason_to_work_on_the_cpu_for_days(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(BadInput, match=r"GPU 0 is set aside .* cannot use it"):
        best_device()
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert best_device() == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert best_device() == "cuda"


def test_without_nvidia_smi_the_driver_says_how_many_there_are(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: None)
    monkeypatch.setattr(gpu, "DRIVER", tmp_path / "gpus")
    assert gpu_indices() == ()
    gpu_indices.cache_clear()
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    assert gpu_indices() == ("0", "1")
