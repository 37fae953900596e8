"""What a restart of Postgres cut off is asked once more.

Dagster tries again to connect, but not what was under way when the server closed the connection;
one such moment would fail a run of hours. Every statement of its storages stands alone
(AUTOCOMMIT), so it can be asked again: at worst a line of the log stands there twice.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster_postgres import DagsterPostgresStorage


def ask_again(storage: "DagsterPostgresStorage") -> "DagsterPostgresStorage":
    """The same storage, whose every public call is made a second time once the server answers."""
    url = storage.postgres_url
    for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
        for name, _ in inspect.getmembers(type(part), inspect.isfunction):
            if not name.startswith("_"):
                setattr(part, name, _twice(getattr(part, name), url))
    return storage


def _twice(call: Callable[..., Any], url: str) -> Callable[..., Any]:
    from dagster_postgres.utils import wait_for_connection
    from sqlalchemy.exc import OperationalError

    @functools.wraps(call)
    def patient(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except OperationalError:
            # About six seconds; then another error, which no caller above waits for again.
            wait_for_connection(url)
        return call(*args, **kwargs)

    return patient
