"""Structural similarity of all pairs of pictures: every picture's moments once, one filter a pair.

Wang et al. 2004, "Image quality assessment", IEEE Trans. Image Processing 13:600, eq. 13. Values
are those of ``skimage.metrics.structural_similarity``, -1 ... 1 with 1 for equal pictures. Of the
five filtered maps that a pair needs, four belong to one picture alone.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.progress import track
from likeness.workers import workers

# original: whole gray levels, 7 x 7 means, sample covariance, scores rounded before any average
# corrected: Wang's Gaussian window and population covariance, never enlarged, never rounded
SsimProtocol = Literal["original", "corrected"]

DECIMALS = 2
PUBLISHED_SIDE = 256
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


def prepare_published(picture: Image.Image) -> np.ndarray:
    """256 x 256 float32 whole gray levels, as the tables of Prompt-to-Prompt's pictures were made.

    Colour is resized bilinearly without antialiasing, whatever the picture's size, and made gray
    afterwards; transparency is dropped. Scored by ``original``, every printed digit comes out.
    """
    import cv2

    side = (PUBLISHED_SIDE, PUBLISHED_SIDE)
    small = cv2.resize(np.asarray(picture.convert("RGB")), side, interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def pairwise(pictures: np.ndarray, protocol: SsimProtocol) -> np.ndarray:
    """SSIM of every two of the pictures ``(N, S, S)`` in 0..255 -> symmetric ``(N, N)`` float64.

    Raises ``BadInput`` for pictures smaller than the window (7 px original, 11 px corrected), and
    for those with fractions of gray levels where the protocol is ``original``.
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


class _Band(Protocol):
    """Some rows of all pictures with everything SSIM needs of each picture alone.

    Maps keep the margin's columns, so that they are contiguous; sums leave these out. The factors
    of both fractions of eq. 13 are halved as a pair needs them: each of the denominator is then the
    sum of what two pictures bring into it, and of equal pictures the ratio is exactly 1.
    """

    margin: ClassVar[int]  # px that the window reaches to each side

    def __init__(self, rows: np.ndarray) -> None: ...

    def total(self, i: int, other: Self, j: int) -> float:
        """A quarter of the sum of the SSIM map of picture i here and picture j of ``other``."""
        ...


