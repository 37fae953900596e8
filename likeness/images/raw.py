"""A user's raw folder as a table: every file, its sha256, and the class or test set it is for."""

import logging
from pathlib import Path, PurePosixPath

import pandas as pd

from likeness.errors import BadInput
from likeness.images.inventory import missing_folders, spelled, take_inventory

METADATA = "metadata.csv"
log = logging.getLogger("likeness")


def list_raw(root: Path, folders: dict[str, list[str]], group_column: str | None) -> pd.DataFrame:
    """Inventory of ``root`` with ``label_key`` (whose folder it is) and ``given_group``.

    ``folders`` maps a class label or a test set's name to folders below ``root``. Folders that are
    not there contribute nothing; when none is there, ``BadInput`` says where it looked.
    """
    owner = _owners(folders)
    missing = missing_folders(root, list(owner))
    if len(missing) == len(owner):
        raise BadInput(f"none of {', '.join(owner)} is in {root}: is this the right raw folder?")
    table = take_inventory(root, list(owner))
    table["label_key"] = table["folder"].map(owner).astype("string")
    table["given_group"] = _given_groups(root, table, group_column)
    return table


def _owners(folders: dict[str, list[str]]) -> dict[str, str]:
    """Whose folder it is; a folder cannot be two classes' or sets' at once."""
    owner: dict[str, str] = {}
    for key, many in folders.items():
        for folder in many:
            name = PurePosixPath(folder).as_posix()
            if owner.setdefault(name, key) != key:
                raise BadInput(
                    f"folder {name} is named for {owner[name]} and for {key}: choose one"
                )
    return owner


def _given_groups(root: Path, table: pd.DataFrame, column: str | None) -> pd.Series:
    """The user's own grouping from ``metadata.csv`` (columns ``file`` and ``column``)."""
    if column is None:
        return pd.Series(pd.NA, index=table.index, dtype="string")
    file = root / METADATA
    if not file.exists():
        raise BadInput(
            f"group_column is '{column}' but there is no {file}: add it or drop the field"
        )
    try:
        listed = pd.read_csv(file, dtype="string")
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise BadInput(f"{file} is no readable UTF-8 csv ({error}): save it as one") from error
    lacking = {"file", column} - set(listed.columns)
    if lacking:
        raise BadInput(f"{file} has no column {' and '.join(sorted(lacking))}")
    groups = _groups(listed.dropna(subset=["file", column]), column, file)
    paths = table["path"].map(spelled)
    found = paths.map(groups)
    if found.isna().all():
        raise BadInput(
            f"no file named in {file} is one of the raw pictures: name them by their path below "
            f"the raw folder, such as {table['path'].iloc[0]}"
        )
    if len(lost := sorted(set(groups.index) - set(paths))):
        log.warning("%s groups %d files that are not here, such as %s", file, len(lost), lost[0])
    # Copies of one file belong together even where only one of them is named.
    return found.fillna(found.groupby(table["sha256"]).transform("first"))


def _groups(listed: pd.DataFrame, column: str, file: Path) -> pd.Series:
    """Path, in one spelling -> group. Raises BadInput where a file is given two."""
    pairs = pd.DataFrame({"path": listed["file"].map(spelled), "group": listed[column].str.strip()})
    groups = pairs.drop_duplicates().set_index("path")["group"]
    twice = groups.index[groups.index.duplicated()]
    if len(twice):
        one, other = groups[twice[0]].tolist()[:2]
        raise BadInput(f"{file} puts {twice[0]} into {one} and into {other}: choose one")
    return groups
