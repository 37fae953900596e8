"""Work on torch is forked from a process that has torch loaded: once, and whatever is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from plain import plain_environment
from small_tasks import job
from working import working

from resources.compute import Compute, TaskFailed
from resources.warm import LOADED


def around(compute, folder):
    """Where a piece of work on torch finds itself."""
    return compute.run(job(folder, "look_around", torch=True), lambda line: None).summary


def until_gone(process, seconds=10):
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_piece_of_work_is_a_process_and_what_it_stands_on_is_loaded_once(tmp_path):
    compute = Compute(lease_folder=tmp_path)
    found = [around(compute, tmp_path / name) for name in "abc"]
    assert len({one["process"] for one in found}) == 3
    assert len({one["parent"] for one in found}) == 1
    assert all(one["loaded"] > 1000 for one in found)


def test_work_in_other_surroundings_is_not_forked_from_what_was_loaded_in_these(
    tmp_path, monkeypatch
):
    compute = Compute(lease_folder=tmp_path)
    first = around(compute, tmp_path / "a")
    with monkeypatch.context() as patched:
        patched.setenv("HF_HUB_OFFLINE", "1")
        second = around(compute, tmp_path / "b")
    fewer = around(compute.model_copy(update={"threads": 1}), tmp_path / "c")
    assert len({one["parent"] for one in (first, second, fewer)}) == 3
    until_gone(first["parent"])


def test_work_sees_the_gpu_that_it_was_lent_and_no_other(tmp_path, monkeypatch):
    compute = Compute(lease_folder=tmp_path)
    monkeypatch.setattr("resources.compute.gpu_indices", lambda: ("3",))
    one = job(tmp_path / "a", "look_around", torch=True)
    with_lease, without = (
        compute.run(one, lambda line: None, gpu=gpu).summary for gpu in (True, False)
    )
    assert (with_lease["gpus"], without["gpus"]) == ("3", "")
    assert with_lease["parent"] == without["parent"]


def test_nothing_that_is_loaded_ahead_looks_for_a_gpu():
    # a fork of a process that has looked could not use one
    look = f"""
import importlib, torch
def looked(*_, **__):
    raise RuntimeError("looked for a GPU")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda._lazy_init = looked
for name in {sum(LOADED.values(), ())}:
    importlib.import_module(name)
assert not torch.cuda.is_initialized()
"""
    subprocess.run([sys.executable, "-c", look], check=True, env=plain_environment())


@pytest.mark.parametrize("victim", ["process", "parent"])
def test_what_is_killed_in_mid_work_is_a_failed_task_and_the_next_one_works(tmp_path, victim):
    compute = Compute(lease_folder=tmp_path)
    said = []

    def kill(line):
        if not said:
            said.append(json.loads(line))
            os.kill(said[0][victim], signal.SIGKILL)

    with pytest.raises(TaskFailed, match="SIGKILL"):
        compute.run(job(tmp_path / "a", "wait_long", torch=True), kill)
    until_gone(said[0]["process"])
    again = around(compute, tmp_path / "b")
    assert (again["parent"] == said[0]["parent"]) == (victim == "process")
    # nor does it matter if it dies while nobody asks
    os.kill(again["parent"], signal.SIGKILL)
    assert around(compute, tmp_path / "c")["parent"] != again["parent"]


def test_whoever_is_stopped_stops_its_work_before_going_on(tmp_path):
    compute = Compute(lease_folder=tmp_path)
    said = []

    def stop(line):
        said.append(json.loads(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute.run(job(tmp_path / "a", "wait_long", torch=True), stop)
    until_gone(said[0]["process"], seconds=1)
    assert around(compute, tmp_path / "b")["gpus"] == ""


class Interrupted(BaseException):
    """What Dagster raises wherever a run is when it is cancelled."""


@pytest.mark.parametrize("after", [0.005, 0.3, 6.0])
def test_an_interrupt_at_any_moment_leaves_no_work_and_no_answer_behind(tmp_path, after):
    # while the process starts, while it loads torch, while the work works
    def interrupt(*_):
        raise Interrupted

    compute = Compute(lease_folder=tmp_path)
    long = job(tmp_path / "a", "wait_long", torch=True)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        with pytest.raises(Interrupted):
            compute.run(long, lambda line: None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert working(psutil.Process()) == []
    for name in "bc":
        found = compute.run(job(tmp_path / name, "write", torch=True), lambda line: None)
        assert found.summary == {"double": 114}


def test_the_process_ends_with_the_thread_that_has_begun_it(tmp_path):
    found = []
    compute = Compute(lease_folder=tmp_path)
    thread = threading.Thread(target=lambda: found.append(around(compute, tmp_path / "a")))
    thread.start()
    thread.join()
    until_gone(found[0]["parent"])


def test_a_pool_dies_with_the_work_that_has_begun_it(tmp_path):
    said = []

    def kill(line):
        # what keeps track of the pool's semaphores has a last word
        if not said:
            said.append(json.loads(line))
            os.kill(said[0]["process"], signal.SIGKILL)

    with pytest.raises(TaskFailed, match="SIGKILL"):
        Compute(lease_folder=tmp_path).run(job(tmp_path / "a", "wait_in_a_pool", torch=True), kill)
    until_gone(said[0]["worker"])


def test_threads_do_not_wait_for_each_other(tmp_path):
    compute, both = Compute(lease_folder=tmp_path), threading.Barrier(2, timeout=60)

    def work(name):
        def meet(line):
            both.wait()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            compute.run(job(tmp_path / name, "wait_long", torch=True), meet)
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, "ab")) == [True, True]
