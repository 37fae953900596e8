"""An image set: a folder with ``images/*`` and ``images.parquet``, one row per image."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from likeness.errors import BadInput

TABLE = "images.parquet"
FOLDER = "images"

# Every image set has these columns; a step may add its own behind them (label, group, fold ...).
# ``image_id`` is the first 16 hex digits of the sha256 of the file this row began with.
COLUMNS: dict[str, str] = {
    "image_id": "string",
    "file": "string",
    "sha256": "string",
    "width": "Int64",
    "height": "Int64",
    "source": "string",
    "split": "string",
    "base": "string",
    "model": "string",
    "prompt": "string",
    "seed": "Int64",
    "guidance_scale": "Float64",
    "status": "string",
    "reason": "string",
}

ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"


def frame(rows: Iterable[dict[str, object]], extra: dict[str, str] | None = None) -> pd.DataFrame:
    """Rows -> typed table of the fixed columns (missing ones empty) and then ``extra`` ones."""
    types = COLUMNS | (extra or {})
    table = pd.DataFrame(list(rows))
    return table.reindex(columns=list(types)).astype(types)


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write ``images.parquet`` into ``folder``; the pictures themselves are already there."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / TABLE, index=False)


def read(folder: Path) -> pd.DataFrame:
    """The table of the image set in ``folder``."""
    return pd.read_parquet(folder / TABLE, dtype_backend="numpy_nullable")


def accepted(table: pd.DataFrame) -> pd.DataFrame:
    """Only the rows that later steps may use."""
    return table[table["status"] == ACCEPTED].reset_index(drop=True)


def files_of(folder: Path, ids: Sequence[str]) -> list[Path]:
    """Files of these images, in this order. Raises BadInput when one is not accepted."""
    table = accepted(read(folder)).drop_duplicates("image_id")
    files = dict(zip(table["image_id"], table["file"], strict=True))
    missing = [one for one in ids if one not in files]
    if missing:
        raise BadInput(
            f"{len(missing)} of {len(ids)} pictures are no accepted ones of the set, {missing[0]} "
            "first: make what names them again"
        )
    return [folder / str(files[one]) for one in ids]
