"""Birds: standing, asleep or with their wings spread."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter
from likeness.world.description import Pose
from likeness.world.things.parts import (
    INK,
    WHITE,
    Point,
    bright,
    capsule,
    globe,
    ground_shadow,
    lit,
    shaded,
    soft,
    solid,
)

BEAK: RGB = (250.0, 160.0, 30.0)
POSES: tuple[Pose, ...] = ("standing", "flying")


def draw_bird(pen: Pen, feathers: RGB, pose: Pose, rng: np.random.Generator) -> None:
    """A bird looking to the right in the unit box of ``pen``."""
    if pose == "flying":
        _flying(pen, feathers, rng)
    else:
        _standing(pen, feathers, rng)


def back_of(pose: Pose) -> Point:
    """Where a rider sits, in local coordinates."""
    return (-0.05, -0.06) if pose == "flying" else (-0.12, -0.14)


def _wing_colour(feathers: RGB) -> RGB:
    return darker(feathers, 0.4) if bright(feathers) > 0.2 else lighter(feathers, 0.28)


def _head(pen: Pen, feathers: RGB) -> None:
    pen.polygon([[0.7, -0.35], [1.9, 0.15], [0.7, 0.45]], darker(BEAK, 0.12))
    pen.polygon([[0.7, -0.35], [1.9, 0.12], [0.8, 0.1]], BEAK)
    globe(pen, 0.0, 0.0, 1.0, 0.98, feathers)
    pen.ellipse(0.4, -0.18, 0.32, 0.34, WHITE)
    pen.ellipse(0.47, -0.16, 0.18, 0.2, INK)


def _standing(pen: Pen, feathers: RGB, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.26)
    wing = _wing_colour(feathers)
    for x in (-0.06, 0.08):
        pen.line([[x, 0.25], [x + 0.01, 0.49]], 0.035, BEAK)
        pen.line([[x - 0.06, 0.485], [x + 0.1, 0.485]], 0.035, BEAK)
    droop = rng.uniform(-0.04, 0.06)
    tail = [[-0.22, 0.02], [-0.56, 0.16 + droop], [-0.5, 0.28 + droop], [-0.2, 0.2]]
    pen.polygon(tail, wing)
    solid(pen, (-0.08, 0.1), (0.08, 0.02), 0.22, 0.21, feathers)
    belly = lighter(feathers, 0.45) if bright(feathers) < 0.85 else darker(feathers, 0.1)
    pen.ellipse(0.13, 0.16, 0.12, 0.13, belly)
    pen.polygon(soft([[0.08, -0.06], [-0.1, -0.1], [-0.42, 0.22], [-0.1, 0.24]]), wing)
    pen.line([[-0.02, 0.06], [-0.28, 0.18]], 0.018, lit(wing))
    _head(pen.at(0.18, -0.26, 0.19, rng.uniform(-0.15, 0.15)), feathers)


def _flying(pen: Pen, feathers: RGB, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.2, 0.0, 0.3)
    wing = _wing_colour(feathers)
    lift = rng.uniform(-0.04, 0.04)
    far = np.array([[0.06, 0.1], [0.3, -0.2], [0.62, -0.46 + lift], [0.5, -0.12], [0.2, 0.14]])
    pen.polygon(soft(far, 1), shaded(wing))
    pen.polygon([[-0.2, 0.1], [-0.58, 0.2], [-0.6, 0.34], [-0.16, 0.22]], wing)
    solid(pen, (-0.14, 0.17), (0.14, 0.12), 0.12, 0.13, feathers)
    near = np.array(
        [[0.1, 0.12], [-0.1, -0.26], [-0.58, -0.52 + lift], [-0.52, -0.2], [-0.36, 0.02],
         [-0.2, 0.15]]
    )  # fmt: skip
    pen.polygon(soft(near, 1), wing)
    pen.polygon(soft(near * 0.72 + (-0.0, -0.02), 1), feathers)
    for share in (0.35, 0.65):
        tip = near[2] * share + near[4] * (1 - share)
        capsule(pen, (-0.05, 0.02), (tip[0], tip[1]), 0.012, 0.012, wing)
    _head(pen.at(0.27, 0.04, 0.14, rng.uniform(-0.15, 0.15)), feathers)
