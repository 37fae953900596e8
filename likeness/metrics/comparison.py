"""Means of scores of single pictures, and two editors on the same pairs, with 95 % intervals."""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from likeness.errors import BadInput
from likeness.metrics.means import mean_of_pictures
from likeness.metrics.pairs import PairMean
from likeness.statistics import Rate, rate, wilson

# Yes or no of each picture: a share, whose interval is Wilson's. A bootstrap of thirty noes would
# say that a yes is impossible.
SHARES = ("asked", "copied")
# Of each picture a share, 0..1: where all are 0, or all 1, no resample knows a doubt either.
MEANS_OF_SHARES = ("recognised", "held_back_verified", "kept")


class Comparison(NamedTuple):
    """Whether one editor scores better than another where both have a score."""

    difference: Rate  # mean of a - b; n groups
    wins: Rate  # share of groups, but ties, that a wins
    ties: int
    left_out: int  # pairs that one of them has no finite score of


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


def mean_share(
    values: np.ndarray, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> PairMean:
    """As ``mean_score``, of shares: where all say no, or all yes, the interval is Wilson's."""
    found = mean_score(values, groups, seed)
    mean = found.mean
    if mean.low == mean.high and mean.value in (0.0, 1.0):
        low, high = wilson(int(mean.value) * mean.n, mean.n)
        return found._replace(mean=mean._replace(low=low, high=high))
    return found


def mean_of_metric(
    metric: str, values: np.ndarray, groups: Sequence[Hashable] | None = None
) -> PairMean:
    """As ``mean_score``; of a yes or no (``SHARES``) the share of yes, without groups."""
    if metric in MEANS_OF_SHARES:
        return mean_share(values, groups)
    if metric not in SHARES:
        return mean_score(values, groups)
    known = values[~np.isnan(values)]
    return PairMean(rate(int(known.sum()), len(known)), len(values) - len(known))


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
    difference is in the unit of the scores, over pairs whose scores are finite (others are left
    out); ``wins``, over all (two infinite ones tie), has a Wilson interval and is NaN where all
    are ties. Raises ``BadInput`` for different lengths.
    """
    if len(a) != len(b):
        raise BadInput(f"{len(a)} and {len(b)} scores are not of the same pairs: align them first")
    one, other = np.asarray(a, np.float64), np.asarray(b, np.float64)
    # a picture kept to the bit has a PSNR without end
    differences = np.where(one == other, 0.0, one - np.where(one == other, 0.0, other))
    finite = np.where(np.isfinite(differences), differences, np.nan)
    means = _by_group(differences, groups)
    better = means > 0 if higher_is_better else means < 0
    ties = int((means == 0).sum())
    decided, won = len(means) - ties, int(better.sum())
    wins = Rate(won / decided if decided else math.nan, decided, *wilson(won, decided))
    difference = mean_of_pictures(_by_group(finite, groups), seed)
    return Comparison(difference, wins, ties, int(np.isnan(finite).sum()))


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
