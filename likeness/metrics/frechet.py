"""Distances between sets of pictures in the space of an encoder: Frechet (FID) and kernel (KID).

The published FID and KID are those of Inception features; of CLIP features they are other numbers
(Kynkaanniemi et al. 2023, arXiv 2203.06026) that compare only with their like: the passport of the
features is the passport of the distance.
"""

import math
from collections.abc import Callable

import numpy as np

from likeness.statistics import Rate

GROUPS = 20  # of the jackknife
FEWEST = 2  # pictures on a side
Distance = Callable[[np.ndarray, np.ndarray], float]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|mean - mean|^2 + Tr(A + B - 2 (A B)^0.5) of two sets (N x D, M x D), 0 or more; FID.

    Heusel et al. 2017, arXiv 1706.08500, eq. 6; covariances divide by N - 1. Rows of NaN are left
    out; NaN with fewer than 2 pictures on a side. Biased upwards by about D / N: compare only sets
    of equal size, and prefer ``kid`` below some thousands.
    """
    a, b = _scored(a), _scored(b)
    if min(len(a), len(b)) < FEWEST:
        return math.nan
    mean = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    one, other = _root(a), _root(b)
    spread = np.square(one).sum() + np.square(other).sum()
    # With A = P'P and B = Q'Q the eigenvalues of A B are the squared singular values of P Q'. This
    # needs no root of a matrix, which is complex or wrong where a covariance is singular.
    shared = np.linalg.svd(one @ other.T, compute_uv=False).sum()
    return max(float(mean + spread - 2 * shared), 0.0)


def fid(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Rate:
    """``frechet_distance`` with a 95 % interval; ``n`` is the smaller number of pictures.

    The interval (jackknife over groups) is for other pictures of the same number: it does not hold
    the bias of few pictures.
    """
    return _estimate(frechet_distance, a, b, seed)


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / D + 1)^3, unbiased: may be negative.

    Binkowski et al. 2018, arXiv 1801.01401, section 4. Rows of NaN are left out; NaN with fewer
    than 2 pictures on a side.
    """
    a, b = _scored(a), _scored(b)
    if min(len(a), len(b)) < FEWEST:
        return math.nan
    return _within(a) + _within(b) - 2 * float(_kernel(a, b).mean())


def kid(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Rate:
    """``kernel_distance`` with a 95 % jackknife interval; ``n`` is the smaller number of pictures.

    Published KIDs are means over subsets of 1000 pictures, which only spares computing: both are
    unbiased estimates of one number, and that from all pictures varies less.
    """
    return _estimate(kernel_distance, a, b, seed)


def _scored(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows[~np.isnan(rows).any(axis=1)], np.float64)


def _root(rows: np.ndarray) -> np.ndarray:
    """P with P'P the covariance of N x D rows, min(N, D) x D."""
    centred = (rows - rows.mean(axis=0)) / math.sqrt(len(rows) - 1)
    # many pictures: the triangle of D x D has the same product
    if len(rows) > rows.shape[1]:
        return np.asarray(np.linalg.qr(centred, mode="r"))
    return centred


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _within(rows: np.ndarray) -> float:
    """Mean kernel of two different rows."""
    kernel = _kernel(rows, rows)
    return float((kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1)))


def _estimate(distance: Distance, a: np.ndarray, b: np.ndarray, seed: int) -> Rate:
    """Value and interval: delete-a-group jackknife of both sides (Arvesen 1969), Student's t."""
    from scipy.stats import t

    a, b = _scored(a), _scored(b)
    value, n = distance(a, b), min(len(a), len(b))
    groups = min(GROUPS, n)
    if groups <= FEWEST:
        return Rate(value, n, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    variance = 0.0
    for mine in (True, False):
        rows = a if mine else b
        parts = np.array_split(rng.permutation(len(rows)), groups)
        left = [np.delete(rows, part, axis=0) for part in parts]
        found = np.array([distance(one, b) if mine else distance(a, one) for one in left])
        variance += float((groups - 1) * found.var())
    half = float(t.ppf(0.975, groups - 1)) * math.sqrt(variance)
    return Rate(value, n, value - half, value + half)
