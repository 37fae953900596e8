"""Which pictures there are: descriptions drawn by chance, each source from seeds of its own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal
from zlib import crc32

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.world.description import (
    ANIMALS,
    GROUPS,
    OBJECTS,
    Description,
    Facing,
    Framing,
    Identity,
    Landscape,
    Person,
    Relation,
    Spot,
    Style,
    Thing,
)
from likeness.world.painters import PainterSet, painter_names

Unseen = Literal["unseen_by_base", "unseen_by_all"]
# The base model and its judges of people and captions never see a combination of either set; the
# reader, as the answer key, knows the first; nothing is ever trained on the second.
UNSEEN: tuple[Unseen, ...] = ("unseen_by_base", "unseen_by_all")
ONE_IN = 25  # so many combinations in each set: one
# Prompts of the studies ask for these by name.
WANTED = {
    ("car", "yellow"),
    ("car", "red"),
    ("car", "manhattan"),
    ("astronaut", "space"),
    ("astronaut", "moon"),
    ("astronaut", "mars"),
    ("planet", "space"),
    ("satellite", "space"),
    ("hill", "sunset"),
}

UNLIKE_PHOTOS: tuple[Style, ...] = ("oil painting", "watercolor", "watercolor", "drawing")
SIT_ON = ("box", "chair", "book")
HELD = (*GROUPS["fruit"], "ball", "book", "flower", "cup", "umbrella", "box")


class Mixture(BaseModel):
    """What a source of pictures holds, as shares and counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    people: float = Field(0.5, ge=0, le=1, description="share of pictures of people")
    things: float = Field(0.3, ge=0, le=1, description="share of animals and objects")
    named: float = Field(0.75, ge=0, le=1, description="of the people: called by a name")
    identities: int | None = Field(
        None, ge=2, description="unnamed people come from so many; none: each is somebody new"
    )
    photos: float = Field(0.8, ge=0, le=1, description="share of photos among the styles")
    related: float = Field(0.25, ge=0, le=1, description="people who do something with a thing")
    painted: float = Field(0.6, ge=0, le=1, description="of the landscapes: by a named painter")
    painters: tuple[PainterSet, ...] = Field(("base",), description="sets of painters")
    portraits: float = Field(0.7, ge=0, le=1, description="people seen from near")
    plain: float = Field(0.0, ge=0, le=1, description="of people and things: before a plain wall")
    unseen: tuple[Unseen, ...] = Field(
        (), description="sets of held-out combinations that may occur all the same"
    )


def describe(source: str, index: int, mixture: Mixture) -> Description:
    """The ``index``-th picture of a source; the same arguments give the same description."""
    for attempt in range(100):
        rng = np.random.default_rng([crc32(source.encode()), index, attempt])
        found = _draw(source, index, mixture, rng)
        if held_out_in(found) <= set(mixture.unseen):
            return found
    raise AssertionError("a hundred held-out combinations in a row")


def held_out_in(description: Description) -> set[Unseen]:
    """The sets of held-out combinations of which the description holds one.

    A combination is a pair of things that a caption could say; the hash of its words decides.
    """
    found: set[Unseen] = set()
    for pair in _combinations(description):
        remainder = crc32(" ".join(pair).encode()) % ONE_IN
        if remainder < len(UNSEEN) and pair not in WANTED:
            found.add(UNSEEN[remainder])
    return found


def _combinations(it: Description) -> Iterator[tuple[str, str]]:
    """Pairs of what is there to be seen and is not what nearly every picture has."""
    land, person = it.landscape, it.person
    if land.light != "day":
        yield land.place, land.light
    if person is not None and person.role is not None:
        yield person.role, land.place
    elif person is not None and person.hat != "none":
        yield person.shirt, person.hat
    for thing in it.things:
        yield thing.kind, land.place
        if thing.colour is not None:
            yield thing.kind, thing.colour


def base_identity(number: int) -> Identity:
    """The ``number``-th of the base model's named people."""
    from likeness.world.names import people_names
    from likeness.world.people.identities import identity

    return replace(identity("base", number), name=people_names()[number])


