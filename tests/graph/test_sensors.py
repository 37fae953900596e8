"""Sensors, schedules and the jobs of upkeep, evaluated as the daemon and the launchpad do it."""

import json
import os
from pathlib import Path

import dagster as dg
import pytest
import small_tasks
from small_tasks import NEXT, STEP, Number

from assets_defs.studies import registry
from pipelines.definitions import build_defs
from pipelines.sensors import tell_of_failures
from pipelines.upkeep import maintenance_job
from resources import step
from resources.notifier import Notifier

DEFS = build_defs()
SENSOR = DEFS.get_sensor_def("new_raw_files")


def tick(cursor=None):
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor, definitions=DEFS) as context,
    ):
        return SENSOR.evaluate_tick(context)


def photos(folder):
    folder.mkdir(parents=True)
    (folder / "0.jpg").write_bytes(b"1")


def test_raw_files_that_have_come_to_rest_start_the_job_of_their_painter(tmp_path, monkeypatch):
    monkeypatch.setenv("LIKENESS_RAW", str(tmp_path))
    monkeypatch.setenv("LIKENESS_RAW_QUIET_SECONDS", "0")
    nothing = tick()
    assert nothing.run_requests == []
    photos(tmp_path / "train" / "0")
    asked = tick(nothing.cursor)
    assert {one.job_name for one in asked.run_requests} == {"painters_job"}
    keys = [one.partition_key for one in asked.run_requests]
    theirs = [
        key
        for key, painter in registry().painters.items()
        if any("train/0" in pictures.folders for pictures in painter.sets.values())
    ]
    assert keys == theirs != []
    assert len({one.run_key for one in asked.run_requests}) == len(keys)
    assert tick(asked.cursor).run_requests == []
    (tmp_path / "train" / "0" / "1.jpg").write_bytes(b"2")
    again = tick(asked.cursor)
    assert [one.partition_key for one in again.run_requests] == keys
    assert not {r.run_key for r in again.run_requests} & {r.run_key for r in asked.run_requests}


def test_raw_files_that_still_come_are_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("LIKENESS_RAW", str(tmp_path))
    photos(tmp_path / "train" / "0")
    first = tick()
    assert first.run_requests == []
    assert json.loads(first.cursor)
    assert tick(first.cursor).run_requests == []


@pytest.mark.parametrize(("raw", "why"), [("", "names no folder"), ("/no/where", "is no folder")])
def test_without_a_raw_folder_the_sensor_says_why_it_does_nothing(monkeypatch, raw, why):
    monkeypatch.setenv("LIKENESS_RAW", raw)
    assert why in tick().skip_message


class Told(Notifier):
    """Keeps what it is to send."""

    def send(self, subject, facts):
        Path(self.to).write_text(json.dumps([subject, facts]))


def test_a_failed_run_is_told_with_its_partition_and_its_sentence(tmp_path):
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["me"]))
    def photos():
        raise dg.Failure(description="there is no folder me: is this the right one?")

    job = dg.define_asset_job("people_job", selection=dg.AssetSelection.all())
    defs = dg.Definitions(assets=[photos], jobs=[job])
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("people_job").execute_in_process(
            instance=instance, partition_key="me", raise_on_error=False
        )
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_of_failures",
            dagster_instance=instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_failure_event(),
        ).for_run_failure()
        tell_of_failures(context, notifier=Told(to=str(tmp_path / "told")))
    subject, facts = json.loads((tmp_path / "told").read_text())
    assert subject == "Likeness: people_job [me] has failed"
    assert facts == {
        "run": done.run_id,
        "why": "there is no folder me: is this the right one?",
    }


@pytest.mark.parametrize("name", ["nightly_refresh", "weekly_maintenance"])
def test_a_schedule_starts_its_job_with_the_safe_settings(name):
    schedule = next(one for one in DEFS.schedules if one.name == name)
    with dg.build_schedule_context() as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.run_config == {}
    assert dg.validate_run_config(DEFS.resolve_job_def(schedule.job_name), request.run_config)


@pytest.fixture
def artifacts(tmp_path, monkeypatch):
    """Numbers 10 and 20 with what followed them; 20 is current."""
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)
    artifacts = small_tasks.artifacts(tmp_path, "inline")
    for number in (10, 20):
        made = artifacts.make(STEP, "a", Number(number=number), {})
        artifacts.adopt(made)
        after = artifacts.make(NEXT, "a", Number(number=0), {"before": made.manifest})
        artifacts.adopt(after)
    # as if the process that made them had ended
    monkeypatch.setattr("resources.in_use._claims", lambda file: [])
    return artifacts


def maintained(artifacts, **prune):
    ops = {"prune_store": {"config": prune}}
    return maintenance_job.execute_in_process(
        run_config={"ops": ops}, resources={"artifacts": artifacts}, raise_on_error=False
    )


def test_maintenance_shows_first_and_removes_when_told_to(artifacts):
    before = len(list(artifacts.store.manifests()))
    assert maintained(artifacts, min_age_hours=0).success
    assert len(list(artifacts.store.manifests())) == before == 4
    assert maintained(artifacts, min_age_hours=0, delete=True).success
    left = {one.fingerprint for one in artifacts.store.manifests()}
    assert left == {ref.fingerprint for ref in artifacts.store.refs()}


def test_maintenance_fails_on_damage_and_the_next_run_makes_it_again(artifacts):
    manifest = artifacts.current("small/number", "a")
    file = artifacts.fetch(manifest) / "number.txt"
    times = file.stat().st_mtime_ns
    file.write_text("7")
    # the damage of a disk changes no time: nothing but reading finds it
    os.utime(file, ns=(times, times))
    assert artifacts.fetch(manifest)
    done = maintained(artifacts)
    assert not done.success
    (event,) = done.get_step_failure_events()
    sentence = event.step_failure_data.user_failure_data.description
    assert "small/number" in sentence
    assert "number.txt has other bytes than published" in sentence
    assert artifacts.find_current("small/number", "a") is None
    assert not artifacts.make(STEP, "a", Number(number=20), {}).hit
    assert maintained(artifacts).success
