"""A user's raw folder as a table: every file, its sha256, and the class or test set it is for."""

from pathlib import Path

import pandas as pd

from likeness.errors import BadInput
from likeness.images.inventory import missing_folders, take_inventory

METADATA = "metadata.csv"


def list_raw(root: Path, folders: dict[str, list[str]], group_column: str | None) -> pd.DataFrame:
    """Inventory of ``root`` with ``label_key`` (whose folder it is) and ``given_group``.

    ``folders`` maps a class label or a test set's name to folders below ``root``. Folders that are
    not there contribute nothing; when none is there, ``BadInput`` says where it looked.
    """
    owner = {folder: key for key, many in folders.items() for folder in many}
    missing = missing_folders(root, list(owner))
    if len(missing) == len(owner):
        raise BadInput(f"none of {', '.join(owner)} is in {root}: is this the right raw folder?")
    table = take_inventory(root, list(owner))
    table["label_key"] = table["folder"].map(owner).astype("string")
    table["given_group"] = _given_groups(root, table, group_column)
    return table


def _given_groups(root: Path, table: pd.DataFrame, column: str | None) -> pd.Series:
    """The user's own grouping from ``metadata.csv`` (columns ``file`` and ``column``)."""
    if column is None:
        return pd.Series(pd.NA, index=table.index, dtype="string")
    file = root / METADATA
    if not file.exists():
        raise BadInput(
            f"group_column is '{column}' but there is no {file}: add it or drop the field"
        )
    listed = pd.read_csv(file, dtype="string")
    lacking = {"file", column} - set(listed.columns)
    if lacking:
        raise BadInput(f"{file} has no column {' and '.join(sorted(lacking))}")
    return table["path"].map(listed.drop_duplicates("file").set_index("file")[column])