class _Gaussian:
    """``corrected``, of any values."""

    margin: ClassVar[int] = RADIUS

    def __init__(self, rows: np.ndarray) -> None:
        # float64, because a covariance is a small difference of large numbers: in a flat region
        # float32 would be wrong by the same amount at every pixel
        self.pixels = rows.astype(np.float64)
        self.mean = np.stack([self._local(pixels) for pixels in self.pixels])
        self.brightness = self.mean**2 + C1 / 2
        self.contrast = np.stack([self._local(p**2, (C1 + C2) / 2) for p in self.pixels])
        self.contrast -= self.brightness
        # Maps of one pair, used again by the next: fresh memory for each would cost more than all
        # the arithmetic.
        self.product, self.filtered = (np.empty(rows.shape[1:]) for _ in range(2))
        self.similarity, self.factor = (np.empty(self.mean.shape[1:]) for _ in range(2))

    def _local(
        self, values: np.ndarray, plus: float = 0.0, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Means under the window plus a constant, without the margin's rows."""
        import cv2

        weights = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
        weights /= weights.sum()
        means = cv2.sepFilter2D(values, cv2.CV_64F, weights, weights, dst=out, delta=plus)
        return means[RADIUS:-RADIUS]

    def total(self, i: int, other: Self, j: int) -> float:
        """See ``_Band``."""
        np.multiply(self.pixels[i], other.pixels[j], out=self.product)
        structure = self._local(self.product, (C1 + C2) / 2, out=self.filtered)
        similarity = np.multiply(self.mean[i], other.mean[j], out=self.similarity)
        similarity += C1 / 2
        structure -= similarity
        similarity *= structure
        # the filtered map is used up: its memory holds the denominator
        denominator = np.add(self.brightness[i], other.brightness[j], out=structure)
        denominator *= np.add(self.contrast[i], other.contrast[j], out=self.factor)
        similarity /= denominator
        return _inner_sum(similarity, self.margin)


class _Uniform:
    """``original``, of whole gray levels: all is multiplied by the window's 49 px or their square.

    Sums and covariances are exact in int32 (below 2^28), so that float32 is enough for the rest:
    its dozen roundings put a pixel's value off by less than 1e-6.
    """

    margin: ClassVar[int] = UNIFORM // 2
    pixel_count = UNIFORM**2
    c1 = C1 * pixel_count**2 / 2
    c2 = C2 * pixel_count * (pixel_count - 1) / 2  # of a sample covariance

    def __init__(self, rows: np.ndarray) -> None:
        with np.errstate(invalid="ignore"):
            self.pixels = rows.astype(np.uint16)
        if self.pixels.max() > RANGE or not np.array_equal(self.pixels, rows):
            raise BadInput(
                "the original protocol of SSIM compares whole gray levels from 0 to 255: "
                "prepare the pictures by it, or take the corrected protocol"
            )
        self.sums = np.stack([self._local(pixels) for pixels in self.pixels])
        # brightness and contrast of a picture are those of its pair with itself
        shape = self.sums.shape
        self.product = np.empty(rows.shape[1:], np.uint16)
        self.filtered = np.empty(rows.shape[1:], np.int32)
        self.squares = np.empty(shape[1:], np.int32)
        self.similarity, self.structure, self.factor = np.empty((3, *shape[1:]), np.float32)
        self.brightness, self.contrast = np.empty((2, *shape), np.float32)
        for i in range(len(rows)):
            self.brightness[i], self.contrast[i] = self._factors(i, self, i)

    def _local(self, values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Sums under the window, without the margin's rows."""
        import cv2

        side = (UNIFORM, UNIFORM)
        sums = cv2.boxFilter(values, cv2.CV_32S, side, dst=out, normalize=False)
        return sums[self.margin : -self.margin]

    def _factors(self, i: int, other: Self, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Half of both factors of the numerator."""
        np.multiply(self.pixels[i], other.pixels[j], out=self.product)
        both = self._local(self.product, out=self.filtered)
        squares = np.multiply(self.sums[i], other.sums[j], out=self.squares)
        both *= self.pixel_count
        both -= squares
        for exact, plus, factor in (
            (squares, self.c1, self.similarity),
            (both, self.c2, self.structure),
        ):
            np.copyto(factor, exact, casting="unsafe")
            factor += plus
        return self.similarity, self.structure

    def total(self, i: int, other: Self, j: int) -> float:
        """See ``_Band``."""
        similarity, structure = self._factors(i, other, j)
        similarity *= structure
        denominator = np.add(self.brightness[i], other.brightness[j], out=structure)
        denominator *= np.add(self.contrast[i], other.contrast[j], out=self.factor)
        similarity /= denominator
        return _inner_sum(similarity, self.margin)


def _inner_sum(values: np.ndarray, margin: int) -> float:
    """Without the margin's columns, in float64."""
    import cv2

    return float(cv2.sumElems(values[:, margin:-margin])[0])


BANDS: dict[SsimProtocol, type[_Band]] = {"original": _Uniform, "corrected": _Gaussian}


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
    kind = BANDS[protocol]
    height, width = (side - 2 * kind.margin for side in a.shape[1:])
    if min(height, width) < 1:
        raise BadInput(
            f"pictures of {a.shape[2]}x{a.shape[1]} px are smaller than the window of SSIM "
            f"({2 * kind.margin + 1} px): compare them at a larger side"
        )

    def band(start: int) -> np.ndarray:
        rows = slice(start, min(start + ROWS, height) + 2 * kind.margin)
        mine = kind(a[:, rows])
        theirs = mine if b is None else kind(b[:, rows])
        return np.array([mine.total(i, theirs, j) for i, j in zip(first, second, strict=True)])

    starts = range(0, height, ROWS)
    with ThreadPoolExecutor(min(workers(), len(starts))) as pool:
        totals = sum(track(pool.map(band, starts), "SSIM, strips of all pairs", len(starts)))
    values = np.asarray(totals) * 4 / (height * width)
    return np.round(values, DECIMALS) if protocol == "original" else values
