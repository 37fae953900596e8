"""What flies in space; none of it casts a shadow on the ground."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter, round_blob
from likeness.world.description import State
from likeness.world.things.parts import METAL, SHADOW, WHITE, Drawer, lit, shaded, soft


def _planet(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    tilted = pen.at(0, 0, 1.0, rng.uniform(-0.45, -0.2))
    ring = (236.0, 214.0, 160.0)
    t = np.linspace(np.pi, 2 * np.pi, 13)
    for radius, width, tone in ((0.66, 0.12, darker(ring, 0.35)), (0.55, 0.05, darker(ring, 0.55))):
        tilted.line(np.stack([radius * np.cos(t), 0.28 * radius * np.sin(t)], -1), width, tone)
    tilted.ellipse(0, 0, 0.42, 0.42, shaded(colour))
    tilted.ellipse(-0.04, -0.03, 0.37, 0.38, colour)
    for y, tone in ((-0.2, lit(colour)), (-0.04, darker(colour, 0.18)), (0.14, lit(colour))):
        half = np.sqrt(max(0.36**2 - y**2, 0.0))
        y += rng.uniform(-0.03, 0.03)
        tilted.polygon(soft([[-half - 0.02, y], [half - 0.06, y], [half - 0.1, y + 0.09],
                             [-half, y + 0.09]], 1), tone)  # fmt: skip
    tilted.glaze(round_blob(0.2, 0.14, 0.2, 0.24), SHADOW, 0.25)
    t = np.linspace(0, np.pi, 13)
    for radius, width, tone in ((0.66, 0.12, ring), (0.55, 0.05, darker(ring, 0.25))):
        tilted.line(np.stack([radius * np.cos(t), 0.28 * radius * np.sin(t)], -1), width, tone)


def _satellite(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    body = pen.at(0, 0, 1.0, rng.uniform(-0.5, -0.25))
    body.line([[-0.7, 0], [0.7, 0]], 0.035, METAL)
    for side in (-1, 1):
        left, right = sorted((side * 0.22, side * 0.72))
        body.box(left, -0.18, right, 0.18, WHITE)
        body.box(left + 0.02, -0.16, right - 0.02, 0.16, (36, 70, 176))
        for k in (1, 2, 3):
            x = left + (right - left) * k / 4
            body.line([[x, -0.16], [x, 0.16]], 0.014, (150, 180, 240))
        body.line([[left, 0], [right, 0]], 0.014, (150, 180, 240))
    body.box(-0.15, -0.22, 0.15, 0.22, shaded(colour))
    body.box(-0.15, -0.22, 0.07, 0.22, colour)
    body.box(-0.15, -0.06, 0.15, 0.04, darker(colour, 0.45))
    body.line([[0, 0.2], [0, 0.36]], 0.03, METAL)
    dish = soft([[-0.2, 0.32], [0.2, 0.32], [0.1, 0.46], [-0.1, 0.46]], 1)
    body.polygon(dish[::-1] * (1, -1) + (0, 0.78), darker(METAL, 0.3))
    body.ellipse(0, 0.44, 0.19, 0.06, WHITE)
    body.line([[0, -0.22], [0, -0.46]], 0.025, METAL)
    body.ellipse(0, -0.46, 0.045, 0.045, (230, 40, 40))


def _comet(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    fire = pen.at(0.26, 0.24, 1.18, rng.uniform(0.6, 0.85))
    tails = ((0.23, -0.86, (70.0, 120.0, 220.0)), (0.18, -0.76, (120, 180, 250)),
             (0.11, -0.6, (206, 236, 255)))  # fmt: skip
    for wide, long, tone in tails:
        drift = rng.uniform(-0.03, 0.03)
        fire.polygon([[0, -wide], [0.55 * long, -0.7 * wide], [long, -0.55 * wide + drift],
                      [0.8 * long, drift], [long * 0.92, 0.5 * wide], [0.5 * long, 0.7 * wide],
                      [0, wide]], tone)  # fmt: skip
    fire.ellipse(0, 0, 0.24, 0.24, (255, 150, 40))
    fire.ellipse(0.01, 0, 0.18, 0.18, (255, 220, 100))
    fire.ellipse(0.02, 0, 0.12, 0.12, lighter(colour, 0.3))


DRAW: dict[str, Drawer] = {"planet": _planet, "satellite": _satellite, "comet": _comet}
