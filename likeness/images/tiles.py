"""Overlapping squares that cover a picture at its own scale."""

import math

import numpy as np

from likeness.errors import BadInput


def positions(height: int, width: int, side: int, overlap: float) -> list[tuple[int, int]]:
    """Top-left corners (y, x), row by row, of squares that cover the picture to its borders.

    The squares are evenly spaced, the last of each row and column is flush with the border, and
    neighbours share at least the fraction ``overlap`` (0 <= overlap < 1) of their side, in px.
    """
    if min(height, width) < side:
        raise BadInput(
            f"a picture of {width}x{height} px cannot be cut into squares of {side} px: "
            f"use a smaller square or larger pictures"
        )
    return [(y, x) for y in _starts(height, side, overlap) for x in _starts(width, side, overlap)]


def cut(array: np.ndarray, side: int, overlap: float) -> np.ndarray:
    """Picture ``(H, W[, C])`` -> its tiles ``(N, side, side[, C])`` at ``positions``."""
    height, width = array.shape[:2]
    corners = positions(height, width, side, overlap)
    return np.stack([array[y : y + side, x : x + side] for y, x in corners])


def _starts(length: int, side: int, overlap: float) -> list[int]:
    stride = max(1.0, side * (1 - overlap))
    # without the tiny allowance, 1 - 0.9 = 0.0999... would cost one needless tile
    steps = math.ceil((length - side) / stride - 1e-9)
    # whole-number arithmetic: no two neighbours are further apart than the stride rounded up
    return [0] if steps == 0 else [step * (length - side) // steps for step in range(steps + 1)]
