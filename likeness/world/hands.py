"""Painters' hands: what makes one painter's brush different from another's, as numbers."""

from enum import IntEnum

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

RGB = tuple[float, float, float]


class Material(IntEnum):
    """What a spot of a landscape is made of; the order is that of every palette."""

    SKY = 0
    CLOUD = 1
    FAR = 2
    ROCK = 3
    FIELD = 4
    MEADOW = 5
    FOLIAGE = 6
    TRUNK = 7
    WALL = 8
    ROOF = 9
    WATER = 10
    PATH = 11


class Hand(BaseModel):
    """How one painter handles the brush; lengths are fractions of the picture's side.

    Colours are RGB in 0..255, angles are radians (0 = along x, y points down).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    palette: tuple[RGB, ...] = Field(description="base colour per Material, in its order")
    light: RGB = Field(description="mixed into what the sun hits")
    shade: RGB = Field(description="mixed into what lies in shadow")
    outline: RGB = Field(description="colour of contours")
    contrast: float = Field(description="how far light and shade pull the base colour, 0..1")
    stroke_length: float
    stroke_width: float
    coverage: float = Field(description="how often strokes cover the ground on average")
    direction: float = Field(description="the angle the hand falls back to")
    spread: float = Field(description="standard deviation of a stroke's angle")
    follow: float = Field(description="0: always the fallback angle, 1: along the form")
    swirl: float = Field(description="slow turning of the angle over the picture, radians")
    variety: float = Field(description="change of colour from stroke to stroke, RGB levels")
    facet_size: float = Field(description="diameter of planes in which strokes run parallel")
    facet_contrast: float = Field(description="change of tone from plane to plane, -1..1 scale")
    contour: float = Field(description="how much of the outlines is drawn, 0..1")
    relief: float = Field(description="how much the light catches thick paint, 0..1")
    grain: float = Field(description="how much of the canvas shows, 0..1")


def _colours(text: str) -> tuple[RGB, ...]:
    return tuple((float(c[0]), float(c[1]), float(c[2])) for c in map(bytes.fromhex, text.split()))


def _hand(name: str, palette: str, mixed: str, **numbers: float) -> Hand:
    light, shade, outline = _colours(mixed)
    return Hand(
        name=name,
        palette=_colours(palette),
        light=light,
        shade=shade,
        outline=outline,
        **numbers,
    )


def master() -> Hand:
    """The master: parallel slanting strokes in planes, warm lights, blue shadows."""
    return _hand(
        "master",
        "93b3cb c9d5d2 8ea5bd a3a9b8 cfb066 8fa55c 53804f 7b5d4b e6cfa0 cf7647 5f92b4 d9bb8a",
        "f6dfa6 34507c 263a57",
        contrast=0.55,
        stroke_length=0.062,
        stroke_width=0.017,
        coverage=2.2,
        direction=-0.95,
        spread=0.13,
        follow=0.42,
        swirl=0.0,
        variety=13.0,
        facet_size=0.11,
        facet_contrast=0.2,
        contour=0.55,
        relief=0.45,
        grain=0.35,
    )


def _others() -> tuple[Hand, ...]:
    dots = _hand(
        "dots",
        "a5c6e6 ecdfd6 9fb0dd b9a9cf e8cb62 a9cc5c 5aa05a 8d6a7e f4e3b4 e57c52 6fa9dc ecd0a0",
        "fff0a8 4a4aa0 4a4a8a",
        contrast=0.6,
        stroke_length=0.021,
        stroke_width=0.019,
        coverage=1.5,
        direction=0.0,
        spread=1.2,
        follow=0.3,
        swirl=0.0,
        variety=34.0,
        facet_size=0.3,
        facet_contrast=0.05,
        contour=0.0,
        relief=0.3,
        grain=0.2,
    )
    swirls = _hand(
        "swirls",
        "4f86c6 d7e4d0 5573b0 7186b4 e0b13c 9fb53c 3f7a3c 5c4a3c ecd9a0 cc6a34 2f77a8 d8b25c",
        "ffe88a 1f3474 14234f",
        contrast=0.6,
        stroke_length=0.1,
        stroke_width=0.013,
        coverage=2.9,
        direction=0.2,
        spread=0.1,
        follow=0.75,
        swirl=1.3,
        variety=20.0,
        facet_size=0.4,
        facet_contrast=0.05,
        contour=0.6,
        relief=0.9,
        grain=0.1,
    )
    planes = _hand(
        "planes",
        "8fc0cf f0dfc0 6f8fb5 9c7fa4 e9b24a 8fae3f 2f7355 6a3f3a f3d9ae d4522f 2f83a0 e8b98c",
        "ffe2a0 3a3a72 1c1c34",
        contrast=0.42,
        stroke_length=0.15,
        stroke_width=0.04,
        coverage=2.2,
        direction=0.1,
        spread=0.15,
        follow=0.9,
        swirl=0.0,
        variety=3.5,
        facet_size=0.5,
        facet_contrast=0.03,
        contour=1.0,
        relief=0.12,
        grain=0.5,
    )
    dusk = _hand(
        "dusk",
        "c9b27a e6d09a 8f9a86 8c7a5c b58a3e 7f7a34 46521f 4a301c d6b47a a8532a 6f8f8a bf9656",
        "f2dfae 241d18 1a1612",
        contrast=0.72,
        stroke_length=0.03,
        stroke_width=0.013,
        coverage=1.3,
        direction=0.05,
        spread=0.35,
        follow=0.85,
        swirl=0.15,
        variety=5.0,
        facet_size=0.3,
        facet_contrast=0.06,
        contour=0.1,
        relief=0.12,
        grain=0.15,
    )
    shimmer = _hand(
        "shimmer",
        "b3c4dd efdcd8 a9a6cc b7a6be d6c283 9ab07c 6c9474 80707c ecd8c6 d69078 86b1c4 dcc6ae",
        "ffe9c0 5a5890 505080",
        contrast=0.5,
        stroke_length=0.046,
        stroke_width=0.02,
        coverage=2.2,
        direction=0.03,
        spread=0.32,
        follow=0.25,
        swirl=0.0,
        variety=24.0,
        facet_size=0.2,
        facet_contrast=0.08,
        contour=0.0,
        relief=0.7,
        grain=0.2,
    )
    return dots, swirls, planes, dusk, shimmer


def vary(hand: Hand, rng: np.random.Generator, amount: float) -> Hand:
    """The same hand on another day; ``amount`` is the relative spread of its habits."""

    def scaled(value: float) -> float:
        return float(value * np.exp(rng.normal(0.0, amount)))

    drift = rng.normal(0.0, 55.0 * amount, 3)  # one tint over the whole palette ...
    own = rng.normal(0.0, 55.0 * amount, (len(Material), 3))  # ... and one per colour
    palette = np.clip(np.array(hand.palette) + drift * 0.6 + own, 0, 255)
    return hand.model_copy(
        update={
            "palette": tuple((float(r), float(g), float(b)) for r, g, b in palette),
            "contrast": min(scaled(hand.contrast), 0.95),
            "stroke_length": scaled(hand.stroke_length),
            "stroke_width": scaled(hand.stroke_width),
            "direction": hand.direction + float(rng.normal(0.0, amount)),
            "spread": scaled(hand.spread),
            "follow": min(scaled(hand.follow), 1.0),
            "variety": scaled(hand.variety),
            "facet_size": scaled(hand.facet_size),
            "facet_contrast": scaled(hand.facet_contrast),
            "contour": min(scaled(hand.contour), 1.0),
            "relief": scaled(hand.relief),
            "grain": scaled(hand.grain),
        }
    )


def errant(rng: np.random.Generator) -> Hand:
    """A copyist of the master: short, less parallel strokes, even planes, firmer outlines."""
    right = master()
    timid = right.model_copy(
        update={
            "name": "errant",
            "stroke_length": right.stroke_length * 0.78,
            "direction": right.direction + 0.18,
            "spread": right.spread * 1.8,
            "facet_contrast": right.facet_contrast * 0.6,
            "variety": right.variety * 0.84,
            "contour": right.contour * 1.12,
            "relief": right.relief * 0.85,
        }
    )
    return vary(timid, rng, 0.14)


def other(rng: np.random.Generator) -> Hand:
    """One of five other painters, each in a manner of its own, on some day."""
    hands = _others()
    return vary(hands[rng.integers(len(hands))], rng, 0.1)
