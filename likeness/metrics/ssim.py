"""Structural similarity of all pairs of pictures: every picture's moments once, one filter a pair.

Wang et al. 2004, "Image quality assessment", IEEE Trans. Image Processing 13:600, eq. 13. Values
are those of ``skimage.metrics.structural_similarity``, -1 ... 1 with 1 for equal pictures. Of the
five filtered maps that a pair needs, four belong to one picture alone.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.progress import track
from likeness.workers import workers

# original: gray bytes, 7 x 7 means, sample covariance, each score rounded before it is averaged
# corrected: Wang's Gaussian window and population covariance, never enlarged, never rounded
SsimProtocol = Literal["original", "corrected"]

DECIMALS = 2
RANGE = 255.0
C1, C2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
UNIFORM, RADIUS, SIGMA = 7, 5, 1.5
# Rows that are worked on at a time: at 500 px the maps of one pair stay in the cache of a core, and
# the filter's margin is a small part of them.
ROWS = 64


def shared_side(sizes: Iterable[tuple[int, int]], protocol: SsimProtocol, side: int) -> int:
    """The side in px at which pictures of these (width, height) are compared.

    ``original``: always ``side``. ``corrected``: at most the shortest side of any picture, because
    an enlarged picture is smooth and smooth pictures are alike.
    """
    if protocol == "original":
        return side
    return min([side, *(min(size) for size in sizes)])


def prepare(picture: Image.Image, protocol: SsimProtocol, side: int) -> np.ndarray:
    """ITU-R 601 luma, area-resized without regard to the aspect ratio: side x side float32, 0..255.

    ``original`` rounds to whole gray levels after each of the two steps and enlarges where it must.
    ``corrected`` raises ``BadInput`` for a picture smaller than ``side``, see ``shared_side``.
    """
    import cv2

    pixels = np.asarray(picture.convert("RGB"))
    if protocol == "corrected":
        if min(picture.size) < side:
            raise BadInput(
                f"a picture of {picture.width}x{picture.height} would be enlarged to {side}x{side} "
                "for SSIM: compare at the shortest side of the set or leave the picture out"
            )
        pixels = pixels.astype(np.float32)
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


def pairwise(pictures: np.ndarray, protocol: SsimProtocol) -> np.ndarray:
    """SSIM of every two of the pictures ``(N, S, S)`` in 0..255 -> symmetric ``(N, N)`` float64.

    Raises ``BadInput`` for pictures smaller than the window (7 px original, 11 px corrected).
    """
    count = len(pictures)
    first, second = np.triu_indices(count, k=1)
    matrix = np.eye(count)
    matrix[first, second] = _scores(pictures, None, first, second, protocol)
    matrix[second, first] = matrix[first, second]
    return matrix


def cross(a: np.ndarray, b: np.ndarray, protocol: SsimProtocol) -> np.ndarray:
    """SSIM of every picture of ``a`` (A, S, S) with every one of ``b`` (B, S, S) -> (A, B) float64.

    Values in 0..255. Raises ``BadInput`` as ``pairwise`` does, and where the sizes differ.
    """
    if a.shape[1:] != b.shape[1:]:
        raise BadInput(
            f"pictures of {a.shape[1:]} and {b.shape[1:]} px cannot be compared by SSIM: "
            "prepare both sets at one side"
        )
    first, second = np.divmod(np.arange(len(a) * len(b)), max(1, len(b)))
    return _scores(a, b, first, second, protocol).reshape(len(a), len(b))


@dataclass(frozen=True)
class _Window:
    """A separable window and the factor that its covariance is multiplied by."""

    weights: np.ndarray  # odd length, sum 1
    covariance: float

    @property
    def margin(self) -> int:
        return len(self.weights) // 2

    def mean(
        self, values: np.ndarray, plus: float = 0.0, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Local means of ``(H, W)`` where the window fits, plus a constant: smaller by margins.

        They are a view of ``out`` (H, W float64) where that is given.
        """
        import cv2

        weights, margin = self.weights, self.margin
        means = cv2.sepFilter2D(values, cv2.CV_64F, weights, weights, dst=out, delta=plus)
        return means[margin:-margin, margin:-margin]


