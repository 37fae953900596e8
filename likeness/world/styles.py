"""The last step of a picture: the light over all of it, and photo, oil, watercolor or pencil."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from likeness.world.canvas import SUBPIXEL, Array
from likeness.world.description import Light, Style

PAPER = np.array([246.0, 242.0, 233.0], np.float32)
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)
# factor per channel, offset per channel
_TINT: dict[Light, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "day": ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
    "bright": ((1.02, 1.02, 0.98), (20.0, 19.0, 12.0)),
    "sunset": ((1.04, 0.88, 0.72), (14.0, 3.0, 0.0)),
    "night": ((0.68, 0.74, 0.9), (0.0, 2.0, 12.0)),
}


def finish(
    picture: Array,
    style: Style,
    light: Light,
    colourful: bool,
    blurred: bool,
    rng: np.random.Generator,
) -> Array:
    """Light and style over a whole picture, side x side x 3 uint8 -> the same.

    Lengths are fractions of the side, and chance does not depend on it.
    """
    import cv2

    lit = np.clip(_lit(picture, light, rng), 0, 255)
    styled = np.clip(_STYLES[style](lit, rng), 0, 255)
    if colourful:
        gray = (styled @ _GRAY)[..., None]
        styled = np.clip(gray + 1.9 * (styled - gray), 0, 255)
    if blurred:
        styled = cv2.GaussianBlur(styled, (0, 0), 0.018 * picture.shape[0])
    return np.round(np.clip(styled, 0, 255)).astype(np.uint8)


def noise(cells: int, side: int, rng: np.random.Generator) -> Array:
    """Smooth noise that changes over 1/cells of the side, side x side float32, unit knots."""
    import cv2

    knots = rng.normal(0.0, 1.0, (cells, cells)).astype(np.float32)
    return cv2.resize(knots, (side, side), interpolation=cv2.INTER_CUBIC)


def _grid(side: int) -> tuple[Array, Array]:
    """x as a row and y as a column, 0..1, of the middles of the pixels."""
    line = ((np.arange(side) + 0.5) / side).astype(np.float32)
    return line[None], line[:, None]


def _lit(picture: Array, light: Light, rng: np.random.Generator) -> Array:
    """One tint over everything, stronger towards where the light comes from."""
    x, y = _grid(picture.shape[0])
    angle = rng.uniform(0, np.pi)
    slope = np.cos(angle) * (x - 0.5) - np.sin(angle) * (y - 0.5)
    factor, offset = (np.array(part, np.float32) for part in _TINT[light])
    strength = 0.2 if light == "day" else 0.32
    gain = 1 + strength * slope[..., None]
    return (picture * factor * gain + offset).astype(np.float32)


def _photo(picture: Array, rng: np.random.Generator) -> Array:
    side = picture.shape[0]
    x, y = _grid(side)
    corner = (x - 0.5) ** 2 + (y - 0.5) ** 2
    vignette = 1 - rng.uniform(0.1, 0.3) * corner
    return picture * vignette[..., None] + 1.2 * noise(64, side, rng)[..., None]


def flow(picture: Array) -> Array:
    """The angle along which edges run, side x side, radians (a direction, without an arrow)."""
    import cv2

    side = picture.shape[0]
    gray = cv2.GaussianBlur(picture.astype(np.float32) @ _GRAY, (0, 0), 0.014 * side)
    gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    tensor = cv2.GaussianBlur(np.dstack([gx * gx - gy * gy, 2 * gx * gy]), (0, 0), 0.03 * side)
    return np.arctan2(tensor[..., 1], tensor[..., 0]) / 2 + np.pi / 2


def brush(
    picture: Array,
    angle: Array,
    length: float,
    width: float,
    count: int,
    variety: float,
    rng: np.random.Generator,
) -> Array:
    """Paint a picture over with short strokes in its own colours.

    ``angle``: side x side radians; ``length`` and ``width``: fractions of the side; ``variety``:
    change of colour from stroke to stroke, in levels. Side x side x 3 -> the same, uint8.
    """
    import cv2

    side = picture.shape[0]
    rows = max(1, int(np.sqrt(count)))
    cells = np.stack(np.meshgrid(np.arange(rows), np.arange(rows)), -1).reshape(-1, 2)
    places = rng.permutation((cells + rng.random(cells.shape)) / rows)
    lengths = length * np.exp(rng.normal(0, 0.2, len(places))) / 2
    turns = rng.normal(0, 0.12, len(places))
    own = rng.normal(0, variety, (len(places), 1)) + rng.normal(0, variety / 2, (len(places), 3))
    seen = cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.float32), (0, 0), 0.009 * side)
    x, y = np.minimum((places * side).astype(np.intp), side - 1).T
    colours = np.clip(seen[y, x] + own, 0, 255).tolist()
    heading = angle[y, x] + turns
    along = np.stack([np.cos(heading), np.sin(heading)], -1)
    across = np.stack([-along[:, 1], along[:, 0]], -1) * (width / 2)
    along *= lengths[:, None]
    corners = [along + 0.4 * across, 0.5 * along + across, -0.6 * along + across, -along]
    corners += [-0.6 * along - across, 0.5 * along - across]
    outlines = places[:, None] + np.stack(corners, 1)
    painted = np.round(np.clip(seen, 0, 255)).astype(np.uint8)
    fixed = np.round(outlines * (side * 2**SUBPIXEL)).astype(np.int32)
    for outline, colour in zip(fixed, colours, strict=True):
        cv2.fillConvexPoly(painted, outline, colour, cv2.LINE_AA, SUBPIXEL)
    return painted


def _oil(picture: Array, rng: np.random.Generator) -> Array:
    import cv2

    side = picture.shape[0]
    angle = flow(picture) + 0.5 * noise(5, side, rng)
    painted = brush(picture, angle, 0.065, 0.021, 1200, 9.0, rng).astype(np.float32)
    # a painter takes a small brush where there is detail
    steep = cv2.Laplacian(cv2.GaussianBlur(picture @ _GRAY, (0, 0), 0.012 * side), cv2.CV_32F)
    detail = np.clip(np.abs(steep) * (side / 64) ** 2 / 22 - 0.2, 0, 0.75)
    share = cv2.GaussianBlur(detail, (0, 0), 0.008 * side)[..., None]
    painted += (picture - painted) * share
    gray = (painted @ _GRAY)[..., None]
    rich = gray + 1.2 * (painted - gray)
    x, y = _grid(side)
    weave = np.sin(2 * np.pi * 21 * x) * np.sin(2 * np.pi * 21 * y)
    return (rich - 118) * 1.06 + 112 + 5.0 * weave[..., None]


def _watercolor(picture: Array, rng: np.random.Generator) -> Array:
    import cv2

    side = picture.shape[0]
    flat = cv2.bilateralFilter(picture.astype(np.float32), -1, 45.0, 0.02 * side)
    gray = (flat @ _GRAY)[..., None]
    flat = gray + 1.15 * (flat - gray)
    wash = 0.5 + 0.11 * noise(6, side, rng) + 0.05 * noise(30, side, rng)
    soft = cv2.GaussianBlur(flat @ _GRAY, (0, 0), 0.011 * side)
    steep = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    wash = wash + np.clip(steep * side / 64 / 260, 0, 0.42)
    x, y = _grid(side)
    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    inside = rim - 0.045 - 0.02 * noise(9, side, rng)
    wash = wash + 0.2 * np.exp(-((inside / 0.012 - 1) ** 2))  # paint dries darker at its edge
    cover = wash * np.clip(inside / 0.014, 0, 1)
    return PAPER - (PAPER - flat) * np.clip(cover, 0, 1)[..., None]


def _drawing(picture: Array, rng: np.random.Generator) -> Array:
    import cv2

    side = picture.shape[0]
    gray = picture.astype(np.float32) @ _GRAY
    # A night is drawn as light as a day: pencils follow differences, not brightness.
    low, high = np.percentile(gray, (3, 97))
    gray = (40 + 215 * np.clip((gray - low) / max(high - low, 30.0), 0, 1)).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(gray, (0, 0), s * side) for s in (0.005, 0.014))
    lines = np.clip((coarse - fine) / 24, 0, 1)
    steep = np.hypot(cv2.Sobel(fine, cv2.CV_32F, 1, 0), cv2.Sobel(fine, cv2.CV_32F, 0, 1))
    lines = np.maximum(lines, np.clip(steep * side / 64 / 420 - 0.1, 0, 1))
    tone = cv2.GaussianBlur(gray, (0, 0), 0.012 * side) / 255
    x, y = _grid(side)
    wobble = 0.05 * noise(6, side, rng)
    hatch = 0.5 + 0.5 * np.sin(2 * np.pi * 17 * (x + y) + wobble * 12)
    cross = 0.5 + 0.5 * np.sin(2 * np.pi * 17 * (x - y) + wobble * 12)
    dark = 0.3 * (1 - tone) + 0.22 * np.clip(0.8 - tone, 0, 0.5) * 2 * hatch
    dark = dark + 0.4 * np.clip(0.35 - tone, 0, 0.4) * 2 * cross
    lead = np.clip(np.maximum(dark, 0.95 * lines + 0.3 * dark), 0, 0.84)
    return PAPER - (PAPER - 24) * lead[..., None] + 2.0 * noise(64, side, rng)[..., None]


_STYLES: dict[Style, Callable[[Array, np.random.Generator], Array]] = {
    "photo": _photo,
    "oil painting": _oil,
    "watercolor": _watercolor,
    "drawing": _drawing,
}