def _draw(source: str, index: int, mixture: Mixture, rng: np.random.Generator) -> Description:
    kind = rng.random()
    seed = int(rng.integers(2**31))
    if kind < mixture.people:
        return _of_person(_who(source, index, mixture, rng), seed, mixture, rng)
    if kind < mixture.people + mixture.things:
        return _of_things(seed, mixture, rng)
    return _of_land(seed, mixture, rng)


def _who(source: str, index: int, mixture: Mixture, rng: np.random.Generator) -> Identity:
    from likeness.world.names import NAMED_PEOPLE
    from likeness.world.people.identities import identity

    if rng.random() < mixture.named:
        return base_identity(int(rng.integers(NAMED_PEOPLE)))
    if mixture.identities is not None:
        return identity(source, int(rng.integers(mixture.identities)))
    return identity(f"{source}-anyone", index)


def _look(mixture: Mixture, rng: np.random.Generator) -> dict[str, Any]:
    style: Style = "photo"
    if rng.random() >= mixture.photos:
        style = UNLIKE_PHOTOS[int(rng.integers(len(UNLIKE_PHOTOS)))]
    return {
        "style": style,
        "colourful": bool(rng.random() < 0.12) and style != "drawing",
        "blurred": bool(rng.random() < 0.03),
    }


def _of_person(who: Identity, seed: int, mixture: Mixture, rng: np.random.Generator) -> Description:
    from likeness.world.nature.places import random_landscape
    from likeness.world.people.layout import random_person

    framing: Framing = "portrait" if rng.random() < mixture.portraits else "half"
    person = random_person(who, rng, framing)
    land = Landscape("studio") if _before_a_wall(mixture, rng) else random_landscape(rng)
    look = _look(mixture, rng)
    if person.hidden == "no" and person.age >= 4 and rng.random() < mixture.related:
        person, things, relation = _doing(person, rng)
        return Description(land, person=person, things=things, relation=relation, seed=seed, **look)
    if rng.random() < 0.06:
        look = {"style": "oil painting", "painter": _painter(mixture, rng)}
    return Description(land, person=person, seed=seed, **look)


def _before_a_wall(mixture: Mixture, rng: np.random.Generator) -> bool:
    """Without the share no chance is drawn: older books stay as they are."""
    return mixture.plain > 0 and bool(rng.random() < mixture.plain)


def _painter(mixture: Mixture, rng: np.random.Generator) -> str:
    names = [name for group in mixture.painters for name in painter_names(group)]
    return names[int(rng.integers(len(names)))]


def _doing(person: Person, rng: np.random.Generator) -> tuple[Person, tuple[Thing, ...], Relation]:
    """A person doing something; where things are held is settled when they are drawn."""
    from likeness.world.things.thing import random_thing

    ways: dict[Relation, Callable[[], str]] = {
        "holding": lambda: _pick(HELD, rng),
        "eating": lambda: _pick((*GROUPS["food"], *GROUPS["fruit"]), rng),
        "juggling": lambda: _pick((*GROUPS["fruit"], "ball"), rng),
        "playing": lambda: _pick(GROUPS["instrument"], rng),
        "riding": lambda: _pick((*GROUPS["vehicle"], "horse", "elephant", "camel", "lion"), rng),
        "fighting": lambda: _pick(("bear", "lion", "dog", "elephant"), rng),
        "next to": lambda: _pick((*ANIMALS, *OBJECTS), rng),
    }
    relation = list(ways)[int(rng.integers(len(ways)))]
    kind = ways[relation]()
    near = relation in ("holding", "eating", "juggling", "playing")
    size = float(rng.uniform(0.2, 0.3) if near else rng.uniform(0.42, 0.6))
    thing = random_thing(kind, rng, (size, size))
    if relation == "eating":
        thing = replace(thing, spot=replace(thing.spot, size=0.6 * size))
    if near:
        half = Spot(float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.3, 0.42)), 0.0)
        head = float(rng.uniform(0.24, 0.34))
        person = replace(person, framing="half", spot=replace(half, size=head), facing="front")
        things = (thing,) * 3 if relation == "juggling" else (thing,)
        return person, things, relation
    side = 1 if rng.random() < 0.5 else -1
    tall = float(rng.uniform(0.6, 0.85))
    x = 0.5 + side * float(rng.uniform(0.18, 0.3))
    person = replace(person, framing="full", spot=Spot(x, 0.96 - tall / 2, tall))
    foot = 0.96 - size / 2
    if relation == "riding":
        thing = replace(thing, spot=Spot(float(rng.uniform(0.35, 0.65)), foot, size), pose=None)
        if kind in ANIMALS:
            thing = replace(thing, pose="standing")
        return replace(person, spot=replace(person.spot, size=0.55)), (thing,), relation
    away = float(rng.uniform(0.4, 0.5)) if relation == "next to" else 0.34
    # a thing looks to the right unless mirrored: fighters face each other
    thing = replace(thing, spot=Spot(x - side * away, foot, size))
    if relation == "fighting":
        facing: Facing = "left" if side > 0 else "right"
        person = replace(person, facing=facing)
        thing = replace(thing, pose="jumping", mirror=side < 0)
    return person, (thing,), relation


