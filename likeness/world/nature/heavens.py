"""Places off the earth: open space, the moon and mars."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, darker, lighter, mix
from likeness.world.nature.sky import stars, sun
from likeness.world.nature.view import View


def _extras(v: View) -> None:
    """What the hour adds where there is no air: a sun by bright light, a glow at sunset."""
    if v.light == "bright":
        x = v.u(0.1, 0.2) if v.chance(0.5) else v.u(0.8, 0.9)
        sun(v.shining(), x, v.u(0.1, 0.18), v.u(0.08, 0.1))


def space(v: View) -> None:
    """Black, with stars and clouds of glowing gas."""
    glow = v.shining()
    deep: RGB = (20, 14, 40) if v.light == "bright" else (6, 5, 16)
    v.shining().box(0, 0, 1, 1, deep)
    gases: tuple[RGB, ...] = ((150, 60, 200), (60, 90, 220), (40, 170, 190), (220, 70, 140))
    strength = {"day": 0.95, "bright": 1.0, "sunset": 0.5, "night": 0.15}[v.light]
    for _ in range(5):
        x = v.u(-0.05, 0.35) if v.chance(0.5) else v.u(0.65, 1.05)
        glow.glow(x, v.u(-0.05, 1.05), v.u(0.2, 0.36), v.pick(gases, 8), strength)
    stars(glow, 90, 1.0)
    for x, y in v.scatter(5, 0.02, 0.02, 0.98, 0.98):
        size = v.u(0.018, 0.03)
        ray = np.array(
            [[1, 0], [0.2, 0.2], [0, 1], [-0.2, 0.2], [-1, 0], [-0.2, -0.2], [0, -1], [0.2, -0.2]]
        )
        glow.polygon(ray * size + (x, y), (255, 255, 255))
    if v.light == "sunset":
        v.glow(v.u(0.3, 0.7), 1.05, 0.75, (255, 120, 40), 1.0)
        v.glow(v.u(0.3, 0.7), 1.02, 0.4, (255, 200, 100), 0.9)
    _extras(v)


def moon(v: View) -> None:
    """Gray ground full of craters, a black sky and the earth in it."""
    horizon = v.u(0.42, 0.52)
    night: RGB = (30, 20, 30) if v.light == "sunset" else (5, 5, 12)
    v.shining().box(0, 0, 1, horizon + 0.05, night)
    if v.light == "sunset":
        v.glow(v.u(0, 1), horizon, 0.55, (255, 120, 40), 1.0)
    stars(v.shining(), 40, horizon)
    x = v.u(0.12, 0.22) if v.chance(0.5) else v.u(0.78, 0.88)
    _earth(v.shining().at(x, v.u(0.14, 0.22), v.u(0.09, 0.12)))
    gray = v.vary((164, 162, 160), 5)
    v.below(v.ridge(horizon - 0.04, 0.05, 7), darker(gray, 0.3))
    v.below(v.ridge(horizon + 0.03, 0.02, 6), gray)
    for k, (cx, cy) in enumerate(sorted(v.scatter(13, 0, 0, 1, 1).tolist(), key=lambda p: p[1])):
        y = horizon + 0.08 + (1 - horizon - 0.08) * cy
        size = (0.03 + 0.1 * (y - horizon)) * v.u(0.8, 1.5)
        v.ellipse(cx, y, size, size * 0.45, lighter(gray, 0.35))
        v.ellipse(cx, y + size * 0.06, size * 0.84, size * 0.36, darker(gray, 0.45))
        v.ellipse(cx, y + size * 0.16, size * 0.7, size * 0.25, darker(gray, 0.25 + 0.02 * (k % 3)))
    if v.light == "bright":
        sun(v.shining(), 1 - x, v.u(0.12, 0.2), 0.08)


def _earth(v: View) -> None:
    v.ellipse(0, 0, 1, 1, (50, 110, 210))
    v.ellipse(-0.3, -0.2, 0.4, 0.45, (70, 160, 80))
    v.ellipse(0.35, 0.35, 0.35, 0.3, (80, 160, 84))
    v.ellipse(0.1, -0.55, 0.5, 0.14, (248, 250, 252))
    v.ellipse(-0.2, 0.5, 0.45, 0.12, (248, 250, 252))


def mars(v: View) -> None:
    """Red ground, rocks, table mountains and a pink sky."""
    horizon = v.u(0.4, 0.5)
    above, beneath = {
        "day": ((214, 150, 130), (244, 196, 170)),
        "bright": ((250, 206, 190), (255, 246, 232)),
        "sunset": ((96, 50, 96), (255, 130, 50)),
        "night": ((16, 6, 26), (62, 22, 48)),
    }[v.light]
    v.shining().gradient(0, horizon + 0.05, v.vary(above, 5), v.vary(beneath, 5))
    if v.light == "night":
        stars(v.shining(), 36, horizon)
    _extras(v)
    red = v.vary((190, 76, 40), 6)
    for _ in range(3):
        x, wide, top = v.u(0, 1), v.u(0.1, 0.2), horizon - v.u(0.06, 0.16)
        mesa = [
            [x - wide * 0.6, top],
            [x + wide * 0.6, top],
            [x + wide, horizon + 0.04],
            [x - wide, horizon + 0.04],
        ]
        v.polygon(mesa, mix(red, beneath, 0.3))
    for k, y in enumerate((horizon, horizon + 0.14, horizon + 0.32)):
        v.below(v.ridge(y, 0.03 + 0.015 * k, 6), mix(lighter(red, 0.16), darker(red, 0.22), k / 2))
    for x, cy in sorted(v.scatter(12, 0, 0, 1, 1).tolist(), key=lambda p: p[1]):
        y = horizon + 0.1 + (0.9 - horizon) * cy
        size = (0.012 + 0.07 * (y - horizon)) * v.u(0.7, 1.5)
        rock = np.array([[-1, 0.3], [-0.7, -0.5], [0.1, -0.8], [0.8, -0.4], [1, 0.3]])
        v.polygon(rock * size + (x, y), darker(red, 0.5))
        v.polygon(rock[:4] * size * 0.75 + (x - size * 0.12, y - size * 0.12), darker(red, 0.15))
