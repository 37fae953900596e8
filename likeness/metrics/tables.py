"""Pair scores as rows, and their means."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from likeness.metrics.pairs import PairMean
from likeness.metrics.passports import Named

PAIRS, MEANS = "pairs.parquet", "means.parquet"
OK = "ok"
# Sets of photos: learned from, and held back.
TRAIN, HELD = "train", "held"
PAINTER = "painter"  # a painter's own pictures, beside what an experiment made after them
# The measure that a row is of, and what a row of means says of it.
NAMED = {"metric": "string", "protocol": "string", "passport_id": "string"}
MEAN = {
    "value": "Float64",
    "low": "Float64",
    "high": "Float64",
    "n": "Int64",
    "left_out": "Int64",
}
PAIR_COLUMNS = NAMED | {
    "set_a": "string",
    "set_b": "string",
    "image_a": "string",
    "image_b": "string",
    "value": "Float64",
    "status": "string",
}
MEAN_COLUMNS = NAMED | {"set_a": "string", "set_b": "string", "part": "string"} | MEAN


def pair_rows(
    matrix: np.ndarray,
    sets: tuple[str, str],
    images: tuple[Sequence[str], Sequence[str]],
    named: Named,
    why: str = OK,
) -> pd.DataFrame:
    """A row for each pair of an A x B matrix; of a set with itself, each unordered pair once.

    ``why``: the status of pairs without a value.
    """
    first, second = (
        np.triu_indices(len(matrix), k=1)
        if sets[0] == sets[1]
        else (axis.reshape(-1) for axis in np.indices(matrix.shape))
    )
    values = matrix[first, second]
    table = pd.DataFrame(
        {
            "image_a": np.asarray(images[0], dtype=object)[first],
            "image_b": np.asarray(images[1], dtype=object)[second],
            "value": values,
            "status": np.where(np.isnan(values), why, OK),
        }
    )
    return typed(table.assign(**named, set_a=sets[0], set_b=sets[1]), PAIR_COLUMNS)


def mean_row(
    mean: PairMean, sets: tuple[str, str], named: Named, part: str = "all"
) -> dict[str, object]:
    """One row of ``means.parquet``."""
    return {**named, "set_a": sets[0], "set_b": sets[1], "part": part, **mean.row}


def matrix_of(table: pd.DataFrame, images: Sequence[str]) -> np.ndarray:
    """The symmetric N x N matrix of some pictures, from the rows of all unordered pairs.

    The diagonal is 1: a picture is like itself.
    """
    place = {image: number for number, image in enumerate(images)}
    rows = table[table["image_a"].isin(place) & table["image_b"].isin(place)]
    matrix = np.full((len(images), len(images)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    i, j = (rows[name].map(place).to_numpy(int) for name in ("image_a", "image_b"))
    matrix[i, j] = matrix[j, i] = rows["value"].to_numpy(float, na_value=np.nan)
    return matrix


def typed(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """These columns, in this order, with nullable types."""
    return table.reindex(columns=list(columns)).astype(columns)


def read(folder: Path, name: str) -> pd.DataFrame:
    """A table of an artefact, with nullable types."""
    return pd.read_parquet(folder / name, dtype_backend="numpy_nullable")
