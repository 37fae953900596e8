"""Plain things of every day."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Array, Pen, darker, lighter, mix
from likeness.world.description import State
from likeness.world.things.parts import (
    INK,
    LEAF,
    METAL,
    WHITE,
    WOOD,
    Drawer,
    bright,
    chain,
    globe,
    ground_shadow,
    lit,
    shaded,
    soft,
)


def _box(pen: Pen, colour: RGB, state: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.5, 0.04, 0.55)
    light, dark = lit(colour), shaded(colour)
    top = -0.1
    if state == "open":
        pen.polygon([[-0.42, top], [-0.22, -0.28], [0.5, -0.28], [0.3, top]], (24, 18, 16))
        pen.polygon([[-0.22, -0.28], [0.5, -0.28], [0.58, -0.5], [-0.14, -0.5]], colour)
        pen.polygon([[-0.42, top], [-0.22, -0.28], [-0.52, -0.42], [-0.7, -0.2]], light)
    else:
        pen.polygon([[-0.42, top], [-0.22, -0.36], [0.5, -0.36], [0.3, top]], light)
    rear = -0.28 if state == "open" else -0.36
    pen.polygon([[0.3, top], [0.5, rear], [0.5, 0.32], [0.3, 0.5]], dark)
    pen.box(-0.42, top, 0.3, 0.5, colour)
    tape = mix(colour, (250, 236, 190), 0.55) if bright(colour) < 0.75 else darker(colour, 0.25)
    if state == "open":
        pen.polygon([[0.3, top], [0.5, rear], [0.72, -0.22], [0.56, 0.02]], dark)
        drop = rng.uniform(0.1, 0.16)
        pen.polygon([[-0.42, top], [0.3, top], [0.24, top + drop], [-0.5, top + drop]], light)
    else:
        pen.polygon([[-0.11, top], [0.09, -0.36], [0.21, -0.36], [0.01, top]], tape)
        pen.box(-0.11, top, 0.01, 0.06, tape)
    x = rng.uniform(-0.3, -0.05)
    pen.box(x, 0.3, x + 0.22, 0.42, lit(tape))


def _doorway(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Light from behind, and the leaf swung out to the left."""
    pen.box(-0.28, -0.42, 0.28, 0.5, (255, 240, 170))
    pen.polygon([[-0.28, 0.5], [0.28, 0.5], [0.12, 0.28], [-0.28, 0.28]], (236, 200, 120))
    ajar = rng.uniform(-0.78, -0.72)
    pen.polygon([[-0.28, -0.42], [ajar, -0.5], [ajar, 0.56], [-0.28, 0.5]], colour)
    for low, high in ((-0.32, -0.02), (0.1, 0.42)):
        left, right = ajar + 0.08, -0.36
        panel = [[right, low], [left, low - 0.05], [left, high + 0.04], [right, high]]
        pen.polygon(panel, shaded(colour))
    pen.ellipse(ajar + 0.05, 0.03, 0.035, 0.045, (250, 210, 70))


def _door(pen: Pen, colour: RGB, state: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.36)
    frame = (226.0, 216.0, 196.0) if bright(colour) < 0.7 else (120.0, 96.0, 76.0)
    if state == "open":
        pen = pen.at(0.14, 0.0)
    pen.box(-0.36, -0.5, 0.36, 0.5, frame)
    pen.box(0.3, -0.5, 0.36, 0.5, darker(frame, 0.2))
    if state == "open":
        _doorway(pen, colour, rng)
        return
    pen.box(-0.28, -0.42, 0.28, 0.5, colour)
    for low, high in ((-0.36, 0.0), (0.1, 0.44)):
        for left, right in ((-0.22, -0.03), (0.03, 0.22)):
            pen.box(left, low, right, high, shaded(colour))
            pen.box(left + 0.025, low + 0.03, right, high, lit(colour))
    pen.ellipse(0.21, 0.05, 0.045, 0.045, (250, 210, 70))


