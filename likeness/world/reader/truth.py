"""What a reader should read: per picture and attribute a value, or None where nothing can be seen.

The rules are in one place, for training and for judging: what does not apply, is hidden, or lies
between two words is no truth.
"""

from typing import TYPE_CHECKING

from likeness.world import description as d
from likeness.world.nature.places import EARTH
from likeness.world.painters import PainterSet, painter_names

if TYPE_CHECKING:
    from likeness.world.book import Page

YES_NO = ("no", "yes")
NONE = "none"
SETS: tuple[PainterSet, ...] = (
    "base",
    "unseen_by_base",
)  # strangers stay unknown to the answer key too
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "kind": ("person", "thing", "landscape"),
    "style": d.words_of(d.Style),
    "painter": (NONE, *(name for group in SETS for name in painter_names(group))),
    "place": d.words_of(d.Place),
    "light": d.words_of(d.Light),
    "season": d.words_of(d.Season),
    "tree": d.words_of(d.Tree),
    "fantasy": YES_NO,
    "red_sun": YES_NO,
    "framing": d.words_of(d.Framing),
    "hidden": ("no", "away", "covered"),
    "sex": d.words_of(d.Sex),
    "role": (NONE, *d.words_of(d.Role)),
    "hair_colour": d.words_of(d.HairColour),
    "hair_length": d.words_of(d.HairLength),
    "expression": d.words_of(d.Expression),
    "facing": d.words_of(d.Facing),
    "glasses": YES_NO,
    "beard": YES_NO,
    "hat": d.words_of(d.Hat),
    "scarf": YES_NO,
    "shirt": d.words_of(d.Colour),
    "relation": (NONE, *d.words_of(d.Relation)),
    "thing_kind": d.KINDS,
    "thing_colour": d.words_of(d.Colour),
    "pose": d.words_of(d.Pose),
    "state": d.words_of(d.State),
}
COLOURS = ("hair_colour", "shirt", "thing_colour")
SEX_SHOWS, HAIR_SHOWS = 4.0, 3.0  # years from which they can be seen
BETWEEN = 0.08  # of a trait or of grayness: nearer to a limit than this, hair has no one colour

Truth = dict[str, str | None]


def truth_of(page: "Page") -> Truth:
    """Value of each of ``ATTRIBUTES``; None where it does not apply or cannot be seen."""
    it = page.description
    found: Truth = dict.fromkeys(ATTRIBUTES)
    found |= {"kind": it.kind, "style": it.style, "painter": it.painter or NONE}
    if it.painter is None:
        found |= _land(it.landscape)
    if it.person is not None and page.person is not None:
        found |= _person(it.person)
    if it.relation == "eating":
        found["expression"] = None  # food hides the mouth
    found |= _things(page)
    if it.style == "drawing" or it.painter is not None:  # gray, or in the painter's own colours
        found |= dict.fromkeys(COLOURS)
    return found


def age_of(page: "Page") -> float | None:
    """Years, where the face shows them."""
    person = page.description.person
    if person is None or not _face_shows(person):
        return None
    return person.age


def _face_shows(person: d.Person) -> bool:
    return person.hidden == "no" and person.framing != "full"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _land(land: d.Landscape) -> Truth:
    found: Truth = {"place": land.place}
    if land.place != "space":
        found["light"] = land.light
    if land.place in EARTH:
        found |= {"fantasy": _yes(land.fantasy), "red_sun": _yes(land.red_sun), "tree": land.tree}
        found["season"] = None if land.fantasy else land.season
    return found


def _person(person: d.Person) -> Truth:
    found: Truth = {"framing": person.framing, "hidden": person.hidden}
    if person.hidden == "no" and person.age >= SEX_SHOWS:
        found["sex"] = person.identity.sex
    found["role"] = person.role or NONE
    found["hair_colour"] = _hair_colour(person)
    if person.role is None:
        found["shirt"] = person.shirt
    if person.framing == "full":
        return found
    if person.role is None:
        found |= {"hat": person.hat, "scarf": _yes(person.scarf)}
        if person.age >= HAIR_SHOWS and (person.hat == NONE or person.hair_length == "long"):
            found["hair_length"] = person.hair_length
    if person.hidden == "no":
        found |= {
            "expression": person.expression,
            "facing": person.facing,
            "glasses": _yes(person.glasses),
            "beard": _yes(person.beard),
        }
    return found


def _hair_colour(person: d.Person) -> str | None:
    """The word, unless hair is covered, absent, or between two words."""
    covered = person.role in d.HAIR_COVERED or (person.hat != NONE and person.hair_length != "long")
    if covered or person.hair_length == "bald" or person.age < HAIR_SHOWS:
        return None
    if 0.1 < d.grayness(person) < 0.9:
        return None
    dark, red = person.identity.trait("hair_dark"), person.identity.trait("hair_red")
    colour = d.hair_colour(person)
    limits = [dark - 0.3, dark + 0.35]
    if dark < 0.5 + BETWEEN:
        limits.append(red - 0.45)
    if red > 0.45 - BETWEEN:
        limits.append(dark - 0.5)
    if colour == "red":
        limits = [red - 0.45, dark - 0.5]
    if colour != "gray" and min(abs(limit) for limit in limits) < BETWEEN:
        return None
    return colour


def _things(page: "Page") -> Truth:
    """Of the thing that captions speak of: the person's, else the first; if that is plain."""
    it = page.description
    if it.kind == "landscape":
        return {}
    if not it.things:
        return {"relation": NONE}
    if not all(page.things):
        return {}
    relation = it.relation or (NONE if len({t.kind for t in it.things}) == 1 else None)
    main = it.things[-1] if it.person is not None else it.things[0]
    others = {(t.kind, t.colour) for t in it.things} - {(main.kind, main.colour)}
    if others and it.relation != "on":  # beside each other: nothing says which one is meant
        return {"relation": relation}
    return {
        "relation": relation,
        "thing_kind": main.kind,
        "thing_colour": main.colour,
        "pose": main.pose,
        "state": main.state,
    }


def boxes_of(page: "Page") -> list[tuple[str, tuple[float, float, float, float]]]:
    """Everything of the page that can be boxed: things by kind, ``person``, ``face``."""
    found = [
        (thing.kind, box)
        for thing, box in zip(page.description.things, page.things, strict=True)
        if box is not None
    ]
    if page.person is not None:
        found.append(("person", page.person))
    if page.face is not None:
        found.append(("face", page.face))
    return found
