"""The open country: fields, hills, woods, waters, mountains and desert."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, Array, darker, lighter, mix
from likeness.world.nature.sky import sky
from likeness.world.nature.trees import BARK, bush, fir
from likeness.world.nature.view import SNOW, View

GRASS: tuple[RGB, ...] = ((104, 168, 66), (120, 176, 78), (88, 152, 62))
WOOD: tuple[RGB, ...] = ((52, 112, 54), (64, 124, 50), (44, 100, 58))
PETALS: tuple[RGB, ...] = (
    (230, 40, 60),
    (250, 210, 40),
    (240, 110, 180),
    (150, 70, 200),
    (255, 255, 255),
)


def _flat(y: float) -> Array:
    return np.array([[-0.02, y], [1.02, y]])


def field(v: View) -> None:
    """Ripe wheat to the horizon."""
    horizon = v.u(0.34, 0.5)
    sky(v, horizon)
    v.below(v.ridge(horizon - 0.02, 0.03, 6), v.leaf(v.pick(WOOD)))
    gold = v.vary((228, 182, 62), 8)
    wheat = mix(gold, v.ground(gold), 0.75)
    v.below(v.ridge(horizon + 0.02, 0.012, 5), lighter(wheat, 0.15))
    v.below(v.ridge(horizon + v.u(0.14, 0.22), 0.03, 5), wheat)
    for y, size, shade in ((0.72, 0.16, 0.32), (0.86, 0.2, 0.12), (1.02, 0.24, 0.4)):
        feet = v.scatter(24, -0.02, y - 0.03, 1.02, y + 0.04)
        stalk = np.array([[-0.005, 0], [0.005, 0], [0.005, -size], [-0.005, -size]])
        ear = np.array(
            [[0, -size * 1.25], [0.017, -size * 1.05], [0, -size * 0.75], [-0.017, -size * 1.05]]
        )
        v.many(feet[:, None] + stalk, darker(wheat, shade))
        v.many(feet[:, None] + ear, mix(darker(gold, shade * 0.6), (255, 214, 90), 0.3))


def hill(v: View) -> None:
    """One large round green hill."""
    top, x = v.u(0.3, 0.4), v.u(0.38, 0.62)
    sky(v, 0.8)
    v.below(v.ridge(v.u(0.72, 0.8), 0.03, 5), v.ground((88, 140, 88)))
    green = v.pick(((96, 182, 58), (112, 190, 66)), 8)
    reach = v.u(0.58, 0.68)
    v.ellipse(x, top + 0.85, reach, 0.85, v.ground(green))
    v.ellipse(x - 0.12, top + 0.9, reach * 0.7, 0.84, v.ground(lighter(green, 0.18)))
    v.ellipse(x + 0.02, top + 0.97, reach * 0.9, 0.86, v.ground(green))
    bush(v, x + v.u(-0.12, 0.12), top + 0.015, v.u(0.1, 0.15), (60, 120, 50))
    path = np.array([[0.3, 1.02], [0.6, 0.84], [0.35, 0.7], [0.5, top + 0.05]])
    path[:, 0] += x - 0.45
    v.line(path, 0.025, v.ground((214, 190, 140)))
    spots = v.scatter(14, 0.02, 0.82, 0.98, 1.0)
    v.dots(spots, 0.012, (252, 240, 110) if v.season == "summer" else v.ground(darker(green, 0.3)))


def valley(v: View) -> None:
    """Two slopes that meet, and a river winding between them."""
    horizon = v.u(0.4, 0.5)
    sky(v, horizon)
    middle = v.u(0.42, 0.58)
    v.below(v.ridge(horizon - 0.04, 0.07, 6), v.ground((128, 150, 178)))
    greens = [v.ground(v.pick(GRASS, 8)) for _ in range(3)]
    for k, (rise, foot) in enumerate(((0.04, 0.62), (0.18, 0.78), (0.36, 1.08))):
        for side in (-1, 1):
            edge = 0.5 - 0.52 * side
            end = middle + side * 0.08 * k
            start = horizon - 0.3 + rise + v.u(-0.05, 0.05)
            slope = [
                [edge, start],
                [edge * 0.6 + end * 0.4, start + 0.14],
                [end, foot],
                [edge, 1.1],
            ]
            v.polygon(slope, darker(greens[k], 0.12 if side < 0 else 0.3))
        if k == 0:
            v.below(_flat(foot - 0.06), lighter(greens[0], 0.2))
    v.below(_flat(0.86), lighter(greens[2], 0.14))
    heights = np.array([horizon + 0.1, 0.62, 0.72, 0.84, 1.03])
    sway = middle + np.array([0, 0.05, -0.05, 0.06, -0.04]) * v.u(0.6, 1.3)
    reach = np.array([0.012, 0.03, 0.05, 0.09, 0.17])
    bank = np.stack([sway + reach, heights], -1)
    v.polygon(np.vstack([np.stack([sway - reach, heights], -1), bank[::-1]]), (84, 164, 222))
    for _ in range(8):
        x = v.u(0.0, 0.22) if v.chance(0.5) else v.u(0.78, 1.0)
        fir(v, x, v.u(0.55, 0.95), v.u(0.09, 0.14), v.pick(WOOD))


def forest(v: View) -> None:
    """Trunks upon trunks, and leaves overhead."""
    ground = v.u(0.74, 0.82)
    sky(v, 0.6)
    v.box(0, 0.1, 1, ground, v.leaf(v.vary((112, 158, 96), 8)))
    v.below(v.ridge(ground, 0.02, 6), v.ground(v.vary((92, 104, 54), 8)))
    for depth, count in ((0.35, 9), (0.65, 7), (1.0, 6)):
        foot = ground + 0.2 * depth**1.5
        bark = mix((124, 124, 100), v.vary((74, 50, 34), 6), depth)
        for x in v.scatter(count, -0.02, 0, 1.02, 1)[:, 0]:
            wide, lean = (0.012 + 0.024 * depth) * v.u(0.8, 1.2), v.u(-0.03, 0.03)
            v.polygon(
                [
                    [x - wide * 1.3, foot],
                    [x - wide + lean, -0.02],
                    [x + wide + lean, -0.02],
                    [x + wide * 1.3, foot],
                ],
                bark,
            )
        for x in np.linspace(0, 1, 6):
            leaf = v.leaf(darker(v.pick(WOOD, 10), 0.3 * depth))
            v.ellipse(
                x + v.u(-0.06, 0.06), v.u(-0.02, 0.1), 0.14, v.u(0.07, 0.12) * (1.5 - depth), leaf
            )
    if v.season == "winter":
        v.dots(v.scatter(14, 0, 0, 1, 0.14), 0.03, SNOW)


def _large_leaf(v: View, x: float, y: float, length: float, turn: float, colour: RGB) -> None:
    along = np.array([0, 0.25, 0.6, 1.0])
    half = np.array([0.0, 0.17, 0.16, 0.0])
    rim = np.vstack([np.stack([along, half], -1), np.stack([along, -half], -1)[::-1]])
    own = v.at(x, y, length, turn)
    own.polygon(rim, colour)
    own.line([[0, 0], [1, 0]], 0.03, lighter(colour, 0.4))


def jungle(v: View) -> None:
    """Dense dark leaves, large ones at the rim, and lianas."""
    deep = v.vary((18, 62, 40), 5)
    if v.season != "summer":
        deep = mix(deep, v.leaf(deep), 0.5)
    v.box(0, 0, 1, 1, deep)
    v.glow(v.u(0.35, 0.65), v.u(0.3, 0.45), 0.4, v.tone((150, 206, 110)), 0.6)
    for x, y in v.scatter(12, 0, 0.05, 1, 0.9):
        v.ellipse(x, y, v.u(0.07, 0.13), v.u(0.05, 0.09), v.leaf(darker(v.pick(WOOD, 8), 0.25)))
    for _ in range(5):
        x, sag = v.u(-0.1, 1.0), v.u(0.25, 0.75)
        t = np.linspace(0, 1, 7)
        path = np.stack([x + v.u(0.05, 0.3) * t, sag * 4 * t * (1 - t) - 0.02], -1)
        v.line(path, 0.016, v.vary((112, 96, 44), 10))
    for x, y in v.scatter(5, 0, 0, 1, 0.1):
        _large_leaf(
            v,
            x,
            y - 0.06,
            v.u(0.26, 0.38),
            v.u(0.9, 2.2),
            v.leaf(v.pick(((30, 118, 56), (62, 150, 60)))),
        )
    for k in range(9):
        x = v.u(-0.04, 0.3) if k % 2 else v.u(0.7, 1.04)
        turn = -np.pi / 2 + v.u(-0.9, 0.9)
        green = v.leaf(v.pick(((24, 110, 60), (50, 152, 64), (96, 176, 52)), 8))
        _large_leaf(v, x, v.u(0.75, 1.06), v.u(0.32, 0.48), turn, green)
    v.dots(v.scatter(5, 0, 0.5, 1, 1), 0.022, v.leaf((236, 60, 90)))


def garden(v: View) -> None:
    """Clipped hedges, beds of flowers and a path of pebbles."""
    horizon = v.u(0.32, 0.4)
    sky(v, horizon)
    hedge = v.leaf(v.pick(((46, 104, 48), (54, 116, 56)), 6))
    v.box(0, horizon - 0.07, 1, 1, darker(hedge, 0.15))
    v.box(0, horizon - 0.07, 1, horizon - 0.04, lighter(hedge, 0.2))
    lawn = horizon + 0.22
    v.below(_flat(lawn), v.ground((126, 190, 84)))
    for x in (v.u(0.05, 0.13), v.u(0.25, 0.3), v.u(0.7, 0.75), v.u(0.87, 0.95)):
        v.box(x - 0.01, lawn - 0.1, x + 0.01, lawn + 0.03, BARK)
        v.ellipse(x, lawn - 0.16, 0.075, 0.085, lighter(hedge, 0.12))
        v.ellipse(x - 0.02, lawn - 0.19, 0.035, 0.03, lighter(hedge, 0.3))
    x = v.u(0.4, 0.6)
    v.polygon(
        [[x - 0.03, lawn], [x + 0.03, lawn], [x + 0.2, 1.02], [x - 0.2, 1.02]],
        v.ground((226, 208, 170)),
    )
    for left, right in ((-0.02, x - 0.2), (x + 0.2, 1.02)):
        v.box(left, lawn + 0.12, right, 1.02, v.leaf((60, 128, 50)))
        for colour in v.rng.permutation(len(PETALS)):
            places = v.scatter(9, left, lawn + 0.12, right, 1.0)
            v.dots(
                places,
                v.rng.uniform(0.014, 0.022, 9),
                mix(PETALS[colour], v.leaf(PETALS[colour]), 0.6),
            )


def beach(v: View) -> None:
    """Sand, a strip of sea, a parasol and a towel."""
    horizon = v.u(0.32, 0.42)
    shore = horizon + v.u(0.16, 0.24)
    sky(v, horizon)
    v.box(0, horizon, 1, shore + 0.06, (38, 142, 190))
    v.box(0, horizon + 0.09, 1, shore + 0.06, (84, 196, 206))
    line = v.ridge(shore, 0.025, 6)
    v.below(line - (0, 0.025), (250, 252, 252))
    sand = v.ground(v.vary((240, 214, 156), 6))
    v.below(line, mix(sand, (150, 120, 80), 0.25))
    v.below(line - (0, -0.03), sand)
    left = v.chance(0.5)
    _parasol(
        v.at(
            v.u(0.15, 0.22) if left else v.u(0.78, 0.85),
            v.u(0.8, 0.88),
            v.u(0.42, 0.5),
            v.u(-0.15, 0.15),
        )
    )
    towel = v.at(v.u(0.78, 0.84) if left else v.u(0.16, 0.22), v.u(0.88, 0.93), 0.2)
    towel.polygon([[-0.6, 0.25], [-0.3, -0.25], [0.7, -0.25], [0.5, 0.25]], v.pick(PETALS[:4]))
    towel.polygon([[-0.1, 0.25], [0.1, -0.25], [0.35, -0.25], [0.15, 0.25]], (250, 250, 250))
    v.dots(v.scatter(9, 0, 0.85, 1, 0.99), 0.008, darker(sand, 0.25))


def _parasol(v: View) -> None:
    colour = v.pick(((226, 40, 46), (30, 110, 200), (240, 140, 30)), 6)
    v.line([[0, 0], [0, -1]], 0.035, (250, 250, 246))
    cuts = np.linspace(np.pi, 2 * np.pi, 7)
    rim = np.stack([0.52 * np.cos(cuts), -0.68 + 0.38 * np.sin(cuts)], -1)
    for k in range(6):
        white: RGB = (252, 250, 244)
        v.polygon(
            [rim[k], rim[k + 1], [0.1 * (rim[k + 1, 0] + rim[k, 0]), -0.66]],
            colour if k % 2 else white,
        )
        v.polygon([rim[k], rim[k + 1], [0, -1.06]], colour if k % 2 else white)


def sea(v: View) -> None:
    """Nothing but water and waves."""
    horizon = v.u(0.2, 0.34)
    sky(v, horizon)
    deep = v.pick(((24, 92, 158), (22, 104, 150), (30, 84, 140)), 8)
    v.gradient(horizon, 1.0, mix(deep, (110, 170, 206), 0.35), darker(deep, 0.25))
    for k, y in enumerate(np.linspace(horizon + 0.04, 0.98, 9)):
        size = 0.02 + 0.09 * (y - horizon)
        x = np.linspace(-0.1, 1.1, 13)
        wave = y - size * 0.55 * np.cos(
            (x + v.u(0, 1)) * v.u(0.9, 1.2) / (0.05 + 0.4 * (y - horizon))
        )
        water = lighter(deep, 0.16) if k % 2 else darker(deep, 0.14)
        v.polygon(
            np.vstack([np.stack([x, wave], -1), np.stack([x, wave * 0 + y + size], -1)[::-1]]),
            water,
        )
        places = np.stack([x, wave], -1)[1 + k % 3 :: 3]
        crest = np.array([[-1.0, 0.15], [0, -0.12], [1.0, 0.2], [0, 0.1]]) * (size * 1.2)
        v.many(places[:, None] + crest, (232, 244, 250))


def lake(v: View) -> None:
    """Still water that mirrors the far shore."""
    horizon = v.u(0.42, 0.5)
    sky(v, horizon)
    peaks = v.ridge(horizon - v.u(0.14, 0.2), 0.1, 7)
    far, wood = v.vary((122, 142, 176), 8), v.leaf(v.pick(WOOD, 8))
    shore = v.ridge(horizon - 0.06, 0.025, 12)
    v.below(peaks, mix(far, SNOW, 0.5 if v.season == "winter" else 0))
    v.below(shore, wood)
    water = v.vary((122, 172, 206), 6)
    v.gradient(horizon, 1.0, mix(water, (214, 226, 236), 0.3), darker(water, 0.35))
    mirror = (1.0, -0.9)
    for line, colour, share in ((peaks, far, 0.45), (shore, wood, 0.35)):
        turned = (line - (0, horizon)) * mirror + (0, horizon)
        v.polygon(
            np.vstack([turned, [[1.02, horizon], [-0.02, horizon]]]), mix(colour, water, share)
        )
    v.box(0, horizon - 0.008, 1, horizon + 0.008, (226, 222, 196))
    for y in v.rng.uniform(horizon + 0.08, 0.9, 7):
        x, wide = v.u(0, 1), v.u(0.06, 0.16)
        v.box(x - wide, y, x + wide, y + 0.009, (226, 238, 244))
    for side in (v.u(0.0, 0.06), v.u(0.92, 1.0)):
        for x in v.scatter(6, side - 0.08, 0, side + 0.08, 1)[:, 0]:
            top = v.u(0.66, 0.84)
            v.line([[x, 1.02], [x + v.u(-0.03, 0.03), top]], 0.012, v.leaf((70, 120, 56)))
            v.ellipse(x, top, 0.013, 0.04, (112, 70, 38))


def mountains(v: View) -> None:
    """Jagged peaks with snow, one behind the other."""
    sky(v, 0.75)
    far = v.vary((150, 164, 196), 6)
    v.below(v.ridge(0.3, 0.16, 9, sharp=True), far)
    centres = np.array([0.02, 0.3, 0.62, 0.95]) + v.rng.uniform(-0.08, 0.08, 4)
    tops = np.array([0.1, 0.24, 0.2, 0.08]) + v.rng.uniform(-0.03, 0.06, 4)
    for k in v.rng.permutation(4):
        _peak(v, centres[k], tops[k], v.u(0.3, 0.4), v.vary((96, 104, 128), 8))
    v.below(v.ridge(v.u(0.84, 0.9), 0.04, 6), v.ground((84, 118, 84)))
    for x in v.scatter(9, 0, 0, 1, 1)[:, 0]:
        fir(v, x, v.u(0.92, 1.0), v.u(0.09, 0.15), (34, 76, 62))


def _peak(v: View, x: float, top: float, wide: float, rock: RGB) -> None:
    foot = 0.95
    v.polygon([[x, top], [x + wide, foot], [x - wide, foot]], rock)
    v.polygon([[x, top], [x + wide, foot], [x + 0.12 * wide, foot]], darker(rock, 0.3))
    share = v.u(0.34, 0.46)
    low, half = top + share * (foot - top), share * wide
    teeth = [[half, 0], [half * 0.45, -0.06], [0.1 * half, 0.03], [-half * 0.4, -0.05], [-half, 0]]
    v.polygon(np.array([[x, top], *(np.array(teeth) - (-x, -low)).tolist()]), (246, 250, 255))
    shadow = [
        [x, top],
        [x + half, low],
        [x + half * 0.45, low - 0.06],
        [x + 0.1 * half, low + 0.03],
    ]
    v.polygon(shadow, (196, 210, 232))


def desert(v: View) -> None:
    """Dunes and cacti under a pale sky."""
    horizon = v.u(0.4, 0.5)
    sky(v, horizon, (250, 226, 176), 0.55)
    sand = v.vary((228, 168, 88), 7)
    for k, y in enumerate(np.linspace(horizon, 0.84, 4)):
        crest = v.ridge(y, 0.05 + 0.02 * k, 5)
        own = v.ground(mix(lighter(sand, 0.18), darker(sand, 0.12), k / 3))
        v.below(crest, own)
        lee = np.vstack([crest, crest[::-1] - (-0.05, -v.u(0.05, 0.09))])
        v.polygon(lee, darker(own, 0.17))
    left = v.chance(0.5)
    for x, size in ((v.u(0.08, 0.16), v.u(0.5, 0.62)), (v.u(0.84, 0.92), v.u(0.28, 0.42))):
        _cactus(v.at(x if left else 1 - x, v.u(0.88, 0.97), size))


def _cactus(v: View) -> None:
    green = v.vary((48, 122, 62), 6)
    for path, wide in (
        ([[0.0, 0.0], [0.0, -0.96]], 0.16),
        ([[0.0, -0.4], [0.24, -0.44], [0.26, -0.78]], 0.1),
        ([[0.0, -0.3], [-0.22, -0.34], [-0.24, -0.62]], 0.1),
    ):
        v.line(path, wide, green)
        x, y = path[-1]
        v.ellipse(x, y, wide / 2, wide / 2, green)
    v.box(-0.05, -0.95, -0.02, 0, lighter(green, 0.3))
    if v.season == "winter":
        v.ellipse(0, -1.0, 0.08, 0.05, SNOW)
