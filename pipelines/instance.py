"""Dagster's books of this installation, opened by one process at a time."""

from typing import TYPE_CHECKING

from filelock import FileLock

from resources.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


def open_instance(settings: Settings) -> "dg.DagsterInstance":
    """The instance with its tables made.

    Two processes that made them at once in an empty state would leave books that nobody can open.
    """
    import dagster as dg

    settings.check_state()
    locks = settings.state_dir / "locks"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / "dagster.lock"):
        instance = dg.DagsterInstance.get()
        # each is made when it is first asked for
        _ = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    return instance
