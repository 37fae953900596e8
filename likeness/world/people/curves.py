"""Outlines: smooth ones through a few points, strokes, locks and bumps."""

import numpy as np
from numpy.typing import ArrayLike

from likeness.world.canvas import Array

STEPS = 4  # points per stretch of a smooth outline
_T = np.arange(STEPS)[:, None] / STEPS
_BLEND = 0.5 * np.hstack(
    [
        -_T + 2 * _T**2 - _T**3,
        2 - 5 * _T**2 + 3 * _T**3,
        _T + 4 * _T**2 - 3 * _T**3,
        -(_T**2) + _T**3,
    ]
)


def smooth(points: ArrayLike) -> Array:
    """A closed outline through n points (n x 2) without corners -> 4n x 2."""
    p = np.asarray(points, np.float64)
    around = np.stack([np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)])
    return np.einsum("sk,knd->nsd", _BLEND, around).reshape(-1, 2)


def stroke(path: ArrayLike, width: float) -> Array:
    """The outline of a line through a path (n x 2), thinning out to both ends -> 2n x 2."""
    p = np.asarray(path, np.float64)
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    thick = width / 2 * (0.35 + 0.65 * np.sin(np.linspace(0, np.pi, len(p))))[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], -1) * thick
    return np.vstack([p + across, (p - across)[::-1]])


def bend(ax: float, ay: float, bx: float, by: float, rise: float, count: int = 6) -> Array:
    """A path from a to b whose middle lies ``rise`` above the straight line -> count x 2."""
    t = np.linspace(0, 1, count)
    return np.stack([ax + (bx - ax) * t, ay + (by - ay) * t - rise * 4 * t * (1 - t)], -1)


def waves(outline: Array, height: float, count: float) -> Array:
    """Push an outline (n x 2) in and out, away from its middle, ``count`` times along the way."""
    t = np.linspace(0, 2 * np.pi * count, len(outline))
    out = outline - outline.mean(0)
    out /= np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-9)[:, None]
    return outline + out * (height * np.sin(t))[:, None]
