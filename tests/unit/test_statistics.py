"""Statistics against hand-computed values, scipy and scikit-learn."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest, ttest_1samp
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, recall_score

from likeness.statistics import (
    accuracy,
    apply_temperature,
    confusion,
    counts,
    expected_calibration_error,
    mcnemar,
    mean_interval,
    rate,
    recalls,
    temperature,
    wilson,
)

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 4, 200)
PREDICTED = np.where(RNG.random(200) < 0.6, TRUTH, RNG.integers(0, 4, 200))


@pytest.mark.parametrize(("successes", "n"), [(0, 25), (21, 25), (25, 25), (1, 1), (430, 1000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_wilson_agrees_with_scipy(successes, n, confidence):
    known = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((known.low, known.high), abs=1e-12)


def test_a_proportion_lies_in_its_interval_and_nothing_has_none():
    for n in range(1, 60):
        for successes in range(n + 1):
            low, high = wilson(successes, n)
            assert 0 <= low <= successes / n <= high <= 1
    assert all(math.isnan(bound) for bound in wilson(0, 0))
    assert math.isnan(rate(0, 0).value)
    assert rate(0, 0).n == 0


def test_accuracy_recalls_and_confusion_agree_with_sklearn():
    labels = [0, 1, 2, 3]
    assert accuracy(TRUTH, PREDICTED).value == accuracy_score(TRUTH, PREDICTED)
    assert accuracy(TRUTH, PREDICTED).n == 200
    found = recalls(TRUTH, PREDICTED, labels)
    known = recall_score(TRUTH, PREDICTED, labels=labels, average=None)
    assert [found[label].value for label in labels] == pytest.approx(known.tolist())
    assert [found[label].n for label in labels] == np.bincount(TRUTH).tolist()
    matrix = confusion(TRUTH, PREDICTED, labels)
    assert np.array_equal(matrix, confusion_matrix(TRUTH, PREDICTED, labels=labels))
    assert matrix.dtype.kind == "i"


def test_a_label_that_never_occurs_has_no_recall_but_a_row_of_zeros():
    assert math.isnan(recalls([0, 1], [0, 0], [0, 1, 9])[9].value)
    assert confusion([0, 1], [0, 0], [0, 1, 9]).tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert counts([4, 4, 0], [0, 1, 4]) == {0: 1, 1: 0, 4: 2}


def test_mean_interval_agrees_with_scipy_and_by_hand():
    values = [0.68, 0.747, 0.787, 0.70]
    known = ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((np.mean(values), 4, known.low, known.high))
    # two values: t(0.975, 1) = 12.706, standard error 0.5
    assert mean_interval([1.0, 2.0])[2:] == pytest.approx((1.5 - 6.353, 1.5 + 6.353), abs=1e-3)
    assert mean_interval([0.5])[:2] == (0.5, 1)
    assert math.isnan(mean_interval([0.5]).low)
    assert mean_interval([]).n == 0


@pytest.mark.parametrize("factor", [0.2, 1.0, 4.0])
def test_temperature_undoes_overconfidence(factor):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1.5, (20_000, 5))
    # labels drawn from the logits' own probabilities: calibrated at temperature 1
    truth = (softmax(logits, axis=1).cumsum(1) > rng.random((20_000, 1))).argmax(1)
    assert temperature(logits * factor, truth) == pytest.approx(factor, rel=0.03)


def test_temperature_is_the_best_on_a_grid_judged_by_sklearn():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (300, 4))
    truth = np.where(rng.random(300) < 0.6, logits.argmax(1), rng.integers(0, 4, 300))
    grid = np.geomspace(0.5, 20, 120)
    losses = [log_loss(truth, softmax(logits / t, axis=1)) for t in grid]
    found = temperature(logits, truth)
    assert found == pytest.approx(grid[int(np.argmin(losses))], rel=0.03)
    assert log_loss(truth, softmax(logits / found, axis=1)) <= min(losses) + 1e-6
    # log probabilities are logits too
    assert temperature(log_softmax(logits, axis=1), truth) == pytest.approx(found, rel=1e-3)


def test_temperature_survives_probabilities_that_are_zero():
    with np.errstate(divide="ignore"):
        log_probabilities = np.log([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert temperature(log_probabilities, [0, 1, 1]) == pytest.approx(20, rel=0.01)
    # all right and all sure: every low temperature is as good
    assert temperature(log_probabilities, [0, 0, 1]) < 1


def test_apply_temperature_is_softmax_of_divided_logits_and_never_changes_the_verdict():
    logits = np.random.default_rng(4).normal(0, 3, (50, 5))
    probabilities = softmax(logits, axis=1)
    for t in (0.3, 1.0, 7.0):
        cooled = apply_temperature(probabilities, t)
        assert np.allclose(cooled, softmax(logits / t, axis=1))
        assert np.array_equal(cooled.argmax(1), probabilities.argmax(1))
    assert np.allclose(apply_temperature(np.array([[1.0, 0.0]]), 2.0), [[1.0, 0.0]])


def test_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.35, 0.65], [0.6, 0.4]])
    truth = [0, 1, 1, 1]
    # bins: (0.8, 0.9] two at 0.9, half right: 2 x 0.4; 0.65 right: 0.35; 0.6 wrong: 0.6
    assert expected_calibration_error(probabilities, truth) == pytest.approx((0.8 + 0.35 + 0.6) / 4)


def test_calibration_error_is_zero_for_the_sure_and_right_and_one_for_the_sure_and_wrong():
    sure = np.eye(3)
    assert expected_calibration_error(sure, [0, 1, 2]) == 0
    assert expected_calibration_error(sure, [1, 2, 0]) == 1


def test_mcnemar_is_the_tails_of_a_fair_coin():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == mcnemar(0, 5) == pytest.approx(2 / 2**5)
    # at least 8 of 9 heads, or at most 1
    assert mcnemar(8, 1) == pytest.approx(2 * (9 + 1) / 2**9)
