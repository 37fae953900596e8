"""The DuckDB warehouse: rebuilt whole from Parquet, swapped in atomically, then only read."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from likeness.errors import BadInput
from resources.in_place import alone

if TYPE_CHECKING:
    import duckdb

SCHEMA = Path(__file__).parent / "warehouse.sql"


def build(file: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write a new warehouse beside ``file`` and put it in its place; readers see one or the other.

    ``tables`` fills the tables of ``warehouse.sql`` by name; columns go by name too. A second run
    that builds at the same time waits.
    """
    import duckdb

    with (
        alone(file, ".warehouse-"),
        TemporaryDirectory(dir=file.parent, prefix=".warehouse-") as folder,
    ):
        fresh = Path(folder) / file.name
        with duckdb.connect(str(fresh)) as connection:
            connection.execute(SCHEMA.read_text())
            for name, table in tables.items():
                _fill(connection, name, table)
            connection.execute("CHECKPOINT")
        fresh.replace(file)


def _fill(connection: "duckdb.DuckDBPyConnection", name: str, table: pd.DataFrame) -> None:
    if table.empty:
        return
    connection.register("incoming", table)
    columns = ", ".join(f'"{column}"' for column in table.columns)
    connection.execute(f'INSERT INTO "{name}" ({columns}) SELECT {columns} FROM incoming')
    connection.unregister("incoming")


def query(file: Path, sql: str, parameters: list[Any] | None = None) -> pd.DataFrame:
    """The answer to one question, asked read-only.

    Raises BadInput where the file is damaged or was built by another version.
    """
    import duckdb

    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(sql, parameters or []).df()
    except (
        *(duckdb.IOException, duckdb.InternalException, duckdb.FatalException),
        *(duckdb.CatalogException, duckdb.BinderException),
    ) as error:
        said = str(error).splitlines()[0]
        raise BadInput(
            f"{file} cannot be read ({said}): run a study or report_job, which build it anew"
        ) from error
