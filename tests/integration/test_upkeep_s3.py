"""Prune, verify and doctor over a bucket of a real S3 server."""

import time
from io import BytesIO
from pathlib import Path

import dagster as dg
import pytest
import small_tasks
from small_tasks import NEXT, STEP, Number
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.console import console
from pipelines.definitions import build_defs
from resources import step
from resources.artifacts import Artifacts
from resources.prune import find_rubbish, prune

pytestmark = pytest.mark.s3


@pytest.fixture
def artifacts(s3_environment, tmp_path, monkeypatch):
    """Numbers 10 and 20 with what followed them; 20 is current; nobody uses any of them."""
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path))
    uri = f"s3://{s3_environment.bucket}/{tmp_path.name}/upkeep"
    monkeypatch.setenv("LIKENESS_STORE", uri)
    monkeypatch.setattr(console, "width", 300)
    artifacts = Artifacts(store_uri=uri, state_dir=str(tmp_path), backend="inline")
    for number in (10, 20):
        made = artifacts.make(STEP, "a", Number(number=number), {})
        artifacts.adopt(made)
        after = artifacts.make(NEXT, "a", Number(number=0), {"before": made.manifest})
        artifacts.adopt(after)
    monkeypatch.setattr("resources.in_use._claims", lambda file: [])
    return artifacts


def keys(artifacts):
    return set(artifacts.store.listing())


def test_what_nobody_needs_leaves_the_bucket_and_the_rest_stays_whole(artifacts, tmp_path):
    assert find_rubbish(artifacts, 1) == []
    time.sleep(1.1)  # the server keeps whole seconds
    current = [artifacts.current(name, "a") for name in ("small/number", "small/next")]
    needed = {f"{one.asset}/{one.fingerprint}" for one in current}
    found = find_rubbish(artifacts, 0)
    assert {one.what for one in found} == {"artefact", "copy"}
    removed = prune(artifacts, 0)
    artefacts = {one.name for one in removed if one.what == "artefact"}
    assert len(artefacts) == 2
    left = {"/".join(key.split("/")[:3]) for key in keys(artifacts) if not key.startswith("refs/")}
    assert left == needed
    assert artifacts.store.verify() == []
    # the input of the old follower was read here, by this process: that copy stays for now
    copies = [path for path in (tmp_path / "read_cache").iterdir() if path.is_dir()]
    assert {one.content for one in current} <= {path.name for path in copies}


def test_a_half_upload_goes_when_it_is_old(artifacts, s3_environment, tmp_path):
    name = f"{tmp_path.name}/upkeep/small/number/{'0' * 64}/abc/number.txt"
    s3_environment.client.put_object(s3_environment.bucket, name, BytesIO(b"123"), 3)
    time.sleep(1.1)
    assert prune(artifacts, 1) == []
    (one,) = [one for one in prune(artifacts, 0) if one.what == "leftover"]
    assert (one.name, one.bytes) == (f"small/number/{'0' * 64}/abc", 3)
    assert not [key for key in keys(artifacts) if "0" * 64 in key]


def test_damage_in_the_bucket_is_found_and_made_again(artifacts, s3_environment, tmp_path):
    manifest = artifacts.current("small/number", "a")
    name = f"{tmp_path.name}/upkeep/{manifest.location}/number.txt"
    s3_environment.client.put_object(s3_environment.bucket, name, BytesIO(b"9"), 1)
    done = CliRunner().invoke(app, ["store", "verify"])
    assert done.exit_code == 1, done.output
    assert "number.txt has other bytes than published" in done.output
    assert artifacts.find_current("small/number", "a") is None
    assert not artifacts.make(STEP, "a", Number(number=20), {}).hit
    assert CliRunner().invoke(app, ["store", "verify"]).exit_code == 0


def test_the_doctor_writes_to_the_bucket_and_leaves_nothing(artifacts, monkeypatch):
    before = keys(artifacts)
    done = CliRunner().invoke(app, ["doctor"])
    assert "written, read, removed" in done.output
    assert keys(artifacts) == before
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something-else")
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "refuses the credentials" in done.output


def put(s3, name, data):
    s3.client.put_object(s3.bucket, name, BytesIO(data), len(data))


def test_a_batch_in_a_bucket_comes_into_the_raw_folder_when_it_is_whole(
    artifacts, s3_environment, tmp_path, monkeypatch
):
    prefix = f"{tmp_path.name}/in box"
    raw = tmp_path / "raw"
    monkeypatch.setenv("LIKENESS_RAW", str(raw))
    monkeypatch.setenv("LIKENESS_RAW_BUCKET", f"s3://{s3_environment.bucket}/{prefix}")
    monkeypatch.setenv("LIKENESS_RAW_QUIET_SECONDS", "0")
    defs = build_defs(artifacts)
    sensor = defs.get_repository_def().get_sensor_def("new_bucket_files")

    def tick(cursor=None):
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(
                instance=instance,
                cursor=cursor,
                definitions=defs,
                resources={"artifacts": artifacts},
            ) as context,
        ):
            return sensor.evaluate_tick(context)

    def copied():
        return defs.resolve_job_def("import_job").execute_in_process().success

    empty = tick()
    assert empty.run_requests == []
    put(s3_environment, f"{prefix}/me/Église 1.jpg", b"one")
    put(s3_environment, f"{prefix}/me/.DS_Store", b"clutter")
    asked = tick(empty.cursor)
    assert len(asked.run_requests) == 1
    assert tick(asked.cursor).run_requests == []
    assert copied()
    assert {path.name: path.read_bytes() for path in (raw / "me").iterdir()} == {
        "Église 1.jpg": b"one"
    }
    before = (raw / "me" / "Église 1.jpg").stat()
    time.sleep(1.1)
    put(s3_environment, f"{prefix}/me/two.jpg", b"two")
    (raw / "mine.jpg").write_bytes(b"mine")
    again = tick(asked.cursor)
    assert again.run_requests[0].run_key != asked.run_requests[0].run_key
    assert copied()
    assert (raw / "me" / "two.jpg").read_bytes() == b"two"
    assert (raw / "mine.jpg").exists()
    assert (raw / "me" / "Église 1.jpg").stat() == before


def test_a_bucket_of_raw_files_that_is_none_is_told_in_a_sentence(artifacts, monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_RAW", str(tmp_path / "raw"))
    monkeypatch.setenv("LIKENESS_RAW_BUCKET", "gs://bucket")
    job = build_defs(artifacts).resolve_job_def("import_job")
    done = job.execute_in_process(raise_on_error=False)
    (event,) = done.get_step_failure_events()
    assert (
        "write it like s3://bucket/prefix" in event.step_failure_data.user_failure_data.description
    )
