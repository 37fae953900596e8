"""A pen that knows the hour and the season: every colour it is given is seen in that light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from likeness.world.canvas import RGB, SUBPIXEL, Array, Pen, mix
from likeness.world.description import Landscape, Light, Season

SNOW: RGB = (238.0, 243.0, 250.0)
# what ground and leaves turn to, and how far
_GROUND: dict[Season, tuple[RGB, float]] = {
    "summer": (SNOW, 0.0),
    "winter": (SNOW, 0.92),
    "autumn": ((176.0, 112.0, 44.0), 0.62),
    "dry": ((204.0, 168.0, 92.0), 0.8),
}
_LEAVES: dict[Season, tuple[RGB, float]] = {
    "summer": (SNOW, 0.0),
    "winter": (SNOW, 0.75),
    "autumn": ((222.0, 104.0, 22.0), 0.85),
    "dry": ((168.0, 142.0, 70.0), 0.75),
}
# the light on things: factor and offset per channel
_LIGHT: dict[Light, tuple[RGB, RGB]] = {
    "day": ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
    "bright": ((0.92, 0.92, 0.88), (48.0, 46.0, 36.0)),
    "sunset": ((0.86, 0.58, 0.42), (48.0, 14.0, 4.0)),
    "night": ((0.3, 0.35, 0.5), (4.0, 8.0, 32.0)),
}
_GRAY = np.array([0.299, 0.587, 0.114])


def _turned_hues(angle: float, gain: float) -> Array:
    """The 3 x 3 matrix that turns every hue by ``angle`` radians and scales its chroma."""
    axis = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross
    turn = turn + (1 - np.cos(angle)) * np.outer(axis, axis)
    gray = np.tile(_GRAY, (3, 1))
    return gray + gain * (turn - np.tile(_GRAY @ turn, (3, 1)))


def _jitter(colour: RGB, shift: Array) -> RGB:
    red, green, blue = np.clip(np.array(colour) + shift, 0, 255)
    return float(red), float(green), float(blue)


@dataclass(frozen=True)
class View:
    """A pen, its chance and its light; coordinates are those of the pen."""

    pen: Pen
    rng: np.random.Generator
    landscape: Landscape
    hues: Array  # 3 x 3, on all colours
    lit: bool = True  # False: colours that shine by themselves

    @classmethod
    def over(cls, pen: Pen, landscape: Landscape, rng: np.random.Generator) -> View:
        """The view of a landscape; a fantastic one has other hues."""
        angle = float(rng.uniform(2.1, 2.5))
        hues = _turned_hues(angle, 1.35) if landscape.fantasy else np.eye(3)
        return cls(pen, rng, landscape, hues)

    @property
    def light(self) -> Light:
        """The light everything stands in."""
        return self.landscape.light

    @property
    def season(self) -> Season:
        """The time of the year."""
        return self.landscape.season

    def u(self, low: float, high: float) -> float:
        """A number drawn between two."""
        return float(self.rng.uniform(low, high))

    def n(self, low: int, high: int) -> int:
        """A whole number drawn from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        """True in this share (0..1) of cases."""
        return bool(self.rng.random() < share)

    def pick(self, colours: tuple[RGB, ...], spread: float = 10.0) -> RGB:
        """One of the colours, a little off."""
        return self.vary(colours[self.n(0, len(colours) - 1)], spread)

    def vary(self, colour: RGB, spread: float = 10.0) -> RGB:
        """The colour a little off, by ``spread`` levels."""
        own = self.rng.normal(0.0, spread, 3) * 0.4 + self.rng.normal(0.0, spread)
        return _jitter(colour, np.clip(own, -2 * spread, 2 * spread))

    def ground(self, colour: RGB) -> RGB:
        """The colour of open ground in this season."""
        return mix(colour, *_GROUND[self.season])

    def leaf(self, colour: RGB) -> RGB:
        """The colour of leaves in this season."""
        return mix(colour, *_LEAVES[self.season])

    def roof(self, colour: RGB) -> RGB:
        """The colour of what snow lies on."""
        return mix(colour, SNOW, 0.85 if self.season == "winter" else 0.0)

    def tone(self, colour: RGB) -> RGB:
        """The colour as it is seen, 0..255."""
        seen = self.hues @ np.array(colour)
        if self.lit:
            factor, offset = _LIGHT[self.light]
            seen = seen * factor + offset
        red, green, blue = np.clip(seen, 0, 255).tolist()
        return red, green, blue

    def shining(self) -> View:
        """The same view for what shines by itself, whatever the light."""
        return replace(self, lit=False)

    def at(
        self, x: float, y: float, size: float = 1.0, turn: float = 0.0, mirror: bool = False
    ) -> View:
        """A view in a local frame, as ``Pen.at``."""
        return replace(self, pen=self.pen.at(x, y, size, turn, mirror))

    def polygon(self, points: ArrayLike, colour: RGB) -> None:
        """A filled polygon, n x 2."""
        self.pen.polygon(points, self.tone(colour))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: RGB, turn: float = 0.0
    ) -> None:
        """A filled ellipse."""
        self.pen.ellipse(x, y, rx, ry, self.tone(colour), turn)

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        """A filled rectangle."""
        self.pen.box(left, top, right, bottom, self.tone(colour))

    def line(self, points: ArrayLike, width: float, colour: RGB) -> None:
        """A line of some width."""
        self.pen.line(points, width, self.tone(colour))

    def gradient(self, top: float, bottom: float, above: RGB, below: RGB) -> None:
        """Rows from one height to another; only in the frame of the whole picture."""
        self.pen.gradient(top, bottom, self.tone(above), self.tone(below))

    def below(self, line: Array, colour: RGB) -> None:
        """Everything under a line from left to right."""
        ends = [[line[-1, 0], 1.05], [line[0, 0], 1.05]]
        self.polygon(np.vstack([line, ends]), colour)

    def glow(self, x: float, y: float, radius: float, colour: RGB, share: float) -> None:
        """Light around a spot: ``share`` (0..1) of ``colour`` in its middle, none at its edge."""
        canvas = self.pen.canvas
        middle = self.pen.place([[x, y]])[0] * canvas.size
        reach = max(radius * self.pen.scale * canvas.size, 1.0)
        left, top = np.clip(middle - reach, 0, canvas.size).astype(int)
        right, bottom = np.clip(middle + reach + 1, 0, canvas.size).astype(int)
        across = ((np.arange(left, right) + 0.5 - middle[0]) / reach) ** 2
        down = ((np.arange(top, bottom) + 0.5 - middle[1]) / reach) ** 2
        near = np.clip(1 - across - down[:, None], 0, 1).astype(np.float32)
        part = canvas.colour[top:bottom, left:right]
        part[:] = part + (np.array(colour, np.float32) - part) * (share * near**1.5)[..., None]

    def many(self, polygons: Array, colour: RGB) -> None:
        """Polygons (count x corners x 2) of one colour that do not overlap, at the price of one."""
        import cv2

        canvas, seen = self.pen.canvas, self.tone(colour)
        if not len(polygons):
            return
        flat = canvas.fixed_point(self.pen.place(np.asarray(polygons).reshape(-1, 2)))
        outlines = list(flat.reshape(len(polygons), -1, 2))
        cv2.fillPoly(canvas.colour, outlines, seen, cv2.LINE_8, SUBPIXEL)
        cv2.fillPoly(canvas.owner, outlines, self.pen.owner, cv2.LINE_8, SUBPIXEL)

    def dots(self, places: Array, radii: Array | float, colour: RGB) -> None:
        """Small eight-cornered spots, n x 2, of one radius or one each."""
        angles = np.arange(8) * (np.pi / 4)
        ring = np.stack([np.cos(angles), np.sin(angles)], -1)
        reach = np.broadcast_to(np.asarray(radii, np.float64), (len(places),))[:, None, None]
        self.many(places[:, None] + ring * reach, colour)

    def scatter(self, count: int, left: float, top: float, right: float, bottom: float) -> Array:
        """Places spread evenly but unevenly placed over a rectangle, count x 2."""
        places = self.rng.random((count, 2))
        places[:, 0] = (self.rng.permutation(count) + places[:, 0]) / max(count, 1)
        return places * (right - left, bottom - top) + (left, top)

    def ridge(self, y: float, rise: float, bumps: int, sharp: bool = False) -> Array:
        """A line from the left to the right edge, wavy or jagged, ``rise`` above and below y."""
        knots = self.rng.uniform(-1.0, 1.0, bumps)
        if sharp:
            x = np.linspace(-0.05, 1.05, bumps)
            x[1:-1] += self.rng.uniform(-0.3, 0.3, bumps - 2) / bumps
            knots[::2] = np.abs(knots[::2])
            knots[1::2] = -np.abs(knots[1::2])
            return np.stack([x, y - rise * knots], -1)
        x = np.linspace(-0.02, 1.02, 25)
        wave = np.interp(x, np.linspace(0, 1, bumps), knots)
        wave = np.convolve(np.pad(wave, 2, "edge"), np.ones(5) / 5, "valid")
        return np.stack([x, y - rise * wave], -1)

    def windows(self, boxes: Array, lit_share: float = 0.6) -> None:
        """Windows (n x 4: left, top, right, bottom), dark by day and some of them lit at night."""
        corners = np.asarray(boxes)[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
        on = self.rng.random(len(corners)) < lit_share
        if self.light in ("night", "sunset"):
            self.many(corners[~on], (40.0, 50.0, 72.0))
            self.shining().many(corners[on], (255.0, 214.0, 110.0))
        else:
            self.many(corners, (62.0, 80.0, 108.0))


def grid(
    left: float, top: float, right: float, bottom: float, columns: int, rows: int, fill: float
) -> Array:
    """Boxes (columns * rows x 4) in a rectangle; ``fill`` is the share each takes of its cell."""
    wide, tall = (right - left) / columns, (bottom - top) / rows
    x, y = np.meshgrid(
        left + wide * (np.arange(columns) + 0.5), top + tall * (np.arange(rows) + 0.5)
    )
    x, y, rx, ry = x.ravel(), y.ravel(), wide * fill / 2, tall * fill / 2
    return np.stack([x - rx, y - ry, x + rx, y + ry], -1)


def bars(left: float, top: float, right: float, bottom: float, count: int, thick: float) -> Array:
    """Thin level boxes (count x 4) from left to right, evenly down a rectangle."""
    y = np.linspace(top, bottom, count)
    return np.stack([np.full(count, left), y, np.full(count, right), y + thick], -1)


def corners(boxes: Array) -> Array:
    """Boxes (n x 4) as polygons (n x 4 x 2)."""
    return boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]
