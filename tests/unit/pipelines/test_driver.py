import threading
import time
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster_postgres.utils import DagsterPostgresException

from likeness.errors import BadInput
from likeness.studies.load import Keys
from pipelines import driver


def test_models_are_looked_for_before_anything_costs_time(monkeypatch):
    keys = Keys(subjects=["s"], painters=["p"], networks=["n"], models=["m"], experiments=["e"])
    monkeypatch.setattr(driver, "registry", lambda: SimpleNamespace(keys_of=lambda study: keys))
    assert driver.plan("any") == [
        ("models_job", "m"),
        ("people_job", "s"),
        ("painters_job", "p"),
        ("experiments_job", "e"),
        ("networks_job", "n"),
        ("report_job", None),
    ]


def test_a_database_that_was_away_is_named_as_the_reason():
    @dg.asset(key=["world", "clip"])
    def clip():
        try:
            raise DagsterPostgresException("too many retries for DB connection")
        except DagsterPostgresException as error:
            raise RuntimeError("the log could not be written") from error

    definitions = dg.Definitions(
        assets=[clip], jobs=[dg.define_asset_job("world_job", selection=dg.AssetSelection.all())]
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = driver.run_world(["clip"], definitions, instance, lambda text: None)
    assert found == ([], [f"world/clip: {driver.NO_DATABASE}"])


def test_what_came_through_is_told_from_what_failed():
    @dg.asset(key=["world", "clip"])
    def clip():
        raise dg.Failure(description="no room", allow_retries=False)

    @dg.asset(key=["world", "face"])
    def face():
        return None

    definitions = dg.Definitions(
        assets=[clip, face],
        jobs=[dg.define_asset_job("world_job", selection=dg.AssetSelection.all())],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = driver.run_world(["clip", "face"], definitions, instance, lambda text: None)
    assert found == (["face"], ["world/clip: no room"])


def test_of_all_studies_those_go_whose_files_and_models_are_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no models"))
    driver.check_at_hand("demo", None)
    with pytest.raises(BadInput, match="reads your own pictures"):
        driver.check_at_hand("cezanne_real", None)
    with pytest.raises(BadInput, match=r"'cezanne_real' reads train/0, .*, not in "):
        driver.check_at_hand("cezanne_real", tmp_path)
    # one folder of many may be missing: its set has no data
    (tmp_path / "train" / "0").mkdir(parents=True)
    driver.check_at_hand("cezanne_real", tmp_path)
    (tmp_path / "person").mkdir()
    driver.check_study("time_machine_sd15", tmp_path)
    with pytest.raises(BadInput, match="starts from sd15: likeness models fetch sd15"):
        driver.check_at_hand("time_machine_sd15", tmp_path)


def test_what_was_never_made_is_not_made_anew():
    jobs = [("experiments_job", "a"), ("experiments_job", "b"), ("networks_job", "a")]
    with dg.DagsterInstance.ephemeral() as instance:
        assert driver.made_before([*jobs, ("report_job", None)], instance) == [("report_job", None)]
        # one step of several: the rest may have failed, and is tried again
        half = dg.AssetMaterialization(["models", "finetuned"], partition="b")
        instance.report_runless_asset_event(half)
        assert driver.made_before(jobs, instance) == [("experiments_job", "b")]


def test_a_step_of_two_studies_runs_once_and_in_the_order_of_the_flow():
    jobs = driver.plan_of_all(["demo", "cezanne", "small_world"])
    assert len(set(jobs)) == len(jobs)
    places = [driver.ORDER.index(job) for job, _ in jobs]
    assert places == sorted(places)
    assert ("experiments_job", "cezanne_word__word") in jobs
    assert jobs[-1] == ("report_job", None)


def test_who_waits_for_a_pool_leaves_the_cores_to_who_works(tmp_path):
    @dg.asset(key=["world", "clip"], pool="gpu")
    def clip():
        return None

    definitions = dg.Definitions(
        assets=[clip], jobs=[dg.define_asset_job("world_job", selection=dg.AssetSelection.all())]
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        places = instance.event_log_storage
        places.set_concurrency_slots("gpu", 1)
        assert places.claim_concurrency_slot("gpu", "another run", "its step").is_claimed
        leave = threading.Timer(4, lambda: places.free_concurrency_slots_for_run("another run"))
        leave.start()
        began, worked, said = time.monotonic(), time.process_time(), []
        assert driver.run_world(["clip"], definitions, instance, said.append) == (["clip"], [])
        leave.join()
    waited = time.monotonic() - began
    assert waited > 3.5
    assert len([line for line in said if "another run holds its pool" in line]) == 1
    assert time.process_time() - worked < 0.6 * waited
