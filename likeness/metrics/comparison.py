"""Means of scores of single pictures, and two editors on the same pairs, with 95 % intervals."""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from likeness.errors import BadInput
from likeness.metrics.means import mean_of_pictures
from likeness.metrics.pairs import PairMean
from likeness.statistics import Rate, wilson


class Comparison(NamedTuple):
    """Whether one editor scores better than another where both have a score."""

    difference: Rate  # mean of a - b; n groups
    wins: Rate  # share of groups, but ties, that a wins
    ties: int
    left_out: int  # pairs that one of them has no score of


def mean_score(
    values: np.ndarray, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> PairMean:
    """Mean of N scores (NaN = none) with a bootstrap interval over groups.

    ``groups``: what belongs together, such as the prompt or the photo that was edited; each group
    is averaged first and counts once. By default every score is a group of its own. The interval is
    NaN with fewer than 3 groups, everything is NaN without a score.
    """
    scores = np.asarray(values, np.float64)
    means = _by_group(scores, groups)
    return PairMean(_mean(means, seed), int(np.isnan(scores).sum()))


def paired_difference(
    a: np.ndarray,
    b: np.ndarray,
    higher_is_better: bool = True,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Comparison:
    """Editor a against editor b on the same N pairs (NaN = no score), by a paired bootstrap.

    Resampling the pairs, not the two sets of scores, keeps what makes a pair hard out of the
    interval (Efron and Tibshirani 1993, section 8.3). ``groups`` as in ``mean_score``. The
    difference is in the unit of the scores; ``wins`` has a Wilson interval and is NaN where all are
    ties. Raises ``BadInput`` for different lengths.
    """
    if len(a) != len(b):
        raise BadInput(f"{len(a)} and {len(b)} scores are not of the same pairs: align them first")
    differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    means = _by_group(differences, groups)
    better = means > 0 if higher_is_better else means < 0
    ties = int((means == 0).sum())
    decided, won = len(means) - ties, int(better.sum())
    wins = Rate(won / decided if decided else math.nan, decided, *wilson(won, decided))
    return Comparison(_mean(means, seed), wins, ties, int(np.isnan(differences).sum()))


def _by_group(values: np.ndarray, groups: Sequence[Hashable] | None) -> np.ndarray:
    """The mean of each group that has a score, in order of appearance."""
    if groups is None:
        return values[~np.isnan(values)]
    if len(groups) != len(values):
        raise BadInput(f"{len(groups)} groups do not fit {len(values)} scores: name one for each")
    codes, _ = pd.factorize(pd.Series(list(groups), dtype=object))
    table = pd.Series(values).groupby(codes, sort=False).mean()
    return table.dropna().to_numpy(np.float64)


def _mean(values: np.ndarray, seed: int) -> Rate:
    # a kept picture has a PSNR without end: a mean, but no interval
    if not np.isfinite(values).all():
        return Rate(float(values.mean()), len(values), math.nan, math.nan)
    return mean_of_pictures(values, seed)
