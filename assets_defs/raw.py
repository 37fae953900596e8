"""What users bring: folders below the raw folder, and listings of what lies in them right now."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.errors import BadInput
from likeness.images.inventory import missing_folders
from resources.artifacts import Artifacts, Made
from resources.settings import Settings
from resources.step import Step


def raw_root(title: str) -> Path:
    """The raw folder, which the study of this title reads. Raises BadInput where none is set."""
    root = Settings().raw
    if root is None:
        raise BadInput(f"'{title}' reads files of yours: set LIKENESS_RAW (make: RAW=)")
    return root


def raw_folder(title: str, name: str) -> Path:
    """A folder of the user's. Raises BadInput where it is not there."""
    root = raw_root(title)
    if missing_folders(root, [name]):
        raise BadInput(f"there is no folder {name} in {root}: is this the right one?")
    return root / name


def keep_listing(artifacts: Artifacts, step: Step, key: str | None, table: pd.DataFrame) -> Made:
    """What lies there right now; the listing's own bytes are its fingerprint."""
    with artifacts.room() as folder:
        table.to_parquet(folder / "inventory.parquet", index=False)
        summary: dict[str, Any] = {"files": len(table), "bytes_of_files": int(table["bytes"].sum())}
        return artifacts.keep(step, key, folder, summary)
