"""Old runs in Dagster's books: which of them nobody needs any more."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

DAY = 24 * 3600.0
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# The last run that was to make a partition is needed too: conditions ask how that went.
NEEDED = (
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
)
AT_ONCE = 500


class OldRuns(NamedTuple):
    """Ids of ended runs: those that may go, and those that asset pages still show."""

    unneeded: list[str]
    needed: list[str]


def find_old_runs(
    instance: dg.DagsterInstance, older_than_days: float, now: float | None = None
) -> OldRuns:
    """Ended runs begun more than so many days before ``now`` (Unix seconds); nothing is changed.

    A run is needed while it is the last of any asset or partition that it made, or was to make.
    """
    before = (time.time() if now is None else now) - older_than_days * DAY
    ended = dg.RunsFilter(statuses=ENDED, created_before=datetime.fromtimestamp(before, UTC))
    old = instance.get_run_ids(ended)
    last = set(_last_runs(instance)) if old else set()
    return OldRuns([one for one in old if one not in last], [one for one in old if one in last])


def remove_runs(instance: dg.DagsterInstance, run_ids: list[str]) -> None:
    """Remove runs with their events and what their steps have printed; artefacts stay."""
    for run_id in run_ids:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        events = instance.event_log_storage
        if isinstance(events, SqliteEventLogStorage):
            # emptied files keep their size
            for end in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    Path(f"{events.path_for_shard(run_id)}{end}").unlink()


def _last_runs(instance: dg.DagsterInstance) -> Iterator[str]:
    events = instance.event_log_storage
    for key in instance.all_asset_keys():
        for kind in NEEDED:
            anywhere = dg.EventRecordsFilter(event_type=kind, asset_key=key)
            yield from (one.run_id for one in events.get_event_records(anywhere, limit=1))
            ids = list(events.get_latest_storage_id_by_partition(key, kind).values())
            for start in range(0, len(ids), AT_ONCE):
                some = anywhere._replace(storage_ids=ids[start : start + AT_ONCE])
                yield from (one.run_id for one in events.get_event_records(some))
