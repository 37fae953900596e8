"""``dg launch`` from a shell, its artefacts on a real S3 server."""

import subprocess
import sys
from pathlib import Path

import pytest
from plain import plain_environment
from team import painter_study

REPOSITORY = Path(__file__).parents[2]
STUDY = painter_study("shell")


def launch(environment):
    dg = str(Path(sys.executable).parent / "dg")
    command = [dg, "launch", "--job", "painters_job", "--partition", "shell_master"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=240
    )


@pytest.mark.slow
@pytest.mark.s3
def test_a_job_launched_from_a_shell_publishes_to_s3_and_hits_the_second_time(
    s3_environment, tmp_path
):
    for folder in ("studies", "state"):
        (tmp_path / folder).mkdir()
    (tmp_path / "studies" / "shell.yaml").write_text(STUDY)
    environment = plain_environment() | {
        "DAGSTER_HOME": str(REPOSITORY),
        "LIKENESS_STATE_DIR": str(tmp_path / "state"),
        "LIKENESS_STUDIES": str(tmp_path / "studies"),
        "LIKENESS_STORE": f"s3://{s3_environment.bucket}/launch",
    }
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
