"""A team's installation: runs and events in a real Postgres, artefacts on a real S3 server."""

import re
import subprocess
import sys
import threading
import time
import uuid
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster import EventLogEntry
from plain import plain_environment
from team import STUDY, leaks

from resources.run_storage import open_instance
from resources.settings import REPOSITORY
from resources.store import open_store

pytestmark = [pytest.mark.s3, pytest.mark.postgres, pytest.mark.slow]
STEPS = ("painters/raw_paintings", "painters/paintings", "painters/classes")


@pytest.fixture
def team(postgres, s3_environment, tmp_path, monkeypatch):
    """One machine of a team: both variables set, an empty database, an empty prefix."""
    if not postgres.runs:  # a test that failed had stopped it
        postgres.start()
    postgres.empty()
    for folder in ("studies", "state"):
        (tmp_path / folder).mkdir()
    (tmp_path / "studies" / "team.yaml").write_text(STUDY)
    store = f"s3://{s3_environment.bucket}/{tmp_path.name}"
    settings = {
        "DAGSTER_HOME": str(REPOSITORY),
        "LIKENESS_STATE_DIR": str(tmp_path / "state"),
        "LIKENESS_STUDIES": str(tmp_path / "studies"),
        "LIKENESS_STORE": store,
        "COLUMNS": "600",
        **postgres.environment(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return SimpleNamespace(
        state=tmp_path / "state",
        postgres=postgres,
        store=lambda: open_store(store, tmp_path / "cache", 1),
        files=s3_environment.folder / tmp_path.name,
    )


def likeness(*arguments):
    """The command in a process of its own, which has begun."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=REPOSITORY,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def has_begun(postgres):
    """Wait until a run is going."""
    until = time.monotonic() + 60
    while "'STARTED'" not in postgres.dump():
        assert time.monotonic() < until
        time.sleep(0.2)


def finished(process):
    """Exit code and everything that was said."""
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def costs(said):
    """From the last table of a study: whether each step came from the cache."""
    return dict(re.findall(r"│ (\w+/\w+) +│[^│]*│[^│]*│ ([\w-]+) +│", said))


def test_a_study_over_postgres_and_s3_leaves_nothing_here_and_hits_the_second_time(team):
    code, first = finished(likeness("study", "team"))
    assert code == 0, first
    made = {manifest.location for manifest in team.store().manifests()}
    assert {ref.asset for ref in team.store().refs()} >= set(STEPS)
    code, second = finished(likeness("study", "team"))
    assert code == 0, second
    assert {name: cache for name, cache in costs(second).items() if name in STEPS} == dict.fromkeys(
        STEPS, "hit"
    )
    assert {manifest.location for manifest in team.store().manifests()} == made

    with open_instance() as instance:
        runs = instance.get_runs()
        assert sorted(run.job_name for run in runs) == ["painters_job"] * 2 + ["report_job"] * 2
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
        found = instance.fetch_materializations(dg.AssetKey(STEPS[-1].split("/")), limit=5)
        assert len(found.records) == 2
    assert team.postgres.ask("SELECT count(*) FROM runs") == ["4"]
    assert not {"history", "schedules", "artifacts"} & {path.name for path in team.state.iterdir()}

    assert team.postgres.password not in first + second + team.postgres.dump() + team.postgres.log()
    assert leaks(team.postgres.password, team.state, team.files) == []


def test_a_restart_of_the_database_in_mid_run_is_not_noticed(team):
    study = likeness("study", "team")
    has_begun(team.postgres)
    team.postgres.stop()
    time.sleep(1)
    team.postgres.start()
    code, rest = finished(study)
    assert code == 0, rest
    with open_instance() as instance:
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        assert {key.to_user_string() for key in instance.all_asset_keys()} >= set(STEPS)
    assert team.store().verify() == []
    assert team.postgres.password not in rest


def test_what_a_restart_cuts_off_is_asked_again(team):
    """Without pause, so that some call is under way whenever the server goes."""
    told, stop, failures = 0, threading.Event(), []
    run_id = str(uuid.uuid4())

    def tell():
        nonlocal told
        with open_instance() as instance:
            while not stop.is_set():
                try:
                    entry = EventLogEntry(None, "info", f"line {told}", run_id, time.time())
                    instance.event_log_storage.store_event(entry)
                    told += 1
                except Exception as error:
                    failures.append(error)

    teller = threading.Thread(target=tell)
    teller.start()
    for _ in range(3):
        before = told
        while told < before + 20 and not failures:
            time.sleep(0.01)
        team.postgres.stop()
        team.postgres.start()
    stop.set()
    teller.join(timeout=60)
    assert failures == []
    with open_instance() as instance:
        lines = [entry.user_message for entry in instance.all_logs(run_id)]
    assert list(dict.fromkeys(lines)) == [f"line {number}" for number in range(told)]


def test_a_database_that_stays_away_ends_a_study_with_a_sentence_and_a_rerun_goes_on(team):
    study = likeness("study", "team")
    has_begun(team.postgres)
    team.postgres.stop()
    code, said = finished(study)
    assert code == 2, said
    assert "(LIKENESS_DATABASE) cannot be used: " in said.splitlines()[-1]
    assert "Traceback" not in said
    assert team.postgres.password not in said

    team.postgres.start()
    code, again = finished(likeness("study", "team"))
    assert code == 0, again
    with open_instance() as instance:
        last = {run.job_name: run.status for run in reversed(instance.get_runs())}
        assert set(last.values()) == {dg.DagsterRunStatus.SUCCESS}
        ended = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
        assert {run.status for run in instance.get_runs()} == ended
    assert team.store().verify() == []


def test_the_doctor_asks_the_database(team, monkeypatch):
    code, said = finished(likeness("doctor"))
    assert f"likeness at 127.0.0.1:{team.postgres.port}, Postgres" in said
    monkeypatch.setenv("PGPASSWORD", "another-one")
    code, said = finished(likeness("doctor"))
    assert code == 1
    assert "password authentication failed" in said
    assert "another-one" not in said
