"""Painters with names: forty-two hands as unlike each other as can be, and pictures by them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from likeness.world import hands
from likeness.world.canvas import Array
from likeness.world.hands import Hand, Material
from likeness.world.scenes import Kind, draw_scene, sketch
from likeness.world.strokes import lay
from likeness.world.styles import brush, flow, noise

PainterSet = Literal["base", "unseen_by_base", "unseen_by_all"]
_INVENTED = (
    "maroldi",
    "velsano",
    "brunek",
    "tolvari",
    "quessard",
    "hendrask",
    "lobrecht",
    "savinel",
    "dorvane",
    "pelmont",
    "grisolt",
    "zanvert",
    "kormel",
    "fendrau",
    "luzetti",
    "ravnosk",
    "ostrello",
    "bremaud",
    "calvisk",
    "durnoy",
    "eskavel",
    "farnolt",
    "galbrix",
    "hulvard",
    "istrano",
    "jorvek",
    "kestrand",
    "lambrosk",
    "morvali",
    "nolverk",
    "orbelin",
    "pravost",
    "rustavel",
    "selmanto",
    "torbisch",
    "ulvenne",
    "vantrell",
    "welmarck",
    "yorlando",
    "zebrenko",
)
_NAMES: dict[PainterSet, tuple[str, ...]] = {
    "base": ("cezanne", *_INVENTED[:31]),
    "unseen_by_base": ("master", *_INVENTED[31:36]),
    "unseen_by_all": tuple(_INVENTED[36:]),
}
_SEED = 20
_CANDIDATES = 1500
# how much of a landscape is made of a material, about: the weight of its colour
_AREA = np.array([1.4, 0.5, 1.0, 0.6, 1.2, 1.3, 1.2, 0.4, 0.5, 0.5, 0.8, 0.5])


def painter_names(which: PainterSet) -> tuple[str, ...]:
    """The painters the base model knows (32), those only a reader knows (6), and strangers (4)."""
    return _NAMES[which]


@lru_cache(maxsize=1)
def _all_hands() -> dict[str, Hand]:
    rng = np.random.default_rng(_SEED)
    timid = hands.errant(rng)
    known = [hands.vary(timid, rng, 0.34), hands.master()]
    candidates = [_random_hand(rng) for _ in range(_CANDIDATES)]
    chosen = [candidates[k] for k in _farthest(known, candidates, len(_INVENTED))]
    named = dict(zip(("cezanne", "master"), known, strict=True))
    named |= {_INVENTED[k]: chosen[spot] for spot, k in enumerate(rng.permutation(len(chosen)))}
    return {name: hand.model_copy(update={"name": name}) for name, hand in named.items()}


def hand_of(name: str) -> Hand:
    """The hand of a named painter, always the same."""
    return _all_hands()[name]


def _farthest(known: list[Hand], candidates: list[Hand], count: int) -> list[int]:
    """Indices of candidates, each as far as can be from the known and those before it."""
    places = np.stack([_features(hand) for hand in candidates])
    gap = np.full(len(candidates), np.inf)
    for hand in known:
        gap = np.minimum(gap, np.linalg.norm(places - _features(hand), axis=1))
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(np.argmax(gap)))
        gap = np.minimum(gap, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return chosen


def _to_lab(colours: Array) -> Array:
    """RGB 0..255, any shape ending in 3 -> Lab (L 0..100), float32."""
    import cv2

    flat = (np.clip(colours, 0, 255) / 255).astype(np.float32).reshape(1, -1, 3)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(np.shape(colours))


def _to_rgb(lab: Array) -> Array:
    """The way back, RGB 0..255, clipped to what a screen can show."""
    import cv2

    flat = lab.astype(np.float32).reshape(1, -1, 3)
    return np.clip(cv2.cvtColor(flat, cv2.COLOR_LAB2RGB), 0, 1).reshape(lab.shape) * 255


def _features(hand: Hand) -> Array:
    """Where a hand stands: its colours in Lab by their area, and the geometry of its strokes."""
    colours = _to_lab(np.array(hand.palette)) * _AREA[:, None] / 20
    mean = np.average(_to_lab(np.array(hand.palette)), axis=0, weights=_AREA) / 3.5
    free = 1 - hand.follow
    brushwork = [
        1.5 * np.log(hand.stroke_length),
        1.5 * np.log(hand.stroke_width),
        free * np.cos(2 * hand.direction),
        free * np.sin(2 * hand.direction),
        hand.contour,
        hand.variety / 20,
        2 * hand.contrast,
        0.8 * hand.swirl,
    ]
    return np.concatenate([colours.ravel(), mean, brushwork])


def _random_palette(rng: np.random.Generator) -> tuple[Array, Array]:
    """A palette (12 x 3) and light, shade and outline (3 x 3), RGB: the master's, turned over."""
    lab = _to_lab(np.array(hands.master().palette))
    hue = rng.uniform(0, 2 * np.pi)
    tint = rng.uniform(0, 34) * np.array([np.cos(hue), np.sin(hue)])
    turn, chroma = rng.uniform(0, 2 * np.pi), rng.choice((0.15, 0.8, 1.35))
    cos, sin = chroma * np.cos(turn), chroma * np.sin(turn)
    key, spread = rng.uniform(34, 80), rng.uniform(0.5, 1.4)
    lab[:, 0] = key + spread * (lab[:, 0] - lab[:, 0].mean()) * rng.choice((1, 1, 1, -1))
    lab[:, 1:] = lab[:, 1:] @ np.array([[cos, -sin], [sin, cos]]) + tint
    lab += rng.normal(0, 9, lab.shape)
    mixed = np.zeros((3, 3), np.float32)
    mixed[:, 0] = np.clip((key + 26, key - 40, key - 48), (60, 4, 2), (98, 40, 30))
    mixed[:, 1:] = tint * 0.6 + rng.normal(0, 14, (3, 2))
    lab[:, 0] = np.clip(lab[:, 0], 10, 95)
    return _to_rgb(lab), _to_rgb(mixed)


