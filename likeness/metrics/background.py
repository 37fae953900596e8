"""What an edit left as it was outside of the mask: MSE, PSNR and SSIM of the background."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from likeness.errors import BadInput

# original: as PIE-Bench computes it, the edited region black in both pictures and counted as kept
# corrected: over the background alone, so that a large mask does not look like a good edit
BackgroundProtocol = Literal["original", "corrected"]
WINDOW = 11  # px of the Gaussian window of SSIM, sigma 1.5
SIGMA = 1.5


class Background(NamedTuple):
    """How much of the background is kept; NaN where there is none, and the reason says so."""

    mse: float  # of pixels in 0..1; 0 is kept
    psnr: float  # dB; infinite where nothing changed: average the MSE instead
    ssim: float  # -1..1; 1 is kept
    reason: str


def background_kept(
    before: np.ndarray, after: np.ndarray, mask: np.ndarray, protocol: BackgroundProtocol
) -> Background:
    """Two pictures H x W x 3 uint8, and H x W bool: true where the edit was allowed.

    Ju et al. 2023, *Direct Inversion* (PIE-Bench), arXiv 2310.01506. SSIM per channel by
    Wang's Gaussian window; ``corrected`` takes only windows that lie in the background, and is NaN
    where there is none. Raises ``BadInput`` for sizes that differ.
    """
    if before.shape != after.shape or before.shape[:2] != mask.shape:
        raise BadInput(
            f"pictures of {before.shape} and {after.shape} and a mask of {mask.shape} do not fit: "
            "bring all three to one size"
        )
    kept = ~np.asarray(mask, bool)
    if not kept.any():
        return Background(math.nan, math.nan, math.nan, "the mask covers the whole picture")
    black = kept[:, :, None] if protocol == "original" else 1.0
    one, other = (np.asarray(picture, np.float64) / 255 * black for picture in (before, after))
    counted = np.ones_like(kept) if protocol == "original" else kept
    mse = float(np.square(one - other)[counted].mean())
    psnr = -10 * math.log10(mse) if mse else math.inf
    ssim = _ssim(one, other, counted)
    reason = "" if not math.isnan(ssim) else f"no window of {WINDOW} px lies in the background"
    return Background(mse, psnr, ssim, reason)


def mask_of_runs(runs: Sequence[int], shape: tuple[int, int] = (512, 512)) -> np.ndarray:
    """PIE-Bench's mask: start and length of runs over the flattened picture -> H x W bool.

    The outermost pixels are set as well, as its authors do against errors of annotation.
    """
    if len(runs) % 2:
        raise BadInput(
            f"a mask of {len(runs)} numbers is no list of starts and lengths: correct it"
        )
    flat = np.zeros(shape[0] * shape[1], bool)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        flat[start : start + length] = True
    mask = flat.reshape(shape)
    mask[[0, -1], :] = mask[:, [0, -1]] = True
    return mask


def _ssim(one: np.ndarray, other: np.ndarray, counted: np.ndarray) -> float:
    """Mean of the map where a whole window is counted; NaN without such a place."""
    from scipy.ndimage import minimum_filter
    from skimage.metrics import structural_similarity

    if min(counted.shape) < WINDOW:
        return math.nan
    # beyond the border nothing is counted
    inside = minimum_filter(counted, WINDOW, mode="constant", cval=0)
    if not inside.any():
        return math.nan
    _, map_of = structural_similarity(
        one,
        other,
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(map_of[inside].mean())
