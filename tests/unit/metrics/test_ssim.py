"""SSIM against scikit-image, against formulas worked out by hand, and against published tables."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from likeness.errors import BadInput
from likeness.metrics import ssim
from likeness.metrics.ssim import cross, pairwise, prepare, prepare_published, shared_side

PUBLISHED = Path(__file__).parents[4] / "shared/data/prompt_to_prompt"
published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"the published pictures are not here ({PUBLISHED})"
)
PROTOCOLS = ["original", "corrected"]
# float32 where nothing cancels, float64
WITHIN = {"original": 5e-7, "corrected": 1e-9}
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}

# 1 base · 2 banyan · 3, 4 two reweighted words · 5 winter: upper triangles as printed
WITHOUT_CONTROL = """
1 .33 .41 .43 .42
    1 .24 .28 .28
        1 .36 .34
            1 .37
                1"""
WITH_CONTROL = """
1 .73 .75 .72 .83
    1 .64 .64 .67
        1 .65 .69
            1 .66
                1"""


def reference(x, y, protocol):
    settings = WANG if protocol == "corrected" else {}
    pair = (np.asarray(picture, np.float64) for picture in (x, y))
    return structural_similarity(*pair, data_range=255, **settings)


def shapes(seed, side):
    coarse = np.random.default_rng(seed).uniform(0, 255, (6, 6))
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def hard_cases(side=90):
    """Noise, smooth shapes, and what float32 gets wrong: flat pictures, halves, lines, a ramp."""
    rng = np.random.default_rng(0)
    half, lines = np.zeros((side, side)), np.full((side, side), 254)
    half[:, : side // 2], lines[::4] = 255, 251
    ramp = np.add.outer(np.arange(side), np.arange(side))
    noise = [rng.integers(0, 256, (side, side)), rng.integers(120, 123, (side, side))]
    flat = [np.full((side, side), level) for level in (0, 1, 255, 255)]
    return np.stack([*noise, *flat, half, lines, ramp, shapes(1, side), shapes(2, side)])


@pytest.fixture
def unrounded(monkeypatch):
    monkeypatch.setattr(ssim, "DECIMALS", 15)


@pytest.mark.usefixtures("unrounded")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_every_pair_is_that_of_scikit_image(protocol, kind):
    pictures = hard_cases().astype(kind)
    found, mixed = pairwise(pictures, protocol), cross(pictures[:4], pictures[3:], protocol)
    for i, x in enumerate(pictures):
        for j, y in enumerate(pictures[: i + 1]):
            wanted = reference(x, y, protocol)
            assert found[i, j] == pytest.approx(wanted, abs=WITHIN[protocol])
    assert mixed == pytest.approx(found[:4, 3:], abs=1e-12)


def test_fractions_of_gray_levels_and_oblong_pictures_are_scored_too():
    pictures = np.random.default_rng(3).uniform(0, 255, (3, 40, 131)).astype(np.float32)
    found = pairwise(pictures, "corrected")
    for i, j in ((0, 1), (0, 2), (1, 2)):
        wanted = reference(pictures[i], pictures[j], "corrected")
        assert found[i, j] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.usefixtures("unrounded")
def test_oblong_pictures_of_whole_gray_levels():
    pictures = np.random.default_rng(3).integers(0, 256, (3, 40, 131))
    found = pairwise(pictures, "original")
    for i, j in ((0, 1), (0, 2), (1, 2)):
        wanted = reference(pictures[i], pictures[j], "original")
        assert found[i, j] == pytest.approx(wanted, abs=WITHIN["original"])


@pytest.mark.parametrize("wrong", [0.5, -1, 256, np.nan])
def test_the_published_protocol_knows_whole_gray_levels_alone(wrong):
    pictures = np.zeros((2, 90, 20), np.float32)
    pictures[1, 80, 3] = wrong
    with pytest.raises(BadInput, match="whole gray levels"):
        pairwise(pictures, "original")


@pytest.mark.usefixtures("unrounded")
def test_all_gray_levels_of_flat_pictures_are_as_the_formula_has_them():
    """Every rounding of float32 is the same at all pixels there, so that none cancels another."""
    levels = np.arange(0, 256, 5.0)
    found = pairwise(np.stack([np.full((10, 10), level) for level in levels]), "original")
    brightness = np.add.outer(levels**2, levels**2) + 6.5025
    assert found == pytest.approx((2 * np.outer(levels, levels) + 6.5025) / brightness, abs=5e-7)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_flat_pictures_differ_by_their_brightness_alone(protocol):
    # without contrast the second factor is C2 / C2; 6.5025 = (0.01 * 255)^2
    flat = np.stack([np.full((20, 20), level, np.uint8) for level in (0, 10, 200)])
    found = pairwise(flat, protocol)
    wanted = [6.5025 / 106.5025, 6.5025 / 40006.5025, 4006.5025 / 40106.5025]
    decimals = 2 if protocol == "original" else 12
    assert found[[0, 0, 1], [1, 2, 2]] == pytest.approx(np.round(wanted, decimals), abs=1e-11)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_picture_is_itself_and_the_order_of_two_does_not_matter(protocol):
    pictures = hard_cases()
    once, turned = (
        cross(pictures, pictures[::-1], protocol),
        cross(pictures[::-1], pictures, protocol),
    )
    assert np.array_equal(once, turned.T)
    assert np.diag(cross(pictures, pictures, protocol)) == pytest.approx(1, abs=1e-14)
    assert np.all(np.diag(pairwise(pictures, protocol)) == 1)
    assert np.abs(once).max() <= 1 + 1e-12


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_score_does_not_depend_on_the_other_pictures_or_on_threads(protocol, monkeypatch):
    pictures, some = hard_cases(), [7, 1, 9]
    monkeypatch.setattr(ssim, "ROWS", 20)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    whole = pairwise(pictures, protocol)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert np.array_equal(pairwise(pictures, protocol), whole)
    assert np.array_equal(pairwise(pictures[some], protocol), whole[np.ix_(some, some)])
    assert np.array_equal(cross(pictures[some], pictures[:3], protocol), whole[some, :3])


@pytest.mark.usefixtures("unrounded")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("rows", [1, 13, 500])
def test_strips_of_any_height_give_the_same(protocol, rows, monkeypatch):
    whole = pairwise(hard_cases(), protocol)
    monkeypatch.setattr(ssim, "ROWS", rows)
    assert pairwise(hard_cases(), protocol) == pytest.approx(whole, abs=1e-12)


def test_more_noise_is_less_similar():
    noise = np.random.default_rng(0).normal(size=(64, 64))
    levels = [(shapes(1, 64) + level * noise).clip(0, 255) for level in (0, 5, 15, 45)]
    noisy = np.rint(np.stack(levels))
    for protocol in PROTOCOLS:
        scores = pairwise(noisy, protocol)[0]
        assert np.all(np.diff(scores) < 0)


def test_published_scores_have_two_decimals_and_corrected_ones_are_not_rounded():
    original, corrected = (pairwise(hard_cases(), protocol) for protocol in PROTOCOLS)
    assert np.array_equal(original, np.round(original, 2))
    assert not np.array_equal(corrected, np.round(corrected, 2))


def test_no_pictures_have_no_scores_and_one_is_only_itself():
    none, one = np.empty((0, 32, 32)), np.zeros((1, 32, 32))
    assert pairwise(none, "corrected").shape == (0, 0)
    assert pairwise(one, "corrected").tolist() == [[1.0]]
    assert cross(none, one, "original").shape == (0, 1)
    assert cross(one, none, "original").shape == (1, 0)


def test_pictures_that_cannot_be_compared_are_refused():
    with pytest.raises(BadInput, match="10x10 px are smaller than the window"):
        pairwise(np.zeros((2, 10, 10)), "corrected")
    assert pairwise(np.zeros((2, 11, 11)), "corrected")[0, 1] == 1
    assert pairwise(np.zeros((2, 7, 7)), "original")[0, 1] == 1
    with pytest.raises(BadInput, match="prepare both sets at one side"):
        cross(np.zeros((2, 20, 20)), np.zeros((2, 30, 30)), "corrected")


def test_the_side_is_the_studys_or_the_smallest_pictures():
    sizes = [(800, 600), (640, 480)]
    assert shared_side(sizes, "original", 500) == 500
    assert shared_side(sizes, "corrected", 500) == 480
    assert shared_side(sizes, "corrected", 300) == 300


def test_preparing_takes_luma_and_the_means_of_areas():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    picture = Image.fromarray(pixels)
    corrected = prepare(picture, "corrected", 20)
    assert corrected.dtype == np.float32
    assert corrected == pytest.approx(luma.reshape(20, 3, 20, 2).mean(axis=(1, 3)), abs=1e-3)
    whole = np.rint(luma).reshape(20, 3, 20, 2).mean(axis=(1, 3))
    original = prepare(picture, "original", 20)
    assert np.array_equal(original, np.rint(original))
    assert np.abs(original - whole).max() <= 1  # luma and mean, each rounded


def test_gray_pictures_of_the_right_size_stay_as_they_are():
    gray = shapes(4, 48)
    for protocol in PROTOCOLS:
        assert prepare(Image.fromarray(gray), protocol, 48) == pytest.approx(gray, abs=1e-4)


def test_only_the_published_protocol_enlarges():
    small = Image.new("RGB", (64, 30))
    assert prepare(small, "original", 500).shape == (500, 500)
    with pytest.raises(BadInput, match="64x30 would be enlarged to 64x64"):
        prepare(small, "corrected", 64)
    assert prepare(small, "corrected", 30).shape == (30, 30)


def published_set(name):
    """A set of five, prepared as the table was made."""
    files = sorted((PUBLISHED / name).iterdir())
    assert [file.name[0] for file in files] == list("12345")
    found = []
    for file in files:
        with Image.open(file) as picture:
            found.append(prepare_published(picture))
    return np.stack(found)


@published
@pytest.mark.parametrize(
    ("name", "printed", "mean"),
    [("A_without_control", WITHOUT_CONTROL, 0.35), ("A_with_control", WITH_CONTROL, 0.70)],
)
def test_every_printed_digit_is_reproduced(name, printed, mean):
    upper = np.triu_indices(5)
    found = pairwise(published_set(name), "original")
    assert found[upper].tolist() == [float(digits) for digits in printed.split()]
    assert round(found[np.triu_indices(5, k=1)].mean(), 2) == mean


@published
@pytest.mark.usefixtures("unrounded")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_real_pictures_are_scored_as_by_scikit_image(protocol):
    pictures = published_set("A_with_control")[:3]
    found = pairwise(pictures, protocol)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        wanted = reference(pictures[i], pictures[j], protocol)
        assert found[i, j] == pytest.approx(wanted, abs=WITHIN[protocol])