def _colour(values: Array) -> hands.RGB:
    return float(values[0]), float(values[1]), float(values[2])


def _random_hand(rng: np.random.Generator) -> Hand:
    palette, mixed = _random_palette(rng)
    length = float(np.exp(rng.uniform(np.log(0.024), np.log(0.15))))
    width = min(max(length * float(rng.uniform(0.14, 0.7)), 0.015), 0.045)
    assert len(palette) == len(Material)
    return Hand(
        name="stranger",
        palette=tuple(_colour(c) for c in palette),
        light=_colour(mixed[0]),
        shade=_colour(mixed[1]),
        outline=_colour(mixed[2]),
        contrast=float(rng.uniform(0.3, 0.75)),
        stroke_length=length,
        stroke_width=width,
        # tiny strokes would cost most: they cover the ground more thinly
        coverage=float(rng.uniform(1.3, 2.6)) * min(1.0, length * width / 0.0013),
        direction=float(rng.uniform(0, np.pi)),
        spread=float(rng.choice((0.08, 0.2, 0.6))),
        follow=float(rng.choice((0.1, 0.4, 0.9))),
        swirl=float(rng.choice((0.0, 0.0, 1.2))),
        variety=float(rng.uniform(4, 30)),
        facet_size=float(rng.uniform(0.1, 0.4)),
        facet_contrast=float(rng.uniform(0.03, 0.22)),
        contour=float(rng.choice((0.0, 0.3, 0.7))),
        relief=float(rng.uniform(0.1, 0.9)),
        grain=float(rng.uniform(0.1, 0.5)),
    )


def paint_landscape(painter: str, kind: Kind, side: int, rng: np.random.Generator) -> Array:
    """A landscape of one kind by a named painter on some day, side x side x 3 uint8."""
    scene = draw_scene(rng)
    while scene.kind != kind:
        scene = draw_scene(rng)
    return lay(sketch(scene), hands.vary(hand_of(painter), rng, 0.05), side, rng)


def repaint(picture: Array, hand: Hand, rng: np.random.Generator) -> Array:
    """Any picture in a hand's colours and strokes, side x side x 3 uint8 -> the same.

    What it shows stays: strokes are kept short enough for a face.
    """
    import cv2

    side = picture.shape[0]
    recoloured = _recoloured(picture, hand)
    own = flow(picture)
    habit = hand.direction
    across = hand.follow * np.sin(2 * own) + (1 - hand.follow) * np.sin(2 * habit)
    along = hand.follow * np.cos(2 * own) + (1 - hand.follow) * np.cos(2 * habit)
    angle = np.arctan2(across, along) / 2 + 0.6 * hand.swirl * noise(5, side, rng)
    length, width = min(hand.stroke_length, 0.1), min(hand.stroke_width, 0.028)
    count = min(int(1.8 / (length * width)), 2200)
    painted = brush(recoloured, angle, length, width, count, 0.5 * hand.variety, rng)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(gray, (0, 0), s * side) for s in (0.007, 0.022))
    ink = (0.25 + 0.55 * hand.contour) * np.clip((coarse - fine) / 30, 0, 1)[..., None]
    return np.round(painted + (np.array(hand.outline) - painted) * ink).astype(np.uint8)


def _recoloured(picture: Array, hand: Hand) -> Array:
    """The picture with mean and spread of its colours drawn towards those of the palette."""
    lab, palette = _to_lab(picture), _to_lab(np.array(hand.palette))
    aim = np.average(palette, axis=0, weights=_AREA)
    spread = np.sqrt(np.average((palette - aim) ** 2, axis=0, weights=_AREA))
    mean, own = lab.mean((0, 1)), lab.std((0, 1))
    share = np.array([0.45, 0.7, 0.7], np.float32)
    gain = 1 + share * (np.clip(spread / np.maximum(own, 1), 0.5, 1.6) - 1)
    gain[0] = max(float(gain[0]), 0.85)  # a face lives by its lights and darks
    return _to_rgb((lab - mean) * gain + mean + share * (aim - mean))
