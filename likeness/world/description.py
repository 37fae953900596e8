"""What a picture of the small world shows, said completely: the answer key beside every picture."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

Sex = Literal["female", "male"]
HairColour = Literal["black", "brown", "blonde", "red", "gray"]
HairLength = Literal["bald", "short", "long"]
Expression = Literal["neutral", "smiling", "sad", "surprised"]
Hat = Literal["none", "hat", "cap"]
Facing = Literal["front", "left", "right"]  # where the person looks, seen by the beholder
Framing = Literal["portrait", "half", "full"]
Colour = Literal[
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray"
]
Role = Literal[
    "astronaut", "doctor", "chef", "soldier", "firefighter", "policeman", "pilot", "king"
]
Animal = Literal["dog", "cat", "bird", "horse", "elephant", "bear", "lion", "camel"]
Pose = Literal["standing", "sitting", "jumping", "sleeping", "flying"]  # flying: wings spread
Fruit = Literal["apple", "orange", "banana", "lemon", "watermelon"]
Food = Literal["pizza", "burger", "cake", "bread"]
Vehicle = Literal["car", "bicycle", "motorcycle", "boat", "rocket"]
Instrument = Literal["guitar", "violin", "piano", "drum", "trumpet"]
Space = Literal["planet", "satellite", "comet"]
Plain = Literal["box", "door", "ball", "book", "flower", "cup", "umbrella", "chair", "tree"]
State = Literal["open", "closed", "old", "sport"]  # box, door; car
Relation = Literal[
    "holding", "riding", "next to", "on", "juggling", "playing", "eating", "fighting"
]
Place = Literal[
    "studio",  # a plain backdrop
    "room",
    "kitchen",
    "library",
    "museum",
    "church",
    "castle",
    "field",
    "hill",
    "valley",
    "forest",
    "jungle",
    "garden",
    "beach",
    "sea",
    "lake",
    "mountains",
    "desert",
    "village",
    "city",
    "manhattan",
    "paris",
    "london",
    "tokyo",
    "rome",
    "provence",
    "space",
    "moon",
    "mars",
]
Tree = Literal["none", "pine", "banyan", "palm", "cypress", "oak"]
Season = Literal["summer", "winter", "autumn", "dry"]
Light = Literal["day", "bright", "sunset", "night"]
Style = Literal["photo", "oil painting", "watercolor", "drawing"]

# Uniforms whose helmet or cap hides short hair.
HAIR_COVERED: frozenset[Role] = frozenset(("astronaut", "firefighter", "soldier", "pilot", "chef"))

TRAITS = (
    "skin",  # pale .. dark
    "warmth",  # rosy .. olive
    "face_width",
    "jaw",  # pointed .. square
    "eye_distance",
    "eye_narrow",  # wide open .. narrow
    "eye_hue",  # brown, amber, green, blue, gray along -1..1
    "brow",  # thin .. thick
    "nose_size",
    "nose_point",  # round .. pointed
    "lips",  # thin .. full
    "lip_hue",  # pale .. deep red
    "cheekbones",
    "chin",  # none .. double
    "hairline",  # low .. high; men with a high one lose their hair
    "hair_dark",  # blonde .. black
    "hair_red",  # ash .. red
    "hair_wave",  # straight .. curly
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who: what stays with a person for life. ``traits`` are in -1..1, in the order of TRAITS."""

    key: str  # unique over all sets, e.g. base-017
    sex: Sex
    traits: tuple[float, ...]
    name: str | None = None  # the word that captions call them by, if they have one

    def trait(self, name: str) -> float:
        """One trait, -1..1."""
        return self.traits[TRAITS.index(name)]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is: its middle and its height, in fractions of the picture's side."""

    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Person:
    """One person on one day. ``spot`` is that of the head for portrait and half, else the body."""

    identity: Identity
    age: float  # years, 0..90
    framing: Framing
    spot: Spot
    hair_length: HairLength
    expression: Expression = "neutral"
    facing: Facing = "front"
    glasses: bool = False
    beard: bool = False
    hat: Hat = "none"
    scarf: bool = False
    shirt: Colour = "white"
    role: Role | None = None  # a uniform, instead of shirt and hat
    hidden: Literal["no", "away", "covered"] = "no"  # why there is no usable face


