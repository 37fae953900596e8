"""Which files are the same, and which pictures are nearly the same."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

THUMBNAIL = 32
# A picture with less contrast than this at thumbnail size (standard deviation, of 255) is flat: its
# perceptual hash and its correlation would be those of noise.
FLAT = 2.0
# entries of one block of the distance table (8 bytes each) and thumbnails correlated at a time
BLOCK = 4_000_000
PAIRS_AT_ONCE = 10_000

Pair = tuple[int, int, int]


def thumbnail(image: Image.Image) -> np.ndarray:
    """Gray means over a 32 x 32 grid, uint8, without regard to the aspect ratio."""
    gray = image.convert("L").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(gray)


def perceptual_hash(image: Image.Image) -> str | None:
    """64-bit pHash (signs of the 8 x 8 lowest DCT coefficients), 16 hex digits; flat -> None."""
    import imagehash

    if thumbnail(image).std() < FLAT:
        return None
    return str(imagehash.phash(image))


def near_duplicate_pairs(hashes: Sequence[str | None], max_distance: int) -> list[Pair]:
    """All (i, j, Hamming distance) with i < j and distance <= ``max_distance``, sorted.

    ``hashes`` are 64-bit hex numbers; None is near to nothing. Memory grows with n, time with n^2.
    """
    known = np.array([k for k, value in enumerate(hashes) if value is not None], dtype=np.int64)
    bits = np.array([int(str(hashes[k]), 16) for k in known], dtype=np.uint64)
    pairs: list[Pair] = []
    step = max(1, BLOCK // max(1, len(bits)))
    for start in range(0, len(bits), step):
        distance = np.bitwise_count(bits[start : start + step, None] ^ bits[None, start:])
        row, column = np.nonzero(np.triu(distance <= max_distance, k=1))
        i, j = known[row + start], known[column + start]
        pairs += zip(i.tolist(), j.tolist(), distance[row, column].tolist(), strict=True)
    return pairs


def confirm(
    pairs: Sequence[Pair], thumbnails: np.ndarray, min_correlation: float
) -> list[tuple[int, int, int, float]]:
    """The pairs whose thumbnails (N x 32 x 32) correlate at least so much, with the correlation.

    Pearson's correlation, -1 ... 1; a flat picture correlates with nothing (0).
    """
    values = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    flat = norms < FLAT * np.sqrt(values.shape[1])
    values = np.where(flat, 0, values / np.where(flat, 1, norms))
    confirmed = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        some = pairs[start : start + PAIRS_AT_ONCE]
        i, j, _ = np.array(some).T
        correlations = (values[i] * values[j]).sum(axis=1).clip(-1, 1)
        confirmed += [
            (*pair, float(value))
            for pair, value in zip(some, correlations, strict=True)
            if value >= min_correlation
        ]
    return confirmed


def groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Connected components of 0 ... ``count`` - 1: for each its component's smallest member."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if count == 0:
        return []
    i, j = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    edges = coo_array((np.ones(len(i), dtype=bool), (i, j)), shape=(count, count))
    _, component = connected_components(edges, directed=False)
    _, smallest = np.unique(component, return_index=True)
    return smallest[component].tolist()
