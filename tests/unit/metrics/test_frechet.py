"""FID and KID against closed forms, matrix roots, loops, and simulated truth."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from likeness.metrics.frechet import fid, frechet_distance, kernel_distance, kid


def normal(seed, n, d, shift=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(d, d)) / math.sqrt(d)
    return (rng.normal(size=(n, d)) @ mixing * scale + shift).astype(np.float32)


def by_matrix_root(a, b):
    """The formula as published; the symmetric form keeps the root real."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    one, other = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    root = sqrtm(one)
    shared = np.trace(sqrtm(root @ other @ root)).real
    return np.square(a.mean(0) - b.mean(0)).sum() + np.trace(one) + np.trace(other) - 2 * shared


@pytest.mark.parametrize(
    ("n", "m", "d"), [(200, 150, 12), (40, 300, 12), (30, 20, 12), (50, 60, 1)]
)
def test_frechet_distance_is_that_of_the_matrix_root(n, m, d):
    a, b = normal(0, n, d), normal(1, m, d, 0.4, 1.5)
    assert frechet_distance(a, b) == pytest.approx(by_matrix_root(a, b), rel=1e-6)


def test_more_dimensions_than_pictures_need_no_root_of_a_singular_matrix():
    # two flat sets in planes at right angles share nothing: only variances and means remain
    rng = np.random.default_rng(0)
    a, b = np.zeros((2, 9, 40))
    a[:, :3], b[:, 3:6] = rng.normal(size=(2, 9, 3))
    wanted = (
        np.square(a.mean(0) - b.mean(0)).sum() + a.var(0, ddof=1).sum() + b.var(0, ddof=1).sum()
    )
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-9)


def test_of_one_dimension_it_is_known():
    a, b = np.array([[0.0], [2.0], [4.0]]), np.array([[5.0], [6.0], [7.0]])
    # means 2 and 6, deviations 2 and 1
    assert frechet_distance(a, b) == pytest.approx(16 + 1)


@pytest.mark.parametrize("n", [10, 200])
def test_a_set_is_at_no_distance_from_itself_and_sides_do_not_matter(n):
    a, b = normal(0, n, 24), normal(1, n + 3, 24, 0.2)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert kernel_distance(a, b) == pytest.approx(kernel_distance(b, a), rel=1e-9)


def test_a_shift_counts_squared_and_a_rotation_not_at_all():
    a, b = normal(0, 60, 8), normal(1, 70, 8)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(8, 8)))[0]
    assert frechet_distance(a, a + 0.5) == pytest.approx(8 * 0.25, rel=1e-5)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-5)
    assert kernel_distance(a @ turn, b @ turn) == pytest.approx(kernel_distance(a, b), rel=1e-4)


def test_kernel_distance_is_that_of_loops():
    a, b = normal(0, 5, 3).astype(np.float64), normal(1, 4, 3, 0.3).astype(np.float64)

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    own = np.mean([k(a[i], a[j]) for i in range(5) for j in range(5) if i != j])
    other = np.mean([k(b[i], b[j]) for i in range(4) for j in range(4) if i != j])
    wanted = own + other - 2 * np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(wanted, rel=1e-12)


def true_kernel_distance(shift):
    """Of N(0, 1) and N(shift, 1) in one dimension, from the moments of (xy + 1)^3."""
    x, y = (0, 1, 0), (shift, 1 + shift**2, shift**3 + 3 * shift)

    def mean(p, q):
        return p[2] * q[2] + 3 * p[1] * q[1] + 3 * p[0] * q[0] + 1

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kernel_distance_is_right_on_average_with_few_pictures(shift):
    rng = np.random.default_rng(0)
    found = [
        kernel_distance(rng.normal(size=(6, 1)), rng.normal(shift, 1, size=(9, 1)))
        for _ in range(4000)
    ]
    error = np.std(found) / math.sqrt(len(found))
    assert np.mean(found) == pytest.approx(true_kernel_distance(shift), abs=4 * error)
    assert min(found) < 0
    if shift == 0:
        # with the diagonal it would be far off: E k(x, x) - E k(x, y) = 28 - 4 of either set
        assert 20 * error < 24 / 6 + 24 / 9


def test_intervals_of_kid_hold_the_truth():
    rng, held, wanted = np.random.default_rng(1), 0, true_kernel_distance(1.0)
    for _ in range(60):
        value = kid(rng.normal(size=(60, 1)), rng.normal(1, 1, size=(60, 1)))
        held += value.low <= wanted <= value.high
    assert 52 <= held <= 60


def test_intervals_of_fid_hold_what_as_many_pictures_give_on_average():
    rng = np.random.default_rng(2)
    found = [fid(rng.normal(size=(60, 4)), rng.normal(0.7, 1, size=(60, 4))) for _ in range(40)]
    mean = np.mean([one.value for one in found])
    assert sum(one.low <= mean <= one.high for one in found) >= 35


def test_missing_rows_are_left_out_and_too_few_pictures_have_no_distance():
    a, b = normal(0, 30, 5), normal(1, 30, 5)
    gaps = np.vstack([a, np.full((3, 5), np.nan)])
    assert fid(gaps, b) == fid(a, b)
    assert kid(b, gaps) == kid(b, a)
    assert fid(gaps, b).n == 30
    assert math.isnan(fid(a[:1], b).value)
    assert math.isnan(kid(a, np.empty((0, 5))).value)
    assert math.isnan(fid(a[:2], b).low)
