"""From who and how old to proportions: every one of them moves with the years."""

from dataclasses import dataclass

import numpy as np

from likeness.world.canvas import RGB, Array
from likeness.world.description import Person
from likeness.world.people.palette import (
    HEADWEAR,
    TROUSERS,
    hair_rgb,
    iris_colour,
    lip_colour,
    skin_colour,
)

YEARS = (0, 2, 6, 12, 18, 40, 90)
COURSE = {
    # what the years do to a proportion, at YEARS
    "eye_y": (0.18, 0.145, 0.105, 0.055, 0.02, 0.0, -0.03),
    "eye_size": (1.32, 1.24, 1.17, 1.1, 1.04, 0.92, 0.74),
    "width": (1.2, 1.15, 1.09, 1.02, 0.98, 1.0, 1.03),
    "cheek": (0.13, 0.11, 0.07, 0.03, 0.0, 0.0, 0.03),
    "jaw": (0.25, 0.35, 0.5, 0.75, 1.0, 1.0, 0.85),
    "mouth_y": (0.36, 0.345, 0.325, 0.305, 0.29, 0.285, 0.28),
    "mouth": (0.7, 0.76, 0.83, 0.92, 1.0, 1.03, 1.0),
    "nose_long": (0.5, 0.58, 0.7, 0.86, 1.0, 1.1, 1.3),
    "nose_wide": (0.75, 0.78, 0.83, 0.9, 1.0, 1.08, 1.25),
    "brow": (0.3, 0.45, 0.62, 0.84, 1.0, 1.0, 0.85),
    "lips": (1.0, 1.0, 1.0, 1.0, 1.0, 0.92, 0.5),
    "ear": (0.8, 0.82, 0.88, 0.95, 1.0, 1.06, 1.4),
    "neck": (0.5, 0.56, 0.64, 0.8, 1.0, 1.04, 0.78),
    "neck_long": (0.02, 0.04, 0.07, 0.11, 0.14, 0.14, 0.1),
    "shoulders": (0.56, 0.6, 0.68, 0.83, 1.0, 1.04, 0.84),
    "heads": (2.9, 3.2, 3.6, 4.1, 4.6, 4.7, 4.3),  # the body's height
    "blush": (1.0, 0.9, 0.75, 0.5, 0.3, 0.05, 0.0),
    "wear": (0.0, 0.0, 0.0, 0.0, 0.06, 0.6, 1.0),  # folds beside the nose, rings under the eyes
}


@dataclass(frozen=True, slots=True)
class Chance:
    """What nothing says about a picture of a person."""

    tilt: float  # of the head, radians
    turn: float  # -1..1 within what a facing allows
    light: float  # -1 from the left .. 1 from the right
    parting: float  # -1..1
    fringe: float  # 0..1
    arm: float  # -1 or 1: which one is raised
    gaze: float  # -1..1
    shade: float  # -1..1, of the clothes
    hat: RGB
    ribbon: RGB
    scarf: tuple[RGB, RGB]
    trousers: RGB
    masked: bool  # a covered face: mask or hands
    seed: int  # of blotches


