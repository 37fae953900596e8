"""What a killed study leaves in Dagster's books: a run that is still going, a place in a pool."""

import os
import socket

import dagster as dg

DRIVER = "likeness/driver"


def driver_tag() -> dict[str, str]:
    """Names this process in the runs that it drives."""
    return {DRIVER: f"{socket.gethostname()}:{os.getpid()}"}


def bury_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail the runs whose driver on this machine is gone and free their places; their run ids.

    Otherwise the next study would wait for a pool that nobody will ever leave.
    """
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
    dead = [run for run in instance.get_runs(filters=going) if _is_dead(run.tags.get(DRIVER, ""))]
    for run in dead:
        instance.report_run_failed(run, "the process that drove this run is gone")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def _is_dead(driver: str) -> bool:
    host, _, pid = driver.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, as another user's
    return False
