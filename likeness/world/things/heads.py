"""Heads and tails of animals with four legs: what tells one kind from another.

Heads look to the right; a head's pen has its origin in the middle of the skull, whose radius is 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter, mix
from likeness.world.things.parts import (
    INK,
    WHITE,
    Point,
    bright,
    capsule,
    chain,
    globe,
    lit,
    shaded,
)

Head = Callable[[Pen, RGB, bool], None]
Tail = Callable[[Pen, RGB, bool], None]

PINK: RGB = (232.0, 130.0, 140.0)
MANE: RGB = (122.0, 62.0, 24.0)


def _eye(pen: Pen, x: float, y: float, fur: RGB, asleep: bool, iris: RGB = WHITE) -> None:
    if asleep:
        lid = INK if bright(fur) > 0.3 else lighter(fur, 0.75)
        pen.arc(x, y - 0.1, 0.27, 0.24, 0.1, np.pi - 0.1, 0.14, lid)
        return
    pen.ellipse(x, y, 0.25, 0.27, iris)
    pen.ellipse(x + 0.05, y + 0.02, 0.15, 0.19, INK)
    pen.ellipse(x + 0.0, y - 0.07, 0.06, 0.06, WHITE)


def dog_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the side: a long snout, a hanging ear, the tongue out."""
    ear = darker(fur, 0.45) if bright(fur) > 0.3 else lighter(fur, 0.22)
    muzzle = lighter(fur, 0.3) if bright(fur) < 0.85 else darker(fur, 0.08)
    if not asleep:
        capsule(pen, (0.95, 0.8), (1.05, 1.15), 0.2, 0.2, PINK)
    globe(pen, 0.0, 0.0, 1.0, 0.95, fur)
    capsule(pen, (0.45, 0.34), (1.3, 0.4), 0.55, 0.4, muzzle)
    pen.line([[0.7, 0.72], [1.5, 0.66]], 0.09, darker(muzzle, 0.5))
    pen.ellipse(1.6, 0.2, 0.27, 0.22, INK)
    _eye(pen, 0.42, -0.22, fur, asleep)
    capsule(pen, (-0.4, -0.5), (-0.62, 0.75), 0.32, 0.42, ear)


def cat_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the front: pointed ears, green eyes, whiskers."""
    inner = mix(PINK, fur, 0.2)
    for side in (-1, 1):
        pen.polygon([[side * 1.05, -0.1], [side * 1.0, -1.5], [side * 0.15, -0.8]], shaded(fur))
        pen.polygon([[side * 0.9, -0.4], [side * 0.9, -1.15], [side * 0.4, -0.75]], inner)
    globe(pen, 0.0, 0.0, 1.15, 0.98, fur)
    light = lighter(fur, 0.45)
    pen.ellipse(-0.2, 0.48, 0.33, 0.28, light)
    pen.ellipse(0.2, 0.48, 0.33, 0.28, light)
    pen.polygon([[-0.2, 0.18], [0.2, 0.18], [0.0, 0.42]], PINK)
    for side in (-1, 1):
        _eye(pen, side * 0.48, -0.14, fur, asleep, (150.0, 220.0, 70.0))
        whisker = INK if bright(fur) > 0.6 else WHITE
        for slope in (-0.12, 0.16):
            pen.line([[side * 0.45, 0.45], [side * 1.5, 0.45 + slope * 1.6]], 0.07, whisker)


def bear_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the front: round ears, a light broad muzzle, small eyes."""
    for side in (-1, 1):
        pen.ellipse(side * 0.78, -0.74, 0.42, 0.42, shaded(fur))
        pen.ellipse(side * 0.78, -0.7, 0.22, 0.22, mix(fur, PINK, 0.35))
    globe(pen, 0.0, 0.0, 1.08, 1.0, fur)
    muzzle = lighter(fur, 0.5) if bright(fur) < 0.8 else darker(fur, 0.12)
    pen.ellipse(0.1, 0.42, 0.55, 0.46, muzzle)
    pen.ellipse(0.1, 0.2, 0.27, 0.2, INK)
    pen.line([[0.1, 0.3], [0.1, 0.65]], 0.09, INK)
    for x in (-0.4, 0.55):
        _eye(pen.at(x, -0.2, 0.72), 0, 0, fur, asleep)


def lion_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the front: a face in a great dark mane."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    r = np.where(np.arange(28) % 2, 1.72, 2.02)
    rays = np.stack([r * np.cos(t), r * np.sin(t)], -1)
    pen.polygon(rays, MANE)
    pen.polygon(rays[::-1] * 0.8 + (0, -0.12), lighter(MANE, 0.16))
    for side in (-1, 1):
        pen.ellipse(side * 0.85, -0.8, 0.32, 0.32, fur)
    globe(pen, 0.0, 0.0, 1.08, 1.04, lit(fur))
    pen.ellipse(0.0, 0.5, 0.55, 0.42, WHITE)
    pen.polygon([[-0.34, 0.12], [0.34, 0.12], [0.0, 0.5]], darker(MANE, 0.4))
    pen.line([[0.0, 0.45], [0.0, 0.75]], 0.1, INK)
    for side in (-1, 1):
        _eye(pen, side * 0.45, -0.2, fur, asleep, (240.0, 200.0, 60.0))


