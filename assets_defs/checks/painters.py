"""Gates of the painters' stage."""

from pathlib import Path

import dagster as dg
import pandas as pd

from likeness.images import image_set
from likeness.studies.schema import Painter
from resources import keys

# Below this a class can be neither split nor judged.
FEWEST_PER_CLASS = 5

ENOUGH = "painters__enough_pictures"
READABLE = "painters__most_files_are_pictures"
NEAR = "painters__near_duplicates_across_classes"
NO_LEAK = "painters__no_group_in_two_splits"
GIVEN_LEAK = "painters__given_split_does_not_leak"

PAINTINGS_CHECKS = [
    dg.AssetCheckSpec(
        ENOUGH,
        asset=keys.PAINTINGS.split("/"),
        blocking=True,
        description=f"Every class has at least {FEWEST_PER_CLASS} good pictures.",
    ),
    dg.AssetCheckSpec(
        READABLE,
        asset=keys.PAINTINGS.split("/"),
        description="At most a tenth of the files was rejected.",
    ),
    dg.AssetCheckSpec(
        NEAR,
        asset=keys.PAINTINGS.split("/"),
        description="Lists pictures of different classes that look alike; a good "
        "replica does, so none is rejected.",
    ),
]
CLASSES_CHECKS = [
    dg.AssetCheckSpec(
        NO_LEAK,
        asset=keys.CLASSES.split("/"),
        blocking=True,
        description="No group of near duplicates lies in two splits made here, or in two folds.",
    ),
    dg.AssetCheckSpec(
        GIVEN_LEAK,
        asset=keys.CLASSES.split("/"),
        description="Warns of near duplicates across the splits of a given split.",
    ),
]


def check_paintings(folder: Path, painter: Painter) -> tuple[dg.AssetCheckResult, ...]:
    """Counts and near duplicates of an intake."""
    table = image_set.read(folder)
    good = image_set.accepted(table)["label_key"].value_counts()
    few = {
        str(k): int(good.get(str(k), 0))
        for k in painter.classes
        if good.get(str(k), 0) < FEWEST_PER_CLASS
    }
    rejected = int((table["status"] == image_set.REJECTED).sum())
    pairs = pd.read_parquet(folder / "near_duplicates.parquet")
    across = pairs[pairs["label_a"] != pairs["label_b"]]
    # What went through an autoencoder is near what it was.
    meant = [{name, one.of} for name, one in painter.rebuilt.items()]
    labels = zip(across["label_a"], across["label_b"], strict=True)
    unlike = [{str(a), str(b)} not in meant for a, b in labels]
    across = across[pd.Series(unlike, across.index, dtype=bool)]
    return (
        dg.AssetCheckResult(check_name=ENOUGH, passed=not few, metadata={"too_few": few}),
        dg.AssetCheckResult(
            check_name=READABLE,
            passed=rejected <= len(table) / 10,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rejected": rejected, "files": len(table)},
        ),
        dg.AssetCheckResult(
            check_name=NEAR,
            passed=across.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"pairs": len(across), "list": dg.MetadataValue.json(_pairs(across))},
        ),
    )


def _pairs(pairs: pd.DataFrame) -> list[str]:
    return [f"{a} ~ {b}" for a, b in zip(pairs["path_a"], pairs["path_b"], strict=True)][:50]


def check_classes(folder: Path, painter: Painter) -> tuple[dg.AssetCheckResult, ...]:
    """Leaks of a split: an error where the split is ours, a warning where it was given."""
    table = image_set.read(folder)
    known = table[table["image_set"] == "classes"]
    straddling = pd.read_parquet(folder / "straddling.parquet")
    groups = int(straddling["group"].nunique())
    ours = painter.given is None
    folds = known.dropna(subset=["fold"]).groupby("group")["fold"].nunique()
    bad_folds = int((folds > 1).sum())
    shown = [
        f"{split}: {path}"
        for split, path in zip(straddling["split"], straddling["path"], strict=True)
    ][:50]
    return (
        dg.AssetCheckResult(
            check_name=NO_LEAK,
            passed=not bad_folds and not (ours and groups),
            metadata={
                "groups_in_two_folds": bad_folds,
                "groups_in_two_splits": groups if ours else 0,
            },
        ),
        dg.AssetCheckResult(
            check_name=GIVEN_LEAK,
            passed=ours or not groups,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "groups": 0 if ours else groups,
                "pictures": dg.MetadataValue.json([] if ours else shown),
            },
        ),
    )
