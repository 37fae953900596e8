"""Paired comparisons against values worked out by hand and simulated truth."""

import math

import numpy as np
import pytest

from likeness.errors import BadInput
from likeness.metrics.comparison import mean_of_metric, mean_score, paired_difference

NAN = math.nan


def test_difference_wins_and_ties_by_hand():
    a, b = np.array([3.0, 2, 5, 1, NAN]), np.array([1.0, 2, 4, 2, 0])
    found = paired_difference(a, b)
    assert found.difference.value == pytest.approx((2 + 0 + 1 - 1) / 4)
    assert found.wins[:2] == (pytest.approx(2 / 3), 3)
    assert (found.ties, found.left_out, found.difference.n) == (1, 1, 4)
    lower = paired_difference(a, b, higher_is_better=False)
    assert lower.wins.value == pytest.approx(1 / 3)
    assert lower.difference == found.difference


def test_editors_change_places_with_the_sign():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    there, back = paired_difference(a, b), paired_difference(b, a)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.wins.value == pytest.approx(1 - back.wins.value)


def test_an_editor_against_itself_is_all_ties():
    a = np.arange(5.0)
    found = paired_difference(a, a)
    assert found.difference == (0, 5, 0, 0)
    assert (found.ties, found.wins.n) == (5, 0)
    assert math.isnan(found.wins.value)


def test_pairs_make_the_interval_narrow_where_pictures_differ_more_than_editors():
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 1, 60)
    a, b = hard + 0.1 + rng.normal(0, 0.05, 60), hard + rng.normal(0, 0.05, 60)
    found = paired_difference(a, b).difference
    assert 0 < found.low < 0.1 < found.high
    assert mean_score(a).mean.low < mean_score(b).mean.high  # apart, nothing could be said


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, held, narrow = np.random.default_rng(1), 0, 0
    groups = np.repeat(np.arange(25), 4)
    for seed in range(80):
        # pairs of one photo share what is hard about it
        difference = 0.3 + np.repeat(rng.normal(0, 1, 25), 4) + rng.normal(0, 0.2, 100)
        found = paired_difference(difference, np.zeros(100), groups=list(groups), seed=seed)
        alone = paired_difference(difference, np.zeros(100), seed=seed)
        held += found.difference.low <= 0.3 <= found.difference.high
        narrow += alone.difference.low <= 0.3 <= alone.difference.high
    assert 0.88 <= held / 80 <= 0.99
    assert narrow / 80 < 0.8


def test_each_group_counts_once():
    values = np.array([1.0, 1, 1, 5, NAN, NAN])
    found = mean_score(values, ["x", "x", "x", "y", "y", "z"])
    assert found.mean[:2] == (3.0, 2)
    assert found.left_out == 2
    assert math.isnan(found.mean.low)
    assert mean_score(values).mean[:2] == (2.0, 4)


def test_nothing_scored_has_no_mean_and_an_infinite_score_no_interval():
    assert mean_score(np.full(3, NAN)).mean.n == 0
    assert math.isnan(mean_score(np.empty(0)).mean.value)
    endless = mean_score(np.array([30.0, math.inf, 31, 32])).mean
    assert endless.value == math.inf
    assert math.isnan(endless.low)


def test_a_picture_kept_to_the_bit_wins_and_leaves_the_mean_of_the_others():
    # PSNR: five pairs kept to the bit, five a decibel worse; one that both have kept
    a = np.array([math.inf] * 5 + [24.0] * 5 + [math.inf])
    b = np.array([25.0] * 10 + [math.inf])
    found = paired_difference(a, b)
    assert (found.difference.value, found.difference.n) == (-0.8333333333333334, 6)
    assert (found.wins.value, found.wins.n, found.ties) == (0.5, 10, 1)
    assert paired_difference(b, a).difference.value == pytest.approx(0.8333333333333334)


def test_of_yes_and_no_never_seen_is_not_impossible():
    none = mean_of_metric("copied", np.array([0.0] * 30 + [math.nan]))
    assert (none.mean.value, none.mean.n, none.left_out) == (0.0, 30, 1)
    assert none.mean.high == pytest.approx(0.1135, abs=1e-4)
    # shares of photos held back: all no, and in between
    nobody = mean_of_metric("recognised", np.zeros(12)).mean
    assert (nobody.value, nobody.low, nobody.n) == (0.0, 0.0, 12)
    assert nobody.high == pytest.approx(0.2425, abs=1e-4)
    some = np.array([0.0, 0.5, 0.25, 0.0])
    assert mean_of_metric("recognised", some) == mean_score(some)
    values = np.arange(5.0)
    assert mean_of_metric("ssim", values, "aabbc") == mean_score(values, "aabbc")


def test_scores_that_do_not_belong_together_are_refused():
    with pytest.raises(BadInput, match="3 and 2 scores"):
        paired_difference(np.zeros(3), np.zeros(2))
    with pytest.raises(BadInput, match="1 groups do not fit 2 scores"):
        mean_score(np.zeros(2), ["x"])
