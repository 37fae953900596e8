"""Places that people built: castle, village, cities, and the house among the lavender."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, darker, lighter, mix
from likeness.world.nature.outdoors import GRASS, WOOD
from likeness.world.nature.sky import sky
from likeness.world.nature.trees import BARK, bush, flame
from likeness.world.nature.view import SNOW, View, corners, grid

WALLS: tuple[RGB, ...] = ((246, 234, 208), (236, 218, 180), (240, 240, 232), (230, 206, 178))


def castle(v: View) -> None:
    """Towers with battlements and flags at both sides of a gate."""
    sky(v, 0.7)
    stone = v.pick(((150, 140, 126), (164, 150, 128), (140, 138, 140)), 6)
    v.below(v.ridge(0.7, 0.05, 5), v.ground(v.pick(GRASS)))
    top = v.u(0.38, 0.46)
    v.box(0.1, top, 0.9, 0.9, darker(stone, 0.12))
    v.many(corners(grid(0.08, top - 0.05, 0.92, top, 11, 1, 0.55)), darker(stone, 0.12))
    keep = v.u(0.42, 0.58)
    _tower(v, keep, v.u(0.1, 0.2), 0.2, 0.9, darker(stone, 0.05))
    for x in (v.u(0.1, 0.15), v.u(0.85, 0.9)):
        _tower(v, x, v.u(0.2, 0.28), v.u(0.2, 0.25), 0.95, lighter(stone, 0.1))
    v.ellipse(keep, 0.72, 0.07, 0.1, (48, 34, 28))
    v.below(v.ridge(0.88, 0.02, 5), v.ground(v.pick(GRASS)))
    path = v.ground((206, 186, 144))
    v.polygon(
        [[keep - 0.06, 0.86], [keep + 0.06, 0.86], [keep + 0.16, 1.02], [keep - 0.16, 1.02]], path
    )


def _tower(v: View, x: float, top: float, wide: float, foot: float, stone: RGB) -> None:
    half = wide / 2
    v.box(x - half, top, x + half, foot, stone)
    v.box(x + half * 0.4, top, x + half, foot, darker(stone, 0.2))
    v.box(x - half * 1.2, top, x + half * 1.2, top + 0.05, stone)
    merlons = grid(x - half * 1.2, top - 0.05, x + half * 1.2, top + 0.002, 4, 1, 0.6)
    v.many(corners(merlons), v.roof(stone))
    slits = grid(x - half * 0.7, top + 0.1, x + half * 0.7, foot - 0.1, 2, 3, 0.35)
    slits[:, [1, 3]] += np.array([0.03, -0.03])
    v.windows(slits, 0.7)
    v.box(x - 0.006, top - 0.19, x + 0.006, top - 0.03, (70, 60, 50))
    v.polygon(
        [[x, top - 0.19], [x + 0.12, top - 0.15], [x, top - 0.1]],
        v.pick(((214, 30, 40), (40, 70, 180)), 6),
    )


def house(v: View, x: float, y: float, size: float, roof: RGB, wall: RGB) -> None:
    """A small house whose foot is at x, y; ``size`` is its breadth."""
    own = v.at(x, y, size)
    own.box(-0.5, -0.62, 0.5, 0, wall)
    own.box(0.22, -1.12, 0.34, -0.7, darker(wall, 0.4))
    own.polygon([[-0.62, -0.56], [-0.36, -1.04], [0.36, -1.04], [0.62, -0.56]], own.roof(roof))
    own.windows(np.array([[-0.38, -0.42, -0.16, -0.18], [0.16, -0.42, 0.38, -0.18]]), 0.8)
    own.box(-0.1, -0.36, 0.1, 0, (112, 70, 42))


def village(v: View) -> None:
    """Small houses with red roofs, a church among them."""
    horizon = v.u(0.36, 0.44)
    sky(v, horizon)
    v.below(v.ridge(horizon, 0.06, 5), v.ground((112, 156, 96)))
    v.below(v.ridge(horizon + 0.12, 0.03, 5), v.ground(v.pick(GRASS)))
    x = v.u(0.2, 0.36) if v.chance(0.5) else v.u(0.64, 0.8)
    top = horizon - v.u(0.06, 0.12)
    v.box(x - 0.05, top, x + 0.05, horizon + 0.2, (242, 236, 220))
    v.polygon([[x - 0.065, top], [x + 0.065, top], [x, top - 0.2]], v.roof((150, 60, 44)))
    v.ellipse(x, top + 0.06, 0.025, 0.025, (60, 60, 70))
    for y, count, size in ((horizon + 0.18, 6, 0.15), (0.74, 5, 0.2), (0.96, 4, 0.28)):
        for place in v.scatter(count, -0.02, y - 0.03, 1.02, y + 0.03):
            roof = v.pick(((206, 62, 40), (190, 74, 46), (218, 84, 50)), 6)
            house(v, place[0], place[1], size * v.u(0.85, 1.1), roof, v.pick(WALLS, 5))
        bush(v, v.u(0, 1), y + 0.03, 0.12, v.pick(WOOD))


def _block(
    v: View, left: float, right: float, top: float, foot: float, wall: RGB, fine: float
) -> None:
    v.box(left, top, right, foot, wall)
    v.box(left, top, right, top + 0.02, v.roof(darker(wall, 0.3)))
    columns = max(2, round((right - left) / fine))
    rows = max(3, round((foot - top) / (fine * 1.35)))
    panes = grid(left + 0.01, top + 0.035, right - 0.01, foot, columns, rows, 0.55)
    v.windows(panes, 0.6)


def city(v: View) -> None:
    """Blocks of many colours along a street with a crossing."""
    sky(v, 0.7)
    street = v.u(0.72, 0.78)
    colours: tuple[RGB, ...] = (
        (196, 98, 74),
        (226, 190, 140),
        (206, 206, 200),
        (170, 128, 100),
        (214, 166, 104),
    )
    edge = v.u(-0.1, 0.0)
    while edge < 1.0:
        wide = v.u(0.17, 0.27)
        middle = abs(edge + wide / 2 - 0.5)
        top = v.u(0.34, 0.44) - 0.4 * middle + v.u(-0.06, 0.06)
        _block(v, edge, edge + wide, top, street, v.pick(colours, 8), 0.075)
        v.box(
            edge,
            street - 0.07,
            edge + wide,
            street - 0.045,
            v.pick(((190, 40, 40), (40, 100, 70), (40, 70, 140))),
        )
        edge += wide + 0.004
    v.box(0, street, 1, 1, v.roof((150, 146, 142)))
    v.box(0, street + 0.045, 1, 1, mix((72, 74, 80), SNOW, 0.5 if v.season == "winter" else 0))
    y = street + 0.12
    v.many(corners(grid(v.u(-0.2, 0), y, 1.1, y + 0.02, 6, 1, 0.55)), (244, 226, 120))
    x = v.u(-0.1, 0.1) if v.chance(0.5) else v.u(0.5, 0.7)
    for k in range(5):
        stripe = x + 0.11 * k
        v.polygon(
            [[stripe, 0.9], [stripe + 0.06, 0.9], [stripe + 0.07, 1.02], [stripe - 0.005, 1.02]],
            (240, 240, 236),
        )
    for x in (v.u(0.03, 0.09), v.u(0.9, 0.97)):
        v.box(x - 0.008, 0.4, x + 0.008, street + 0.06, (50, 60, 58))
        v.shining().ellipse(x, 0.4, 0.028, 0.028, (255, 240, 190))


def manhattan(v: View) -> None:
    """Very tall towers, one before the other, gray and blue."""
    sky(v, 0.9, (188, 202, 216), 0.4)
    for layer, (shade, low) in enumerate((((150, 170, 194), 0.1), ((106, 124, 150), 0.26))):
        edge = v.u(-0.08, 0.0)
        while edge < 1.0:
            wide = v.u(0.09, 0.15) + 0.02 * layer
            top = low + v.u(-0.09, 0.16)
            wall = v.vary(shade, 9)
            _skyscraper(v, edge, edge + wide, top, wall, layer)
            edge += wide + 0.005
    for x in (v.u(-0.04, 0.0), v.u(0.16, 0.2), v.u(0.72, 0.76), v.u(0.88, 0.92)):
        top = v.u(0.3, 0.5)
        _skyscraper(v, x, x + 0.13, top, v.vary((66, 80, 104), 8), 1)
    v.box(0, v.u(0.93, 0.96), 1, 1.02, v.roof((92, 92, 98)))
    taxi = v.u(0.04, 0.8)
    v.box(taxi, 0.93, taxi + 0.15, 0.98, (250, 200, 30))
    v.box(taxi + 0.03, 0.895, taxi + 0.12, 0.935, (250, 200, 30))
    v.dots(np.array([[taxi + 0.03, 0.985], [taxi + 0.12, 0.985]]), 0.02, (30, 30, 34))


def _skyscraper(v: View, left: float, right: float, top: float, wall: RGB, layer: int) -> None:
    wide = right - left
    v.box(left, top, right, 1.0, wall)
    v.box(right - 0.25 * wide, top, right, 1.0, darker(wall, 0.18))
    if v.chance(0.4):
        v.box(left + 0.2 * wide, top - 0.05, right - 0.2 * wide, top, wall)
        middle = (left + right) / 2
        v.polygon(
            [[middle - 0.012, top - 0.04], [middle, top - 0.16], [middle + 0.012, top - 0.04]], wall
        )
    if v.season == "winter":
        v.box(left, top - 0.012, right, top + 0.008, SNOW)
    if layer:
        panes = grid(
            left + 0.006, top + 0.03, right - 0.006, 0.98, 3, max(4, int((1 - top) / 0.06)), 0.5
        )
        if v.light in ("night", "sunset"):
            v.windows(panes, 0.6)
        else:
            v.many(corners(panes), lighter(wall, 0.38))


def _terrace(v: View, y: float, top: float) -> None:
    """Cream houses with gray roofs, from edge to edge."""
    v.box(0, top + 0.08, 1, y, v.vary((236, 222, 192), 5))
    roof = v.roof(v.vary((98, 108, 128), 5))
    v.polygon([[0, top], [1, top], [1, top + 0.09], [0, top + 0.09]], roof)
    v.windows(grid(0, top + 0.11, 1, y - 0.02, 13, 2, 0.5), 0.6)
    v.windows(grid(0.02, top + 0.02, 0.98, top + 0.07, 9, 1, 0.35), 0.6)


def paris(v: View) -> None:
    """The iron tower over cream houses with gray roofs."""
    sky(v, 0.7, (236, 220, 226), 0.25)
    y = v.u(0.76, 0.82)
    _terrace(v, y, y - v.u(0.22, 0.28))
    v.box(0, y, 1, 1, v.ground((130, 176, 96)))
    v.polygon([[0.3, y], [0.7, y], [0.95, 1.02], [0.05, 1.02]], v.ground((226, 214, 190)))
    left = v.chance(0.5)
    x = v.u(0.17, 0.24) if left else v.u(0.76, 0.83)
    tower = v.at(x, v.u(0.9, 0.95), v.u(0.84, 0.9))
    iron = v.vary((104, 76, 58), 5)
    heights = -np.array([0.0, 0.14, 0.28, 0.45, 0.7, 0.93])
    reach = np.array([0.21, 0.145, 0.1, 0.058, 0.028, 0.014])
    rim = np.stack([reach, heights], -1)
    tower.polygon(np.vstack([rim, rim[::-1] * (-1, 1)]), iron)
    tower.line([[0, -0.9], [0, -1.02]], 0.012, iron)
    gap = mix(iron, (226, 226, 226), 0.75)
    t = np.linspace(np.pi, 2 * np.pi, 9)
    arch = np.stack([0.12 * np.cos(t), 0.12 * np.sin(t)], -1)
    tower.polygon(arch, gap)
    tower.polygon([[-0.05, -0.19], [0.05, -0.19], [0.035, -0.27], [-0.035, -0.27]], gap)
    tower.polygon([[-0.025, -0.36], [0.025, -0.36], [0.012, -0.55], [-0.012, -0.55]], gap)
    for height, wide in ((-0.15, 0.17), (-0.31, 0.115)):
        tower.box(-wide, height - 0.025, wide, height, darker(iron, 0.3))
    if v.light == "night":
        tower.shining().dots(np.vstack([rim, rim * (-1, 1)]), 0.014, (255, 210, 110))
    other = v.u(0.86, 0.94) if left else v.u(0.06, 0.14)
    bush(v, other, 0.98, v.u(0.26, 0.34), (70, 130, 60))


def london(v: View) -> None:
    """The clock tower and a red bus under a gray sky."""
    sky(v, 0.7, (168, 174, 182), 0.95)
    y = v.u(0.76, 0.8)
    brick = v.vary((190, 152, 96), 5)
    low = y - v.u(0.24, 0.3)
    v.box(0, low, 1, y, darker(brick, 0.15))
    spires = grid(0, low - 0.06, 1, low + 0.01, 12, 1, 0.3)
    tips = np.stack([(spires[:, 0] + spires[:, 2]) / 2, spires[:, 1]], -1)
    v.many(np.stack([tips, spires[:, [2, 3]], spires[:, [0, 3]]], 1), v.roof(darker(brick, 0.3)))
    v.windows(grid(0, low + 0.04, 1, y - 0.02, 16, 3, 0.4), 0.6)
    v.box(0, y, 1, 1, v.roof((96, 98, 104)))
    v.box(0, y, 1, y + 0.03, v.roof((160, 158, 156)))
    left = v.chance(0.5)
    tower = v.at(v.u(0.11, 0.18) if left else v.u(0.82, 0.89), y + 0.01, v.u(0.68, 0.74))
    tower.box(-0.11, -0.85, 0.11, 0, brick)
    tower.many(corners(grid(-0.1, -0.6, 0.1, -0.02, 3, 1, 0.35)), darker(brick, 0.35))
    tower.box(-0.13, -0.88, 0.13, -0.63, lighter(brick, 0.12))
    tower.polygon([[-0.13, -0.88], [0.13, -0.88], [0, -1.14]], v.roof((66, 76, 82)))
    face = tower.shining() if v.light == "night" else tower
    face.ellipse(0, -0.755, 0.1, 0.1, (40, 40, 44))
    face.ellipse(0, -0.755, 0.084, 0.084, (252, 246, 224))
    face.line([[0, -0.755], [0, -0.825]], 0.02, (20, 20, 24))
    face.line([[0, -0.755], [0.05, -0.73]], 0.02, (20, 20, 24))
    _bus(v.at(v.u(0.76, 0.84) if left else v.u(0.16, 0.24), v.u(0.95, 0.98), v.u(0.3, 0.36)))


def _bus(v: View) -> None:
    v.box(-0.5, -0.78, 0.5, -0.08, (214, 24, 34))
    v.box(-0.5, -0.45, 0.5, -0.41, (250, 236, 210))
    panes = np.vstack(
        [grid(-0.46, -0.72, 0.46, -0.5, 5, 1, 0.82), grid(-0.46, -0.38, 0.46, -0.2, 5, 1, 0.82)]
    )
    v.windows(panes, 1.0)
    v.dots(np.array([[-0.28, -0.08], [0.28, -0.08]]), 0.1, (26, 26, 28))


def tokyo(v: View) -> None:
    """A red gate before a white mountain, neon signs at the sides, cherry blossom."""
    sky(v, 0.6, (250, 216, 226), 0.35)
    top, x = v.u(0.28, 0.36), v.u(0.36, 0.64)
    v.polygon([[x - 0.07, top], [x + 0.07, top], [x + 0.5, 0.76], [x - 0.5, 0.76]], (108, 124, 166))
    cap = [
        [-0.07, 0],
        [0.07, 0],
        [0.16, 0.12],
        [0.08, 0.09],
        [0.0, 0.14],
        [-0.08, 0.09],
        [-0.16, 0.12],
    ]
    v.polygon(np.array(cap) - (-x, -top), (250, 250, 255))
    ground = v.u(0.76, 0.82)
    for left, right, high in (
        (-0.02, 0.07, 0.3),
        (0.07, 0.2, 0.48),
        (0.8, 0.92, 0.46),
        (0.92, 1.02, 0.28),
    ):
        tall = high + v.u(-0.05, 0.05)
        _block(v, left, right, tall, ground, v.pick(((90, 94, 112), (128, 124, 136)), 8), 0.05)
        sign = v.pick(((255, 50, 150), (40, 230, 240), (255, 220, 40), (120, 255, 90)), 4)
        middle = (left + right) / 2
        v.shining().box(middle - 0.025, tall + 0.06, middle + 0.025, tall + 0.26, sign)
        v.dots(np.array([[middle, tall + k] for k in (0.1, 0.16, 0.22)]), 0.014, (250, 250, 250))
    v.box(0, ground, 1, 1, v.ground((164, 156, 150)))
    _gate(v, ground)
    blossom: RGB = (250, 170, 200)
    side = v.u(-0.02, 0.06) if v.chance(0.5) else v.u(0.94, 1.02)
    for place in v.scatter(7, side - 0.14, 0.0, side + 0.14, 0.16):
        v.ellipse(place[0], place[1], 0.06, 0.045, v.leaf(v.vary(blossom, 6)))


def _gate(v: View, ground: float) -> None:
    red, foot = v.vary((214, 44, 28), 5), ground + v.u(0.12, 0.18)
    left, right, top = v.u(0.13, 0.19), v.u(0.81, 0.87), v.u(0.09, 0.15)
    for x in (left, right):
        v.polygon([[x - 0.045, foot], [x - 0.032, top], [x + 0.032, top], [x + 0.045, foot]], red)
        v.box(x - 0.055, foot - 0.06, x + 0.055, foot, (40, 30, 34))
    v.box(left - 0.08, top + 0.14, right + 0.08, top + 0.195, red)
    v.box(0.47, top, 0.53, top + 0.14, red)
    rim = np.array([[-0.02, top - 0.05], [0.2, top], [0.8, top], [1.02, top - 0.05]])
    v.polygon(np.vstack([rim, rim[::-1] - (0, -0.07)]), red)
    v.polygon(np.vstack([rim - (0, 0.035), rim[::-1]]), v.roof((44, 32, 40)))


def rome(v: View) -> None:
    """The round theatre with its rows of arches, columns, umbrella pines."""
    sky(v, 0.6, (250, 226, 190), 0.2)
    stone = v.vary((220, 176, 118), 6)
    top, foot = v.u(0.24, 0.32), v.u(0.8, 0.85)
    x = np.linspace(-0.05, 1.05, 13)
    curve = 0.3 * (x - 0.5) ** 2
    broken = np.where((x > v.u(0.55, 0.7)) == v.chance(0.5), 0.0, 0.13)
    v.polygon(
        np.vstack([np.stack([x, top + curve + broken], -1), [[1.05, foot], [-0.05, foot]]]), stone
    )
    tall = (foot - top - 0.16) / 3
    t = np.linspace(np.pi, 2 * np.pi, 6)
    for row in range(3):
        base = foot - 0.01 - row * tall
        arches = []
        for centre in np.linspace(0.0, 1.0, 10):
            sink = 0.3 * (centre - 0.5) ** 2 * row / 2
            arch = np.stack([0.032 * np.cos(t), -tall * 0.55 + 0.035 * np.sin(t)], -1)
            whole = np.vstack([arch, [[0.032, 0], [-0.032, 0]]])
            arches.append(whole - (-centre, -base - sink))
        dark = v.shining() if v.light == "night" else v
        dark.many(np.array(arches), (230, 150, 60) if v.light == "night" else (112, 74, 46))
        v.line(np.stack([x, base - tall * 0.86 + curve * row / 2], -1), 0.016, lighter(stone, 0.35))
    v.box(0, foot, 1, 1, v.ground((206, 178, 130)))
    marble = v.roof((244, 234, 214))
    for x0 in (
        (v.u(0.05, 0.1), v.u(0.22, 0.26)) if v.chance(0.5) else (v.u(0.74, 0.78), v.u(0.9, 0.95))
    ):
        _column(v.at(x0, v.u(0.94, 0.98), v.u(0.42, 0.62)), marble)
    pine = v.u(0.8, 0.95) if x0 < 0.5 else v.u(0.05, 0.2)
    v.line([[pine, 0.95], [pine + 0.02, 0.42]], 0.03, BARK)
    v.ellipse(pine + 0.02, 0.36, 0.2, 0.075, v.leaf((46, 98, 52)))


def _column(v: View, marble: RGB) -> None:
    v.box(-0.07, -0.92, 0.07, -0.05, marble)
    v.many(corners(grid(-0.07, -0.9, 0.07, -0.06, 3, 1, 0.35)), darker(marble, 0.22))
    v.box(-0.11, -1.0, 0.11, -0.91, marble)
    v.box(-0.11, -0.06, 0.11, 0, marble)


def provence(v: View) -> None:
    """Rows of lavender that run to the horizon, cypresses and a house of stone."""
    horizon = v.u(0.38, 0.46)
    sky(v, horizon, (50, 120, 220), 0.4)
    v.below(v.ridge(horizon - 0.04, 0.05, 6), v.ground((142, 138, 176)))
    v.box(0, horizon, 1, 1, v.ground((176, 156, 106)))
    focus, violet = v.u(0.3, 0.7), v.vary((126, 70, 190), 6)
    bloom = mix(violet, SNOW, 0.45 if v.season == "winter" else 0)
    if v.season in ("autumn", "dry"):
        bloom = mix(violet, v.leaf(violet), 0.35)
    spread = np.linspace(-1.9, 1.9, 12)
    rows = [
        [
            [focus + s * 0.3, horizon + 0.02],
            [focus + s * 0.33, horizon + 0.02],
            [focus + s * 0.94 + 0.082, 1.02],
            [focus + s * 0.94 - 0.082, 1.02],
        ]
        for s in spread
    ]
    v.many(np.array(rows), bloom)
    lit = np.array(rows) * (1, 1)
    lit[:, 1:3] = lit[:, 1:3] * 0.35 + lit[:, [0, 3]] * 0.65
    v.many(lit, lighter(bloom, 0.3))
    left = v.chance(0.5)
    x = v.u(0.1, 0.2) if left else v.u(0.8, 0.9)
    house(v, x, horizon + 0.1, v.u(0.26, 0.32), (206, 120, 80), (226, 196, 150))
    for shift in (-0.17, 0.18):
        flame(v, x + shift, horizon + 0.12, v.u(0.3, 0.38))
    far = v.u(0.86, 0.96) if left else v.u(0.04, 0.14)
    flame(v, far, horizon + v.u(0.1, 0.2), v.u(0.36, 0.46))
