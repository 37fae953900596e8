"""Raw files -> an image set without exact duplicates, its near duplicates grouped."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.digests import sha256_file
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import Limits, Undecodable, decode
from likeness.images.hashing import (
    confirm,
    groups,
    near_duplicate_pairs,
    perceptual_hash,
    thumbnail,
)
from likeness.images.inventory import FOUND
from likeness.progress import track

NEAR_DUPLICATES = "near_duplicates.parquet"
EXTRA = {
    "path": "string",
    "folder": "string",
    "label_key": "string",
    "perceptual_hash": "string",
    "group": "Int64",
    "duplicate_of": "string",
}
KNOWN = image_set.COLUMNS | EXTRA
NEAR_COLUMNS = {
    "image_a": "string",
    "image_b": "string",
    "path_a": "string",
    "path_b": "string",
    "label_a": "string",
    "label_b": "string",
    "distance": "Int64",
    "correlation": "Float64",
}
# Where a row's file is while it is taken in; no column.
ROOT = "root"
# each worker holds one full picture
WORKERS = min(4, os.cpu_count() or 1)

Transform = Callable[[Image.Image], Image.Image]
Row = dict[str, Any]


class Duplicates(BaseModel):
    """When two pictures count as nearly the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_distance: int = Field(
        default=10,
        ge=0,
        le=32,
        description="largest Hamming distance of the 64-bit perceptual hashes",
    )
    min_correlation: float = Field(
        default=0.75, ge=0, le=1, description="smallest correlation of the 32 x 32 gray thumbnails"
    )


def take_in(
    root: Path,
    inventory: pd.DataFrame,
    limits: Limits,
    duplicates: Duplicates,
    transform: Transform,
    output: Path,
    elsewhere: Mapping[str, Path] | None = None,
) -> pd.DataFrame:
    """Write the image set of an inventory (with ``label_key``, the class) into ``output``.

    One row per inventory row, in its order, with the inventory's further columns; only accepted
    rows have an ``image_id`` and a picture. ``group`` joins near duplicates, which
    ``near_duplicates.parquet`` lists. ``elsewhere`` names the folder of a ``label_key`` whose files
    are not below ``root``. ``transform`` runs in threads and may raise ``Undecodable``.
    Raises ``BadInput`` when nothing is accepted.
    """
    (output / image_set.FOLDER).mkdir(parents=True, exist_ok=True)
    rows: list[Row] = inventory.to_dict("records")
    others = elsewhere or {}
    for row in rows:
        row[ROOT] = others.get(row["label_key"], root)
    thumbnails = _settle_all(rows, limits, transform, output)
    accepted = [row for row in rows if row["status"] == image_set.ACCEPTED]
    if not accepted:
        raise BadInput(_nothing(root, rows))
    near = _group(accepted, np.stack([thumbnails[row["image_id"]] for row in accepted]), duplicates)
    own = {name: str(kind) for name, kind in inventory.dtypes.items() if name not in KNOWN}
    table = image_set.frame(rows, EXTRA | own)
    near.to_parquet(output / NEAR_DUPLICATES, index=False)
    image_set.write(output, table)
    return table


def _settle_all(
    rows: list[Row], limits: Limits, transform: Transform, output: Path
) -> dict[str, np.ndarray]:
    """Accept or reject every found row, in place; thumbnails of the accepted by image_id."""
    same: dict[str, list[Row]] = {}
    for row in rows:
        if row["status"] == FOUND:
            same.setdefault(row["sha256"], []).append(row)
    settle = partial(_settle, limits=limits, transform=transform, output=output)
    with ThreadPoolExecutor(WORKERS) as pool:
        settled = pool.map(settle, same.values())
        small = [image for image in track(settled, "intake", len(same)) if image is not None]
    return dict(small)


