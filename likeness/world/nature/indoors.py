"""Places under a roof: studio, room, kitchen, library, museum and church."""

from __future__ import annotations

import colorsys
from itertools import pairwise

import numpy as np

from likeness.world.canvas import RGB, darker, lighter, mix
from likeness.world.description import Light
from likeness.world.nature.view import View, bars, corners, grid

_OUTSIDE: dict[Light, tuple[RGB, RGB]] = {
    "day": ((150.0, 198.0, 240.0), (204.0, 226.0, 240.0)),
    "bright": ((255.0, 255.0, 240.0), (255.0, 252.0, 220.0)),
    "sunset": ((250.0, 120.0, 50.0), (255.0, 190.0, 80.0)),
    "night": ((10.0, 16.0, 52.0), (26.0, 36.0, 90.0)),
}
_VIVID: tuple[RGB, ...] = (
    (196, 40, 44),
    (36, 92, 180),
    (238, 180, 40),
    (40, 140, 80),
    (128, 60, 150),
    (226, 110, 40),
    (70, 170, 190),
)


def _sideways(v: View) -> View:
    """The same frame, or its mirror image."""
    mirrored = v.chance(0.5)
    return v.at(1.0 if mirrored else 0.0, 0.0, mirror=mirrored)


def studio(v: View) -> None:
    """A seamless backdrop of any colour, lit from one side."""
    hue, strength, value = v.u(0, 1), v.u(0.1, 0.6), v.u(0.6, 0.9)
    base = tuple(255.0 * c for c in colorsys.hsv_to_rgb(hue, strength, value))
    colour: RGB = (base[0], base[1], base[2])
    if v.light == "night":
        v.shining().gradient(0, 1, (3, 6, 24), mix(v.tone(colour), (20, 34, 96), 0.6))
    elif v.light == "sunset":
        v.shining().gradient(
            0, 1, mix(colour, (110, 50, 110), 0.6), mix(colour, (255, 138, 44), 0.8)
        )
    else:
        v.gradient(0, 1, colour, darker(colour, v.u(0.12, 0.3)))
    x = v.u(0.15, 0.85)
    shine: RGB = (255, 216, 130) if v.light == "sunset" else lighter(v.tone(colour), 0.6)
    v.glow(x, v.u(0.2, 0.5), v.u(0.5, 0.8), shine, 0.9 if v.light == "bright" else 0.3)
    if v.light == "bright":
        v.glow(x, 0.0, 0.7, (255, 255, 246), 1.0)


def window(v: View, x: float, y: float, wide: float, tall: float) -> None:
    """A window about x, y with the hour outside and curtains."""
    left, top, right, bottom = x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2
    v.box(left - 0.02, top - 0.02, right + 0.02, bottom + 0.02, (246, 243, 236))
    shining, (above, beneath) = v.shining(), _OUTSIDE[v.light]
    shining.box(left, top, right, y, above)
    shining.box(left, y, right, bottom, beneath)
    if v.light == "night":
        shining.ellipse(x + wide * 0.2, y - tall * 0.22, 0.028, 0.028, (244, 240, 216))
        shining.dots(v.scatter(7, left, top, right, bottom), 0.006, (255, 255, 240))
    v.box(x - 0.008, top, x + 0.008, bottom, (246, 243, 236))
    v.box(left, y - 0.008, right, y + 0.008, (246, 243, 236))
    if v.light in ("bright", "sunset"):
        shaft = [[left, top], [right, top], [right + 0.45, 1.05], [left + 0.1, 1.05]]
        v.pen.glaze(shaft, above if v.light == "sunset" else (255, 252, 224), 0.4)


def lamp(v: View, x: float, y: float) -> None:
    """A lamp hanging at x, y, lit when it is dark."""
    v.box(x - 0.004, -0.02, x + 0.004, y, (60, 56, 52))
    lit = v.light == "night"
    if lit:
        v.glow(x, y + 0.04, 0.26, (255, 206, 110), 0.8)
    shade = v.shining() if lit else v
    colour: RGB = (255, 222, 140) if lit else (226, 190, 120)
    shade.polygon(
        [[x - 0.03, y], [x + 0.03, y], [x + 0.075, y + 0.07], [x - 0.075, y + 0.07]], colour
    )


