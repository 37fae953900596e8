"""Animals with four legs, in four poses, all looking to the right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likeness.world.canvas import RGB, Pen, darker, lighter
from likeness.world.description import Pose
from likeness.world.things import heads
from likeness.world.things.parts import (
    Point,
    bright,
    capsule,
    chain,
    ground_shadow,
    lit,
    shaded,
    solid,
)

Mass = tuple[float, float, float]  # x, y, radius


@dataclass(frozen=True, slots=True)
class Build:
    """How an animal is built, standing in the unit box with its feet at y = 0.5."""

    rump: Mass
    chest: Mass
    leg: float  # radius at the foot
    head_at: Point
    head: float  # radius of the skull
    neck: float  # radius
    draw_head: heads.Head
    draw_tail: heads.Tail
    hooves: bool = False
    humps: bool = False
    mane: bool = False
    spots: bool = False


BUILDS: dict[str, Build] = {
    "dog": Build(
        (-0.22, 0.07, 0.15), (0.13, 0.04, 0.175), 0.05, (0.27, -0.28), 0.185, 0.12,
        heads.dog_head, heads.dog_tail, spots=True,
    ),
    "cat": Build(
        (-0.2, 0.14, 0.13), (0.08, 0.14, 0.13), 0.04, (0.2, -0.13), 0.215, 0.1,
        heads.cat_head, heads.cat_tail, spots=True,
    ),
    "horse": Build(
        (-0.27, 0.0, 0.155), (0.1, 0.0, 0.15), 0.036, (0.31, -0.35), 0.14, 0.1,
        heads.horse_head, heads.horse_tail, hooves=True, mane=True,
    ),
    "elephant": Build(
        (-0.2, -0.03, 0.27), (0.07, -0.05, 0.26), 0.085, (0.32, -0.2), 0.235, 0.2,
        heads.elephant_head, heads.thin_tail,
    ),
    "bear": Build(
        (-0.24, 0.04, 0.235), (0.1, 0.03, 0.225), 0.085, (0.31, -0.2), 0.22, 0.17,
        heads.bear_head, heads.bear_tail,
    ),
    "lion": Build(
        (-0.32, 0.08, 0.145), (0.06, 0.06, 0.18), 0.055, (0.2, -0.13), 0.18, 0.12,
        heads.lion_head, heads.lion_tail,
    ),
    "camel": Build(
        (-0.26, 0.03, 0.145), (0.1, 0.03, 0.15), 0.034, (0.42, -0.36), 0.13, 0.08,
        heads.camel_head, heads.thin_tail, hooves=True, humps=True,
    ),
}  # fmt: skip

_BEASTS: tuple[Pose, ...] = ("standing", "sitting", "jumping", "sleeping")
_MOUNTS: tuple[Pose, ...] = ("standing", "jumping", "sleeping")
POSES: dict[str, tuple[Pose, ...]] = {
    "dog": _BEASTS,
    "cat": _BEASTS,
    "bear": _BEASTS,
    "lion": _BEASTS,
    "horse": _MOUNTS,
    "elephant": _MOUNTS,
    "camel": _MOUNTS,
}

JUMP_TURN = -0.42
JUMP_SIZE = 0.86
JUMP_LIFT = -0.09
SLEEP_SIZE = 1.14
LYING = 0.86  # flattened by its own weight


def draw_animal(pen: Pen, kind: str, fur: RGB, pose: Pose, rng: np.random.Generator) -> None:
    """One animal of BUILDS in the unit box of ``pen``."""
    build = BUILDS[kind]
    match pose:
        case "sitting":
            _sitting(pen, build, fur, rng)
        case "jumping":
            _jumping(pen, build, fur, rng)
        case "sleeping":
            _sleeping(pen, build, fur, rng)
        case _:
            _standing(pen, build, fur, rng)


def back_of(kind: str, pose: Pose) -> Point:
    """Where a rider sits, in local coordinates."""
    build = BUILDS[kind]
    (rx, ry, rr), (cx, cy, cr) = build.rump, build.chest
    x, y = 0.5 * rx + 0.5 * cx, 0.5 * (ry + cy) - 0.47 * (rr + cr)
    if pose == "jumping":
        turn, size = JUMP_TURN, JUMP_SIZE
        return (
            (x * np.cos(turn) - y * np.sin(turn)) * size,
            (x * np.sin(turn) + y * np.cos(turn)) * size + JUMP_LIFT,
        )
    if pose == "sleeping":
        return x, 0.5 - 1.85 * SLEEP_SIZE * _lying_radius(build)
    if pose == "sitting":
        return -0.12, 0.12
    return x, y


def _lying_radius(build: Build) -> float:
    return float(np.clip(1.25 * (build.rump[2] + build.chest[2]) / 2, 0.17, 0.27))


def _leg(
    pen: Pen, build: Build, hip: Point, foot: Point, thick: float, fur: RGB, bend: float = 0.0
) -> None:
    knee = ((hip[0] + foot[0]) / 2 + bend, (hip[1] + foot[1]) / 2)
    capsule(pen, hip, knee, thick, (thick + build.leg) / 2, fur)
    capsule(pen, knee, foot, (thick + build.leg) / 2, build.leg, fur)
    end = darker(fur, 0.6) if build.hooves else lit(fur)
    capsule(
        pen, (foot[0], foot[1]), (foot[0] + 0.5 * build.leg, foot[1]), build.leg, build.leg, end
    )


def _trunk(pen: Pen, build: Build, fur: RGB, rng: np.random.Generator) -> None:
    """Body, humps, neck: everything but legs, head and tail."""
    (rx, ry, rr), (cx, cy, cr) = build.rump, build.chest
    if build.humps:
        for x in (rx + 0.07, cx - 0.05):
            _hump(pen, x, ry - 0.06, 0.16, fur)
    _neck(pen, build, fur, build.head_at)
    solid(pen, (rx, ry), (cx, cy), rr, cr, fur)
    if rng.random() < 0.5 and build.spots and bright(fur) > 0.2:  # a spot of another shade
        spot = lighter(fur, 0.25) if bright(fur) < 0.7 else darker(fur, 0.12)
        pen.ellipse(rx + rng.uniform(-0.04, 0.16), ry, 0.4 * rr, 0.34 * rr, spot)


def _hump(pen: Pen, x: float, y: float, high: float, fur: RGB) -> None:
    capsule(pen, (x, y), (x, y - high), 0.125, 0.07, shaded(fur))
    capsule(pen, (x - 0.01, y), (x - 0.01, y - high), 0.1, 0.05, fur)


def _neck(pen: Pen, build: Build, fur: RGB, head: Point) -> None:
    cx, cy, cr = build.chest
    if build.humps:
        path = [(cx + 0.08, cy), (cx + 0.22, cy + 0.02), (head[0] - 0.02, head[1] + 0.12), head]
        chain(pen, path, 0.1, build.neck, shaded(fur))
        chain(pen, np.array(path) - (0.012, 0.01), 0.085, build.neck - 0.02, fur)
        return
    start = (cx + 0.3 * cr, cy - 0.2 * cr)
    if build.mane:
        lift = (-0.085, -0.03)
        hair = heads.mane_colour(fur)
        top = (head[0] + lift[0], head[1] + lift[1])
        capsule(pen, (start[0] + lift[0], start[1] + lift[1]), top, 0.09, 0.07, hair)
    capsule(pen, start, head, 0.75 * cr, build.neck, shaded(fur))
    capsule(pen, (start[0] - 0.015, start[1] - 0.01), head, 0.62 * cr, 0.85 * build.neck, fur)


def _standing(pen: Pen, build: Build, fur: RGB, rng: np.random.Generator) -> None:
    (rx, ry, rr), (cx, cy, cr) = build.rump, build.chest
    ground_shadow(pen, 0.5 * (cx - rx) + 0.9 * rr, (rx + cx) / 2 + 0.02)
    far, stride = shaded(shaded(fur)), rng.uniform(-0.02, 0.025)
    down = 0.5 - build.leg
    _leg(pen, build, (rx + 0.3 * rr, ry), (rx + 0.6 * rr + stride, down - 0.02), 0.55 * rr, far)
    _leg(pen, build, (cx + 0.1 * cr, cy), (cx + 0.65 * cr - stride, down - 0.02), 0.45 * cr, far)
    build.draw_tail(pen.at(rx - 0.88 * rr, ry - 0.35 * rr), fur, False)
    _trunk(pen, build, fur, rng)
    _leg(pen, build, (rx - 0.25 * rr, ry), (rx - 0.5 * rr - stride, down), 0.65 * rr, fur, -0.01)
    _leg(pen, build, (cx - 0.1 * cr, cy), (cx + 0.1 * cr + stride, down), 0.5 * cr, fur)
    _head(pen, build, build.head_at, fur, False, rng.uniform(-0.12, 0.12))


def _jumping(pen: Pen, build: Build, fur: RGB, rng: np.random.Generator) -> None:
    ground_shadow(pen, 0.3, 0.0, 0.4)
    (rx, ry, rr), (cx, cy, cr) = build.rump, build.chest
    air = pen.at(0.0, JUMP_LIFT, JUMP_SIZE, JUMP_TURN + rng.uniform(-0.05, 0.05))
    far = shaded(shaded(fur))
    reach = 0.52 - 0.35 * build.leg
    _leg(air, build, (rx, ry), (rx - 0.62 * reach, ry + 0.62 * reach), 0.55 * rr, far)
    _leg(air, build, (cx, cy), (cx + 0.72 * reach, cy + 0.42 * reach), 0.45 * cr, far)
    build.draw_tail(air.at(rx - 0.88 * rr, ry - 0.35 * rr, turn=0.35), fur, False)
    _trunk(air, build, fur, rng)
    _leg(air, build, (rx, ry), (rx - 0.84 * reach, ry + 0.42 * reach), 0.65 * rr, fur)
    _leg(air, build, (cx, cy), (cx + 0.62 * reach, cy + 0.66 * reach), 0.5 * cr, fur)
    _head(air, build, build.head_at, fur, False, 0.3)


def _sleeping(pen: Pen, build: Build, fur: RGB, rng: np.random.Generator) -> None:
    pen = pen.at(-0.04, 0.5 * (1 - SLEEP_SIZE), SLEEP_SIZE)
    radius = _lying_radius(build)
    ground_shadow(pen, 0.56)
    y = 0.5 - radius * LYING
    rump, chest = (-0.5 + radius + 0.04, y), (0.06, y + 0.02)
    low = 0.5 - build.leg
    head = (0.31, 0.5 - build.head * _chin(build))
    build.draw_tail(pen.at(rump[0] - 0.75 * radius, y + 0.02), fur, True)
    if build.humps:
        for x in (rump[0] + 0.05, chest[0] - 0.06):
            _hump(pen, x, y - 0.06, radius + 0.02, fur)
    solid(pen, rump, chest, radius, 0.88 * radius, fur)
    haunch = (rump[0] + 0.35 * radius, 0.5 - 0.62 * radius)
    pen.ellipse(*haunch, 0.72 * radius, 0.6 * radius, shaded(fur), -0.3)
    pen.ellipse(haunch[0] - 0.02, haunch[1] - 0.02, 0.62 * radius, 0.52 * radius, fur, -0.3)
    _leg(pen, build, (haunch[0], low), (haunch[0] + 1.1 * radius, low), build.leg, fur)
    _leg(pen, build, (0.08, low), (0.36, low), 1.2 * build.leg, shaded(fur))
    if build.mane:
        hair = heads.mane_colour(fur)
        capsule(pen, (0.06, y - 0.07), (head[0] - 0.07, head[1] - 0.09), 0.07, 0.06, hair)
    capsule(pen, (chest[0], chest[1] + 0.02), head, 0.6 * radius, build.neck, fur)
    _head(pen, build, head, fur, True, 0.1 + rng.uniform(-0.06, 0.06) - 0.35 * build.mane)


def _chin(build: Build) -> float:
    """Height of the middle of a lying head above the ground, in radii of the skull."""
    if build.mane:
        return 1.45
    return 1.6 if build.draw_head is heads.lion_head else 1.0


def _sitting(pen: Pen, build: Build, fur: RGB, rng: np.random.Generator) -> None:
    r = build.chest[2]
    ground_shadow(pen, 0.34, -0.04)
    haunch, breast = (-0.12, 0.3), (0.06, 0.02)
    down = 0.5 - build.leg
    build.draw_tail(pen.at(haunch[0] - 0.15, 0.38), fur, build.draw_tail is not heads.dog_tail)
    far = shaded(shaded(fur))
    _leg(pen, build, (breast[0] + 0.05, breast[1] + 0.05), (0.21, down - 0.02), 0.4 * r, far)
    solid(pen, haunch, breast, max(1.15 * r, 0.17), 0.95 * r, fur)
    head = (0.12, -0.49 + build.head * (1.75 if build.draw_head is heads.lion_head else 1.2))
    capsule(pen, breast, head, 0.8 * r, build.neck, fur)
    pen.ellipse(breast[0] + 0.45 * r, breast[1] + 0.05, 0.42 * r, 0.8 * r, lit(fur))
    pen.ellipse(haunch[0], 0.36, 0.95 * r, 0.135, shaded(fur))
    pen.ellipse(haunch[0] - 0.01, 0.345, 0.84 * r, 0.115, fur)
    _leg(pen, build, (haunch[0] + 0.06, down), (haunch[0] + 0.19, down), build.leg * 1.1, fur)
    _leg(pen, build, (breast[0] + 0.02, breast[1] + 0.06), (0.14, down), 0.45 * r, fur)
    _head(pen, build, head, fur, False, rng.uniform(-0.12, 0.12))


def _head(pen: Pen, build: Build, at: Point, fur: RGB, asleep: bool, turn: float) -> None:
    build.draw_head(pen.at(*at, build.head, turn), fur, asleep)
