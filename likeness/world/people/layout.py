"""People by chance: what they wear, how they feel, where in the picture they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from likeness.world.description import (
    Colour,
    Expression,
    Facing,
    Framing,
    HairLength,
    Hat,
    Identity,
    Person,
    Role,
    Spot,
    words_of,
)

OLDEST = 90.0
ADULT = 18.0  # years, for a beard
AT_WORK = 16.0  # years, for a uniform
SIZES: dict[Framing, tuple[float, float]] = {
    # of the head; for a whole figure, of the body
    "portrait": (0.36, 0.62),
    "half": (0.22, 0.36),
    "full": (0.45, 0.9),
}


def random_person(
    identity: Identity, rng: np.random.Generator, framing: Framing, age: float | None = None
) -> Person:
    """Somebody as chance would have it, at least 85 % of the head inside the picture."""
    years = float(rng.uniform(0, OLDEST)) if age is None else age
    role = _role(years, rng)
    hat: Hat = "none"
    if rng.random() < 0.25 and years >= 2 and role is None:
        hat = "hat" if rng.random() < 0.5 else "cap"
    hidden = rng.random()
    bearded = identity.sex == "male" and years >= ADULT and rng.random() < 0.35
    return Person(
        identity=identity,
        age=years,
        framing=framing,
        spot=_spot(framing, hat != "none" or role is not None, rng),
        hair_length=_hair_length(identity, years, rng),
        expression=_pick(words_of(Expression), rng),
        facing=_facing(rng),
        glasses=bool(rng.random() < 0.25 and years >= 4),
        beard=bearded,
        hat=hat,
        scarf=bool(rng.random() < 0.14 and years >= 1 and role is None),
        shirt=_colour(rng),
        role=role,
        hidden="away" if hidden < 0.015 else "covered" if hidden < 0.03 else "no",
    )


def _pick(words: Sequence[Any], rng: np.random.Generator) -> Any:
    return words[int(rng.integers(len(words)))]


def _role(years: float, rng: np.random.Generator) -> Role | None:
    at_work, which = rng.random() < 0.15, _pick(words_of(Role), rng)
    return which if at_work and years > AT_WORK else None


def _colour(rng: np.random.Generator) -> Colour:
    return _pick(words_of(Colour), rng)


def _facing(rng: np.random.Generator) -> Facing:
    draw = rng.random()
    return "front" if draw < 0.56 else "left" if draw < 0.78 else "right"


def _hair_length(identity: Identity, years: float, rng: np.random.Generator) -> HairLength:
    draw = rng.random()
    male = identity.sex == "male"
    bald = 0.08 if male else 0.02
    if years < 1.5:
        bald = 0.35
    elif male and years > 30 and identity.trait("hairline") > 0:
        bald += 0.5 * identity.trait("hairline") * min((years - 30) / 30, 1)
    if draw < bald:
        return "bald"
    long = 0.0 if years < 2 else 0.2 if male else 0.62
    return "long" if draw < bald + (1 - bald) * long else "short"


def _spot(framing: Framing, crowned: bool, rng: np.random.Generator) -> Spot:
    size = float(rng.uniform(*SIZES[framing]))
    if framing == "full":
        head = size / 4.6
        above = 0.35 * head if crowned else 0.1 * head
        x = rng.uniform(head, 1 - head)
        y = rng.uniform(min(size / 2 + above, 0.5), max(1.02 - size / 2, 0.5))
        return Spot(float(x), float(y), size)
    # A head is about 0.84 of its height wide; a tenth of it may be cut off at one side.
    x = rng.uniform(0.34 * size, 1 - 0.34 * size)
    above = 0.85 if crowned else 0.55
    low = 1 - (0.62 if framing == "portrait" else 1.3) * size
    first = min(above * size, low)
    y = rng.uniform(first, max(min(low, first + 0.35), first))
    return Spot(float(x), float(y), size)