def room(v: View) -> None:
    """A living room: wallpaper, a window, a sofa, pictures and a lamp."""
    wall = v.pick(((226, 206, 176), (190, 206, 186), (222, 188, 176), (196, 200, 218)), 10)
    floor = v.u(0.74, 0.84)
    v.box(0, 0, 1, floor, wall)
    stripes = grid(0, 0, 1, floor, v.n(7, 10), 1, 0.45)
    v.many(corners(stripes), darker(wall, 0.07))
    wood = v.vary((150, 98, 56), 10)
    v.box(0, floor, 1, 1, wood)
    v.many(corners(bars(0, floor + 0.03, 1, 0.97, 4, 0.01)), darker(wood, 0.3))
    v.box(0, floor - 0.025, 1, floor, (244, 240, 232))
    v = _sideways(v)
    cloth = v.pick(((176, 60, 54), (52, 96, 130), (70, 116, 74), (196, 146, 50)), 10)
    x, y = v.u(0.15, 0.19), v.u(0.24, 0.32)
    window(v, x, y, 0.24, 0.38)
    for edge in (x - 0.15, x + 0.15):
        v.polygon(
            [
                [edge - 0.04, y - 0.24],
                [edge + 0.04, y - 0.24],
                [edge + 0.05, 0.6],
                [edge - 0.05, 0.6],
            ],
            lighter(cloth, 0.15),
        )
    v.box(x - 0.22, y - 0.25, x + 0.22, y - 0.23, (110, 74, 44))
    _picture(v, v.u(0.8, 0.88), v.u(0.14, 0.2), 0.17, 0.2, (122, 80, 40))
    lamp(v, v.u(0.56, 0.64), v.u(0.04, 0.08))
    seat = floor + v.u(-0.04, 0.02)
    v.box(0.6, seat - 0.22, 1.05, seat + 0.02, cloth)
    v.box(0.58, seat - 0.06, 1.05, seat + 0.1, darker(cloth, 0.18))
    v.ellipse(0.6, seat, 0.05, 0.11, darker(cloth, 0.3))
    v.box(0.86, seat - 0.16, 0.97, seat - 0.05, lighter(cloth, 0.5))


def _picture(v: View, x: float, y: float, wide: float, tall: float, frame: RGB) -> None:
    left, top, right, bottom = x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2
    v.box(left, top, right, bottom, frame)
    rim = 0.022
    v.box(left + rim, top + rim, right - rim, bottom - rim, v.pick(_VIVID, 12))
    split = v.u(0.4, 0.7) * (tall - 2 * rim) + top + rim
    v.box(left + rim, split, right - rim, bottom - rim, v.pick(_VIVID, 12))
    v.ellipse(x + v.u(-0.03, 0.03), split - 0.01, 0.035, 0.03, v.pick(_VIVID, 12))


def kitchen(v: View) -> None:
    """A kitchen: cupboards above and below, tiles between, a stove and a refrigerator."""
    tile = v.pick(((214, 234, 236), (236, 236, 226), (206, 226, 206), (232, 216, 206)), 6)
    v.box(0, 0, 1, 1, darker(tile, 0.3))
    v.many(corners(grid(0, 0, 1, 0.8, 10, 8, 0.88)), tile)
    front = v.pick(((96, 150, 156), (196, 122, 66), (90, 120, 170), (186, 70, 62)), 10)
    v = _sideways(v)
    low, counter = v.u(0.2, 0.26), v.u(0.72, 0.78)
    doors = grid(-0.02, 0, 1.02, low, 5, 1, 0.94)
    v.box(-0.02, 0, 1.02, low + 0.008, darker(front, 0.4))
    v.many(corners(doors), front)
    v.dots(doors[:, 2:] - (0.03, 0.03), 0.012, (244, 240, 226))
    v.box(0, counter, 1, counter + 0.045, (92, 82, 76))
    v.box(0, counter + 0.045, 1, 1.02, darker(front, 0.4))
    v.many(corners(grid(0, counter + 0.05, 1, 1.02, 5, 1, 0.93)), front)
    _stove(v, v.u(0.06, 0.12), counter)
    side = v.u(0.8, 0.85)
    v.box(side, 0.2, 1.02, 1.02, (228, 232, 236))
    v.box(side, 0.44, 1.02, 0.46, (150, 156, 164))
    v.box(side + 0.02, 0.3, side + 0.035, 0.42, (120, 126, 134))
    v.box(side + 0.02, 0.5, side + 0.035, 0.7, (120, 126, 134))
    lamp(v, v.u(0.45, 0.6), low + 0.02)


