"""Drawing from back to front in unit coordinates, and remembering whose every pixel is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

RGB = tuple[float, float, float]
Array = np.ndarray

SUPERSAMPLING = 2  # edges are smooth once the canvas is shrunk by this
SUBPIXEL = 4  # binary digits behind the point in OpenCV's coordinates
_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 20, endpoint=False)) for f in (np.cos, np.sin)], -1)


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """``a`` with ``share`` (0..1) of ``b`` in it."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def lighter(colour: RGB, share: float) -> RGB:
    """Towards white, 0..1."""
    return mix(colour, (255.0, 255.0, 255.0), share)


def darker(colour: RGB, share: float) -> RGB:
    """Towards black, 0..1."""
    return mix(colour, (0.0, 0.0, 0.0), share)


class Canvas:
    """A square picture being drawn, RGB 0..255, with an owner number per pixel (0 = background).

    x runs right and y down, both 0..1 whatever the side; what lies outside is cut off.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.size = side * SUPERSAMPLING
        self.colour = np.zeros((self.size, self.size, 3), np.uint8)
        self.owner = np.zeros((self.size, self.size), np.uint8)

    def pen(self, owner: int = 0) -> Pen:
        """A pen over the whole canvas: local coordinates 0..1."""
        return Pen(self, owner, np.eye(2), np.zeros(2), 1.0)

    def fill(self, points: Array, colour: RGB, owner: int) -> None:
        """A polygon given in unit coordinates."""
        import cv2

        outline = self.fixed_point(points)
        cv2.fillPoly(self.colour, [outline], colour, cv2.LINE_8, SUBPIXEL)
        cv2.fillPoly(self.owner, [outline], owner, cv2.LINE_8, SUBPIXEL)

    def fixed_point(self, points: Array) -> Array:
        """Unit coordinates as OpenCV counts them, to whom whole numbers are middles of pixels."""
        return np.round((points * self.size - 0.5) * 2**SUBPIXEL).astype(np.int32)

    def picture(self) -> Array:
        """Side x side x 3 uint8."""
        import cv2

        return cv2.resize(self.colour, (self.side, self.side), interpolation=cv2.INTER_AREA)

    def owners(self) -> Array:
        """Side x side uint8: whose each pixel is; of several owners the highest number.

        A choice among the finer pixels by place would not mirror.
        """
        n = self.side
        fine = self.owner.reshape(n, SUPERSAMPLING, n, SUPERSAMPLING)
        return np.asarray(fine.max((1, 3)))


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws in local coordinates, placed, scaled, turned and mirrored on a canvas."""

    canvas: Canvas
    owner: int
    axes: Array  # 2 x 2: local -> canvas
    origin: Array  # of the local frame, on the canvas
    scale: float  # length of a local unit on the canvas

    def at(
        self, x: float, y: float, size: float = 1.0, turn: float = 0.0, mirror: bool = False
    ) -> Pen:
        """A pen whose origin is at local x, y; ``turn`` in radians, clockwise on the picture."""
        cos, sin = np.cos(turn) * size, np.sin(turn) * size
        flip = -1.0 if mirror else 1.0
        local = np.array([[cos * flip, -sin], [sin * flip, cos]])
        return Pen(
            self.canvas,
            self.owner,
            self.axes @ local,
            self.axes @ np.array([x, y]) + self.origin,
            self.scale * size,
        )

    def place(self, points: ArrayLike) -> Array:
        """Local points (n x 2) in unit coordinates of the canvas."""
        return np.asarray(points, np.float64) @ self.axes.T + self.origin

    def polygon(self, points: ArrayLike, colour: RGB) -> None:
        """A filled polygon, n x 2."""
        self.canvas.fill(self.place(points), colour, self.owner)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: RGB, turn: float = 0.0
    ) -> None:
        """A filled ellipse."""
        points = _CIRCLE * (rx, ry)
        if turn:
            cos, sin = np.cos(turn), np.sin(turn)
            points = points @ np.array([[cos, sin], [-sin, cos]])
        self.polygon(points + np.array([x, y]), colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        """A filled rectangle along the local axes."""
        self.polygon([[left, top], [right, top], [right, bottom], [left, bottom]], colour)

    def line(self, points: ArrayLike, width: float, colour: RGB) -> None:
        """A line through points (n x 2), ``width`` in local units, with flat joints."""
        path = np.asarray(points, np.float64)
        along = np.diff(path, axis=0)
        along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
        ends = np.vstack([along[:1], (along[:-1] + along[1:]) / 2, along[-1:]])
        across = np.stack([-ends[:, 1], ends[:, 0]], -1) * (width / 2)
        self.polygon(np.vstack([path + across, (path - across)[::-1]]), colour)

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        width: float,
        colour: RGB,
    ) -> None:
        """Part of an ellipse's outline, angles in radians, clockwise from the right."""
        t = np.linspace(start, end, 9)
        self.line(np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], -1), width, colour)

    def gradient(self, top: float, bottom: float, above: RGB, below: RGB) -> None:
        """Every row between two local heights, all over the canvas; only for upright pens."""
        rows = self.canvas.size
        first = round(float(self.place([[0, top]])[0, 1]) * rows)
        last = round(float(self.place([[0, bottom]])[0, 1]) * rows)
        share = np.linspace(0, 1, max(last - first, 1))[:, None, None]
        band = np.array(above) * (1 - share) + np.array(below) * share
        begin, end = max(first, 0), min(last, rows)
        if end > begin:
            self.canvas.colour[begin:end] = band[begin - first : end - first]
            self.canvas.owner[begin:end] = self.owner

    def glaze(self, points: ArrayLike, colour: RGB, share: float) -> None:
        """Mix a colour into a polygon without changing whose it is (shadow, blush, light)."""
        import cv2

        size = self.canvas.size
        outline = self.place(points) * size
        left, top = np.clip(np.floor(outline.min(0)), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(outline.max(0)) + 1, 0, size).astype(int)
        if right <= left or bottom <= top:
            return
        mask = np.zeros((bottom - top, right - left), np.float32)
        local = np.round((outline - (left, top) - 0.5) * 2**SUBPIXEL).astype(np.int32)
        cv2.fillPoly(mask, [local], share, cv2.LINE_8, SUBPIXEL)
        part = self.canvas.colour[top:bottom, left:right]
        part[:] = part + (np.array(colour) - part) * mask[..., None]


def round_blob(x: float, y: float, rx: float, ry: float) -> Array:
    """The outline of an ellipse, 20 x 2, for ``glaze``."""
    return _CIRCLE * (rx, ry) + (x, y)
