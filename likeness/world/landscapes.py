"""Landscape paintings made by rule: scenes, painted by hands, in the five classes of a study."""

from typing import Literal
from zlib import crc32

import numpy as np
from PIL import Image

from likeness.world.hands import Hand, errant, master, other, vary
from likeness.world.scenes import Scene, draw_scene, sketch
from likeness.world.strokes import GRID, Array, expose, lay, smooth_noise

ClassName = Literal["master", "replica", "smooth", "loose", "others"]
CLASSES: tuple[ClassName, ...] = ("master", "replica", "smooth", "loose", "others")
OWN_MOODS = 0.07  # how far the master strays from his own habits


def paint(scene: Scene, hand: Hand, side: int, seed: int) -> Image.Image:
    """The scene painted by the hand, RGB, side x side (64 to 1024); same arguments, same bytes."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(expose(lay(sketch(scene), hand, side, rng), rng))


def _melt(form: Array, rng: np.random.Generator) -> Array:
    """A form that has lost its structure: bent, with wrong things in places, strokes astray."""
    import cv2

    bend = rng.uniform(0.02, 0.05) * GRID
    astray = smooth_noise(8, rng) > 1.0  # blots that show what belongs elsewhere

    def source(place: Array, jump: float) -> Array:
        there = place + bend * smooth_noise(7, rng) + 0.3 * bend * smooth_noise(16, rng)
        return (there + astray * rng.uniform(-jump, jump) * GRID).astype(np.float32)

    rows, columns = np.indices((GRID, GRID))
    x, y = source(columns, 0.4), source(rows, 0.2)
    bent = cv2.remap(form, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    melted = np.array(bent, np.float32)
    melted[..., 1] += 0.25 * smooth_noise(12, rng)
    melted[..., 2] += 0.7 * smooth_noise(8, rng)
    return melted


def _blot(picture: Array, rng: np.random.Generator) -> Array:
    """Colours turned away from the palette, unevenly, and parts of the picture out of focus."""
    import cv2

    side = picture.shape[0]

    def uneven(cells: int) -> Array:
        return cv2.resize(smooth_noise(cells, rng), (side, side))

    soft = cv2.GaussianBlur(picture, (0, 0), 0.009 * side).astype(np.float32)
    share = np.clip(0.3 + 0.35 * uneven(6), 0, 1)[..., None]
    grey, red, blue = cv2.split(
        cv2.cvtColor(picture * (1 - share) + soft * share, cv2.COLOR_RGB2YCrCb) - (0, 0.5, 0.5)
    )
    turn = rng.normal(0.0, 0.35) + 0.25 * uneven(4)
    fade = rng.uniform(0.8, 1.4)
    turned = [
        grey + 8 * uneven(10),
        fade * (np.cos(turn) * red - np.sin(turn) * blue) + 0.5,
        fade * (np.sin(turn) * red + np.cos(turn) * blue) + 0.5,
    ]
    return cv2.cvtColor(np.dstack(turned).astype(np.float32), cv2.COLOR_YCrCb2RGB)


def _overcook(picture: Array, rng: np.random.Generator) -> Array:
    """Brush marks smoothed away, colours and edges overdone, one swatch of paint repeated."""
    import cv2

    side = picture.shape[0]
    half = cv2.resize(picture, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    flat = cv2.medianBlur(half, max(3, int(0.014 * side) | 1)).astype(np.float32)
    flat += rng.uniform(0.4, 1.0) * (flat - cv2.GaussianBlur(flat, (0, 0), 0.01 * side))
    grey = flat.mean(-1, keepdims=True)
    flat = cv2.resize(grey + rng.uniform(0.9, 1.3) * (flat - grey), (side, side))
    return flat + rng.uniform(0.4, 0.8) * _repeated(picture, rng)[..., None]


def _repeated(picture: Array, rng: np.random.Generator) -> Array:
    """The brush marks of the flattest of twelve swatches, side by side over the whole picture."""
    import cv2

    side = picture.shape[0]
    tile = side // 8
    marks = picture.mean(-1, dtype=np.float32)
    marks -= cv2.GaussianBlur(marks, (0, 0), 0.015 * side)
    corners = rng.uniform(0, 7 / 8, (12, 2))
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)  # one choice at any side
    flatness = [small[y : y + 8, x : x + 8].std() for x, y in (corners * 64).astype(int)]
    x, y = (corners[np.argmin(flatness)] * side).astype(int)
    swatch = marks[y : y + tile, x : x + tile]
    both = np.hstack([swatch, swatch[:, ::-1]])
    return np.tile(both, (9, 5))[:side, :side]


def generated(kind: Literal["smooth", "loose"], side: int, seed: int) -> Image.Image:
    """What a diffusion model might make of the master, side x side RGB; the scene is drawn too.

    ``smooth`` has the look of high guidance: too even, too colourful, one texture all over with
    halos around things. ``loose`` has that of low guidance: melting shapes, blots, odd colours.
    """
    rng = np.random.default_rng(seed)
    form = sketch(draw_scene(rng))
    if kind == "smooth":
        hand = vary(master(), rng, OWN_MOODS)
        picture = _overcook(lay(form, hand, side, rng), rng)
    else:
        hand = vary(master(), rng, 0.2)
        picture = _blot(lay(_melt(form, rng), hand, side, rng), rng)
    return Image.fromarray(expose(picture, rng))


def paint_class(name: ClassName, index: int, side: int, seed: int) -> Image.Image:
    """The ``index``-th picture of a class, side x side RGB; same arguments, same bytes.

    ``replica`` number i shows the scene of ``master`` number i, painted by a hand that errs.
    """
    own = np.random.default_rng([seed, index, crc32(name.encode())])
    if name in ("smooth", "loose"):
        return generated(name, side, int(own.integers(2**31)))
    subject = "master" if name == "replica" else name
    scene = draw_scene(np.random.default_rng([seed, index, crc32(subject.encode()), 1]))
    if name == "others":
        hand = other(own)
    else:
        hand = errant(own) if name == "replica" else vary(master(), own, OWN_MOODS)
    return paint(scene, hand, side, int(own.integers(2**31)))
