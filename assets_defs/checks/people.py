"""Checks of the people graph: enough photos, no copies, no strangers among the verified."""

from pathlib import Path

import dagster as dg
import pandas as pd

from assets_defs import keys
from likeness.images import image_set
from likeness.people.splits import SplitRecipe

ANY = "people__a_photo_is_accepted"
AGES = "people__every_photo_has_an_age"
ENOUGH = "people__enough_photos"
COPIES = "people__no_duplicates"
STRANGERS = "people__no_strangers_among_the_verified"
UNVERIFIED = "people__unverified_photos"

PHOTOS_CHECKS = [
    dg.AssetCheckSpec(
        ANY,
        asset=keys.PHOTOS.split("/"),
        blocking=True,
        description="At least one file of the folder is a usable photo.",
    ),
    dg.AssetCheckSpec(
        AGES,
        asset=keys.PHOTOS.split("/"),
        description="Warns of photos without an age: they are in no split.",
    ),
]
SPLITS_CHECKS = [
    dg.AssetCheckSpec(
        ENOUGH,
        asset=keys.SPLITS.split("/"),
        description="Warns of splits with fewer photos than the study wants at least: experiments "
        "that learn from them fail, all others go on.",
    ),
    dg.AssetCheckSpec(
        COPIES,
        asset=keys.SPLITS.split("/"),
        blocking=True,
        description="No photo is in a split twice, and none held back is in any.",
    ),
    dg.AssetCheckSpec(
        STRANGERS,
        asset=keys.SPLITS.split("/"),
        blocking=True,
        description="A split of verified photos has no photo that does not verify.",
    ),
    dg.AssetCheckSpec(
        UNVERIFIED,
        asset=keys.SPLITS.split("/"),
        description="Warns of photos in splits of all photos that do not verify as the person's: "
        "somebody else, or a face that cannot be told.",
    ),
]


def check_photos(folder: Path) -> tuple[dg.AssetCheckResult, ...]:
    """Of the intake's table."""
    table = image_set.read(folder)
    good = image_set.accepted(table)
    reasons = table.loc[table["status"] == image_set.REJECTED, "reason"].value_counts().to_dict()
    ageless = good[good["age"].isna()]
    listed = {str(row.path): str(row.age_reason) for row in ageless.head(50).itertuples()}
    return (
        dg.AssetCheckResult(
            check_name=ANY,
            passed=len(good) > 0,
            metadata={"accepted": len(good), "rejected": dg.MetadataValue.json(reasons)},
        ),
        dg.AssetCheckResult(
            check_name=AGES,
            passed=ageless.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"photos": len(ageless), "list": dg.MetadataValue.json(listed)},
        ),
    )


def check_splits(folder: Path, recipe: SplitRecipe) -> tuple[dg.AssetCheckResult, ...]:
    """Of the splits' tables."""
    members = pd.read_parquet(folder / "splits.parquet")
    photos = pd.read_parquet(folder / "photos.parquet").dropna(subset="image_id")
    counts = {split.name: int((members["split"] == split.name).sum()) for split in recipe.splits}
    small = {name: count for name, count in counts.items() if count < recipe.minimum}
    copies = members[members.duplicated(["split", "image_id"])]["image_id"].tolist()
    held = set(photos.loc[photos["held_back"].fillna(False).astype(bool), "image_id"])
    copies += sorted(held & set(members["image_id"]))
    good = set(photos.loc[photos["verified"].fillna(False).astype(bool), "image_id"])
    pure = {split.name for split in recipe.splits if split.verified}
    others = members[~members["image_id"].isin(good)]
    strangers = others.loc[others["split"].isin(pure), "image_id"].tolist()
    mixed = others.loc[~others["split"].isin(pure)].drop_duplicates("image_id")
    return (
        dg.AssetCheckResult(
            check_name=ENOUGH,
            passed=not small,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "too_small": dg.MetadataValue.json(small),
                "photos": dg.MetadataValue.json(counts),
                "minimum": recipe.minimum,
            },
        ),
        dg.AssetCheckResult(
            check_name=COPIES, passed=not copies, metadata={"image_ids": copies[:50]}
        ),
        dg.AssetCheckResult(
            check_name=STRANGERS, passed=not strangers, metadata={"image_ids": strangers[:50]}
        ),
        dg.AssetCheckResult(
            check_name=UNVERIFIED,
            passed=mixed.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"photos": len(mixed), "image_ids": mixed["image_id"].tolist()[:50]},
        ),
    )
