"""Musical instruments."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Array, Pen, darker, lighter
from likeness.world.description import State
from likeness.world.things.parts import (
    INK,
    WHITE,
    WOOD,
    Drawer,
    bright,
    capsule,
    chain,
    ground_shadow,
    lit,
    shaded,
    soft,
)


def _waisted(upper: float, waist: float, lower: float, top: float, bottom: float) -> Array:
    """The outline of a guitar or violin: half widths and heights in local units."""
    high = bottom - top
    half = np.array(
        [[0.45 * upper, top], [upper, top + 0.08 * high], [upper, top + 0.28 * high],
         [waist, top + 0.44 * high], [lower, top + 0.6 * high], [lower, top + 0.88 * high],
         [0.5 * lower, bottom]]
    )  # fmt: skip
    return soft(np.vstack([half, half[::-1] * (-1, 1)]))


def _guitar(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.26)
    body = pen.at(0.04, 0.05, 0.9, 0.3 + rng.uniform(-0.06, 0.06))
    outline = _waisted(0.25, 0.18, 0.34, -0.14, 0.5)
    body.polygon(np.add(outline, (0.02, 0.015)), shaded(colour))
    body.polygon(outline, darker(colour, 0.5) if bright(colour) > 0.2 else (240, 220, 170))
    body.polygon(outline * (0.93, 0.94) + (0, 0.012), colour)
    body.ellipse(-0.14, 0.34, 0.06, 0.1, lit(colour), 0.3)
    body.ellipse(0, 0.1, 0.11, 0.11, (240, 214, 160))
    body.ellipse(0, 0.1, 0.085, 0.085, INK)
    body.box(-0.12, 0.31, 0.12, 0.36, darker(WOOD, 0.5))
    body.box(-0.04, -0.5, 0.04, 0.06, (74, 46, 30))
    for y in (-0.4, -0.3, -0.2, -0.1):
        body.box(-0.04, y, 0.04, y + 0.014, (206, 196, 170))
    body.polygon(
        [[-0.075, -0.62], [0.075, -0.62], [0.05, -0.47], [-0.05, -0.47]], darker(WOOD, 0.2)
    )
    for side in (-1, 1):
        for y in (-0.59, -0.52):
            body.ellipse(side * 0.085, y, 0.022, 0.018, WHITE)
    for x in (-0.02, 0.02):
        body.line([[x, -0.48], [x, 0.33]], 0.01, WHITE)


def _violin(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.24)
    body = pen.at(-0.05, 0, 1.0, -0.24 + rng.uniform(-0.05, 0.05))
    outline = _waisted(0.215, 0.11, 0.275, -0.1, 0.5)
    body.polygon(np.add(outline, (0.02, 0.015)), darker(colour, 0.55))
    body.polygon(outline, darker(colour, 0.4))
    body.polygon(outline * (0.9, 0.93) + (0, 0.015), colour)
    body.ellipse(-0.08, 0.38, 0.08, 0.05, lighter(colour, 0.3), 0.3)
    for side in (-1, 1):
        body.ellipse(side * 0.14, 0.17, 0.055, 0.1, darker(colour, 0.65))
        body.ellipse(side * 0.2, 0.17, 0.07, 0.1, darker(colour, 0.4))
        f = np.array([[0.075, 0.1], [0.1, 0.15], [0.08, 0.22], [0.11, 0.28]]) * (side, 1)
        body.line(f, 0.025, INK)
    body.polygon([[-0.03, 0.28], [0.03, 0.28], [0.055, 0.44], [-0.055, 0.44]], INK)
    body.polygon([[-0.03, -0.46], [0.03, -0.46], [0.045, 0.14], [-0.045, 0.14]], INK)
    body.line([[-0.07, 0.22], [0.07, 0.22]], 0.03, (240, 210, 150))
    capsule(body, (0, -0.46), (0, -0.52), 0.04, 0.05, darker(colour, 0.25))
    body.line([[-0.1, -0.45], [0.1, -0.45]], 0.03, INK)
    bow = pen.at(0.2, 0.0, 1.0, 0.5)
    bow.line([[-0.03, -0.5], [0.06, -0.2], [0.06, 0.25], [-0.02, 0.5]], 0.036, darker(WOOD, 0.3))
    bow.line([[-0.05, -0.5], [-0.05, 0.48]], 0.03, WHITE)


def _piano(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.62, strength=0.55)
    dark = shaded(shaded(colour))
    pen.box(-0.58, -0.42, 0.58, 0.48, colour)
    pen.box(-0.62, -0.48, 0.62, -0.4, lit(colour))
    pen.box(-0.5, -0.34, 0.5, -0.02, dark)
    sheet = rng.uniform(-0.06, 0.06)
    pen.polygon([[sheet - 0.2, -0.32], [sheet, -0.3], [sheet + 0.2, -0.32], [sheet + 0.2, -0.06],
                 [sheet, -0.04], [sheet - 0.2, -0.06]], WHITE)  # fmt: skip
    for y in (-0.25, -0.19, -0.13):
        pen.line([[sheet - 0.16, y], [sheet + 0.16, y]], 0.016, (90, 90, 96))
    pen.box(-0.5, 0.22, 0.5, 0.46, dark)
    pen.box(-0.66, 0.16, 0.66, 0.24, lit(colour))
    pen.box(-0.6, -0.0, 0.6, 0.18, WHITE)
    pen.box(-0.66, -0.03, -0.58, 0.24, lit(colour))
    pen.box(0.58, -0.03, 0.66, 0.24, lit(colour))
    for k in range(10):
        x = -0.54 + 0.12 * k
        pen.line([[x, 0.0], [x, 0.18]], 0.012, (120, 120, 126))
        if k % 3 != 2:
            pen.box(x - 0.032, 0.0, x + 0.032, 0.105, INK)
    for side in (-1, 1):
        pen.box(side * 0.62 - 0.04, 0.24, side * 0.62 + 0.04, 0.5, shaded(colour))
        pen.ellipse(side * 0.06, 0.46, 0.03, 0.025, (240, 196, 60))


def _drum(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.46, strength=0.5)
    gold = (242.0, 200.0, 80.0)
    pen.ellipse(0, 0.36, 0.46, 0.14, darker(gold, 0.35))
    pen.box(-0.46, -0.12, 0.46, 0.36, gold)
    pen.ellipse(0, 0.31, 0.45, 0.13, shaded(colour))
    pen.box(-0.45, -0.1, 0.45, 0.31, colour)
    pen.polygon([[0.24, -0.1], [0.45, -0.1], [0.45, 0.31], [0.24, 0.4]], shaded(colour))
    pen.box(-0.36, -0.1, -0.26, 0.37, lit(colour))
    x = np.linspace(-0.45, 0.45, 9)
    y = np.where(np.arange(9) % 2, 0.36, 0.02) + 0.04 * (1 - (x / 0.45) ** 2)
    pen.line(np.stack([x, y], -1), 0.036, WHITE)
    pen.ellipse(0, -0.1, 0.48, 0.16, darker(gold, 0.15))
    pen.ellipse(0, -0.13, 0.47, 0.15, gold)
    pen.ellipse(0, -0.14, 0.42, 0.125, WHITE)
    tilt = rng.uniform(-0.04, 0.04)
    for side in (-1, 1):
        tip = (side * 0.06 + tilt, -0.13)
        capsule(pen, (side * 0.44 + tilt, -0.46), tip, 0.024, 0.02, WOOD)
        pen.ellipse(*tip, 0.045, 0.035, lighter(WOOD, 0.35))


def _trumpet(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.5, strength=0.3)
    horn = pen.at(0, 0.0, 1.0, -0.2 + rng.uniform(-0.08, 0.08))
    dark = darker(colour, 0.35)
    loop = [[-0.36, 0.0], [-0.4, 0.14], [-0.3, 0.27], [0.24, 0.27], [0.34, 0.14], [0.24, 0.0]]
    chain(horn, loop, 0.045, 0.045, dark)
    chain(horn, np.array(loop) - (0, 0.012), 0.026, 0.026, colour)
    capsule(horn, (-0.62, 0.0), (0.3, 0.0), 0.04, 0.05, dark)
    capsule(horn, (-0.62, -0.012), (0.3, -0.012), 0.024, 0.034, lighter(colour, 0.2))
    horn.polygon([[-0.72, -0.08], [-0.62, -0.04], [-0.62, 0.04], [-0.72, 0.08]], dark)
    bell = np.array([[0.18, -0.05], [0.42, -0.1], [0.6, -0.28], [0.66, -0.32], [0.66, 0.32],
                     [0.6, 0.28], [0.42, 0.1], [0.18, 0.05]])  # fmt: skip
    horn.polygon(bell, colour)
    horn.polygon(np.stack([bell[:, 0], np.maximum(bell[:, 1], 0.04)], -1), dark)
    horn.ellipse(0.66, 0, 0.085, 0.33, lighter(colour, 0.35))
    horn.ellipse(0.67, 0, 0.055, 0.27, darker(colour, 0.5))
    for x in (-0.16, -0.02, 0.12):
        horn.box(x - 0.05, -0.1, x + 0.05, 0.3, lighter(colour, 0.3))
        horn.box(x + 0.015, -0.1, x + 0.05, 0.3, dark)
        horn.box(x - 0.02, -0.22, x + 0.02, -0.1, dark)
        horn.ellipse(x, -0.23, 0.055, 0.03, WHITE)


DRAW: dict[str, Drawer] = {
    "guitar": _guitar,
    "violin": _violin,
    "piano": _piano,
    "drum": _drum,
    "trumpet": _trumpet,
}
