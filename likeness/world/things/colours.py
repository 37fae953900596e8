"""Which colours things may have, and which ones they have when nobody says."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB
from likeness.world.description import Colour
from likeness.world.paint import PAINT

_ALL: tuple[Colour, ...] = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
_CARS: tuple[Colour, ...] = ("red", "yellow", "blue", "green", "black", "white")

COLOURS: dict[str, tuple[Colour, ...]] = {
    "dog": ("black", "white", "brown", "gray"),
    "cat": ("black", "white", "gray", "orange"),
    "bird": ("red", "blue", "yellow", "green", "black", "white"),
    "horse": ("black", "white", "brown", "gray"),
    "bear": ("black", "white", "brown"),
    "apple": ("red", "green"),
    "car": _CARS,
    "bicycle": ("red", "yellow", "blue", "green", "black"),
    "motorcycle": ("red", "yellow", "blue", "green", "black"),
    "boat": ("red", "yellow", "blue", "green", "black"),
    "rocket": ("red", "blue", "green", "white"),
    "guitar": ("red", "blue", "brown", "black"),
    "piano": ("black", "white", "brown"),
    "drum": ("red", "blue", "green", "purple"),
    "planet": ("red", "blue", "green", "purple"),
    "box": (*_ALL, "brown"),
    "door": ("red", "yellow", "green", "blue", "white", "brown"),
    "ball": _ALL,
    "book": (*_ALL[:-1], "black"),
    "flower": ("red", "orange", "yellow", "blue", "purple", "pink", "white"),
    "cup": _ALL,
    "umbrella": (*_ALL, "black"),
    "chair": (*_ALL, "brown"),
}

_NATURAL: dict[str, tuple[RGB, ...]] = {
    "dog": ((196, 148, 88), (150, 96, 52), (222, 190, 140), (110, 70, 44)),
    "cat": ((190, 150, 110), (150, 140, 130), (226, 150, 70), (120, 110, 106)),
    "bird": ((150, 104, 70), (90, 130, 170), (196, 90, 60), (120, 120, 116)),
    "horse": ((140, 82, 44), (106, 62, 38), (176, 118, 66)),
    "elephant": ((142, 146, 156), (124, 128, 140), (152, 148, 148)),
    "bear": ((112, 70, 42), (92, 58, 38)),
    "lion": ((222, 170, 84), (212, 156, 76)),
    "camel": ((208, 166, 106), (196, 150, 92)),
    "apple": ((206, 36, 40), (118, 176, 50)),
    "orange": ((246, 142, 26),),
    "banana": ((250, 214, 54),),
    "lemon": ((250, 228, 60),),
    "watermelon": ((226, 54, 62),),
    "pizza": ((226, 164, 82),),
    "burger": ((216, 146, 66),),
    "cake": ((250, 190, 206), (252, 240, 220), (140, 86, 56)),
    "bread": ((202, 132, 62), (186, 114, 52)),
    "rocket": ((236, 236, 240), (206, 212, 222)),
    "guitar": ((206, 132, 58), (176, 96, 44)),
    "violin": ((204, 92, 34), (184, 78, 30)),
    "piano": ((40, 38, 42), (92, 50, 30)),
    "trumpet": ((240, 190, 48),),
    "planet": ((226, 166, 96), (214, 140, 84)),
    "satellite": ((214, 190, 110), (200, 204, 210)),
    "comet": ((255, 250, 220),),
    "box": ((190, 144, 92), (176, 128, 78)),
    "door": ((134, 84, 48), (110, 66, 40)),
    "chair": ((150, 96, 54), (176, 122, 72)),
    "tree": ((62, 136, 52), (84, 150, 56), (46, 112, 54)),
}


def colours_of(kind: str) -> tuple[Colour, ...]:
    """The colour words that may be said of a kind; none where colour says nothing."""
    return COLOURS.get(kind, ())


def natural_colour(kind: str, rng: np.random.Generator) -> RGB:
    """A colour that things of this kind have when nobody says one, RGB 0..255."""
    choices = _NATURAL.get(kind) or tuple(PAINT[word] for word in COLOURS[kind])
    return varied(choices[int(rng.integers(len(choices)))], rng)


def varied(colour: RGB, rng: np.random.Generator) -> RGB:
    """The same colour, a little lighter or darker and never twice quite the same."""
    shift = rng.normal(0.0, 5.0) + rng.normal(0.0, 2.0, 3)
    red, green, blue = np.clip(np.array(colour) + shift, 8.0, 250.0).tolist()
    return red, green, blue
