"""What killed processes leave in Dagster's books: a run that is still going, a place in a pool."""

import os
import socket
from pathlib import Path

import dagster as dg

from resources.settings import Settings

DRIVER = "likeness/driver"
# Dagster's own words, with the process in the event's metadata: of a UI, and of ``dg launch``.
STARTED = ("Started process for run", "Executing steps using multiprocess executor")
# What changes with every start of the machine.
BOOT = Path("/proc/sys/kernel/random/boot_id")


def driver_tag() -> dict[str, str]:
    """Names this process in the runs that it drives."""
    return {DRIVER: f"{socket.gethostname()}:{_process(os.getpid())}"}


def bury_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail every run whose process is known to be gone, and free its places; their run ids."""
    # over a Postgres a run may be another machine's, and does not say so
    lost = [] if Settings().database else bury_lost_runs(instance)
    return [*bury_dead_runs(instance), *lost]


def bury_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail the runs whose driver on this machine is gone and free their places; their run ids.

    Otherwise the next study would wait for a pool that nobody will ever leave.
    """
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
    return [
        _bury(instance, run)
        for run in instance.get_runs(filters=going)
        if _is_dead(run.tags.get(DRIVER, ""))
    ]


def bury_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fail the runs of a UI or a ``dg launch`` whose process is gone, as when memory ran out.

    Their run ids. Only for an instance of this machine alone: a run does not say on which machine
    it runs.
    A process that has got the number of a dead one since keeps the run going: rather too long
    than ended alive.
    """
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    return [
        _bury(instance, run)
        for run in instance.get_runs(filters=going)
        if DRIVER not in run.tags and (pid := _worker(instance, run.run_id)) and _is_gone(pid)
    ]


def _bury(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    instance.report_run_failed(run, "the process that drove this run is gone")
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return run.run_id


def _worker(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The last process that was started for a run, if it is told."""
    found = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, ascending=False
    )
    for entry in (record.event_log_entry for record in found.records):
        if entry.dagster_event and (entry.dagster_event.message or "").startswith(STARTED):
            pid = entry.dagster_event.engine_event_data.metadata.get("pid")
            return int(str(pid.value)) if pid and str(pid.value).isdigit() else None
    return None


def _is_dead(driver: str) -> bool:
    host, _, process = driver.partition(":")
    pid, _, began = process.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if _is_gone(int(pid)):
        return True
    # another process may have its number since; where one of both is untold nobody can say
    _, _, now = _process(int(pid)).partition(":")
    return bool(began and now) and began != now


def _process(pid: int) -> str:
    """A process's number, and when it began in which boot of the machine, where that is told."""
    try:
        # behind the name, which may hold anything, in ticks since the boot
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{pid}:{began}:{BOOT.read_text().strip()}"
    except OSError:
        return str(pid)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, as another user's
    return False