def _pick(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _of_things(seed: int, mixture: Mixture, rng: np.random.Generator) -> Description:
    from likeness.world.nature.places import random_landscape
    from likeness.world.things.thing import random_thing

    kind = _pick(ANIMALS if rng.random() < 0.5 else OBJECTS, rng)
    look = _look(mixture, rng)
    land = Landscape("studio") if _before_a_wall(mixture, rng) else random_landscape(rng)
    if rng.random() < 0.15 and kind in ("dog", "cat", "bird", "ball", "cup", *GROUPS["fruit"]):
        below = random_thing(_pick(SIT_ON, rng), rng, (0.4, 0.5))
        x = float(rng.uniform(0.3, 0.7))
        below = replace(below, spot=Spot(x, 0.95 - below.spot.size / 2, below.spot.size))
        above = random_thing(kind, rng, (0.28, 0.36))
        return Description(land, things=(above, below), relation="on", seed=seed, **look)
    first = random_thing(kind, rng, (0.35, 0.8))
    if rng.random() < 0.15:
        return _beside(first, land, look, seed, rng)
    if rng.random() < 0.2:
        return Description(land, things=_several(first, rng), seed=seed, **look)
    return Description(land, things=(first,), seed=seed, **look)


def _beside(
    first: Thing, land: Landscape, look: dict[str, Any], seed: int, rng: np.random.Generator
) -> Description:
    from likeness.world.things.thing import random_thing

    other = random_thing(_pick((*ANIMALS, *OBJECTS), rng), rng, (0.35, 0.5))
    size, side = min(first.spot.size, 0.5), (1 if rng.random() < 0.5 else -1)
    left = 0.5 - side * float(rng.uniform(0.2, 0.27))
    right = 0.5 + side * float(rng.uniform(0.2, 0.27))
    y = float(rng.uniform(0.55, 0.72))
    first = replace(first, spot=Spot(left, y, size))
    other = replace(other, spot=Spot(right, y + (size - other.spot.size) / 2, other.spot.size))
    return Description(land, things=(first, other), relation="next to", seed=seed, **look)


def _several(thing: Thing, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Two or three of a kind, smaller, side by side."""
    count = int(rng.integers(2, 4))
    size = min(thing.spot.size, 0.85 / count)
    xs = (np.arange(count) + 0.5) / count + rng.uniform(-0.04, 0.04, count)
    ys = rng.uniform(0.55, 0.75, count)
    return tuple(
        replace(thing, spot=Spot(float(x), float(y), size), mirror=bool(rng.random() < 0.5))
        for x, y in zip(xs, ys, strict=True)
    )


def _of_land(seed: int, mixture: Mixture, rng: np.random.Generator) -> Description:
    from likeness.world.nature.places import random_landscape
    from likeness.world.scenes import KINDS

    if rng.random() < mixture.painted:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        land = Landscape(_PAINTED_PLACE[kind], painted_kind=kind)
        return Description(land, "oil painting", painter=_painter(mixture, rng), seed=seed)
    return Description(random_landscape(rng), seed=seed, **_look(mixture, rng))


_PAINTED_PLACE: dict[str, Any] = {
    "mountain": "mountains",
    "village": "village",
    "sea": "sea",
    "forest": "forest",
}