def _stove(v: View, x: float, y: float) -> None:
    v.box(x, y - 0.01, x + 0.26, 1.02, (52, 52, 56))
    v.box(x + 0.03, y + 0.09, x + 0.23, 0.97, (24, 22, 24))
    v.shining().box(x + 0.05, y + 0.12, x + 0.21, 0.94, (226, 96, 30))
    v.dots(
        np.array([[x + 0.06, y + 0.05], [x + 0.13, y + 0.05], [x + 0.2, y + 0.05]]),
        0.015,
        (230, 60, 50),
    )
    v.box(x + 0.05, y - 0.12, x + 0.2, y - 0.01, v.pick(((200, 60, 50), (170, 176, 184)), 8))
    v.ellipse(x + 0.125, y - 0.12, 0.085, 0.02, (206, 210, 216))
    for shift in (-0.03, 0.03):
        v.pen.glaze(
            [
                [x + 0.11 + shift, y - 0.14],
                [x + 0.15 + shift, y - 0.14],
                [x + 0.13 + shift, y - 0.34],
            ],
            (255, 255, 255),
            0.5,
        )


def library(v: View) -> None:
    """Shelves of books from wall to wall."""
    wood = v.vary((94, 58, 32), 8)
    v.box(0, 0, 1, 1, darker(wood, 0.55))
    rows, shift = v.n(5, 6), v.u(-0.06, 0.02)
    tall = 1.1 / rows
    shelves: list[list[np.ndarray]] = [[] for _ in _VIVID]
    for row in range(rows):
        foot = shift + tall * (row + 1) - 0.03
        edges = np.cumsum(v.rng.uniform(0.034, 0.066, 26)) - 0.03
        edges = edges[edges < 1.06]
        tops = foot - (tall - 0.05) * v.rng.uniform(0.68, 0.98, len(edges) - 1)
        book = np.stack([edges[:-1], tops, edges[1:] - 0.006, np.full_like(tops, foot)], -1)
        kinds = v.rng.integers(0, len(_VIVID), len(book))
        for number in range(len(_VIVID)):
            shelves[number].append(book[kinds == number])
    for colour, books in zip(_VIVID, shelves, strict=True):
        v.many(corners(np.vstack(books)), darker(v.vary(colour, 10), 0.12))
    for row in range(rows):
        foot = shift + tall * (row + 1) - 0.03
        v.box(0, foot, 1, foot + 0.026, lighter(wood, 0.15))
    for x in (v.u(-0.01, 0.03), v.u(0.46, 0.54), v.u(0.95, 0.98)):
        v.box(x, 0, x + 0.03, 1, wood)
    lit = v.light
    if lit != "day":
        lamp(v, v.u(0.12, 0.3) if v.chance(0.5) else v.u(0.7, 0.88), 0.08)


def museum(v: View) -> None:
    """A gallery: white walls, gold frames, a chequered marble floor."""
    wall = v.pick(((240, 238, 232), (232, 228, 236), (226, 234, 234)), 5)
    floor = v.u(0.72, 0.8)
    v.box(0, 0, 1, floor, wall)
    v.box(0, 0, 1, 0.035, (206, 198, 184))
    v.box(0, floor, 1, 1, (226, 222, 216))
    _checks(v, floor)
    v.box(0, floor - 0.03, 1, floor, (150, 132, 112))
    gold = v.vary((206, 156, 48), 8)
    for x in (v.u(0.1, 0.15), v.u(0.44, 0.56), v.u(0.85, 0.9)):
        wide = v.u(0.2, 0.26)
        _picture(v, x, v.u(0.18, 0.24), wide, v.u(0.22, 0.3), gold)
    for x in (v.u(0.07, 0.15), v.u(0.85, 0.93)):
        _picture(v, x, v.u(0.53, 0.56), v.u(0.17, 0.21), v.u(0.17, 0.2), gold)
    posts = np.array([0.04, 0.34, 0.66, 0.96]) + v.u(-0.03, 0.03)
    for left, right in pairwise(posts.tolist()):
        v.pen.arc(
            left / 2 + right / 2,
            floor - 0.02,
            (right - left) / 2,
            0.07,
            0,
            np.pi,
            0.022,
            v.tone((170, 24, 40)),
        )
    for x in posts:
        v.box(x - 0.013, floor - 0.05, x + 0.013, floor + 0.11, gold)


