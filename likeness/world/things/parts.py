"""Shapes that all animals and objects are built of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from likeness.world.canvas import RGB, Array, Pen, darker, lighter, round_blob
from likeness.world.description import State

Point = tuple[float, float]
Drawer = Callable[[Pen, RGB, State | None, np.random.Generator], None]

INK: RGB = (26.0, 24.0, 28.0)
WHITE: RGB = (246.0, 246.0, 242.0)
SHADOW: RGB = (16.0, 16.0, 26.0)
METAL: RGB = (176.0, 182.0, 190.0)
LEAF: RGB = (62.0, 150.0, 58.0)
WOOD: RGB = (128.0, 82.0, 46.0)


def bright(colour: RGB) -> float:
    """Brightness of a colour, 0..1."""
    return (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255


def shaded(colour: RGB) -> RGB:
    """The colour on a side turned from the light; black is lit up instead to keep its form."""
    return lighter(colour, 0.1) if bright(colour) < 0.2 else darker(colour, 0.3)


def lit(colour: RGB) -> RGB:
    """The colour on a side turned to the light."""
    return lighter(colour, 0.12 if bright(colour) < 0.2 else 0.2)


def capsule(pen: Pen, a: Point, b: Point, ra: float, rb: float, colour: RGB) -> None:
    """Two discs (local units) and all between them: limbs, tails, snouts."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = float(np.hypot(dx, dy))
    if length <= abs(ra - rb):
        x, y, r = (*a, ra) if ra > rb else (*b, rb)
        pen.ellipse(x, y, r, r, colour)
        return
    along = float(np.arctan2(dy, dx))
    side = float(np.arccos((ra - rb) / length))
    t = np.linspace(along + side, along + 2 * np.pi - side, 8)
    u = np.linspace(along - side, along + side, 8)
    round_a = np.stack([a[0] + ra * np.cos(t), a[1] + ra * np.sin(t)], -1)
    round_b = np.stack([b[0] + rb * np.cos(u), b[1] + rb * np.sin(u)], -1)
    pen.polygon(np.vstack([round_a, round_b]), colour)


def solid(pen: Pen, a: Point, b: Point, ra: float, rb: float, colour: RGB) -> None:
    """A capsule with a dark underside and a lit top."""
    capsule(pen, a, b, ra, rb, shaded(colour))
    up = 0.14
    capsule(pen, (a[0], a[1] - up * ra), (b[0], b[1] - up * rb), 0.86 * ra, 0.86 * rb, colour)
    up = 0.5
    capsule(pen, (a[0], a[1] - up * ra), (b[0], b[1] - up * rb), 0.36 * ra, 0.36 * rb, lit(colour))


def chain(pen: Pen, points: ArrayLike, start: float, end: float, colour: RGB) -> None:
    """A bent limb, n x 2, whose radius goes from ``start`` to ``end``."""
    path = np.asarray(points, np.float64)
    radii = np.linspace(start, end, len(path))
    for a, b, ra, rb in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        capsule(pen, (a[0], a[1]), (b[0], b[1]), float(ra), float(rb), colour)


def globe(pen: Pen, x: float, y: float, rx: float, ry: float, colour: RGB) -> None:
    """An ellipse that looks round: dark below, a light spot above on the left."""
    pen.ellipse(x, y, rx, ry, shaded(colour))
    pen.ellipse(x - 0.05 * rx, y - 0.09 * ry, 0.9 * rx, 0.88 * ry, colour)
    pen.ellipse(x - 0.3 * rx, y - 0.38 * ry, 0.4 * rx, 0.34 * ry, lit(colour))


def soft(points: ArrayLike, rounds: int = 2) -> Array:
    """A closed outline, n x 2, with its corners cut off ``rounds`` times."""
    path = np.asarray(points, np.float64)
    for _ in range(rounds):
        after = np.roll(path, -1, axis=0)
        path = np.stack([0.75 * path + 0.25 * after, 0.25 * path + 0.75 * after], 1).reshape(-1, 2)
    return path


def ring(pen: Pen, x: float, y: float, radius: float, width: float, colour: RGB) -> None:
    """A circle's outline that leaves what is inside as it was."""
    pen.arc(x, y, radius, radius, 0.0, np.pi, width, colour)
    pen.arc(x, y, radius, radius, np.pi, 2 * np.pi, width, colour)


def ground_shadow(pen: Pen, reach: float, x: float = 0.0, strength: float = 0.45) -> None:
    """A soft shadow where something ``reach`` wide to either side stands, on local y = 0.5."""
    for share in (1.08, 0.85, 0.6):
        outline = round_blob(x, 0.495, reach * share, 0.065 * share)
        pen.glaze(outline, SHADOW, strength * 0.45)
