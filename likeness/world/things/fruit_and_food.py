"""Fruit and food."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter, mix
from likeness.world.description import State
from likeness.world.things.parts import (
    LEAF,
    WHITE,
    WOOD,
    Drawer,
    capsule,
    chain,
    globe,
    ground_shadow,
    lit,
    shaded,
    soft,
)

LETTUCE: RGB = (104.0, 190.0, 60.0)
CHEESE: RGB = (250.0, 196.0, 40.0)
TOMATO: RGB = (206.0, 50.0, 36.0)


def _leaf(pen: Pen, x: float, y: float, size: float, turn: float) -> None:
    leaf = pen.at(x, y, size, turn)
    leaf.polygon(soft([[0.0, 0.0], [0.4, -0.32], [1.0, 0.0], [0.4, 0.3]], 1), LEAF)
    leaf.line([[0.0, 0.0], [0.85, 0.0]], 0.07, lit(LEAF))


def _apple(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.4)
    heart = [
        [0, -0.26], [0.2, -0.36], [0.46, -0.24], [0.48, 0.08], [0.3, 0.44], [0.1, 0.52],
        [0, 0.46], [-0.1, 0.52], [-0.3, 0.44], [-0.48, 0.08], [-0.46, -0.24], [-0.2, -0.36],
    ]  # fmt: skip
    outline = soft(heart)
    pen.polygon(outline, shaded(colour))
    pen.polygon(outline * (0.9, 0.9) + (-0.02, -0.03), colour)
    pen.ellipse(-0.2, -0.08, 0.1, 0.15, lighter(colour, 0.5), 0.5)
    pen.ellipse(0.0, -0.25, 0.12, 0.035, darker(colour, 0.45))
    pen.line([[0, -0.24], [0.02, -0.38], [0.07, -0.48]], 0.05, WOOD)
    _leaf(pen, 0.04, -0.36, 0.32, rng.uniform(-0.5, 0.1))


def _orange(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.48)
    globe(pen, -0.08, 0.02, 0.42, 0.42, colour)
    for x, y in rng.uniform(-0.24, 0.24, (9, 2)):
        pen.ellipse(x - 0.08, y, 0.016, 0.016, darker(colour, 0.18))
    _leaf(pen, -0.08, -0.38, 0.3, rng.uniform(-0.4, 0.1))
    half = pen.at(0.24, 0.24, 0.26, rng.uniform(-0.3, 0.3))
    half.ellipse(0, 0, 1, 1, shaded(colour))
    half.ellipse(0, 0, 0.88, 0.88, (255, 240, 206))
    for turn in np.arange(8) * np.pi / 4:
        half.at(0, 0, 1, turn).polygon(
            soft([[0.1, 0], [0.72, -0.28], [0.82, 0], [0.72, 0.28]], 1), lighter(colour, 0.12)
        )


def _banana(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.45)
    t = np.linspace(0.12, 0.88, 9) * np.pi
    for drop, tone in ((-0.14, darker(colour, 0.22)), (0.0, colour)):
        path = np.stack([-0.52 * np.cos(t), 0.62 * np.sin(t) - 0.24 + drop], -1)
        radii = 0.03 + 0.115 * np.sin(np.linspace(0, np.pi, 9)) ** 0.6
        slope = np.gradient(path, axis=0)
        slope /= np.hypot(*slope.T)[:, None]
        across = np.stack([-slope[:, 1], slope[:, 0]], -1) * radii[:, None]
        pen.polygon(np.vstack([path + across, (path - across)[::-1]]), shaded(tone))
        pen.polygon(np.vstack([path + 0.55 * across, (path - across)[::-1]]), tone)
        pen.line(path - 0.5 * across, 0.03, lighter(tone, 0.4))
        capsule(pen, (path[0, 0], path[0, 1]), (path[0, 0] - 0.03, path[0, 1] - 0.1),
                0.045, 0.04, WOOD)  # fmt: skip
        pen.ellipse(path[-1, 0], path[-1, 1], 0.045, 0.045, darker(WOOD, 0.4))
    x = rng.uniform(-0.15, 0.15)
    pen.ellipse(x, 0.33, 0.05, 0.018, WOOD)


def _lemon(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.45)
    body = pen.at(0, 0.08, 1.0, rng.uniform(-0.25, -0.1))
    outline = soft(
        [[-0.58, 0], [-0.44, -0.08], [-0.3, -0.34], [0.3, -0.34], [0.44, -0.08], [0.58, 0],
         [0.44, 0.08], [0.3, 0.36], [-0.3, 0.36], [-0.44, 0.08]]
    )  # fmt: skip
    body.polygon(outline, darker(colour, 0.22))
    body.polygon(outline * (0.93, 0.87) + (-0.01, -0.03), colour)
    body.ellipse(-0.14, -0.15, 0.16, 0.06, lighter(colour, 0.6), -0.1)
    _leaf(body, -0.48, -0.04, 0.36, -1.0)
    _leaf(body, -0.48, -0.02, 0.3, -1.9)


def _watermelon(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.42)
    t = np.linspace(0, np.pi, 15)
    half = np.stack([np.cos(t), np.sin(t)], -1)
    slice_ = pen.at(0, -0.2, 0.66, rng.uniform(-0.12, 0.12))
    slice_.polygon(half, (28, 104, 44))
    slice_.polygon(half * 0.91, (196, 230, 150))
    slice_.polygon(half * 0.82, colour)
    slice_.polygon(half * (0.82, 0.25), lighter(colour, 0.12))
    for x, y in ((-0.5, 0.2), (-0.18, 0.18), (0.18, 0.2), (0.5, 0.2), (-0.3, 0.46), (0.02, 0.5),
                 (0.34, 0.46)):  # fmt: skip
        slice_.ellipse(x, y, 0.05, 0.085, (30, 20, 20))


def _pizza(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.4)
    start = rng.uniform(0, 2 * np.pi)
    t = start + np.linspace(0.0, 1.78 * np.pi, 26)
    rim = np.vstack([np.stack([np.cos(t), np.sin(t)], -1), [[0, 0]]])
    pen.polygon(rim * 0.5 + (0, 0.015), darker(colour, 0.35))
    pen.polygon(rim * 0.48, colour)
    pen.polygon(rim * 0.41, TOMATO)
    pen.polygon(rim * 0.385, (250, 206, 92))
    for k in range(7):
        at = start + (0.13 + 0.255 * k) * np.pi
        far = 0.3 if k % 2 else 0.21
        x, y = far * np.cos(at), far * np.sin(at)
        pen.ellipse(x, y, 0.078, 0.078, darker(TOMATO, 0.2))
        pen.ellipse(x - 0.01, y - 0.01, 0.058, 0.058, (222, 70, 48))
        pen.ellipse(0.24 * np.cos(at + 0.4), 0.24 * np.sin(at + 0.4), 0.035, 0.022, LEAF, at)


def _burger(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.5)
    pen.polygon(soft([[-0.5, 0.28], [0.5, 0.28], [0.48, 0.52], [-0.48, 0.52]], 1), shaded(colour))
    pen.box(-0.47, 0.28, 0.47, 0.42, colour)
    capsule(pen, (-0.44, 0.2), (0.44, 0.2), 0.1, 0.1, (88, 46, 26))
    pen.box(-0.44, 0.12, 0.44, 0.19, (122, 66, 38))
    pen.polygon([[-0.5, 0.08], [0.5, 0.08], [0.3, 0.13], [0.16, 0.27], [-0.06, 0.13]], CHEESE)
    capsule(pen, (-0.46, 0.05), (0.46, 0.05), 0.045, 0.045, TOMATO)
    x = np.linspace(-0.56, 0.56, 13)
    frill = np.where(np.arange(13) % 2, 0.04, -0.03)
    edge = np.stack([x, frill + 0.02], -1)
    pen.polygon(np.vstack([edge, [[0.5, -0.1], [-0.5, -0.1]]]), LETTUCE)
    dome = [
        [-0.53, -0.05],
        [-0.53, -0.24],
        [-0.3, -0.52],
        [0.3, -0.52],
        [0.53, -0.24],
        [0.53, -0.05],
    ]
    outline = soft(dome)
    pen.polygon(outline, shaded(colour))
    pen.polygon(outline * (0.95, 0.9) + (-0.01, -0.035), colour)
    pen.polygon(outline * (0.6, 0.3) + (-0.08, -0.26), lit(colour))
    for k in range(7):
        seed = (-0.33 + 0.11 * k, -0.24 - 0.1 * (k % 2) - 0.06 * np.sin(k * np.pi / 6))
        pen.ellipse(*seed, 0.032, 0.02, (255, 246, 214), rng.uniform(-0.5, 0.5))


def _cake(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.52)
    pen.ellipse(0, 0.42, 0.56, 0.085, (206, 210, 216))
    pen.ellipse(0, 0.405, 0.53, 0.07, WHITE)
    sponge = (232, 178, 106)
    pen.ellipse(0, 0.36, 0.44, 0.09, darker(sponge, 0.2))
    pen.box(-0.44, -0.04, 0.44, 0.36, sponge)
    pen.box(-0.44, 0.12, 0.44, 0.2, WHITE)
    pen.box(0.28, -0.04, 0.44, 0.36, darker(sponge, 0.16))
    pen.box(0.28, 0.12, 0.44, 0.2, darker(WHITE, 0.12))
    for k, deep in enumerate(rng.uniform(0.04, 0.13, 7)):
        capsule(pen, (-0.38 + 0.127 * k, -0.02), (-0.38 + 0.127 * k, deep), 0.064, 0.055, colour)
    pen.ellipse(0, -0.04, 0.44, 0.1, lit(colour))
    for x in (-0.24, 0.0, 0.24):
        pen.box(x - 0.026, -0.28, x + 0.026, -0.04, (70, 150, 226))
        pen.box(x - 0.026, -0.2, x + 0.026, -0.14, WHITE)
        pen.polygon(soft([[x, -0.48], [x + 0.06, -0.32], [x, -0.26], [x - 0.06, -0.32]], 1),
                    (255, 170, 20))  # fmt: skip
        pen.ellipse(x, -0.32, 0.02, 0.04, (255, 246, 160))
    for x in (-0.36, -0.12, 0.12, 0.36):
        pen.ellipse(x, -0.05, 0.055, 0.055, (204, 20, 46))


def _bread(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.62)
    loaf = pen.at(0, 0.16, 1.0, rng.uniform(-0.08, 0.02))
    outline = soft(
        [[-0.68, 0.3], [-0.72, -0.05], [-0.5, -0.32], [0.5, -0.32], [0.72, -0.05], [0.68, 0.3]]
    )
    loaf.polygon(outline, darker(colour, 0.4))
    loaf.polygon(outline * (0.96, 0.86) + (-0.01, -0.035), colour)
    loaf.polygon(outline * (0.8, 0.4) + (-0.03, -0.12), mix(colour, (244, 190, 110), 0.5))
    for x in (-0.38, -0.12, 0.14, 0.4):
        cut = [[x - 0.13, 0.04], [x - 0.01, -0.24], [x + 0.08, -0.26], [x + 0.0, 0.04]]
        loaf.polygon(soft(cut, 1), (252, 226, 170))
        chain(loaf, [[x - 0.12, 0.05], [x - 0.01, -0.24]], 0.014, 0.014, darker(colour, 0.45))


DRAW: dict[str, Drawer] = {
    "apple": _apple,
    "orange": _orange,
    "banana": _banana,
    "lemon": _lemon,
    "watermelon": _watermelon,
    "pizza": _pizza,
    "burger": _burger,
    "cake": _cake,
    "bread": _bread,
}
