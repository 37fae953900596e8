"""One thing of a description made otherwise: the eight kinds of edits of the small world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from likeness.world.description import (
    ANIMALS,
    GROUPS,
    TRAITS,
    Colour,
    Description,
    HairColour,
    Landscape,
    Person,
    Style,
    Thing,
    hair_colour,
    words_of,
)
from likeness.world.nature.places import EARTH, INDOOR
from likeness.world.sample import UNLIKE_PHOTOS, Mixture

# Colour of the hair as its two traits say it, far from where the word changes.
HAIR: dict[HairColour, tuple[float, float]] = {
    "black": (0.7, -0.5),
    "brown": (0.0, -0.5),
    "blonde": (-0.7, -0.5),
    "red": (0.0, 0.8),
}
CAN_CHANGE = ("box", "door", "car")
Worn = Literal["glasses", "hat", "scarf"]
WORN: tuple[Worn, ...] = ("glasses", "hat", "scarf")
# Little girls without a hat wear a ribbon, which nobody would have asked for.
BAREHEADED = 13.0


@dataclass(frozen=True)
class Edit:
    """What is asked for: both descriptions, and the attribute in which they differ."""

    before: Description
    after: Description
    attribute: str  # of likeness.world.reader.truth


Change = Callable[[Description, np.random.Generator], Edit | None]

_PLAIN = {"photos": 1.0, "related": 0.0, "named": 0.0}
THINGS = Mixture(people=0.0, things=1.0, **_PLAIN)
PEOPLE = Mixture(people=1.0, things=0.0, **_PLAIN)


def pose(it: Description, rng: np.random.Generator) -> Edit | None:
    """An animal in another pose."""
    from likeness.world.things.thing import poses_of

    thing = _only_thing(it)
    if thing is None or thing.pose is None:
        return None
    new = _other(poses_of(thing.kind), thing.pose, rng)
    return _of_thing(it, replace(thing, pose=new), "pose")


def state(it: Description, rng: np.random.Generator) -> Edit | None:
    """A box or door opened or closed, an old car a sports car."""
    from likeness.world.things.thing import states_of

    thing = _only_thing(it)
    if thing is None or thing.kind not in CAN_CHANGE or thing.state is None:
        return None
    new = _other(states_of(thing.kind), thing.state, rng)
    return _of_thing(it, replace(thing, state=new), "state")


def another(it: Description, rng: np.random.Generator) -> Edit | None:
    """Another animal in the same pose, or another fruit, in the same place and size."""
    from likeness.world.things.thing import colours_of, poses_of

    thing = _only_thing(it)
    if thing is None:
        return None
    group = next((g for g in (ANIMALS, GROUPS["fruit"]) if thing.kind in g), ())
    fitting = [
        kind
        for kind in group
        if (thing.pose is None or thing.pose in poses_of(kind))
        and (thing.colour is None or thing.colour in colours_of(kind))
    ]
    if len(fitting) < 2:
        return None
    return _of_thing(it, replace(thing, kind=_other(fitting, thing.kind, rng)), "thing_kind")


def thing_colour(it: Description, rng: np.random.Generator) -> Edit | None:
    """A thing in another colour."""
    from likeness.world.things.thing import colours_of

    thing = _only_thing(it)
    if thing is None or thing.colour is None:
        return None
    new: Colour = _other(colours_of(thing.kind), thing.colour, rng)
    return _of_thing(it, replace(thing, colour=new), "thing_colour")


def shirt(it: Description, rng: np.random.Generator) -> Edit | None:
    """Somebody in a shirt of another colour."""
    person = _only_person(it)
    if person is None or person.role is not None:
        return None
    new: Colour = _other(words_of(Colour), person.shirt, rng)
    return Edit(it, replace(it, person=replace(person, shirt=new)), "shirt")


def hair(it: Description, rng: np.random.Generator) -> Edit | None:
    """Somebody with hair, brows and beard of another colour."""
    person = _only_person(it)
    if person is None or (old := hair_colour(person)) == "gray":
        return None
    traits = list(person.identity.traits)
    dark_red = HAIR[_other(tuple(HAIR), old, rng)]
    traits[TRAITS.index("hair_dark")], traits[TRAITS.index("hair_red")] = dark_red
    identity = replace(person.identity, traits=tuple(traits))
    return Edit(it, replace(it, person=replace(person, identity=identity)), "hair_colour")


def background(it: Description, rng: np.random.Generator) -> Edit | None:
    """Another place of the same sort, so that light and season mean the same in both."""
    land = it.landscape
    if _only_thing(it) is None and _only_person(it) is None:
        return None
    if land != Landscape(land.place):  # plain summer days: nothing else could change with it
        return None
    group = next((g for g in (EARTH, INDOOR) if land.place in g), None)
    if group is None:
        return None
    new = _other(sorted(group), land.place, rng)
    return Edit(it, replace(it, landscape=Landscape(new)), "place")


def style(it: Description, rng: np.random.Generator) -> Edit | None:
    """A photo as a painting or a drawing."""
    if _only_thing(it) is None and _only_person(it) is None:
        return None
    new: Style = UNLIKE_PHOTOS[int(rng.integers(len(UNLIKE_PHOTOS)))]
    return Edit(it, replace(it, style=new), "style")


def added(name: Worn) -> Change:
    """Glasses, a hat or cap, or a scarf put on; where they are drawn there is room for them."""
    take_off = removed(name)

    def change(it: Description, rng: np.random.Generator) -> Edit | None:
        edit = take_off(it, rng)
        return None if edit is None else Edit(edit.after, edit.before, edit.attribute)

    return change


def removed(name: Worn) -> Change:
    """Glasses, a hat or cap, or a scarf taken off."""
    off: Any = "none" if name == "hat" else False

    def change(it: Description, rng: np.random.Generator) -> Edit | None:
        person = _only_person(it)
        if person is None or person.role is not None or person.age < BAREHEADED:
            return None
        if getattr(person, name) == off:
            return None
        return Edit(it, replace(it, person=replace(person, **{name: off})), name)

    return change


# The ways of each kind of edit, taken in turn, with the pictures that they begin with.
CHANGES: dict[str, tuple[tuple[Mixture, Change], ...]] = {
    "pose": ((THINGS, pose),),
    "state": ((THINGS, state),),
    "replace": ((THINGS, another),),
    "colour": ((THINGS, thing_colour), (PEOPLE, shirt), (PEOPLE, hair)),
    "background": ((THINGS, background), (PEOPLE, background)),
    "style": ((THINGS, style), (PEOPLE, style)),
    "add": tuple((PEOPLE, added(name)) for name in WORN),
    "remove": tuple((PEOPLE, removed(name)) for name in WORN),
}


def _clear(it: Description) -> bool:
    """A sharp photo in plain colours: strokes and blur would carry a change beyond its place."""
    return it.style == "photo" and it.painter is None and not (it.blurred or it.colourful)


def _only_thing(it: Description) -> Thing | None:
    """The one thing of a clear picture of nothing else."""
    alone = it.person is None and len(it.things) == 1
    return it.things[0] if alone and _clear(it) else None


def _only_person(it: Description) -> Person | None:
    """The one person, whose face shows, of a clear picture of nothing else."""
    person = it.person
    if person is None or it.things or person.hidden != "no" or not _clear(it):
        return None
    return person


def _of_thing(it: Description, thing: Thing, attribute: str) -> Edit:
    return Edit(it, replace(it, things=(thing,)), attribute)


def _other(words: Sequence[Any], than: Any, rng: np.random.Generator) -> Any:
    """One of the words that is another one."""
    others = [word for word in words if word != than]
    return others[int(rng.integers(len(others)))]
