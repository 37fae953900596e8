"""Gates of the classifier's stage."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd

from likeness.studies.schema import Painter
from resources import keys

PROBABILITIES = "classifier__probabilities_are_whole"
BASELINE = "classifier__beats_the_majority"

VERDICTS_CHECKS = [
    dg.AssetCheckSpec(
        PROBABILITIES,
        asset=keys.VERDICTS.split("/"),
        blocking=True,
        description="Every verdict has one finite probability per class, sum 1.",
    ),
    dg.AssetCheckSpec(
        BASELINE,
        asset=keys.VERDICTS.split("/"),
        description="Warns of a judge whose accuracy is not above always naming the "
        "largest class (its 95 % interval reaches down to it).",
    ),
]


def check_verdicts(folder: Path, painter: Painter) -> tuple[dg.AssetCheckResult, ...]:
    """Sound probabilities, and a judge that knows more than which class is largest."""
    from likeness.statistics import accuracy

    verdicts = pd.read_parquet(folder / "verdicts.parquet")
    rows = np.stack(verdicts["probabilities"].to_list())
    whole = np.isfinite(rows).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-6)
    known = verdicts[verdicts["image_set"].isin(["valid", "test", "folds"])]
    rate = accuracy(known["truth"].to_numpy(int), known["predicted"].to_numpy(int))
    majority = float(known["truth"].value_counts(normalize=True).max())
    return (
        dg.AssetCheckResult(
            check_name=PROBABILITIES,
            passed=bool(whole) and rows.shape[1] == len(painter.classes),
            metadata={"verdicts": len(verdicts), "classes": rows.shape[1]},
        ),
        dg.AssetCheckResult(
            check_name=BASELINE,
            passed=rate.low > majority,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "accuracy": rate.value,
                "low": rate.low,
                "high": rate.high,
                "n": rate.n,
                "majority": majority,
            },
        ),
    )