def _settle(
    copies: list[Row], limits: Limits, transform: Transform, output: Path
) -> tuple[str, np.ndarray] | None:
    """Decide, in place, about rows with the same bytes; image_id and thumbnail of the kept one."""
    for row in copies:
        _verify(row)
    # A class keeps a picture that also lies in a set of unseen ones.
    copies.sort(key=lambda row: not _is_class(row))
    labels = {row["label_key"] for row in copies if _is_class(row)}
    if len(labels) > 1:
        for row, other in [(row, _elsewhere(row, copies)) for row in copies]:
            _reject(
                row,
                f"contradictory label: the same file is {row['path']} in class {row['label_key']} "
                f"and {other['path']} in class {other['label_key']}",
            )
        return None
    first, *later = copies
    try:
        upright = decode(first[ROOT] / first["path"], limits)
        picture = transform(upright)
    except Undecodable as error:
        for row in copies:
            _reject(row, error.reason)
        return None
    # Twins are looked for before the transform: equalizing can make two of them unlike.
    first["perceptual_hash"] = perceptual_hash(upright)
    _accept(first, picture, output)
    for row in later:
        _reject(row, f"exact duplicate of {first['path']}")
        row["duplicate_of"] = first["image_id"]
    return first["image_id"], thumbnail(upright)


def _verify(row: Row) -> None:
    """Refuse to go on with a file that is no longer the one that the inventory saw.

    No row can say so: the result would then depend on more than the inventory.
    """
    try:
        same = sha256_file(row[ROOT] / row["path"]) == row["sha256"]
    except OSError as error:
        raise BadInput(
            f"{row['path']} cannot be read any more ({error.strerror}): list the raw folder again"
        ) from error
    if not same:
        raise BadInput(f"{row['path']} was changed after it was listed: list the raw folder again")


def _is_class(row: Row) -> bool:
    """Classes go by their number, sets of unseen pictures by a name."""
    return str(row["label_key"]).isdigit()


def _elsewhere(row: Row, copies: list[Row]) -> Row:
    return next(other for other in copies if other["label_key"] != row["label_key"])


def _reject(row: Row, reason: str) -> None:
    row.update(status=image_set.REJECTED, reason=reason)


def _accept(row: Row, picture: Image.Image, output: Path) -> None:
    """Save the picture, lossless and with the same bytes every time, and complete its row."""
    image_id = row["sha256"][:16]
    file = f"{image_set.FOLDER}/{image_id}.png"
    # on paintings level 3 is as small as 6 in half the time
    picture.save(output / file, "PNG", compress_level=3)
    row.update(
        image_id=image_id,
        file=file,
        width=picture.width,
        height=picture.height,
        status=image_set.ACCEPTED,
        reason=None,
    )


def _group(accepted: list[Row], thumbnails: np.ndarray, duplicates: Duplicates) -> pd.DataFrame:
    """Give every accepted row its ``group``; the table of near duplicates."""
    hashes = [row["perceptual_hash"] for row in accepted]
    pairs = near_duplicate_pairs(hashes, duplicates.max_distance)
    near = confirm(pairs, thumbnails, duplicates.min_correlation)
    labels = groups(len(accepted), [(i, j) for i, j, *_ in near])
    for row, label in zip(accepted, labels, strict=True):
        row["group"] = label
    table = [
        {
            "image_a": accepted[i]["image_id"],
            "image_b": accepted[j]["image_id"],
            "path_a": accepted[i]["path"],
            "path_b": accepted[j]["path"],
            "label_a": accepted[i]["label_key"],
            "label_b": accepted[j]["label_key"],
            "distance": distance,
            "correlation": correlation,
        }
        for i, j, distance, correlation in near
    ]
    return pd.DataFrame(table, columns=list(NEAR_COLUMNS)).astype(NEAR_COLUMNS)


def _nothing(root: Path, rows: list[Row]) -> str:
    if not rows:
        return f"There is no file to take in below {root}; put pictures there."
    reason, count = Counter(row["reason"] for row in rows).most_common(1)[0]
    return (
        f"None of the {len(rows)} files below {root} could be taken in, most often ({count} times) "
        f"because: {reason}; put readable pictures there or widen the limits."
    )
