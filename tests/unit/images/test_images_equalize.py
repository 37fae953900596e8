"""Equalising: the promised spectrum, and copies that differ in capture becoming alike."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from likeness.images.equalize import (
    MEAN,
    STD,
    flatten_spectrum,
    recompress,
    shape_spectrum,
)

SIZES = [(128, 128), (97, 160)]


def pictures(height, width):
    """Noises of different colour and a drawing with hard edges and a sloping light, in 0..1."""
    rng = np.random.default_rng(1)
    white = rng.random((height, width))
    heavy = rng.standard_t(3, (height, width))
    y, x = np.mgrid[:height, :width]
    drawing = ((x // 17 + y // 23) % 2) * 0.4 + 0.5 * x / width + 0.01 * white
    return {
        "white": white,
        "smooth": np.rint(gaussian_filter(white, 1.5) * 255) / 255,
        "walk": np.cumsum(np.cumsum(white - 0.5, 0), 1) / height,
        "heavy tails": 0.5 + 0.05 * heavy,
        "drawing": drawing,
    }


def jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert(image.mode)


def radial_amplitude(picture):
    """Root-mean-square cosine coefficient per ring of half a cycle per short side, without ring 0."""
    height, width = picture.shape
    coefficients = dctn(picture - picture.mean(), norm="ortho")
    radius = np.hypot(np.arange(height)[:, None] / height, np.arange(width) / width)
    ring = np.maximum(np.rint(radius * min(height, width)), 1)
    return np.array([np.sqrt(np.mean(coefficients[ring == r] ** 2)) for r in np.unique(ring)])


def windowed_profile(gray, rings=24):
    """Log mean Fourier power of the Hann-windowed picture per ring: no code shared with ours."""
    height, width = gray.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((gray - gray.mean()) * window)) ** 2
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    edges = np.linspace(0.03, 0.5, rings + 1)
    return np.log([power[(f >= low) & (f < high)].mean() for low, high in pairwise(edges)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["white", "smooth", "walk", "heavy tails", "drawing"])
def test_the_radial_amplitude_falls_as_one_over_frequency(kind, size):
    shaped = shape_spectrum(pictures(*size)[kind])
    amplitude = radial_amplitude(shaped)
    level = amplitude * np.arange(1, len(amplitude) + 1)
    # the first rings hold a handful of coefficients, none exactly in the ring's middle
    assert np.allclose(level[4:], np.median(level), rtol=0.03)
    assert np.allclose(level, np.median(level), rtol=0.35)


@pytest.mark.parametrize("size", SIZES)
def test_all_pictures_get_the_same_amplitudes_ring_by_ring(size):
    profiles = [radial_amplitude(shape_spectrum(picture)) for picture in pictures(*size).values()]
    assert np.ptp(np.log(profiles), axis=0).max() < 1e-6


@pytest.mark.parametrize("size", SIZES)
def test_mean_and_contrast_are_fixed(size):
    for picture in pictures(*size).values():
        shaped = shape_spectrum(picture)
        assert shaped.mean() == pytest.approx(MEAN, abs=1e-9)
        assert shaped.std() == pytest.approx(STD)


def test_the_spectrum_seen_through_a_window_is_one_over_f_too():
    f = np.linspace(0.03, 0.5, 25)
    middle = (f[1:] + f[:-1]) / 2
    for kind in ("white", "smooth", "heavy tails"):
        profile = windowed_profile(shape_spectrum(pictures(128, 128)[kind]))
        slope = np.polyfit(np.log(middle), profile, 1)[0]
        assert slope == pytest.approx(-2, abs=0.15)


def test_shaping_twice_changes_nothing_more():
    for picture in pictures(128, 128).values():
        once = shape_spectrum(picture)
        assert np.abs(shape_spectrum(once) - once).max() < 1e-9


def test_brightness_and_contrast_of_the_photograph_do_not_matter():
    picture = pictures(64, 64)["drawing"]
    assert np.allclose(shape_spectrum(picture), shape_spectrum(0.2 + 0.3 * picture), atol=1e-9)


@pytest.mark.parametrize("kind", ["white", "walk", "drawing"])
def test_a_picture_and_its_blurred_copy_end_with_the_same_sharpness(kind):
    picture = pictures(128, 128)[kind]
    blurred = gaussian_filter(picture, 0.8)
    before = np.abs(windowed_profile(picture) - windowed_profile(blurred)).max()
    after = np.abs(
        windowed_profile(shape_spectrum(picture)) - windowed_profile(shape_spectrum(blurred))
    ).max()
    assert before > 4  # the blur took more than nine tenths of the finest amplitudes
    assert after < 0.35


def test_the_subject_survives():
    # phases carry the subject: the checks of the drawing stay where they were
    picture = pictures(128, 128)["drawing"]
    flat = flatten_spectrum(picture)
    assert np.corrcoef(picture.ravel(), flat.ravel())[0, 1] > 0.7


def test_the_clipped_picture_stays_in_range_and_a_blank_one_is_mid_gray():
    flat = flatten_spectrum(pictures(97, 160)["heavy tails"])
    assert flat.min() >= 0
    assert flat.max() <= 1
    assert np.allclose(flatten_spectrum(np.full((40, 30), 0.8)), MEAN)


@pytest.mark.parametrize("size", [(1, 1), (33, 51), (64, 64), (200, 65)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_recompress_keeps_any_size_and_mode(size, mode):
    washed = recompress(Image.new(mode, size, 90 if mode == "L" else (90, 20, 160)))
    assert (washed.size, washed.mode) == (size, mode)


def photograph():
    rng = np.random.default_rng(3)
    smooth = gaussian_filter(rng.random((128, 128)), 6)
    levels = 128 + 400 * (smooth - 0.5) / smooth.std() * 0.1 + rng.normal(0, 12, (128, 128))
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def test_recompress_makes_copies_with_different_histories_alike():
    original = photograph()
    copies = [jpeg(original, 95), jpeg(original, 40), original.resize((96, 96)).resize((128, 128))]
    reference = windowed_profile(np.asarray(original) / 255)
    washed = windowed_profile(np.asarray(recompress(original)) / 255)
    for copy in copies:
        before = np.abs(windowed_profile(np.asarray(copy) / 255) - reference).mean()
        after = np.abs(windowed_profile(np.asarray(recompress(copy)) / 255) - washed).mean()
        assert after < max(0.6 * before, 0.1)


def test_recompress_gives_up_detail_above_half_the_nyquist_frequency_only():
    original = photograph()
    difference = windowed_profile(np.asarray(original) / 255) - windowed_profile(
        np.asarray(recompress(original)) / 255
    )
    assert difference[:4].max() < 0.5  # below 0.11 cycles per px
    assert difference[-4:].min() > 3  # above 0.42
