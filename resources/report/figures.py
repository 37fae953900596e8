"""Rows of the result tables as people read them; the page and the terminal print the same."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.classify.statistics import rate
from resources.warehouse import query

NO_DATA = "no data"
MEASURES = {"valid": "validation", "test": "test", "folds": "all folds"}
# In this order in the column "published*".
PUBLISHED = ("published_mobilenet", "published_efficientnet_b7", "published_efficientnet_v2l")
LEGEND = "*published: MobileNet, EfficientNetB7, EfficientNetV2L"


def accuracy_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per judge and part: ours with interval and n, without straddling pictures, probe's."""
    found = query(
        warehouse,
        "SELECT * FROM cezanne_accuracy WHERE study = ? AND measure IN ('valid', 'test', 'folds') "
        "ORDER BY equalize, architecture DESC, measure DESC",
        [study],
    )
    if found.empty:
        return found
    rows = pd.DataFrame(
        {
            "judge": found["architecture"],
            "equalize": found["equalize"],
            "part": found["measure"].map(MEASURES),
            "accuracy": [_rate(r.value, r.low, r.high, r.n) for r in found.itertuples()],
            "without twins": [
                NO_DATA if pd.isna(r.apart) else f"{r.apart:.3f}, n={r.n_apart}"
                for r in found.itertuples()
            ],
            "probe": [
                "" if r.architecture == "probe" else _number(r.probe_value)
                for r in found.itertuples()
            ],
        }
    )
    rows["published*"] = [_published(row) for row in found.itertuples()]
    return rows


def verdict_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per judge and unseen set: counts per class, the share taken for authentic."""
    found = query(
        warehouse,
        "SELECT * FROM cezanne_verdicts WHERE study = ? ORDER BY image_set, equalize, "
        "architecture DESC",
        [study],
    )
    if found.empty:
        return found
    rows = pd.DataFrame(
        {
            "set": found["image_set"],
            "judge": found["architecture"],
            "equalize": found["equalize"],
            "n": found["n"],
            "named 0/1/2/...": [
                "/".join(map(str, r.counts)) if r.n else NO_DATA for r in found.itertuples()
            ],
            "named 0 [95 %]": [
                _rate(r.share_authentic, r.low, r.high, r.n) for r in found.itertuples()
            ],
        }
    )
    rows["published*"] = [" ".join(_counts(row)) for row in found.itertuples()]
    return rows


def _rate(value: float, low: float, high: float, n: int) -> str:
    return f"{value:.3f} [{low:.3f}, {high:.3f}], n={n}" if n else NO_DATA


def _number(value: float) -> str:
    return NO_DATA if pd.isna(value) else f"{value:.3f}"


def _published(row: Any) -> str:
    values = [getattr(row, column) for column in PUBLISHED]
    if all(pd.isna(value) for value in values):
        return NO_DATA
    return " ".join(_number(value) for value in values) + f", n={int(row.published_n)}"


def _counts(row: Any) -> list[str]:
    values = [getattr(row, column) for column in PUBLISHED]
    found = ["/".join(map(str, value)) for value in values if hasattr(value, "__len__")]
    return found or [NO_DATA]


def confusion_tables(warehouse: Path, study: str) -> list[dict[str, Any]]:
    """Per judge and part: counts with the truth in rows, and each cell's share of its row."""
    found = query(
        warehouse,
        "SELECT network, image_set, truth, predicted, count(*) AS k FROM verdicts "
        "WHERE study = ? AND truth IS NOT NULL AND image_set IN ('valid', 'test', 'folds') "
        "GROUP BY ALL ORDER BY network, image_set",
        [study],
    )
    tables = []
    for (network, part), cells in found.groupby(["network", "image_set"]):
        labels = sorted({*cells["truth"], *cells["predicted"]})
        matrix = cells.pivot_table(index="truth", columns="predicted", values="k", fill_value=0)
        matrix = matrix.reindex(index=labels, columns=labels, fill_value=0).astype(int)
        shares = matrix.div(matrix.sum(axis=1).clip(lower=1), axis=0)
        tables.append(
            {
                "title": f"{network}, {MEASURES[part]}",
                "labels": labels,
                "rows": [
                    {
                        "label": label,
                        "recall": _recall(matrix, label),
                        "cells": [
                            (int(k), float(s))
                            for k, s in zip(matrix.loc[label], shares.loc[label], strict=True)
                        ],
                    }
                    for label in labels
                ],
            }
        )
    return tables


def _recall(matrix: pd.DataFrame, label: int) -> str:
    n = int(matrix.loc[label].sum())
    found = rate(int(matrix.loc[label, label]), n)
    return _rate(found.value, found.low, found.high, n)


def probe_sentence(warehouse: Path, study: str) -> str:
    """What the shortcut probe says about the judges' accuracy, in plain words."""
    found = query(
        warehouse,
        "SELECT architecture, equalize, measure, value, low, high, n, probe_value "
        "FROM cezanne_accuracy WHERE study = ? AND measure IN ('valid', 'test', 'folds') "
        "AND architecture <> 'probe' AND probe_value IS NOT NULL ORDER BY n DESC, equalize LIMIT 6",
        [study],
    )
    sentences = []
    for r in found.itertuples():
        above = "more than" if r.low > r.probe_value else "no surely more than"
        sentences.append(
            f"{r.architecture} ({MEASURES[r.measure]}, equalize {r.equalize}): {r.value:.3f} "
            f"[{r.low:.3f}, {r.high:.3f}], {above} the probe's {r.probe_value:.3f}."
        )
    return " ".join(sentences)