def _checks(v: View, floor: float) -> None:
    """Dark tiles that run to a vanishing point in the middle."""
    centre = v.u(0.35, 0.65)
    heights = floor + (1.03 - floor) * np.array([0, 0.2, 0.5, 1.0])
    reach = np.array([0.7, 0.95, 1.35, 2.0]) * 1.2
    tiles = []
    for row in range(3):
        cuts = np.linspace(-1, 1, 13)
        near, far = centre + cuts * reach[row + 1], centre + cuts * reach[row]
        tiles += [
            [
                [far[k], heights[row]],
                [far[k + 1], heights[row]],
                [near[k + 1], heights[row + 1]],
                [near[k], heights[row + 1]],
            ]
            for k in range(row % 2, 12, 2)
        ]
    v.many(np.array(tiles), (88, 84, 92))


def _arch(v: View, x: float, foot: float, wide: float, tall: float, colour: RGB) -> None:
    t = np.linspace(np.pi, 2 * np.pi, 9)
    top = np.stack([x + wide / 2 * np.cos(t), foot - tall + wide * (1 + np.sin(t))], -1)
    top[:, 1] -= wide * 0.25 * (1 - np.abs(np.cos(t)))
    v.polygon(np.vstack([top, [[x + wide / 2, foot], [x - wide / 2, foot]]]), colour)


def church(v: View) -> None:
    """Stone walls with tall windows of stained glass, columns and pews."""
    stone = v.pick(((146, 138, 128), (158, 150, 146), (134, 124, 114)), 6)
    v.box(0, 0, 1, 1, stone)
    v.many(corners(bars(0, 0.04, 1, 0.8, 9, 0.009)), darker(stone, 0.2))
    glass = v if v.light != "bright" and v.light != "day" else v.shining()
    for x in (v.u(0.1, 0.15), v.u(0.46, 0.54), v.u(0.85, 0.9)):
        foot, wide, tall = v.u(0.62, 0.7), v.u(0.2, 0.23), v.u(0.56, 0.62)
        _arch(v, x, foot + 0.02, wide + 0.05, tall + 0.05, darker(stone, 0.45))
        _arch(glass, x, foot, wide, tall, (44, 60, 150))
        panes = grid(x - wide / 2, foot - tall + 0.14, x + wide / 2, foot, 3, 5, 0.8)
        kinds = v.rng.integers(0, 5, len(panes))
        for number in range(5):
            glass.many(corners(panes[kinds == number]), lighter(_VIVID[number], 0.1))
        glass.ellipse(x, foot - tall + 0.1, 0.05, 0.05, (250, 200, 60))
        if v.light in ("bright", "sunset"):
            light: RGB = (255, 170, 80) if v.light == "sunset" else (255, 250, 220)
            v.pen.glaze([[x - 0.1, 0.2], [x + 0.1, 0.2], [x + 0.4, 1], [x + 0.05, 1]], light, 0.3)
    for x in (v.u(0.27, 0.31), v.u(0.69, 0.73)):
        v.box(x - 0.03, 0, x + 0.03, 0.9, lighter(stone, 0.3))
        v.box(x - 0.05, 0.0, x + 0.05, 0.05, lighter(stone, 0.42))
    v.box(0, 0.84, 1, 1, darker(stone, 0.25))
    wood = v.vary((96, 58, 34), 6)
    for left, right in ((-0.02, v.u(0.32, 0.4)), (v.u(0.6, 0.68), 1.02)):
        for y in (0.84, 0.92):
            v.box(left, y, right, y + 0.05, wood)
            v.box(left, y + 0.05, right, y + 0.075, darker(wood, 0.5))
    if v.light == "night":
        for x in (0.05, 0.3, 0.7, 0.95):
            v.glow(x, 0.76, 0.12, (255, 190, 90), 0.9)
            v.shining().box(x - 0.01, 0.74, x + 0.01, 0.82, (255, 240, 190))
