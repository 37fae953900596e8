"""Rates with their intervals, confusion tables, and the calibration of probabilities."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

TEMPERATURES = (0.05, 20.0)
BINS = 10  # of confidence
# a probability that float32 rounded to 0 counts as its smallest number, not as impossible
LOWEST = math.log(float(np.finfo(np.float32).tiny))


class Rate(NamedTuple):
    """An estimate, how many observations it rests on, and its confidence interval."""

    value: float
    n: int
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209); NaN when n is 0."""
    from scipy.stats import norm

    if n == 0:
        return math.nan, math.nan
    z = float(norm.ppf((1 + confidence) / 2))
    share, scale = successes / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at 0 and n the bound is exact; rounding must not push it past the proportion itself
    return (
        0.0 if successes == 0 else centre - half,
        1.0 if successes == n else centre + half,
    )


def rate(successes: int, n: int) -> Rate:
    """A proportion with its 95 % Wilson interval; all NaN when n is 0."""
    value = successes / n if n else math.nan
    return Rate(value, int(n), *wilson(successes, n))


def accuracy(truth: ArrayLike, predicted: ArrayLike) -> Rate:
    """Share of pictures whose predicted label is the true one."""
    hits = np.asarray(truth) == np.asarray(predicted)
    return rate(int(hits.sum()), hits.size)


def recalls(truth: ArrayLike, predicted: ArrayLike, labels: Sequence[int]) -> dict[int, Rate]:
    """Per label: the share of its pictures that were recognised."""
    table = confusion(truth, predicted, labels)
    size = counts(truth, labels)
    return {label: rate(int(table[i, i]), size[label]) for i, label in enumerate(labels)}


def confusion(truth: ArrayLike, predicted: ArrayLike, labels: Sequence[int]) -> np.ndarray:
    """Counts ``(L, L)`` with the truth in rows, the prediction in columns, in order of labels."""
    true, said = np.asarray(truth), np.asarray(predicted)
    return np.array([list(counts(said[true == label], labels).values()) for label in labels])


def counts(predicted: ArrayLike, labels: Sequence[int]) -> dict[int, int]:
    """How often each label was predicted."""
    said = np.asarray(predicted)
    return {label: int(np.count_nonzero(said == label)) for label in labels}


def mean_interval(values: Sequence[float]) -> Rate:
    """Mean of repeated results with Student's 95 % t interval, NaN of a single one."""
    from scipy.stats import t

    n = len(values)
    mean = float(np.mean(values)) if n else math.nan
    if n < 2:
        return Rate(mean, n, math.nan, math.nan)
    half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return Rate(mean, n, mean - half, mean + half)


def temperature(logits: np.ndarray, truth: ArrayLike) -> float:
    """The temperature in 0.05..20 with the least negative log likelihood (Guo et al. 2017, sec. 4).

    ``logits`` (N, C), or log probabilities, which are logits too; ``truth`` (N,) are columns.
    """
    from scipy.optimize import minimize_scalar

    scores = _log_probabilities(np.asarray(logits, np.float64))
    true = (np.arange(len(scores)), np.asarray(truth))

    def loss(log_temperature: float) -> float:
        return -_log_softmax(scores / math.exp(log_temperature))[true].mean()

    # convex in 1/T, so it has one valley over log T too, where the step sizes suit the range
    found = minimize_scalar(loss, bounds=tuple(map(math.log, TEMPERATURES)), method="bounded")
    return float(math.exp(found.x))


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities ``(N, C)`` as they would be with all logits divided by ``temperature``."""
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(probabilities, np.float64))
    return np.exp(_log_softmax(_log_probabilities(logits) / temperature))


def expected_calibration_error(probabilities: np.ndarray, truth: ArrayLike) -> float:
    """Mean gap between confidence and accuracy over ten equal bins (Naeini et al. 2015), 0..1.

    ``probabilities`` (N, C), ``truth`` (N,) are columns; bins are weighted by their pictures.
    """
    hit = np.argmax(probabilities, axis=1) == np.asarray(truth)
    return calibration_error(np.max(probabilities, axis=1), hit)


def calibration_error(confidence: ArrayLike, hit: ArrayLike) -> float:
    """``expected_calibration_error`` of N answers: how sure (0..1), and whether right."""
    sure, right = np.asarray(confidence, float), np.asarray(hit, float)
    # right-closed bins, as in the paper: (0, 0.1], (0.1, 0.2] ...
    place = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    gap = np.bincount(place, right - sure, minlength=BINS)
    return float(np.abs(gap).sum() / len(sure))


def mcnemar(only_a: int, only_b: int) -> float:
    """p of two judges of the same pictures, of which only one was right so often (exact, 1947).

    Two-sided; 1 where they never differ.
    """
    from scipy.stats import binomtest

    alone = only_a + only_b
    return float(binomtest(only_a, alone).pvalue) if alone else 1.0


def _log_probabilities(logits: np.ndarray) -> np.ndarray:
    return np.maximum(_log_softmax(logits), LOWEST)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    from scipy.special import log_softmax

    return log_softmax(logits, axis=1)
