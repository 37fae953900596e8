"""Checks of the people graph: enough photos, no copies, no strangers among the verified."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd

from likeness.faces.tasks import TABLE
from likeness.faces.verification import OK
from likeness.images import image_set
from likeness.metrics.tables import PAIRS
from likeness.people.same_person import VERIFIED, enough
from likeness.people.splits import SplitRecipe
from resources import keys

ANY = "people__a_photo_is_accepted"
AGES = "people__every_photo_has_an_age"
ENOUGH = "people__enough_photos"
COPIES = "people__no_duplicates"
STRANGERS = "people__no_strangers_among_the_verified"
UNVERIFIED = "people__unverified_photos"
SEVERAL = "people__one_face_in_a_photo"

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
FACES_CHECKS = [
    dg.AssetCheckSpec(
        SEVERAL,
        asset=keys.FACES.split("/"),
        description="Warns of photos with several faces: the one that fits best is verified, and "
        "models learn all that are there.",
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
        description="Every photo of a split of verified photos verifies with as many of the "
        "person's others as the study wants.",
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


def check_faces(folder: Path, photos: Path) -> tuple[dg.AssetCheckResult, ...]:
    """Of the table of faces; photos are listed by the path that their owner knows."""
    read = pd.read_parquet(folder / TABLE)
    counts = read[read["status"] == OK].groupby("image_id").size()
    several = counts[counts > 1].sort_values(ascending=False, kind="stable")
    paths = image_set.read(photos).drop_duplicates("image_id").set_index("image_id")["path"]
    listed = {str(paths[image_id]): int(count) for image_id, count in several.head(50).items()}
    return (
        dg.AssetCheckResult(
            check_name=SEVERAL,
            passed=several.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"photos": len(several), "faces": dg.MetadataValue.json(listed)},
        ),
    )


def check_splits(
    folder: Path, recipe: SplitRecipe, verification: Path, share: float
) -> tuple[dg.AssetCheckResult, ...]:
    """Of the splits' tables.

    Whether a photo is a stranger is asked of the verified pairs themselves, not of what the splits
    were made by: each photo of a split of verified ones must verify with at least ``share`` of the
    others that verification took for the person's.
    """
    members = pd.read_parquet(folder / "splits.parquet")
    photos = pd.read_parquet(folder / "photos.parquet").dropna(subset="image_id")
    counts = {split.name: int((members["split"] == split.name).sum()) for split in recipe.splits}
    small = {name: count for name, count in counts.items() if count < recipe.minimum}
    copies = members[members.duplicated(["split", "image_id"])]["image_id"].tolist()
    held = set(photos.loc[photos["held_back"].fillna(False).astype(bool), "image_id"])
    copies += sorted(held & set(members["image_id"]))
    good = set(photos.loc[photos["verified"].fillna(False).astype(bool), "image_id"])
    pure = {split.name for split in recipe.splits if split.verified}
    chosen = set(members.loc[members["split"].isin(pure), "image_id"])
    strangers = _strangers(chosen, verification, share)
    mixed = members[~members["split"].isin(pure) & ~members["image_id"].isin(good)]
    mixed = mixed.drop_duplicates("image_id")
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


def _strangers(chosen: set[str], verification: Path, share: float) -> list[str]:
    """Of the chosen photos, those that verify with too few of the person's others, or with none."""
    said = pd.read_parquet(verification / VERIFIED)
    person = set(said.loc[said["verified"].fillna(False).astype(bool), "image_id"])
    pairs = pd.read_parquet(verification / PAIRS, columns=["image_a", "image_b", "value"])
    same = pairs[pairs["value"] == 1]
    both = pd.concat([same, same.rename(columns={"image_a": "image_b", "image_b": "image_a"})])
    counts = both[both["image_b"].isin(person)].groupby("image_a").size()
    order = sorted(chosen)
    degrees = counts.reindex(order, fill_value=0).to_numpy()
    sizes = np.array([len(person | {image_id}) for image_id in order])
    # one photo alone proves nothing
    bad = ~enough(degrees, sizes, share) | (degrees == 0)
    return [image_id for image_id, is_bad in zip(order, bad, strict=True) if is_bad]