def _ball(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.4)
    globe(pen, 0, 0.02, 0.47, 0.47, colour)
    other = WHITE if bright(colour) < 0.8 else (60.0, 60.0, 66.0)
    turned = pen.at(0, 0.02, 0.47, rng.uniform(-0.8, 0.8))
    t = np.linspace(-1.0, 1.0, 9)
    bulge = np.sqrt(np.maximum(1 - t**2, 0))
    upper, lower = np.stack([t, 0.06 * bulge], -1), np.stack([t, 0.36 * bulge], -1)
    turned.polygon(np.vstack([upper, lower[::-1]]), other)
    pen.ellipse(-0.17, -0.2, 0.09, 0.07, lighter(colour, 0.75), -0.6)


def _book(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.4)
    cover = pen.at(0, 0, 1.0, rng.uniform(-0.06, 0.06))
    dark = shaded(colour)
    cover.polygon([[-0.28, 0.4], [0.34, 0.4], [0.44, 0.5], [-0.18, 0.5]], dark)
    cover.polygon([[0.32, -0.46], [0.44, -0.36], [0.44, 0.5], [0.32, 0.4]], WHITE)
    cover.polygon([[-0.26, 0.4], [0.32, 0.4], [0.42, 0.48], [-0.18, 0.48]], darker(WHITE, 0.12))
    for x in (0.355, 0.39, 0.42):
        cover.line([[x, -0.4], [x, 0.44]], 0.01, (170, 166, 156))
    cover.box(-0.36, -0.48, 0.34, 0.42, colour)
    cover.box(-0.36, -0.48, -0.24, 0.42, dark)
    cover.box(-0.2, -0.45, -0.17, 0.39, lit(colour))
    gold = (252.0, 224.0, 130.0) if bright(colour) < 0.65 else (80.0, 50.0, 30.0)
    cover.box(-0.1, -0.34, 0.26, -0.27, gold)
    cover.box(-0.04, -0.22, 0.2, -0.16, gold)
    emblem = cover.at(0.08, 0.12, 0.13, rng.uniform(0, 1.5))
    emblem.polygon(np.array([[0, -1], [1, 0], [0, 1], [-1, 0]]), gold)


def _flower(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.16, strength=0.35)
    bend = rng.uniform(-0.05, 0.05)
    chain(pen, [[0, -0.15], [bend, 0.15], [0, 0.48]], 0.025, 0.03, darker(LEAF, 0.2))
    for side, y in ((-1, 0.36), (1, 0.24)):
        leaf = np.array([[0, 0.06], [0.12, -0.1], [0.34, -0.14], [0.24, 0.06]]) * (side, 1)
        pen.polygon(np.add(soft(leaf, 1), (0.0, y)), LEAF if side > 0 else darker(LEAF, 0.15))
    count = int(rng.integers(6, 9))
    bloom = pen.at(0, -0.18, 0.33, rng.uniform(0, 1))
    for turn in np.arange(count) * 2 * np.pi / count:
        petal = bloom.at(0, 0, 1, turn)
        petal.ellipse(0.62, 0, 0.4, 0.3, shaded(colour))
        petal.ellipse(0.62, -0.02, 0.36, 0.25, colour)
    heart = (250.0, 206.0, 40.0) if colour[2] > 90 or colour[1] < 120 else (112.0, 62.0, 26.0)
    globe(bloom, 0, 0, 0.36, 0.36, heart)


def _cup(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.4)
    pen.arc(0.34, 0.12, 0.2, 0.19, -1.6, 1.6, 0.085, shaded(colour))
    body = soft(
        [[-0.36, -0.2], [0.36, -0.2], [0.33, 0.3], [0.2, 0.52], [-0.2, 0.52], [-0.33, 0.3]], 1
    )
    pen.polygon(body, colour)
    pen.polygon([[0.16, -0.16], [0.35, -0.16], [0.3, 0.32], [0.18, 0.47], [0.06, 0.48]],
                shaded(colour))  # fmt: skip
    pen.box(-0.28, -0.08, -0.2, 0.26, lit(colour))
    pen.ellipse(0, -0.17, 0.36, 0.1, lit(colour))
    pen.ellipse(0, -0.165, 0.31, 0.075, (84, 48, 26))
    shift = rng.uniform(-0.03, 0.03)
    steam = (222.0, 226.0, 232.0)
    for x in (-0.12, 0.1):
        wave = [[x + shift, -0.24], [x + 0.05, -0.32], [x - 0.02, -0.4], [x + 0.04, -0.49]]
        chain(pen, wave, 0.026, 0.014, steam)


