"""The heavy calls on pictures: intake with preparation, and the classes with their splits."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import Limits
from likeness.images.given import Given
from likeness.images.hashing import groups as components
from likeness.images.intake import Duplicates, take_in
from likeness.images.inventory import FOUND
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import contact_sheet, save_preview, save_spread
from likeness.images.splits import Made, make_folds, make_split, straddling

PREVIEW = "preview.jpg"
SHEET_PICTURES = 48


class IntakeParams(BaseModel):
    """What becomes of a raw file beside its bytes."""

    limits: Limits
    duplicates: Duplicates
    prepare: Preparation


def intake(
    params: IntakeParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``painters/paintings``: every raw file a row, every good one a prepared picture.

    ``inputs``: ``raw`` with its ``inventory.parquet`` and ``files``, the folder of its files; and
    ``sampled``, an image set with a ``label_key``, where a model has made some of the classes.
    """
    listing = pd.read_parquet(inputs["raw"] / "inventory.parquet")
    elsewhere: dict[str, Path] = {}
    if "sampled" in inputs:
        sampled = _listing(inputs["sampled"])
        listing = pd.concat([listing, sampled], ignore_index=True)
        elsewhere = dict.fromkeys(sampled["label_key"], inputs["sampled"])
    table = take_in(
        inputs["files"],
        listing,
        params.limits,
        params.duplicates,
        lambda image: prepare(image, params.prepare),
        output,
        elsewhere,
    )
    good = image_set.accepted(table)
    files = [output / str(name) for name in good["file"]]
    keys = [str(key) for key in good["label_key"]]
    save_spread(files, keys, SHEET_PICTURES, output / PREVIEW)
    reasons = table.loc[table["status"] == image_set.REJECTED, "reason"]
    return {"accepted": len(good), "rejected": len(reasons), "folders": _by(good, "label_key")}


def _listing(folder: Path) -> pd.DataFrame:
    """Pictures that a model has made, as an inventory lists raw files: with how they were made."""
    table = image_set.read(folder)
    folders = table["file"].str.rpartition("/")[0]
    good = table["status"] == image_set.ACCEPTED
    return table.assign(
        path=table["file"], folder=folders, status=table["status"].mask(good, FOUND)
    ).drop(columns=["image_id", "file", "width", "height", "split"])


def _by(table: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(key): int(n) for key, n in table[column].value_counts().sort_index().items()}


class ClassesParams(BaseModel):
    """How pictures become classes, splits and folds."""

    labels: list[int]
    split: Given | Made
    folds: int | None
    seed: int


def classes(
    params: ClassesParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``painters/classes``: label, split, fold and group of every picture; the pictures stay there.

    ``image_set`` is ``classes`` or the name of a test set, whose split is ``unseen``.
    """
    everything = image_set.read(inputs["paintings"])
    table = image_set.accepted(everything)
    table["group"] = _joined_groups(table)
    known_labels = {str(label): label for label in params.labels}
    table["label"] = table["label_key"].map(known_labels).astype("Int64")
    known = table["label"].notna()
    table["image_set"] = table["label_key"].mask(known, "classes")
    part = table[known]
    table["split"] = "unseen"
    table.loc[known, "split"] = _split(part, params)
    table["fold"] = pd.Series(pd.NA, index=table.index, dtype="Int64")
    if params.folds is not None:
        learn = known & table["split"].isin(["train", "valid"])
        ids, labels, groups = _keys(table[learn])
        table.loc[learn, "fold"] = make_folds(ids, labels, groups, params.folds, params.seed)
    image_set.write(output, table)
    crossing = _straddling_pairs(table, everything, params.split, inputs["paintings"], output)
    return {
        "pictures": int(known.sum()),
        "straddling_groups": crossing,
        "made": isinstance(params.split, Made),
        "splits": _by(part.assign(split=table.loc[known, "split"]), "split"),
    }


def _keys(table: pd.DataFrame) -> tuple[list[str], list[int], list[int]]:
    return (
        table["image_id"].tolist(),
        table["label"].astype(int).tolist(),
        table["group"].astype(int).tolist(),
    )


def _split(part: pd.DataFrame, params: ClassesParams) -> Any:
    if isinstance(params.split, Made):
        ids, labels, groups = _keys(part)
        return make_split(ids, labels, groups, params.split, params.seed)
    splits = part["path"].map(params.split.split_of)
    outside = part.loc[splits == "", "path"]
    if len(outside):
        raise BadInput(
            f"{len(outside)} pictures, such as {outside.iloc[0]}, are in no folder of the given "
            "split: name their folder under split, or make the split here (valid, test)"
        )
    return splits


def _joined_groups(table: pd.DataFrame) -> pd.Series:
    """Near duplicates and the user's own groups together: whoever shares either is one group."""
    links: list[tuple[int, int]] = []
    for column in ("group", "given_group"):
        if column in table:
            for rows in table.groupby(column).indices.values():
                links += [(int(rows[0]), int(row)) for row in rows[1:]]
    return pd.Series(components(len(table), links), index=table.index, dtype="Int64")


def _straddling_pairs(
    table: pd.DataFrame,
    everything: pd.DataFrame,
    split: Given | Made,
    paintings: Path,
    output: Path,
) -> int:
    """Write the pictures of groups that lie in several splits; how many such groups there are."""
    known = table[table["image_set"] == "classes"].reset_index(drop=True)
    found = straddling(list(known["split"]), list(known["group"]))
    rows = [row for straddle in found for row in straddle.members]
    columns = ["group", "image_id", "file", "path", "label", "split"]
    crossing = known.iloc[rows][columns]
    if isinstance(split, Given):
        copies = _copies_across(known, everything, split)
        crossing = pd.concat([crossing, copies[columns]]).drop_duplicates("path")
    crossing.to_parquet(output / "straddling.parquet", index=False)
    if len(crossing):
        paths = [paintings / name for name in crossing["file"]]
        parts = zip(crossing["split"], crossing["label"], strict=True)
        sheet = contact_sheet(paths, captions=[f"{split}/{label}" for split, label in parts])
        save_preview(sheet, output / PREVIEW)
    return int(crossing["group"].nunique())


def _copies_across(known: pd.DataFrame, everything: pd.DataFrame, split: Given) -> pd.DataFrame:
    """Pictures of which an exact copy, rejected at intake, lay in another split; and the copies."""
    copies = everything[everything["duplicate_of"].notna()]
    pairs = known.merge(
        copies[["duplicate_of", "path"]].rename(columns={"path": "copy"}),
        left_on="image_id",
        right_on="duplicate_of",
    )
    pairs["copy_split"] = pairs["copy"].map(split.split_of)
    pairs = pairs[(pairs["copy_split"] != "") & (pairs["copy_split"] != pairs["split"])]
    moved = pairs.assign(path=pairs["copy"], split=pairs["copy_split"])
    return pd.concat([pairs, moved])
