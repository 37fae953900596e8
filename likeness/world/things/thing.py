"""One animal or object: how it is drawn, where others touch it, and how it is laid out freely."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import Canvas
from likeness.world.description import ANIMALS, KINDS, Pose, Spot, State, Thing
from likeness.world.paint import PAINT
from likeness.world.things import animals, bird, fruit_and_food, instruments, plain, space, vehicles
from likeness.world.things.colours import colours_of, natural_colour, varied
from likeness.world.things.parts import Drawer, Point

__all__ = [
    "anchor", "colours_of", "draw_thing", "natural_colour", "poses_of", "random_thing", "states_of",
]  # fmt: skip

DRAW: dict[str, Drawer] = {
    **fruit_and_food.DRAW,
    **vehicles.DRAW,
    **instruments.DRAW,
    **space.DRAW,
    **plain.DRAW,
}
POSES: dict[str, tuple[Pose, ...]] = {**animals.POSES, "bird": bird.POSES}
STATES: dict[str, tuple[State, ...]] = {
    "box": ("open", "closed"),
    "door": ("open", "closed"),
    "car": ("old", "sport"),
}
# half the width that a thing may take, in its heights
WIDE, NARROW = 0.74, 0.6
_NARROW = ("apple", "orange", "banana", "pizza", "burger", "cake", "rocket", "guitar", "violin",
           "drum", "comet", "ball", "book", "flower", "cup", "chair", "tree")  # fmt: skip
CUT = 0.07  # share of the width, left or right, and of the height, above, that may be cut off

# where others touch a thing, in its own coordinates
BACK: dict[str, Point] = {
    "car": (-0.08, -0.2),
    "bicycle": (-0.23, -0.4),
    "motorcycle": (-0.28, -0.12),
    "boat": (-0.25, 0.16),
    "rocket": (-0.12, -0.1),
    "chair": (0.0, 0.1),
}
TOP: dict[str, Point] = {
    "box": (0.04, -0.23),
    "chair": (0.0, 0.1),
    "book": (-0.01, -0.47),
    "car": (-0.08, -0.2),
    "piano": (0.0, -0.47),
    "drum": (0.0, -0.14),
    "boat": (0.0, 0.16),
    "door": (0.0, -0.49),
    "pizza": (0.0, -0.05),
    "bread": (0.0, -0.14),
    "cake": (0.0, -0.05),
    "ball": (0.0, -0.43),
    "cup": (0.0, -0.17),
    "watermelon": (0.0, -0.19),
    "apple": (0.0, -0.25),
    "orange": (-0.08, -0.38),
    "lemon": (0.0, -0.22),
    "banana": (0.0, 0.22),
    "motorcycle": (-0.28, -0.12),
    "bicycle": (-0.23, -0.4),
}
GRIP: dict[str, Point] = {
    "guitar": (0.11, -0.18),
    "violin": (-0.14, -0.36),
    "trumpet": (-0.02, 0.16),
    "umbrella": (0.0, 0.3),
    "flower": (0.0, 0.3),
    "cup": (0.48, 0.12),
    "bicycle": (0.3, -0.4),
    "motorcycle": (0.14, -0.36),
    "door": (0.21, 0.05),
    "drum": (0.3, -0.34),
    "piano": (0.0, 0.1),
    "car": (0.0, 0.1),
    "watermelon": (0.0, 0.35),
    "chair": (0.0, -0.45),
}
OPEN_KNOB: Point = (-0.56, 0.03)
OLD_ROOF, SPORT_ROOF = -0.44, 0.0


def poses_of(kind: str) -> tuple[Pose, ...]:
    """The poses that an animal can take; none for objects."""
    return POSES.get(kind, ())


def states_of(kind: str) -> tuple[State, ...]:
    """The states that may be said of a kind; a car may also be neither."""
    return STATES.get(kind, ())


def draw_thing(canvas: Canvas, thing: Thing, owner: int, rng: np.random.Generator) -> None:
    """Draw one thing with its shadow on the ground; pixels of the thing become ``owner``'s."""
    spot = thing.spot
    pen = canvas.pen(owner).at(spot.x, spot.y, spot.size, mirror=thing.mirror)
    if thing.colour is None:
        colour = natural_colour(thing.kind, rng)
    else:
        colour = varied(PAINT[thing.colour], rng)
    if thing.kind == "bird":
        bird.draw_bird(pen, colour, thing.pose or "standing", rng)
    elif thing.kind in ANIMALS:
        animals.draw_animal(pen, thing.kind, colour, thing.pose or "standing", rng)
    else:
        DRAW[thing.kind](pen, colour, thing.state, rng)


def anchor(thing: Thing) -> dict[str, Point]:
    """Where others touch a thing, as x, y in fractions of the picture's side.

    ``back``: where a rider sits; ``top``: where something lies on it; ``grip``: where a hand
    holds it.
    """
    back = _back(thing)
    ajar = thing.kind == "door" and thing.state == "open"
    local = {
        "back": back,
        "top": _roof(thing, TOP.get(thing.kind, back)),
        "grip": OPEN_KNOB if ajar else GRIP.get(thing.kind, (0.0, 0.1)),
    }
    flip = -1.0 if thing.mirror else 1.0
    spot = thing.spot
    return {
        name: (float(spot.x + flip * x * spot.size), float(spot.y + y * spot.size))
        for name, (x, y) in local.items()
    }


def _back(thing: Thing) -> Point:
    if thing.kind == "bird":
        return bird.back_of(thing.pose or "standing")
    if thing.kind in ANIMALS:
        return animals.back_of(thing.kind, thing.pose or "standing")
    return _roof(thing, BACK.get(thing.kind, TOP.get(thing.kind, (0.0, 0.0))))


def _roof(thing: Thing, point: Point) -> Point:
    if thing.kind == "car" and thing.state == "old":
        return -0.2, OLD_ROOF
    if thing.kind == "car" and thing.state == "sport":
        return -0.1, SPORT_ROOF
    return point


def random_thing(
    kind: str, rng: np.random.Generator, size: tuple[float, float] = (0.3, 0.75)
) -> Thing:
    """A thing laid out freely, at least 85 % of its box in the picture; ``size`` in sides.

    Colour is left unsaid (None) in one case of four. Animals always have a pose, boxes and doors
    a state; half of all cars are neither old nor sport.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    height = float(rng.uniform(*size))
    wide = (NARROW if kind in _NARROW else WIDE) * height * (1 - 2 * CUT)
    high = 0.5 * height * (1 - 2 * CUT)
    x = float(rng.uniform(min(wide, 0.5), max(1 - wide, 0.5)))
    y = float(rng.uniform(min(high, 0.5), 1 - 0.5 * height))
    colours, poses, states = colours_of(kind), poses_of(kind), states_of(kind)
    said = colours and rng.random() < 0.75
    plain_car = kind == "car" and rng.random() < 0.5
    return Thing(
        kind,
        Spot(x, y, height),
        colour=colours[int(rng.integers(len(colours)))] if said else None,
        pose=poses[int(rng.integers(len(poses)))] if poses else None,
        state=states[int(rng.integers(len(states)))] if states and not plain_car else None,
        mirror=bool(rng.random() < 0.5),
    )
