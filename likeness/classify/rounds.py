"""Rounds of training: one on the split, or one per fold, each with its own validation part."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from likeness.classify.recipe import Recipe
from likeness.errors import BadInput
from likeness.images.splits import hold_out


@dataclass(frozen=True)
class Round:
    """Row numbers of one training: learn on ``fit``, calibrate on ``valid``, answer for ``report``.

    ``report`` maps the name under which figures are printed to rows the training never saw, except
    that the ``valid`` of a split also chose the temperature (and the epoch, if stopping early).
    """

    name: str
    fit: np.ndarray
    valid: np.ndarray
    report: dict[str, np.ndarray]


def rounds(table: pd.DataFrame, mode: str, recipe: Recipe) -> list[Round]:
    """Rounds over the accepted rows of a classes table (columns split, fold, label, group, set)."""
    made = _folds(table, recipe) if mode == "folds" else [_split(table)]
    known = set(table["label"].dropna())
    for one in made:
        for part, rows in (("training", one.fit), ("validation", one.valid)):
            lacking = sorted(known - set(table["label"].iloc[rows].dropna()))
            if lacking:
                raise BadInput(
                    f"the {part} part of '{one.name}' has no picture of class "
                    f"{', '.join(map(str, lacking))}: add pictures or change the study's split"
                )
    return made


def _split(table: pd.DataFrame) -> Round:
    report = {
        name: np.flatnonzero(table["split"] == name)
        for name in ("valid", "test")
        if (table["split"] == name).any()
    }
    tests = table.loc[table["split"] == "unseen", "image_set"]
    report |= {str(name): np.flatnonzero(table["image_set"] == name) for name in tests.unique()}
    return Round(
        "split",
        np.flatnonzero(table["split"] == "train"),
        np.flatnonzero(table["split"] == "valid"),
        report,
    )


def _folds(table: pd.DataFrame, recipe: Recipe) -> list[Round]:
    found = sorted(table["fold"].dropna().unique())
    return [_fold(table, int(fold), recipe) for fold in found]


def _fold(table: pd.DataFrame, fold: int, recipe: Recipe) -> Round:
    out = (table["fold"] == fold).fillna(False).to_numpy(dtype=bool)
    rest = np.flatnonzero((table["fold"].notna() & ~out).to_numpy(dtype=bool))
    part = table.iloc[rest]
    held = hold_out(
        list(part["image_id"]),
        part["label"].to_numpy(dtype=int),
        part["group"].to_numpy(dtype=int),
        recipe.inner_validation,
        seed=fold,
    )
    return Round(f"fold{fold}", rest[~held], rest[held], {"folds": np.flatnonzero(out)})
