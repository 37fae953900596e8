import os
import subprocess
import sys

import dagster as dg
from dagster._core.events import EngineEventData

from pipelines.recover import DRIVER, bury_dead_runs, bury_lost_runs, bury_runs, driver_tag


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


def worked_by(instance, pid, tags=None, said="Started process for run (pid: {})."):
    """A run of the UI, as the process that it ran in left it."""
    run_id = left_by(instance, tags or {})
    run = instance.get_run_by_id(run_id)
    said = said.format(pid)
    instance.report_engine_event(said, run, EngineEventData.in_process(pid))
    instance.report_engine_event("something else", run)
    return run_id


def test_a_process_that_has_a_dead_drivers_number_is_not_taken_for_it(tmp_path, monkeypatch):
    own = driver_tag()[DRIVER]
    host, pid, began, boot = own.split(":")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        alive = left_by(instance, {DRIVER: own})
        younger = left_by(instance, {DRIVER: f"{host}:{pid}:{int(began) - 1}:{boot}"})
        before = left_by(instance, {DRIVER: f"{host}:{pid}:{began}:another-boot"})
        left_by(instance, {DRIVER: f"elsewhere:{pid}:{began}:another-boot"})
        # told by an older version, or where /proc tells nothing
        left_by(instance, {DRIVER: f"{host}:{pid}"})
        assert set(bury_dead_runs(instance)) == {younger, before}
        monkeypatch.setattr("pipelines.recover.BOOT", tmp_path / "hidden")
        left_by(instance, {DRIVER: f"{host}:{pid}:{int(began) - 1}:{boot}"})
        assert bury_dead_runs(instance) == []
        assert instance.get_run_by_id(alive).status is dg.DagsterRunStatus.STARTED


def test_only_runs_of_dead_drivers_end_and_give_their_places_back(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = driver_tag()[DRIVER].partition(":")[0]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dead = left_by(instance, {DRIVER: f"{host}:{gone.pid}"})
        alive = left_by(instance, driver_tag())
        assert bury_dead_runs(instance) == [dead]
        assert instance.get_run_by_id(dead).status is dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(alive).status is dg.DagsterRunStatus.STARTED
        held = instance.event_log_storage.get_concurrency_info("gpu").claimed_slots
        assert [slot.run_id for slot in held] == [alive]
        assert bury_dead_runs(instance) == []


def test_a_run_that_never_began_ends_with_its_driver_and_one_without_a_driver_stays(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = driver_tag()[DRIVER].partition(":")[0]
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


def test_a_killed_dg_launch_blocks_nobody(tmp_path, monkeypatch):
    """As it happens: a run of a shell's is killed while it holds the pool."""
    monkeypatch.setenv("LIKENESS_DATABASE", "")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    said = "Executing steps using multiprocess executor: parent process (pid: {})"
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dead = worked_by(instance, gone.pid, said=said)
        assert bury_runs(instance) == [dead]
        monkeypatch.setenv("LIKENESS_DATABASE", "postgresql://likeness@127.0.0.1:1/likeness")
        # another machine's, perhaps
        worked_by(instance, gone.pid, said=said)
        assert bury_runs(instance) == []
