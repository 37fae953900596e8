"""Averages over pairs of pictures, with intervals that know that pairs share pictures."""

import math
from typing import Literal, NamedTuple

import numpy as np

from likeness.metrics.means import FEWEST, RESAMPLES
from likeness.statistics import Rate, wilson

# original: scores rounded to two decimals, a pair without a score counts as zero
# corrected: scores as they are, a pair without a score (NaN) is left out and counted
Averaging = Literal["original", "corrected"]

DECIMALS = 2


class PairMean(NamedTuple):
    """A mean over pairs; its ``n`` are the pairs that it was divided by."""

    mean: Rate
    left_out: int

    @property
    def row(self) -> dict[str, object]:
        """As a table of means has it."""
        value, n, low, high = self.mean
        return {"value": value, "low": low, "high": high, "n": n, "left_out": self.left_out}


def within(matrix: np.ndarray) -> np.ndarray:
    """Scores of the unordered pairs of one set: ``(N, N)`` symmetric -> ``(N (N - 1) / 2,)``."""
    return matrix[np.triu_indices(len(matrix), k=1)]


def between(matrix: np.ndarray) -> np.ndarray:
    """Scores of all pairs of two sets: ``(A, B)`` -> ``(A B,)``, row by row."""
    return matrix.reshape(-1)


def mean_within(matrix: np.ndarray, averaging: Averaging, seed: int = 0) -> PairMean:
    """Mean off the diagonal of ``(N, N)``, NaN = no score, with a bootstrap 95 % interval.

    Pictures are resampled, not pairs (Snijders and Borgatti 1999, Connections 22:161); a picture is
    never paired with its own copy. The interval is
    NaN with fewer than 3 pictures, everything is NaN without a scored pair.
    """
    values = _as_averaged(matrix, averaging)
    scored = np.triu(~np.isnan(values), k=1)
    kept = np.flatnonzero(scored.any(axis=0) | scored.any(axis=1))
    counts = _resamples(len(kept), np.random.default_rng(seed))
    square = np.ix_(kept, kept)
    low, high = _interval(values[square], scored[square], counts, counts)
    return _summary(within(values), low, high)


def mean_between(matrix: np.ndarray, averaging: Averaging, seed: int = 0) -> PairMean:
    """Mean of all cells of ``(A, B)``, NaN = no score, with a bootstrap 95 % interval.

    Rows and columns are resampled independently (Owen 2007, "The pigeonhole bootstrap", Ann. Appl.
    Stat. 1:386). The interval is NaN with fewer than 3 pictures on a side.
    """
    values = _as_averaged(matrix, averaging)
    scored = ~np.isnan(values)
    rows, columns = np.flatnonzero(scored.any(axis=1)), np.flatnonzero(scored.any(axis=0))
    rng = np.random.default_rng(seed)
    counts = _resamples(len(rows), rng), _resamples(len(columns), rng)
    cells = np.ix_(rows, columns)
    low, high = _interval(values[cells], scored[cells], *counts)
    return _summary(between(values), low, high)


def _as_averaged(matrix: np.ndarray, averaging: Averaging) -> np.ndarray:
    values = np.asarray(matrix, np.float64)
    if averaging == "original":
        return np.round(np.nan_to_num(values, nan=0.0), DECIMALS)
    return values


def _resamples(count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of ``count`` pictures is drawn: ``(RESAMPLES, count)`` float64."""
    if count == 0:
        return np.empty((RESAMPLES, 0))
    return rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(np.float64)


def _interval(
    values: np.ndarray, scored: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[float, float]:
    """Percentile interval of the weighted means of the scored cells; Wilson's of 0 and of 1."""
    if min(rows.shape[1], columns.shape[1]) < FEWEST:
        return math.nan, math.nan
    pairs = (rows @ scored * columns).sum(axis=1)
    totals = (rows @ np.where(scored, values, 0.0) * columns).sum(axis=1)
    # a resample of one picture only, or of pictures that failed with each other, has no pair
    low, high = np.percentile(totals[pairs > 0] / pairs[pairs > 0], [2.5, 97.5])
    if low == high and low in (0.0, 1.0):
        # all pairs say no, or all yes, and no resample knows a doubt: as sure as one answer each
        # of the fewer pictures would make it
        n = min(rows.shape[1], columns.shape[1])
        return wilson(int(low) * n, n)
    return float(low), float(high)


def _summary(values: np.ndarray, low: float, high: float) -> PairMean:
    scored = values[~np.isnan(values)]
    mean = float(scored.mean()) if len(scored) else math.nan
    return PairMean(Rate(mean, len(scored), low, high), len(values) - len(scored))
