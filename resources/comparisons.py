"""Editors of one study on the same pairs, two and two."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from likeness.images import image_set
from likeness.metrics.comparison import paired_difference
from resources import keys

if TYPE_CHECKING:
    from resources.summaries import Current

NO_CONTROL = "regenerate"
LOWER_IS_BETTER = ("lpips", "structure", "background_mse")
MEASURE = ["metric", "protocol", "passport_id"]


def compared_editors(current: "Current") -> pd.DataFrame:
    """A row per measure and two editors of the same pairs: who is better, and how surely.

    No control, which comes second, is compared with every editor, on the pairs that both edit.

    Only values with one passport are compared, of the strength that tables compare. Intervals are
    a paired bootstrap over sources (``likeness.metrics.comparison``).
    """
    rows: list[dict[str, object]] = []
    for study in current.registry.studies.values():
        found = {
            name: scores
            for name in study.edits
            if (scores := _compared(current, f"{study.name}__{name}")) is not None
        }
        plain = [name for name in found if study.edits[name].method.name == NO_CONTROL]
        pairs = {name: frozenset(scores["pair_id"]) for name, scores in found.items()}
        for a, b in combinations([*(name for name in found if name not in plain), *plain], 2):
            if pairs[a] != pairs[b] and b not in plain:
                continue
            both = found[a].merge(found[b], on=[*MEASURE, "pair_id"], suffixes=("_a", "_b"))
            for measure, some in both.groupby(MEASURE, sort=False):
                named = dict(zip(MEASURE, measure, strict=True))
                about = {"study": study.name, "experiment_a": a, "experiment_b": b}
                rows.append(about | named | _row(str(named["metric"]), some))
    return pd.DataFrame(rows)


def _compared(current: "Current", key: str) -> pd.DataFrame | None:
    """Values of the compared edits; None while there are none."""
    made, scores = current.made(key), current.scores(keys.IMAGE_SCORES, key)
    if made is None or scores is None:
        return None
    edits = current.parquet(made, image_set.TABLE)
    edits = edits[edits["compared"].fillna(False).astype(bool)]
    # Missing strengths are those of editors without a knob, and equal here.
    about = edits[["pair_id", "strength", "source_id"]].drop_duplicates()
    found = current.parquet(scores, "scores.parquet").merge(about, on=["pair_id", "strength"])
    return found[[*MEASURE, "pair_id", "source_id", "value"]]


def _row(metric: str, both: pd.DataFrame) -> dict[str, object]:
    a, b = (both[name].to_numpy(float, na_value=np.nan) for name in ("value_a", "value_b"))
    found = paired_difference(
        a, b, metric not in LOWER_IS_BETTER, both["source_id_a"].astype(str).tolist()
    )
    return {
        "difference": found.difference.value,
        "low": found.difference.low,
        "high": found.difference.high,
        "n": found.difference.n,
        "wins": found.wins.value,
        "wins_low": found.wins.low,
        "wins_high": found.wins.high,
        "ties": found.ties,
        "left_out": found.left_out,
    }