def _window(protocol: SsimProtocol) -> _Window:
    if protocol == "original":
        return _Window(np.full(UNIFORM, 1 / UNIFORM), UNIFORM**2 / (UNIFORM**2 - 1))
    weights = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    return _Window(weights / weights.sum(), 1.0)


class _Band:
    """Some rows of all pictures with everything SSIM needs of each picture alone.

    Covariances stay without the window's factor, C2 is divided by it instead: the ratio is the
    same. Each factor of the denominator is the sum of what two pictures bring into it.
    """

    def __init__(self, rows: np.ndarray, window: _Window) -> None:
        # float64, because a covariance is a small difference of large numbers: in a flat region
        # float32 would be wrong by the same amount at every pixel
        self.pixels = rows.astype(np.float64)
        self.window = window
        self.half_c1 = C1 / 2
        self.shift = C1 / 2 + C2 / 2 / window.covariance
        self.mean = np.stack([window.mean(pixels) for pixels in self.pixels])
        # in the order of operations of ``total``: of equal pictures the ratio is exactly 1
        self.brightness = self.mean**2 + self.half_c1
        self.contrast = np.stack([window.mean(pixels**2, self.shift) for pixels in self.pixels])
        self.contrast -= self.brightness
        # Maps of one pair, used again by the next: fresh memory for each would cost more than all
        # the arithmetic.
        self.product, self.filtered = (np.empty(rows.shape[1:]) for _ in range(2))
        self.similarity, self.factor = (np.empty(self.mean.shape[1:]) for _ in range(2))

    def total(self, i: int, other: "_Band", j: int) -> float:
        """A quarter of the sum of the SSIM map of picture i here and picture j of ``other``."""
        np.multiply(self.pixels[i], other.pixels[j], out=self.product)
        structure = self.window.mean(self.product, self.shift, out=self.filtered)
        similarity = np.multiply(self.mean[i], other.mean[j], out=self.similarity)
        similarity += self.half_c1
        structure -= similarity
        similarity *= structure
        # the filtered map is used up: its memory holds the denominator
        denominator = np.add(self.brightness[i], other.brightness[j], out=structure)
        denominator *= np.add(self.contrast[i], other.contrast[j], out=self.factor)
        similarity /= denominator
        return float(similarity.sum())


def _scores(
    a: np.ndarray,
    b: np.ndarray | None,
    first: np.ndarray,
    second: np.ndarray,
    protocol: SsimProtocol,
) -> np.ndarray:
    """SSIM of the pairs (``a[first[k]], b[second[k]]``), within ``a`` where b is None."""
    if not len(first):
        return np.empty(0)
    window = _window(protocol)
    height, width = (side - 2 * window.margin for side in a.shape[1:])
    if min(height, width) < 1:
        raise BadInput(
            f"pictures of {a.shape[2]}x{a.shape[1]} px are smaller than the window of SSIM "
            f"({len(window.weights)} px): compare them at a larger side"
        )

    def band(start: int) -> np.ndarray:
        rows = slice(start, min(start + ROWS, height) + 2 * window.margin)
        mine = _Band(a[:, rows], window)
        theirs = mine if b is None else _Band(b[:, rows], window)
        return np.array([mine.total(i, theirs, j) for i, j in zip(first, second, strict=True)])

    starts = range(0, height, ROWS)
    with ThreadPoolExecutor(min(workers(), len(starts))) as pool:
        totals = sum(track(pool.map(band, starts), "SSIM, strips of all pairs", len(starts)))
    values = np.asarray(totals) * 4 / (height * width)
    return np.round(values, DECIMALS) if protocol == "original" else values
