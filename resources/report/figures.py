"""Rows of the result tables as people read them; the page and the terminal print the same."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.classify.trust import SURE
from likeness.statistics import confusion, mcnemar, recalls
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
        "SELECT * FROM cezanne_accuracy WHERE study = ? AND (measure IN ('valid', 'test', 'folds') "
        "OR published_n IS NOT NULL) "
        "ORDER BY equalize, architecture DESC, protocol, network, measure DESC",
        [study],
    )
    if found.empty:
        return found
    rows = pd.DataFrame(
        {
            "judge": found["network"],
            "equalize": found["equalize"],
            "part": [part_name(measure) for measure in found["measure"]],
            "accuracy": [rate_text(r.value, r.low, r.high, r.n) for r in found.itertuples()],
            "without twins": [
                f"{r.apart:.3f}, n={r.n_apart}" if r.n_apart else NO_DATA
                for r in found.itertuples()
            ],
            "probe": [
                "" if r.architecture == "probe" else _number(r.probe_value)
                for r in found.itertuples()
            ],
            "calibration error": [_number(value) for value in found["calibration_error"]],
            "counts": found["counts"].fillna(NO_DATA),
        }
    )
    rows["published*"] = [_published(row) for row in found.itertuples()]
    return rows


def part_name(measure: str) -> str:
    """``valid`` -> validation; ``recall_1_test`` -> recall of 1, test."""
    *recall, part = measure.rsplit("_", 1)
    prefix = f"recall of {recall[0].removeprefix('recall_')}, " if recall else ""
    return prefix + MEASURES[part]


def verdict_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per judge and unseen set: counts per class, taken for class 0, right where known.

    And whether the judge's verdicts count.
    """
    found = query(
        warehouse,
        "SELECT * FROM cezanne_verdicts WHERE study = ? ORDER BY image_set, equalize, "
        "architecture DESC, network",
        [study],
    )
    if found.empty:
        return found
    rows = pd.DataFrame(
        {
            "set": found["image_set"],
            "judge": found["network"],
            "equalize": found["equalize"],
            "named 0/1/2/...": [
                "/".join(map(str, r.counts)) if r.n else NO_DATA for r in found.itertuples()
            ],
            "named 0 [95 %]": [
                rate_text(r.share_authentic, r.low, r.high, r.n) for r in found.itertuples()
            ],
        }
    )
    if found["truth"].notna().any():
        rows["right [95 %]"] = [
            "" if pd.isna(r.truth) else rate_text(r.share_right, r.right_low, r.right_high, r.n)
            for r in found.itertuples()
        ]
    if (found["twins"] > 0).any():
        rows["near duplicates learned"] = found["twins"]
    rows["counts"] = found["verdicts_count"].fillna(NO_DATA)
    rows["published*"] = [" ".join(_counts(row)) for row in found.itertuples()]
    return rows


def made_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per experiment: model, method, how it sampled, and how many pictures there are."""
    found = query(warehouse, "SELECT * FROM experiments_made WHERE study = ?", [study])
    if found.empty:
        return found
    rows = pd.DataFrame(
        {
            "experiment": found["experiment"],
            "model": found["base"],
            "method": found["method"],
            "steps": ["" if pd.isna(v) else int(v) for v in found["steps"]],
            "guidance": ["" if pd.isna(v) else f"{v:g}" for v in found["guidance_scale"]],
            "prompts": [r.prompts if r.n else NO_DATA for r in found.itertuples()],
            "made": [r.n if r.n else NO_DATA for r in found.itertuples()],
            "unread": [r.not_whole if r.n else "" for r in found.itertuples()],
        }
    )
    return rows.assign(rejected=found["rejected"]) if (found["rejected"] > 0).any() else rows


def share_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """Shares of every class on every unseen set, each with its interval; the page has room."""
    found = query(
        warehouse,
        "SELECT * FROM cezanne_verdicts WHERE study = ? AND n > 0 ORDER BY image_set, equalize, "
        "architecture DESC, network",
        [study],
    )
    return pd.DataFrame(
        [
            {"set": r.image_set, "judge": r.network, "n": r.n}
            | {
                f"class {label}": f"{k / r.n:.2f} [{low:.2f}, {high:.2f}]"
                for label, k, low, high in zip(r.labels, r.counts, r.lows, r.highs, strict=True)
            }
            for r in found.itertuples()
        ]
    )


def rate_text(value: float, low: float, high: float, n: int, digits: int = 3) -> str:
    """A number with its interval and what it rests on; a few pictures have no interval."""
    if not n:
        return NO_DATA
    said, *ends = (f"{one:.{digits}f}" for one in (value, low, high))
    return f"{said}, n={n}" if pd.isna(low) else f"{said} [{ends[0]}, {ends[1]}], n={n}"


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
    """Per judge and part: counts with the truth in rows, each cell's share of its row, recalls."""
    found = query(
        warehouse,
        "SELECT network, image_set, truth, predicted FROM verdicts "
        "WHERE study = ? AND truth IS NOT NULL AND image_set IN ('valid', 'test', 'folds') "
        "ORDER BY network, image_set",
        [study],
    )
    return [
        _confusion(f"{network}, {MEASURES[part]}", rows["truth"], rows["predicted"])
        for (network, part), rows in found.groupby(["network", "image_set"])
    ]


def _confusion(title: str, truth: pd.Series, predicted: pd.Series) -> dict[str, Any]:
    labels = sorted({int(label) for label in [*truth, *predicted]})
    matrix = confusion(truth, predicted, labels)
    shares = matrix / matrix.sum(axis=1, keepdims=True).clip(min=1)
    known = recalls(truth, predicted, labels)
    rows = [
        {
            "label": label,
            "cells": list(zip(matrix[k].tolist(), shares[k].tolist(), strict=True)),
            "recall": rate_text(
                known[label].value, known[label].low, known[label].high, known[label].n
            ),
        }
        for k, label in enumerate(labels)
    ]
    return {"title": title, "labels": labels, "rows": rows}


def probe_sentences(warehouse: Path, study: str) -> list[str]:
    """Each network against the shortcut probe on the same pictures, in plain words.

    Paired: only pictures on which exactly one of the two is right count (McNemar 1947, exact).
    """
    found = query(warehouse, "SELECT * FROM against_probe WHERE study = ?", [study])
    sentences = []
    for r in found.itertuples():
        p = mcnemar(int(r.only_network), int(r.only_probe))
        if p >= SURE:
            verdict = "not surely different from the probe"
        else:
            verdict = "better than the probe" if r.value > r.probe_value else "worse than the probe"
        sentences.append(
            f"{r.network} ({MEASURES[r.measure]}, equalize {r.equalize}, n={r.n}): {r.value:.3f}, "
            f"probe {r.probe_value:.3f}; alone right {r.only_network} against {r.only_probe} times "
            f"(exact McNemar p = {p:.2g}): {verdict}."
        )
    return sentences
