"""Where Dagster keeps runs and events: files in the state folder, or a Postgres for a team.

``dagster.yaml`` names ``RunStorage``; it cannot choose between two kinds by itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from filelock import FileLock

from resources.database import TIMEOUT, parse_address, probe, unusable
from resources.reconnect import ask_again
from resources.settings import Settings


class RunStorage(DagsterStorage, ConfigurableClass):
    """Never made: what ``dagster.yaml`` gets for its name is one of Dagster's own storages."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """None: settings are read where Dagster loads, so that no page shows them."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """As ``LIKENESS_DATABASE`` says; BadInput when that Postgres cannot be used."""
        settings = Settings()
        if not settings.database:
            return DagsterSqliteStorage.from_local(str(settings.state_dir.resolve()), inst_data)
        return _postgres(settings.database)


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance; BadInput when its state or database cannot be used, then or later."""
    settings = Settings()
    settings.check_state()
    if settings.database:
        # at once and in one try; Dagster tries for seconds and logs each
        probe(settings.database)
    plain = _plain_errors() if settings.database else nullcontext()
    with plain, _with_tables(settings.state_dir) as instance:
        yield instance


def _with_tables(state: Path) -> dg.DagsterInstance:
    """The instance, whose tables one process makes at a time.

    Two that made them at once in an empty state would leave books that nobody can open.
    """
    locks = state / "locks"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / "dagster.lock"):
        instance = dg.DagsterInstance.get()
        # each is made when it is first asked for
        _ = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    return instance


def _postgres(database: str) -> DagsterStorage:
    # only needed here, and slow to import
    from dagster_postgres import DagsterPostgresStorage

    parse_address(database)
    # without the driver's name SQLAlchemy takes another one, which is not installed
    url = database.replace("postgresql://", "postgresql+psycopg2://", 1)
    if "connect_timeout=" not in url:
        url += f"{'&' if '?' in url else '?'}connect_timeout={TIMEOUT}"
    with _plain_errors():
        return ask_again(DagsterPostgresStorage(url))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what the driver raises into a sentence."""
    # slow to import, and only needed with a Postgres
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (DagsterPostgresException, SQLAlchemyError) as error:
        raise unusable(_driver_error(error)) from error


def _driver_error(error: BaseException) -> BaseException:
    """What the driver itself said, below what was wrapped around it."""
    inner = getattr(error, "orig", None) or error.__cause__
    return error if inner is None else _driver_error(inner)
