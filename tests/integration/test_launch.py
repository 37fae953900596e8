"""``dg launch`` from a shell, its artefacts on a real S3 server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from plain import plain_environment
from team import painter_study
from working import working

REPOSITORY = Path(__file__).parents[2]
STUDY = painter_study("shell")


COMMAND = [
    str(Path(sys.executable).parent / "dg"),
    *("launch", "--job", "painters_job", "--partition", "shell_master"),
]


def environment_of(folder, study, **more):
    for name in ("studies", "state"):
        (folder / name).mkdir()
    (folder / "studies" / "shell.yaml").write_text(study)
    own = {"DAGSTER_HOME": REPOSITORY, "LIKENESS_STATE_DIR": folder / "state"}
    own |= {"LIKENESS_STUDIES": folder / "studies"} | more
    return plain_environment() | {name: str(value) for name, value in own.items()}


def launch(environment):
    return subprocess.run(
        COMMAND, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.mark.slow
@pytest.mark.s3
def test_a_job_launched_from_a_shell_publishes_to_s3_and_hits_the_second_time(
    s3_environment, tmp_path
):
    store = f"s3://{s3_environment.bucket}/launch"
    environment = environment_of(tmp_path, STUDY, LIKENESS_STORE=store)
    first = launch(environment)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    stored = {
        item.object_name
        for item in s3_environment.client.list_objects(
            s3_environment.bucket, "launch/", recursive=True
        )
    }
    assert "launch/refs/painters/classes/shell_master.json" in stored
    assert not (tmp_path / "state" / "artifacts").exists()
    before = {name for name in stored if name.endswith("manifest.json")}
    assert launch(environment).returncode == 0
    after = {
        item.object_name
        for item in s3_environment.client.list_objects(
            s3_environment.bucket, "launch/", recursive=True
        )
        if item.object_name.endswith("manifest.json")
    }
    assert after == before


@pytest.mark.slow
def test_a_killed_step_takes_its_work_along_and_is_tried_again(tmp_path):
    slow = STUDY.replace("count: 6}", "count: 400}")
    assert slow != STUDY
    environment = environment_of(tmp_path, slow)
    with (tmp_path / "said").open("w") as said:
        run = psutil.Popen(COMMAND, cwd=REPOSITORY, env=environment, stdout=said, stderr=said)
    until = time.monotonic() + 120
    while not (work := working(run)):
        assert run.poll() is None, (tmp_path / "said").read_text()
        assert time.monotonic() < until
        time.sleep(0.1)
    # Dagster's own process of the step, which waits for the work
    step = work[0].parent()
    assert step.pid != run.pid
    os.kill(step.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(work, timeout=10)
    assert not alive
    assert run.wait(240) == 0, (tmp_path / "said").read_text()[-3000:]
    assert "STEP_UP_FOR_RETRY" in (tmp_path / "said").read_text()
    # nothing half-made is found, nothing is made again, and no place in a pool is still taken
    began = time.monotonic()
    assert launch(environment).returncode == 0
    assert time.monotonic() - began < 60
