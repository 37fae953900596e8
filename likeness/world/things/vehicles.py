"""Vehicles, seen from the side and going to the right."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Array, Pen, darker, lighter, mix
from likeness.world.description import State
from likeness.world.things.parts import (
    INK,
    METAL,
    WHITE,
    WOOD,
    Drawer,
    bright,
    capsule,
    ground_shadow,
    lit,
    ring,
    shaded,
    soft,
)

GLASS: RGB = (176.0, 214.0, 234.0)
TYRE: RGB = (30.0, 30.0, 34.0)
LAMP: RGB = (255.0, 236.0, 140.0)
RUST: RGB = (150.0, 76.0, 30.0)


def _wheel(pen: Pen, x: float, radius: float, hub: RGB = METAL) -> None:
    y = 0.5 - radius
    pen.ellipse(x, y, radius, radius, TYRE)
    pen.ellipse(x, y, 0.55 * radius, 0.55 * radius, hub)
    pen.ellipse(x, y, 0.2 * radius, 0.2 * radius, darker(hub, 0.5))


def _shell(pen: Pen, outline: Array, middle: float, colour: RGB) -> None:
    """A body whose part below ``middle`` is in the shade and whose upper edge is lit."""
    pen.polygon(outline, lit(colour))
    low = np.add(outline, (0.0, 0.025))
    pen.polygon(low, colour)
    pen.polygon(np.stack([low[:, 0], np.maximum(low[:, 1], middle)], -1), shaded(colour))


def _car(pen: Pen, colour: RGB, state: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.72, strength=0.6)
    if state == "sport":
        _sport_car(pen, colour, rng)
    elif state == "old":
        _old_car(pen, colour, rng)
    else:
        _plain_car(pen, colour, rng)


def _plain_car(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    roof = rng.uniform(-0.24, -0.18)
    body = [
        [-0.73, 0.4], [-0.73, 0.12], [-0.6, 0.04], [-0.44, roof + 0.02], [-0.36, roof],
        [0.2, roof], [0.28, roof + 0.03], [0.46, 0.06], [0.68, 0.12], [0.74, 0.2], [0.74, 0.4],
    ]  # fmt: skip
    _shell(pen, soft(body, 1), 0.28, colour)
    top = roof + 0.07
    pen.polygon([[-0.47, 0.05], [-0.35, top], [-0.1, top], [-0.1, 0.05]], GLASS)
    pen.polygon([[-0.04, 0.05], [-0.04, top], [0.2, top], [0.35, 0.05]], GLASS)
    pen.polygon([[0.03, top], [0.14, top], [0.06, 0.05], [-0.04, 0.05]], lighter(GLASS, 0.5))
    line = darker(colour, 0.45) if bright(colour) > 0.2 else lighter(colour, 0.4)
    pen.line([[-0.07, 0.06], [-0.07, 0.36]], 0.016, line)
    pen.box(0.0, 0.12, 0.09, 0.15, line)
    pen.box(0.66, 0.17, 0.75, 0.26, LAMP)
    pen.box(-0.75, 0.15, -0.68, 0.24, (220, 30, 30))
    pen.box(-0.75, 0.36, 0.76, 0.42, darker(METAL, 0.4))
    hub = METAL if rng.random() < 0.5 else lighter(METAL, 0.4)
    _wheel(pen, -0.42, 0.15, hub)
    _wheel(pen, 0.42, 0.15, hub)


def _sport_car(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    rise = rng.uniform(-0.02, 0.02)
    back = darker(colour, 0.4) if bright(colour) > 0.2 else lighter(colour, 0.25)
    pen.line([[-0.58, 0.18], [-0.63, -0.02]], 0.05, back)
    pen.polygon([[-0.77, -0.08], [-0.46, -0.04], [-0.46, 0.02], [-0.77, -0.01]], back)
    body = [
        [-0.74, 0.42], [-0.74, 0.17], [-0.4, 0.14], [-0.22, 0.0 + rise], [0.04, 0.0 + rise],
        [0.28, 0.16], [0.6, 0.25], [0.79, 0.37], [0.79, 0.42],
    ]  # fmt: skip
    _shell(pen, soft(body, 1), 0.35, colour)
    pen.polygon([[-0.28, 0.15], [-0.19, 0.05 + rise], [0.02, 0.05 + rise], [0.2, 0.16]],
                (40, 54, 70))  # fmt: skip
    pen.line([[-0.08, 0.05 + rise], [-0.08, 0.16]], 0.025, colour)
    stripe = WHITE if bright(colour) < 0.5 else INK
    pen.polygon([[-0.74, 0.23], [0.5, 0.25], [0.7, 0.33], [-0.74, 0.29]], stripe)
    pen.polygon([[0.56, 0.25], [0.72, 0.33], [0.58, 0.31]], LAMP)
    pen.box(-0.75, 0.19, -0.68, 0.23, (230, 30, 30))
    pen.box(-0.75, 0.4, 0.8, 0.44, INK)
    for x in (-0.44, 0.44):
        _wheel(pen, x, 0.155, (232, 196, 60))


def _old_car(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    dull = mix(colour, (128, 116, 100), 0.2)
    trim = mix(darker(dull, 0.55), RUST, 0.25) if bright(dull) > 0.2 else (92.0, 84.0, 78.0)
    top = rng.uniform(-0.42, -0.38)
    _shell(pen, np.array([[-0.6, 0.34], [-0.6, top], [0.16, top], [0.16, 0.34]]), 0.2, dull)
    pen.box(-0.64, top - 0.05, 0.22, top + 0.02, trim)
    pen.box(-0.53, top + 0.08, -0.26, -0.06, GLASS)
    pen.box(-0.17, top + 0.08, 0.1, -0.06, GLASS)
    _shell(pen, soft([[0.14, 0.34], [0.14, -0.04], [0.6, 0.0], [0.64, 0.34]], 1), 0.2, dull)
    pen.box(0.58, 0.0, 0.66, 0.34, METAL)
    for y in (0.07, 0.15, 0.23):
        pen.line([[0.3, y], [0.5, y]], 0.02, trim)
    pen.line([[-0.22, -0.02], [-0.22, 0.34]], 0.016, trim)
    t = np.linspace(np.pi, 2 * np.pi, 11)
    for x in (-0.42, 0.44):
        fender = np.stack([x + 0.26 * np.cos(t), 0.4 + 0.3 * np.sin(t)], -1)
        pen.polygon(fender, trim)
    pen.box(-0.24, 0.36, 0.26, 0.42, trim)
    pen.ellipse(0.7, 0.06, 0.075, 0.085, METAL)
    pen.ellipse(0.72, 0.06, 0.055, 0.065, LAMP)
    for x, y in zip((-0.54, -0.3, -0.02, 0.24), rng.uniform(0.02, 0.2, 4), strict=True):
        patch = soft(np.add(rng.uniform(-0.055, 0.055, (5, 2)), (x, y)), 1)
        pen.polygon(patch, RUST)
    for x in (-0.42, 0.44):
        _wheel(pen, x, 0.17, (214, 206, 186))


def _bicycle(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.68, strength=0.4)
    y, r = 0.2, 0.27
    hub, rear, front = (-0.04, y + 0.03), (-0.4, y), (0.42, y)
    for x in (rear[0], front[0]):
        for turn in rng.uniform(0, 1) + np.arange(3) * np.pi / 3:
            dx, dy = r * np.cos(turn), r * np.sin(turn)
            pen.line([[x - dx, y - dy], [x + dx, y + dy]], 0.012, METAL)
        ring(pen, x, y, r, 0.055, TYRE)
    seat, bar = (-0.2, -0.22), (0.28, -0.24)
    for a, b in ((rear, hub), (hub, seat), (rear, seat), (seat, bar), (hub, bar), (bar, front)):
        capsule(pen, a, b, 0.03, 0.03, colour)
    for x, y_ in (rear, front, hub):
        pen.ellipse(x, y_, 0.05, 0.05, darker(METAL, 0.4))
    pen.line([[hub[0] - 0.06, hub[1] - 0.12], [hub[0] + 0.06, hub[1] + 0.14]], 0.03, INK)
    pen.line([seat, (-0.23, -0.33)], 0.04, METAL)
    capsule(pen, (-0.35, -0.36), (-0.12, -0.34), 0.05, 0.025, INK)
    pen.line([bar, (0.25, -0.4), (0.4, -0.44), (0.46, -0.36)], 0.045, INK)


def _motorcycle(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.7, strength=0.55)
    for x in (-0.44, 0.46):
        _wheel(pen, x, 0.235)
    capsule(pen, (0.46, 0.265), (0.26, -0.22), 0.035, 0.04, METAL)
    pen.polygon(soft([[-0.24, 0.06], [0.2, 0.06], [0.16, 0.4], [-0.18, 0.4]], 1), (84, 86, 94))
    for y in (0.14, 0.22, 0.3):
        pen.line([[-0.14, y], [0.12, y]], 0.028, METAL)
    capsule(pen, (0.02, 0.36), (-0.66, 0.36), 0.04, 0.055, METAL)
    capsule(pen, (0.0, 0.345), (-0.62, 0.34), 0.014, 0.014, WHITE)
    capsule(pen, (-0.44, 0.26), (-0.2, 0.02), 0.04, 0.05, shaded(colour))
    t = np.linspace(1.08 * np.pi, 1.75 * np.pi, 9)
    for x in (-0.44, 0.46):
        arc = np.stack([x + 0.27 * np.cos(t), 0.27 + 0.27 * np.sin(t)], -1)
        pen.line(arc, 0.06, colour)
    capsule(pen, (-0.6, -0.07), (-0.08, -0.02), 0.065, 0.06, INK)
    pen.polygon(soft([[-0.12, 0.06], [-0.1, -0.14], [0.12, -0.24], [0.32, -0.1], [0.28, 0.06]]),
                colour)  # fmt: skip
    pen.ellipse(0.06, -0.09, 0.09, 0.03, lighter(colour, 0.5), -0.35)
    pen.line([[0.3, -0.16], [0.22, -0.34], [0.06, -0.38 + rng.uniform(-0.02, 0.02)]], 0.05, INK)
    pen.ellipse(0.38, -0.16, 0.085, 0.095, METAL)
    pen.ellipse(0.41, -0.16, 0.06, 0.075, LAMP)


def _boat(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.55)
    pen.line([[0.0, 0.24], [0.0, -0.5]], 0.04, WOOD)
    sail = rng.uniform(0.4, 0.5)
    pen.polygon([[0.04, -0.46], [0.04, 0.14], [sail, 0.14], [0.2, -0.16]], WHITE)
    pen.polygon([[0.04, -0.46], [0.04, 0.14], [0.14, 0.14], [0.1, -0.2]], darker(WHITE, 0.1))
    pen.polygon([[-0.04, -0.38], [-0.04, 0.14], [-sail + 0.02, 0.14]], darker(WHITE, 0.14))
    pen.polygon([[0.0, -0.5], [-0.2, -0.45], [0.0, -0.4]], (220, 40, 40))
    hull = np.array([[-0.7, 0.18], [0.74, 0.18], [0.52, 0.5], [-0.48, 0.5]])
    pen.polygon(hull, colour)
    pen.polygon([[-0.63, 0.3], [0.66, 0.3], [0.52, 0.5], [-0.48, 0.5]], shaded(colour))
    pen.polygon([[-0.72, 0.17], [0.76, 0.17], [0.71, 0.235], [-0.68, 0.235]], (250, 240, 220))
    for x in (-0.3, 0.0, 0.3):
        pen.ellipse(x, 0.34, 0.05, 0.05, WHITE)
        pen.ellipse(x, 0.34, 0.03, 0.03, (60, 110, 160))


def _rocket(pen: Pen, colour: RGB, _: State | None, rng: np.random.Generator) -> None:
    ship = pen.at(0.03, -0.03, 0.92, 0.62)
    fins = (60.0, 66.0, 84.0) if colour[0] > 150 and colour[1] < 90 else (240.0, 120.0, 28.0)
    long = rng.uniform(0.02, 0.1)
    flame = soft([[-0.14, 0.3], [0.0, 0.62 + long], [0.14, 0.3]], 1)
    fire = [[-0.15, 0.3], [-0.09, 0.55], [0.0, 0.66 + long], [0.09, 0.55], [0.15, 0.3]]
    ship.polygon(soft(fire, 1), (250, 110, 20))
    ship.polygon(flame * (0.6, 0.9), (255, 226, 90))
    for side in (-1, 1):
        fin = np.array([[0.13, 0.02], [0.36, 0.26], [0.36, 0.46], [0.12, 0.32]]) * (side, 1)
        ship.polygon(fin, fins if side > 0 else darker(fins, 0.15))
    body = soft(
        [[-0.16, 0.36], [-0.19, -0.1], [-0.14, -0.36], [0, -0.6], [0.14, -0.36], [0.19, -0.1],
         [0.16, 0.36]], 2
    )  # fmt: skip
    ship.polygon(body, shaded(colour))
    ship.polygon(body * (0.75, 0.98) + (-0.04, 0), colour)
    ship.polygon(body * (0.22, 0.8) + (-0.09, 0), lit(colour))
    ship.polygon(soft([[-0.15, -0.32], [0, -0.64], [0.15, -0.32]], 1), fins)
    ship.ellipse(0, -0.12, 0.1, 0.1, (70, 76, 92))
    ship.ellipse(0, -0.12, 0.072, 0.072, (130, 206, 246))
    ship.box(-0.16, 0.22, 0.16, 0.28, fins)


DRAW: dict[str, Drawer] = {
    "car": _car,
    "bicycle": _bicycle,
    "motorcycle": _motorcycle,
    "boat": _boat,
    "rocket": _rocket,
}