def _gore(left: float, right: float) -> Array:
    """One piece of an umbrella's cloth, between two ribs that end at these x."""
    t = np.linspace(0, np.pi / 2, 6)
    height = -0.02 - 0.44 * np.cos(t)
    rise = 0.07 * np.sin(np.linspace(0, np.pi, 6))
    rim = np.stack([np.linspace(left, right, 6), -0.02 - rise], -1)
    ribs = [np.stack([x * np.sin(t), height], -1) for x in (left, right)]
    return np.vstack([ribs[0], rim, ribs[1][::-1]])


def _umbrella(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.3, strength=0.3)
    whole = pen.at(0, 0, 1.0, rng.uniform(-0.12, 0.12))
    whole.line([[0, -0.5], [0, 0.36]], 0.04, darker(METAL, 0.35))
    whole.arc(0.07, 0.38, 0.07, 0.09, 0.0, np.pi, 0.05, WOOD)
    other = WHITE if rng.random() < 0.3 and bright(colour) < 0.6 else lit(colour)
    for left, right, tone in (
        (-0.62, -0.37, shaded(colour)),
        (-0.37, -0.12, colour),
        (-0.12, 0.12, other),
        (0.12, 0.37, colour),
        (0.37, 0.62, shaded(colour)),
    ):
        whole.polygon(_gore(left, right), tone)
    whole.line([[0, -0.46], [0, -0.52]], 0.035, INK)


def _chair(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.36)
    dark = shaded(colour)
    pen.box(-0.22, 0.1, -0.15, 0.42, dark)
    pen.box(0.26, 0.1, 0.33, 0.42, dark)
    pen.box(-0.3, -0.5, -0.21, 0.12, colour)
    pen.box(0.21, -0.5, 0.3, 0.12, dark)
    pen.polygon(soft([[-0.32, -0.5], [0.32, -0.5], [0.32, -0.36], [-0.32, -0.36]], 1), lit(colour))
    slats = int(rng.integers(2, 4))
    for x in np.linspace(-0.12, 0.12, slats):
        pen.box(x - 0.035, -0.38, x + 0.035, 0.06, colour)
    pen.box(-0.24, -0.12, 0.24, -0.05, colour)
    pen.polygon([[-0.3, 0.04], [0.3, 0.04], [0.4, 0.17], [-0.4, 0.17]], lit(colour))
    pen.box(-0.4, 0.17, 0.4, 0.24, colour)
    pen.box(-0.39, 0.24, -0.3, 0.5, colour)
    pen.box(0.3, 0.24, 0.39, 0.5, colour)
    pen.box(-0.3, 0.24, -0.275, 0.5, dark)
    pen.box(0.365, 0.24, 0.39, 0.5, dark)


def _tree(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.3)
    pen.polygon([[-0.06, 0.0], [0.06, 0.0], [0.07, 0.4], [0.14, 0.5], [-0.14, 0.5], [-0.07, 0.4]],
                WOOD)  # fmt: skip
    pen.polygon(
        [[0.01, 0.0], [0.06, 0.0], [0.07, 0.4], [0.14, 0.5], [0.02, 0.5]], darker(WOOD, 0.3)
    )
    pen.line([[0.0, 0.2], [-0.16, 0.04]], 0.045, WOOD)
    puffs = np.array([[-0.24, -0.04], [0.24, -0.04], [-0.2, -0.24], [0.2, -0.24], [0.0, -0.3],
                      [0.0, -0.06]])  # fmt: skip
    puffs = puffs + rng.normal(0.0, 0.015, puffs.shape)
    for share, lift, tone in ((1.0, 0.0, shaded(colour)), (0.82, -0.03, colour),
                              (0.42, -0.09, lit(colour))):  # fmt: skip
        for x, y in puffs:
            pen.ellipse(x - 0.1 * (1 - share), y + lift, 0.19 * share, 0.18 * share, tone)


DRAW: dict[str, Drawer] = {
    "box": _box,
    "door": _door,
    "ball": _ball,
    "book": _book,
    "flower": _flower,
    "cup": _cup,
    "umbrella": _umbrella,
    "chair": _chair,
    "tree": _tree,
}
