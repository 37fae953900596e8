"""Work in processes of its own: what crosses the boundary, and what survives a kill."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import small_tasks
from plain import plain_environment
from small_tasks import STEP, Number, job
from working import working

from likeness.errors import BadInput
from resources import step
from resources.compute import Compute, TaskFailed


@pytest.mark.parametrize("torch", [False, True])
def test_a_process_of_its_own_gives_what_the_same_call_gives_here(tmp_path, torch):
    lines = []
    here = Compute(backend="inline", lease_folder=tmp_path).run(job(tmp_path / "here", "write"))
    away = job(tmp_path / "there", "write", torch=torch)
    there = Compute(lease_folder=tmp_path).run(away, lines.append)
    assert there.summary == here.summary == {"double": 114}
    for folder in ("here", "there"):
        assert (tmp_path / folder / "output" / "number.txt").read_text() == "5"
    assert "wrote 57" in lines


@pytest.mark.parametrize("torch", [False, True])
@pytest.mark.parametrize(
    ("function", "kind", "sentence"),
    [
        ("complain", BadInput, r"^number 57 is not liked: take another — ‘7’$"),
        ("crash", TaskFailed, r"(?s)small_tasks\.py.*ZeroDivisionError"),
        ("die", TaskFailed, r"^small_tasks:die ended with signal SIGKILL .*: about to die$"),
    ],
)
def test_a_failure_crosses_the_boundary_as_what_it_is(tmp_path, function, kind, sentence, torch):
    with pytest.raises(kind, match=sentence):
        Compute(lease_folder=tmp_path).run(job(tmp_path, function, torch=torch), lambda line: None)


def test_work_killed_half_way_is_no_artefact_and_goes_on_behind_its_checkpoint(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)
    artifacts = small_tasks.artifacts(tmp_path, "subprocess")
    one = STEP.model_copy(update={"function": "small_tasks:write_in_two_goes"})
    with pytest.raises(TaskFailed, match="SIGKILL"):
        artifacts.make(one, "a", Number(number=1), {})
    assert list(artifacts.store.manifests()) == []
    assert artifacts.find_current(one.asset, "a") is None
    made = artifacts.make(one, "a", Number(number=1), {})
    assert made.manifest.summary == {"resumed": True}
    assert [file.path for file in made.manifest.files] == ["first.txt", "second.txt"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_two_processes_that_want_the_same_artefact_do_the_work_once(tmp_path):
    (tmp_path / "calls").mkdir()
    command = [sys.executable, small_tasks.__file__, str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0].split() for process in both)
    assert [words[0] for words in said] == ["False", "True"]
    assert said[0][1] == said[1][1]
    assert len(list((tmp_path / "calls").iterdir())) == 1


PAINT_FOR_LONG = """
import sys
from pathlib import Path
from resources.compute import Compute, Job
folder = Path(sys.argv[1])
sets = [{"key": "0", "hand": "master", "count": 20000, "first": 0}]
Compute(lease_folder=folder).run(Job(
    function="likeness.world.tasks:paint", params={"sets": sets, "side": 64}, inputs={},
    output=folder / "output", scratch=folder / "state", libraries=tuple(sys.argv[2:]),
))
"""


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def works(process):
    # a killed process that nobody has asked for is still listed, as a zombie
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("libraries", [[], ["torch"]])
@pytest.mark.parametrize("victim", ["the caller", "the work"])
def test_whoever_is_killed_takes_its_processes_along_down_to_the_last_worker(
    tmp_path, victim, libraries
):
    caller = psutil.Popen([sys.executable, "-c", PAINT_FOR_LONG, str(tmp_path), *libraries])
    # the work, two workers or more, and what keeps track of their semaphores
    until(lambda: len(caller.children(recursive=True)) >= 3)
    until(lambda: list(tmp_path.glob("output/files/0/*.png")))
    family = caller.children(recursive=True)
    try:
        (caller if victim == "the caller" else working(caller)[0]).send_signal(signal.SIGKILL)
        caller.wait(30)
        until(lambda: not any(works(one) for one in family), 10)
    finally:
        for one in filter(works, family):
            one.kill()


def test_work_whose_caller_died_before_it_began_does_not_begin(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    job_file = tmp_path / "job.json"
    job_file.write_text(json.dumps(job(tmp_path, "write", 57).model_dump(mode="json")))
    done = subprocess.run(
        [sys.executable, "-m", "resources.task", str(job_file)],
        env=plain_environment() | {"LIKENESS_PARENT": str(gone.pid)},
        timeout=60,
    )
    assert done.returncode == 1
    assert not (tmp_path / "output").exists()


def test_a_study_that_runs_where_ctrl_c_is_ignored_ends_when_it_is_told_to(tmp_path):
    # as a shell starts what runs behind it
    command = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "sys.argv = ['likeness', 'study', 'demo']; from pipelines.cli import app; app()"
    )
    settings = {"LIKENESS_STATE_DIR": str(tmp_path / "state"), "DAGSTER_HOME": str(tmp_path)}
    study = psutil.Popen(
        [sys.executable, "-c", command],
        env=os.environ | settings,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert any("painters_job" in line for line in study.stdout)
    until(lambda: study.children())
    family = study.children(recursive=True)
    # told again where Dagster is at something that it does not break off
    for _ in range(24):
        study.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            study.communicate(timeout=5)
            break
    assert not works(study)
    until(lambda: not any(works(one) for one in family))


LOAD = """
import json, resource, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import MODULE
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": used.ru_utime + used.ru_stime,
    "modules": [name for name in sys.modules if "." not in name],
    "warnings": sorted({warning.category.__name__ for warning in caught}),
}))
"""
HEAVY = {
    *("torch", "tensorflow", "keras", "diffusers", "deepface", "sklearn", "skimage", "matplotlib"),
    *("duckdb", "minio", "cv2", "scipy"),
}


def test_definitions_load_fast_and_light_and_on_nothing_that_will_change():
    run, alone = loaded("pipelines.definitions"), loaded("dagster")
    assert set(run["modules"]) & HEAVY == set()
    assert set(run["warnings"]) & {"SupersessionWarning", "PreviewWarning"} == set()
    # beside other work on the machine both take longer; at rest dagster alone takes 0.55 s
    longest = max(3, 6 * alone["seconds"])
    again = (loaded("pipelines.definitions") for _ in range(2))
    assert run["seconds"] < longest or any(one["seconds"] < longest for one in again)


def loaded(module):
    """What importing it costs and brings along."""
    command = [sys.executable, "-c", LOAD.replace("MODULE", module)]
    done = subprocess.run(command, capture_output=True, check=True, env=plain_environment())
    return json.loads(done.stdout)