def horse_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the side: long, with an upright ear and a forelock."""
    hair = mane_colour(fur)
    pen.polygon([[-0.45, -0.3], [-0.2, -1.25], [0.2, -0.4]], shaded(fur))
    capsule(pen, (0.0, 0.0), (1.3, 1.05), 0.72, 0.46, shaded(fur))
    capsule(pen, (0.05, -0.07), (1.33, 0.95), 0.62, 0.38, fur)
    capsule(pen, (1.3, 1.02), (1.45, 1.15), 0.4, 0.36, darker(fur, 0.35))
    pen.ellipse(1.6, 1.02, 0.12, 0.12, INK)
    pen.polygon([[-0.5, -0.75], [0.15, -0.6], [0.65, 0.1], [-0.1, -0.1]], hair)
    _eye(pen, 0.45, -0.02, fur, asleep)


def mane_colour(fur: RGB) -> RGB:
    """Hair of a horse: dark on light fur, light on black fur."""
    return darker(fur, 0.68) if bright(fur) > 0.2 else lighter(fur, 0.42)


def elephant_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the side: a trunk to the ground, tusks, an ear as large as the head."""
    trunk = [[0.55, 0.1], [1.05, 0.7], [1.2, 1.4], [1.25, 1.95], [1.65, 2.2]]
    if asleep:
        trunk = [[0.55, 0.1], [1.0, 0.5], [1.2, 0.7], [1.4, 0.74], [1.5, 0.52]]
    chain(pen, trunk, 0.52, 0.2, shaded(fur))
    chain(pen, np.array(trunk) - (0.06, 0.05), 0.42, 0.13, fur)
    globe(pen, 0.15, 0.0, 1.0, 0.98, fur)
    chain(pen, [[0.62, 0.6], [1.0, 1.0], [1.45, 0.95]], 0.16, 0.06, WHITE)
    _eye(pen, 0.72, -0.18, fur, asleep)
    pen.ellipse(-0.5, 0.12, 0.86, 1.12, darker(fur, 0.38), 0.2)
    pen.ellipse(-0.5, 0.1, 0.72, 0.96, mix(fur, PINK, 0.3), 0.2)


def camel_head(pen: Pen, fur: RGB, asleep: bool) -> None:
    """From the side: a long flat face carried high, with a heavy lip."""
    pen.polygon([[-0.6, -0.2], [-0.5, -1.0], [-0.05, -0.35]], shaded(fur))
    capsule(pen, (0.0, 0.0), (1.35, 0.3), 0.68, 0.5, shaded(fur))
    capsule(pen, (0.0, -0.08), (1.35, 0.2), 0.58, 0.4, fur)
    capsule(pen, (1.3, 0.55), (1.55, 0.6), 0.24, 0.2, darker(fur, 0.35))
    pen.ellipse(1.65, 0.15, 0.12, 0.1, INK)
    _eye(pen, 0.4, -0.15, fur, asleep)


def _rest(pen: Pen, fur: RGB, length: float, start: float, end: float) -> None:
    """A tail lying along the ground."""
    path = np.array([[0, 0], [-0.5, 0.25], [-0.2, 0.55], [0.8, 0.6]]) * length
    chain(pen, path, start, end, fur)


def dog_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """Wagging: up and bent forward."""
    if low:
        _rest(pen, shaded(fur), 0.12, 0.035, 0.025)
    else:
        chain(pen, [[0.0, 0.0], [-0.09, -0.12], [-0.1, -0.25], [-0.03, -0.34]], 0.045, 0.022, fur)


def cat_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """Long, with a curl at its end."""
    if low:
        _rest(pen, shaded(fur), 0.26, 0.036, 0.034)
        return
    path = [[0.0, 0.0], [-0.12, -0.06], [-0.16, -0.22], [-0.1, -0.36], [0.0, -0.42], [0.07, -0.36]]
    chain(pen, path, 0.036, 0.034, fur)


def horse_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """Long hair down to the hocks."""
    hair = mane_colour(fur)
    if low:
        chain(pen, [[0.0, 0.0], [-0.1, 0.08], [-0.2, 0.16]], 0.05, 0.03, hair)
    else:
        chain(pen, [[0.0, 0.0], [-0.09, 0.04], [-0.12, 0.2], [-0.1, 0.34]], 0.035, 0.045, hair)


def thin_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """A cord with a dark tuft."""
    path: list[Point] = [(0.0, 0.0), (-0.1, 0.06), (-0.12, 0.22)]
    if low:
        path = [(0.0, 0.0), (-0.08, 0.05), (-0.04, 0.11)]
    chain(pen, path, 0.022, 0.016, shaded(fur))
    pen.ellipse(*path[-1], 0.035, 0.05, darker(fur, 0.6))


def lion_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """Raised, with a large dark tuft."""
    path: list[Point] = [(0.0, 0.0), (-0.12, 0.02), (-0.17, -0.12), (-0.11, -0.26)]
    if low:
        path = [(0.0, 0.0), (-0.1, 0.02), (-0.13, 0.07), (0.0, 0.09)]
    chain(pen, path, 0.026, 0.02, fur)
    pen.ellipse(*path[-1], 0.055, 0.065, MANE)


def bear_tail(pen: Pen, fur: RGB, low: bool) -> None:
    """Hardly any."""
    pen.ellipse(-0.02, 0.0, 0.05, 0.05, shaded(fur))
