"""Means over pictures with intervals."""

import math

import numpy as np

from likeness.statistics import Rate

RESAMPLES = 2000
# with fewer pictures there are too few different resamples for a quantile to mean anything
FEWEST = 3


def mean_of_pictures(values: np.ndarray, seed: int = 0, weights: np.ndarray | None = None) -> Rate:
    """Mean of N values, one a picture, with a percentile bootstrap 95 % interval (Efron 1979).

    ``weights``: how much each counts, such as the pairs whose mean it is; drawn together with it.
    The interval is NaN with fewer than 3 values, everything is NaN without any.
    """
    n = len(values)
    if n == 0:
        return Rate(math.nan, 0, math.nan, math.nan)
    mean = float(np.average(values, weights=weights))
    if n < FEWEST:
        return Rate(mean, n, math.nan, math.nan)
    drawn = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
    each = None if weights is None else np.asarray(weights)[drawn]
    means = np.average(np.asarray(values)[drawn], axis=1, weights=each)
    low, high = np.percentile(means, [2.5, 97.5])
    return Rate(mean, n, float(low), float(high))
