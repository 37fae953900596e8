"""Capture statistics: each feature answers to the trace it is named after."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from likeness.classify.capture import (
    RINGS,
    blockiness,
    capture_features,
    dct_near_zero,
    lbp_histogram,
    radial_power,
    residual_moments,
)
from likeness.errors import BadInput


def photograph(height=128, width=160, seed=0):
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.random((height, width)), 5)
    levels = 128 + 35 * (smooth - smooth.mean()) / smooth.std() + rng.normal(0, 6, (height, width))
    return levels.clip(0, 255).astype(np.uint8)


def jpeg(gray, quality):
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("shape", [(64, 64), (65, 203), (128, 128), (512, 301)])
def test_every_size_gives_as_many_finite_numbers(shape):
    features = capture_features(photograph(*shape))
    assert features.shape == (48 + (10 + 10 + 18) + 2 * 8 + 64 + 4,)
    assert np.isfinite(features).all()


def test_a_blank_picture_has_finite_features():
    assert np.isfinite(capture_features(np.full((64, 64), 200, np.uint8))).all()


@pytest.mark.parametrize("shape", [(63, 200), (64, 64, 3)])
def test_pictures_too_small_or_not_gray_are_refused(shape):
    with pytest.raises(BadInput, match="at least 64x64"):
        capture_features(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("frequency", [1 / 8, 1 / 4, 3 / 8])
def test_a_wave_shows_in_the_ring_of_its_frequency(frequency):
    wave = np.sin(2 * np.pi * (frequency + 0.004) * np.arange(256))
    gray = np.broadcast_to(np.rint(128 + 100 * wave), (200, 256)).astype(np.uint8)
    assert np.argmax(radial_power(gray)) == int(frequency * 2 * RINGS)


def test_blur_lowers_the_high_rings_only():
    sharp = photograph(256, 256)
    blurred = np.rint(gaussian_filter(sharp.astype(float), 1.5)).astype(np.uint8)
    lost = radial_power(sharp) - radial_power(blurred)
    assert lost[1] < 0.2
    assert lost[RINGS // 2 :].min() > 1


def test_white_noise_has_its_variance_in_every_ring():
    noise = np.random.default_rng(0).integers(0, 256, (512, 512), dtype=np.uint8)
    expected = np.log10((noise / 255).var())
    assert np.allclose(radial_power(noise)[2:], expected, atol=0.1)


@pytest.mark.parametrize(("points", "radius"), [(8, 1), (8, 2), (16, 3)])
def test_patterns_are_shares_and_blind_to_exposure(points, radius):
    gray = photograph()
    shares = lbp_histogram(gray, points, radius)
    assert shares.shape == (points + 2,)
    assert shares.sum() == pytest.approx(1)
    # order of neighbours is all that counts: halving the contrast changes nothing, if no level
    # is lost to rounding
    even = (gray // 2 * 2).astype(np.uint8)
    assert np.allclose(
        lbp_histogram(even, points, radius), lbp_histogram(even // 2, points, radius), atol=0.02
    )


def test_a_lone_bright_dot_is_the_pattern_without_brighter_neighbours():
    # 64 dots on a 8 px grid: their own pattern has no neighbour as bright, i.e. uniform code 0
    gray = np.zeros((64, 64), np.uint8)
    gray[4::8, 4::8] = 255
    assert lbp_histogram(gray, 8, 1)[0] == pytest.approx(64 / 64**2)


@pytest.mark.parametrize("shift", [0, 3, 7])
@pytest.mark.parametrize("axis", [0, 1])
def test_blocks_raise_the_phase_they_start_at(shift, axis):
    blocks = np.random.default_rng(1).integers(0, 256, (17, 19))
    gray = np.kron(blocks, np.ones((8, 8))).astype(np.uint8)
    gray = gray[8 - shift :, 8 - shift :] if shift else gray
    found = blockiness(gray, axis)
    assert np.argmax(found) == shift
    assert found[shift] > 50
    assert np.delete(found, shift).max() < 0.01


def test_blockiness_is_one_where_there_are_no_blocks():
    assert np.allclose(blockiness(np.full((64, 80), 7, np.uint8), 0), 1)
    noise = np.random.default_rng(2).integers(0, 256, (512, 512), dtype=np.uint8)
    assert np.allclose(blockiness(noise, 1), 1, atol=0.03)


def test_stronger_jpeg_compression_shows_in_grid_and_coefficients():
    gray = photograph()
    grid = [blockiness(jpeg(gray, quality), 1)[0] for quality in (95, 60, 20)]
    zeros = [dct_near_zero(jpeg(gray, quality)).mean() for quality in (95, 60, 20)]
    assert grid[0] < grid[1] < grid[2]
    assert zeros[0] < zeros[1] < zeros[2]


def test_a_single_cosine_leaves_all_other_coefficients_at_zero():
    x = np.arange(8)
    block = 128 + 40 * np.cos(np.pi * (2 * x + 1) * 2 / 16)[None, :] * np.ones((8, 1))
    zero = dct_near_zero(np.tile(np.rint(block), (9, 10)).astype(np.uint8)).reshape(8, 8)
    assert zero[0, 2] == 0
    # rounding to whole grey levels moves others of the row a little; other rows are exactly zero
    assert (zero[1:] == 1).all()


def test_residual_size_follows_the_grain():
    fine, coarse = (
        np.random.default_rng(3).normal(128, std, (128, 128)).clip(0, 255).astype(np.uint8)
        for std in (5, 20)
    )
    grown = residual_moments(coarse) - residual_moments(fine)
    assert grown[0] == pytest.approx(np.log(4), abs=0.1)
    assert grown[1] == pytest.approx(np.log(4), abs=0.1)
    assert abs(residual_moments(coarse)[2]) < 0.1
