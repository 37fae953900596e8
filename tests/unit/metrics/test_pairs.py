"""Means over pairs against values worked out by hand, loops, and simulated truth."""

import math

import numpy as np
import pytest

from likeness.metrics import pairs
from likeness.metrics.pairs import between, mean_between, mean_within, within
from likeness.statistics import wilson

NAN = math.nan
SQUARE = np.array([[1, 0.114, 0.2], [0.114, 1, 0.335], [0.2, 0.335, 1]])
OBLONG = np.array([[0.1, NAN, 0.316], [0.4, 0.5, 0.6]])


def square(values):
    """Symmetric with a diagonal of ones, from an upper triangle."""
    upper = np.triu(values, k=1)
    return upper + upper.T + np.eye(len(values))


def people(seed, count):
    """Scores that two pictures make together: some pictures are like everything, some like nothing."""
    own = np.random.default_rng(seed).normal(0.25, 0.1, count)
    return square(own[:, None] + own[None, :])


def test_each_pair_of_a_set_counts_once_and_no_picture_with_itself():
    assert within(SQUARE).tolist() == [0.114, 0.2, 0.335]
    assert within(np.ones((1, 1))).size == 0
    assert between(np.arange(6).reshape(2, 3)).tolist() == [0, 1, 2, 3, 4, 5]


def test_pairs_without_a_score_are_left_out_and_counted():
    found = mean_between(OBLONG, "corrected")
    assert found.mean.value == pytest.approx((0.1 + 0.316 + 0.4 + 0.5 + 0.6) / 5)
    assert (found.mean.n, found.left_out) == (5, 1)
    gap = SQUARE.copy()
    gap[0, 1] = gap[1, 0] = NAN
    found = mean_within(gap, "corrected")
    assert found.mean.value == pytest.approx((0.2 + 0.335) / 2)
    assert (found.mean.n, found.left_out) == (2, 1)


def test_the_published_average_rounds_first_and_divides_by_all_cells():
    found = mean_between(OBLONG, "original")
    assert found.mean.value == pytest.approx((0.1 + 0 + 0.32 + 0.4 + 0.5 + 0.6) / 6)
    assert (found.mean.n, found.left_out) == (6, 0)
    three = np.array([[1, 0.114, 0.204], [0.114, 1, 0.334], [0.204, 0.334, 1]])
    assert mean_within(three, "original").mean.value == pytest.approx((0.11 + 0.20 + 0.33) / 3)
    assert mean_within(three, "corrected").mean.value == pytest.approx((0.114 + 0.204 + 0.334) / 3)


def test_nothing_scored_has_no_mean_and_few_pictures_have_no_interval():
    empty = mean_within(np.full((4, 4), NAN), "corrected")
    assert math.isnan(empty.mean.value)
    assert (empty.mean.n, empty.left_out) == (0, 6)
    assert mean_within(np.ones((1, 1)), "original").mean.n == 0
    assert mean_between(np.empty((0, 3)), "corrected").mean.n == 0
    two = mean_within(square(np.full((2, 2), 0.4)), "corrected").mean
    assert (two.value, two.n) == (pytest.approx(0.4), 1)
    assert math.isnan(two.low)
    assert math.isnan(mean_between(np.full((2, 9), 0.4), "corrected").mean.high)


def test_equal_scores_have_an_interval_of_no_width_around_them():
    for found in (
        mean_within(square(np.full((6, 6), 0.4)), "corrected"),
        mean_between(np.full((4, 5), 0.4), "original"),
    ):
        assert found.mean[2:] == pytest.approx((0.4, 0.4))


def test_a_picture_without_any_score_changes_the_count_left_out_and_nothing_else():
    matrix = people(0, 12)
    larger = np.full((13, 13), NAN)
    larger[1:, 1:] = matrix
    alone, beside = mean_within(matrix, "corrected"), mean_within(larger, "corrected")
    assert beside.mean == pytest.approx(alone.mean)
    assert (alone.left_out, beside.left_out) == (0, 12)
    rows = np.vstack([OBLONG, np.full((1, 3), NAN), OBLONG + 0.1])
    without = np.vstack([OBLONG, OBLONG + 0.1])
    beside = mean_between(rows, "corrected")
    assert beside.mean == pytest.approx(mean_between(without, "corrected").mean)
    assert beside.left_out == 5


def test_one_seed_gives_one_interval_and_the_diagonal_does_not_matter():
    matrix = people(1, 20)
    found = mean_within(matrix, "corrected", seed=3)
    assert mean_within(matrix, "corrected", seed=3) == found
    assert mean_within(matrix, "corrected", seed=4).mean.low != found.mean.low
    np.fill_diagonal(matrix, NAN)
    assert mean_within(matrix, "corrected", seed=3) == found


def drawn_one_by_one(matrix, rows, columns, same, draws=1500):
    """The bootstrap written out: draw pictures, look up the pairs of different ones, average."""
    rng, means = np.random.default_rng(99), []
    for _ in range(draws):
        a = rng.integers(0, rows, rows)
        b = a if same else rng.integers(0, columns, columns)
        values = matrix[np.ix_(a, b)]
        means.append(np.nanmean(values[a[:, None] != b[None, :]] if same else values))
    return np.percentile(means, [2.5, 97.5])


def test_intervals_agree_with_drawing_pictures_one_by_one():
    matrix = people(2, 15)
    matrix[3, 7] = matrix[7, 3] = NAN
    low, high = mean_within(matrix, "corrected").mean[2:]
    assert (low, high) == pytest.approx(drawn_one_by_one(matrix, 15, 15, True), abs=0.012)
    block = matrix[:6, 6:]
    low, high = mean_between(block, "corrected").mean[2:]
    assert (low, high) == pytest.approx(drawn_one_by_one(block, 6, 9, False), abs=0.012)


def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch):
    monkeypatch.setattr(pairs, "RESAMPLES", 400)
    held, narrow = 0, 0
    for seed in range(150):
        matrix = people(seed, 30)
        found = mean_within(matrix, "corrected", seed).mean
        held += found.low <= 0.5 <= found.high
        # as if pairs were independent of each other
        half = 1.96 * within(matrix).std() / math.sqrt(found.n)
        narrow += abs(found.value - 0.5) <= half
    assert 0.89 <= held / 150 <= 0.99
    assert narrow / 150 < 0.6


def test_where_all_pairs_answer_alike_a_doubt_remains():
    none = mean_between(np.zeros((30, 40)), "corrected").mean
    assert (none.value, none.n) == (0.0, 1200)
    assert (none.low, none.high) == pytest.approx(wilson(0, 30))
    every = mean_within(np.ones((12, 12)), "corrected").mean
    assert (every.low, every.high) == pytest.approx(wilson(12, 12))
    # nobody can say of two pictures
    assert np.isnan(mean_within(np.ones((2, 2)), "corrected").mean.low)
