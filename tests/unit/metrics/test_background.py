"""What is kept outside of a mask, against loops and values worked out by hand."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from likeness.errors import BadInput
from likeness.metrics.background import background_kept, mask_of_runs

SIDE = 48
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    before = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    noise = rng.integers(-20, 21, before.shape)
    return before, np.clip(before + noise, 0, 255).astype(np.uint8)


def box(top, bottom, left, right):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_without_a_mask_both_are_the_whole_picture(pictures):
    one, other = (picture / 255 for picture in pictures)
    found = [background_kept(*pictures, box(0, 0, 0, 0), p) for p in ("original", "corrected")]
    for said in found:
        assert said.mse == pytest.approx(np.mean((one - other) ** 2))
        assert said.psnr == pytest.approx(peak_signal_noise_ratio(one, other, data_range=1.0))
        assert said.ssim == pytest.approx(structural_similarity(one, other, channel_axis=2, **WANG))
        assert said.reason == ""


def test_the_published_form_blackens_the_edit_and_divides_by_all_pixels(pictures):
    mask = box(0, SIDE, 0, SIDE // 2)
    one, other = (np.where(mask[:, :, None], 0, picture / 255) for picture in pictures)
    found = background_kept(*pictures, mask, "original")
    assert found.mse == pytest.approx(np.mean((one - other) ** 2))
    assert found.ssim == pytest.approx(structural_similarity(one, other, channel_axis=2, **WANG))
    corrected = background_kept(*pictures, mask, "corrected")
    assert corrected.mse == pytest.approx(2 * found.mse)
    assert corrected.psnr == pytest.approx(found.psnr - 10 * math.log10(2))
    assert corrected.ssim < found.ssim


def test_a_background_is_scored_alike_whatever_is_painted_inside(pictures):
    before, after = pictures
    mask = box(10, 30, 5, 25)
    painted = after.copy()
    painted[mask] = 255 - painted[mask]
    for protocol in ("original", "corrected"):
        assert background_kept(before, painted, mask, protocol) == background_kept(
            before, after, mask, protocol
        )


def test_a_background_alone_is_a_crop_of_it(pictures):
    # the left 30 columns are background: windows in it are those of the crop
    mask = box(0, SIDE, 30, SIDE)
    cropped = [picture[:, :30] for picture in pictures]
    whole = background_kept(*cropped, np.zeros((SIDE, 30), bool), "corrected")
    found = background_kept(*pictures, mask, "corrected")
    assert found[:3] == pytest.approx(whole[:3], rel=1e-9)


def test_a_kept_background_is_perfect_and_sides_do_not_matter(pictures):
    before, after = pictures
    mask = box(4, 20, 4, 20)
    edited = np.where(mask[:, :, None], after, before)
    for protocol in ("original", "corrected"):
        kept = background_kept(before, edited, mask, protocol)
        assert (kept.mse, kept.psnr) == (0.0, math.inf)
        assert kept.ssim == pytest.approx(1)
        there, back = (
            background_kept(*x, mask, protocol) for x in ((before, after), (after, before))
        )
        assert there[:3] == pytest.approx(back[:3])


def test_a_mask_without_background_has_a_reason_and_no_number(pictures):
    found = background_kept(*pictures, box(0, SIDE, 0, SIDE), "original")
    assert all(math.isnan(value) for value in found[:3])
    assert found.reason == "the mask covers the whole picture"
    thin = background_kept(*pictures, box(0, SIDE, 8, SIDE), "corrected")
    assert math.isnan(thin.ssim)
    assert thin.mse > 0
    assert thin.reason == "no window of 11 px lies in the background"


def test_sizes_that_differ_are_refused(pictures):
    with pytest.raises(BadInput, match="do not fit"):
        background_kept(*pictures, np.zeros((SIDE, SIDE - 1), bool), "original")


def test_runs_are_starts_and_lengths_and_the_border_belongs_to_the_edit():
    mask = mask_of_runs([13, 2, 34, 99], (6, 6))
    wanted = np.zeros((6, 6), int)
    wanted[[0, -1]] = 1
    wanted[:, [0, -1]] = 1
    wanted[2, 1:3] = 1  # 13 and 14 are row 2, columns 1 and 2
    assert mask.astype(int).tolist() == wanted.tolist()
    with pytest.raises(BadInput, match="3 numbers"):
        mask_of_runs([1, 2, 3])