def draw_chance(rng: np.random.Generator) -> Chance:
    """As many draws whatever the person, so that one changed trait changes nothing else."""
    numbers = rng.uniform(-1, 1, 8).tolist()
    one, two, three = rng.permutation(len(HEADWEAR))[:3]
    return Chance(
        tilt=0.11 * numbers[0],
        turn=numbers[1],
        light=numbers[2],
        parting=numbers[3],
        fringe=(numbers[4] + 1) / 2,
        arm=1.0 if numbers[5] > 0 else -1.0,
        gaze=numbers[6],
        shade=numbers[7],
        hat=HEADWEAR[one],
        ribbon=HEADWEAR[three],
        scarf=(HEADWEAR[two], (250.0, 240.0, 220.0)),
        trousers=TROUSERS[int(rng.integers(len(TROUSERS)))],
        masked=bool(rng.random() < 0.5),
        seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """A person on that day, in units of the head's height; the head's middle is 0, 0.

    Everybody is drawn looking ahead or to the left; looking right is the mirror image.
    """

    person: Person
    chance: Chance
    yaw: float  # radians to the left
    width: float  # half of the face's
    cheek: float
    jaw: float  # -1 pointed .. 1 square
    eye_y: float
    eye_at: float  # of the eyes around the head, 0 in front .. 1 at the ear
    eye_rx: float
    eye_ry: float
    brow: float  # thickness
    nose_y: float
    nose_rx: float
    nose_long: float
    mouth_y: float
    mouth_rx: float
    lips: float  # thickness of one
    ear: float
    hair_y: float  # of the hairline
    neck: float  # half width
    neck_long: float
    shoulders: float  # half width
    heads: float
    blush: float
    wear: float
    wrinkles: float  # 0..1
    frail: float  # 0..1
    manly: float  # 0..1
    womanly: float  # 0..1
    skin: RGB
    hair: RGB
    iris: RGB
    lip: RGB

    def across(self, u: float) -> float:
        """x of what sits at ``u`` around the head: -1 at one ear, 0 ahead, 1 at the other."""
        return self.width * float(np.sin(np.arcsin(u) - self.yaw))

    def narrowed(self, u: float) -> float:
        """How much of its width is seen there, 0..1."""
        return max(float(np.cos(np.arcsin(u) - self.yaw)), 0.0)

    @property
    def turned(self) -> bool:
        """Whether the person looks aside."""
        return self.person.facing != "front"


def look_of(person: Person, chance: Chance) -> Look:
    """Proportions and colours of a person."""
    who, age = person.identity, person.age
    now = {name: float(np.interp(age, YEARS, course)) for name, course in COURSE.items()}
    trait = {name: who.trait(name) for name in ("eye_narrow", "nose_size", "lips", "hairline")}
    adult = float(np.interp(age, [12, 20], [0, 1]))
    manly = adult if who.sex == "male" else 0.0
    womanly = adult if who.sex == "female" else 0.0
    skin = skin_colour(person)
    yaw = 0.8 + 0.08 * chance.turn if person.facing != "front" else 0.07 * chance.turn
    return Look(
        person=person,
        chance=chance,
        yaw=yaw,
        width=(0.365 + 0.055 * who.trait("face_width")) * now["width"] - 0.012 * womanly,
        cheek=now["cheek"] + 0.025 * who.trait("cheekbones"),
        jaw=now["jaw"] * (0.8 * who.trait("jaw") + 0.3 * manly - 0.25 * womanly),
        eye_y=now["eye_y"],
        eye_at=0.475 + 0.095 * who.trait("eye_distance"),
        eye_rx=0.1 * now["eye_size"] * (1 + 0.06 * womanly),
        eye_ry=(0.068 - 0.031 * trait["eye_narrow"]) * now["eye_size"],
        brow=(0.036 + 0.025 * who.trait("brow")) * now["brow"] * (1 + 0.2 * manly - 0.2 * womanly),
        nose_y=now["eye_y"] + (now["mouth_y"] - now["eye_y"]) * 0.58,
        nose_rx=(0.086 + 0.044 * trait["nose_size"]) * now["nose_wide"],
        nose_long=(0.17 + 0.03 * trait["nose_size"]) * now["nose_long"],
        mouth_y=now["mouth_y"],
        mouth_rx=(0.14 + 0.018 * trait["lips"]) * now["mouth"],
        lips=(0.034 + 0.023 * trait["lips"]) * now["lips"] * (1 + 0.12 * womanly),
        ear=0.09 * now["ear"],
        hair_y=_hairline(person, trait["hairline"]),
        neck=now["neck"] * (0.2 + 0.045 * manly - 0.035 * womanly),
        neck_long=now["neck_long"],
        shoulders=now["shoulders"] * (0.8 + 0.14 * manly - 0.06 * womanly),
        heads=now["heads"],
        blush=now["blush"],
        wear=now["wear"],
        wrinkles=float(np.interp(age, [20, 50, 82], [0, 0.5, 1])),
        frail=float(np.interp(age, [62, 88], [0, 1])),
        manly=manly,
        womanly=womanly,
        skin=skin,
        hair=hair_rgb(person),
        iris=iris_colour(person),
        lip=lip_colour(person, skin),
    )


def _hairline(person: Person, high: float) -> float:
    receding = person.identity.sex == "male" and high > 0
    years = float(np.interp(person.age, [28, 70], [0, 1]))
    infant = float(np.interp(person.age, [0, 3], [0.1, 0]))
    return -0.27 - 0.055 * high - (0.12 * years * high if receding else 0) - infant


def blotches(look: Look, count: int) -> Array:
    """Random numbers for spots, count x 3 in -1..1, the same at every age of this picture."""
    return np.random.default_rng(look.chance.seed).uniform(-1, 1, (count, 3))
