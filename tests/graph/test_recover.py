import os
import subprocess
import sys

import dagster as dg
from dagster._core.events import EngineEventData

from pipelines.recover import DRIVER, bury_dead_runs, bury_lost_runs, driver_tag


@dg.op(pool="gpu")
def heavy():
    pass


@dg.job
def job():
    heavy()


def left_by(instance, tags, status=dg.DagsterRunStatus.STARTED):
    """A run that is going and holds a place in a pool, as its driver left it."""
    run = instance.create_run_for_job(job, tags=tags, status=status)
    instance.event_log_storage.set_concurrency_slots("gpu", 2)
    instance.event_log_storage.claim_concurrency_slot("gpu", run.run_id, "heavy")
    return run.run_id


def worked_by(instance, pid, tags=None):
    """A run of the UI, as the process that it ran in left it."""
    run_id = left_by(instance, tags or {})
    run = instance.get_run_by_id(run_id)
    said = f"Started process for run (pid: {pid})."
    instance.report_engine_event(said, run, EngineEventData.in_process(pid))
    instance.report_engine_event("something else", run)
    return run_id


def test_only_runs_of_dead_drivers_end_and_give_their_places_back(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = driver_tag()[DRIVER].rpartition(":")[0]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dead = left_by(instance, {DRIVER: f"{host}:{gone.pid}"})
        alive = left_by(instance, {DRIVER: f"{host}:{os.getpid()}"})
        assert bury_dead_runs(instance) == [dead]
        assert instance.get_run_by_id(dead).status is dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(alive).status is dg.DagsterRunStatus.STARTED
        held = instance.event_log_storage.get_concurrency_info("gpu").claimed_slots
        assert [slot.run_id for slot in held] == [alive]
        assert bury_dead_runs(instance) == []


def test_a_run_that_never_began_ends_with_its_driver_and_one_without_a_driver_stays(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = driver_tag()[DRIVER].rpartition(":")[0]
    waiting = dg.DagsterRunStatus.NOT_STARTED
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dead = left_by(instance, {DRIVER: f"{host}:{gone.pid}"}, waiting)
        left_by(instance, {}, waiting)
        assert bury_dead_runs(instance) == [dead]


def test_a_run_of_the_ui_whose_process_is_gone_ends_and_one_that_goes_on_or_says_nothing_stays(
    tmp_path,
):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dead = worked_by(instance, gone.pid)
        alive = worked_by(instance, os.getpid())
        silent = left_by(instance, {})
        # a study is not ended by its workers' numbers
        study = worked_by(instance, gone.pid, driver_tag())
        assert bury_lost_runs(instance) == [dead]
        assert instance.get_run_by_id(dead).status is dg.DagsterRunStatus.FAILURE
        held = instance.event_log_storage.get_concurrency_info("gpu").claimed_slots
        assert dead not in {slot.run_id for slot in held}
        going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        assert {run.run_id for run in instance.get_runs(going)} == {alive, silent, study}
        assert bury_lost_runs(instance) == []