@dataclass(frozen=True, slots=True)
class Thing:
    """An animal or an object. ``spot`` is the middle and height of its own unit box."""

    kind: str  # of Animal, Fruit, Food, Vehicle, Instrument, Space or Plain
    spot: Spot
    colour: Colour | None = None  # None: the colour things of this kind have by themselves
    pose: Pose | None = None  # animals
    state: State | None = None  # box, door, car
    mirror: bool = False


@dataclass(frozen=True, slots=True)
class Landscape:
    """What lies behind everything, or is all there is."""

    place: Place
    light: Light = "day"
    season: Season = "summer"
    tree: Tree = "none"  # one large tree in the foreground
    red_sun: bool = False
    fantasy: bool = False
    painted_kind: str = ""  # pictures by named painters: the kind of likeness.world.scenes


@dataclass(frozen=True, slots=True)
class Description:
    """Everything about one picture; the same description gives the same pixels at any side."""

    landscape: Landscape
    style: Style = "photo"
    painter: str | None = None  # name of the hand, if one is said
    person: Person | None = None
    things: tuple[Thing, ...] = ()  # several of one kind and colour count as one word
    relation: Relation | None = None  # person (or things[0]) -> the last thing
    colourful: bool = False
    blurred: bool = False
    seed: int = 0  # of everything the words do not say

    @property
    def kind(self) -> Literal["person", "thing", "landscape"]:
        """What the picture is of."""
        if self.person is not None:
            return "person"
        return "thing" if self.things else "landscape"


def hair_colour(person: Person) -> HairColour:
    """The word for this person's hair at this age; for the bald, what is left of it."""
    if grayness(person) > 0.5:
        return "gray"
    identity = person.identity
    dark, red = identity.trait("hair_dark"), identity.trait("hair_red")
    if red > 0.45 and dark < 0.5:
        return "red"
    if dark > 0.3:
        return "black"
    return "brown" if dark > -0.35 else "blonde"


def grayness(person: Person) -> float:
    """Share of gray hair, 0..1; half of it at 48 to 58, by identity."""
    middle = 53 + 5 * person.identity.trait("hair_wave") * person.identity.trait("hairline")
    return min(max((person.age - middle) / 10 + 0.5, 0.0), 1.0)


def words_of(kind: object) -> tuple[str, ...]:
    """The values of one of this module's Literals, in order."""
    return get_args(kind)


ANIMALS = words_of(Animal)
GROUPS: dict[str, tuple[str, ...]] = {
    "fruit": words_of(Fruit),
    "food": words_of(Food),
    "vehicle": words_of(Vehicle),
    "instrument": words_of(Instrument),
    "space": words_of(Space),
    "plain": words_of(Plain),
}
OBJECTS = tuple(word for group in GROUPS.values() for word in group)
KINDS = (*ANIMALS, *OBJECTS)


def as_record(value: Any) -> Any:
    """A description as plain data, for JSON; the way back is ``from_record``."""
    if isinstance(value, tuple):
        return [as_record(item) for item in value]
    if is_dataclass(value):
        return {f.name: as_record(getattr(value, f.name)) for f in fields(value)}
    return value


def from_record(record: dict[str, Any]) -> Description:
    """The description that ``as_record`` was given."""
    return _restored(Description, record)


def _restored(kind: Any, value: Any) -> Any:
    """A value of an annotated type from plain data."""
    if value is None:
        return None
    inner = [item for item in get_args(kind) if item is not type(None)]
    if is_dataclass(kind):
        types = get_type_hints(kind)
        return kind(**{name: _restored(types[name], item) for name, item in value.items()})  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return tuple(_restored(inner[0], item) for item in value)
    # An optional dataclass; words and numbers are what they are.
    nested = next((item for item in inner if is_dataclass(item)), None)
    return value if nested is None else _restored(nested, value)
