"""What is overhead and in the air: sky, sun, moon, stars, clouds, snow and falling leaves."""

from __future__ import annotations

import numpy as np

from likeness.world.canvas import RGB, mix
from likeness.world.description import Light
from likeness.world.nature.view import View

_SKIES: dict[Light, tuple[RGB, RGB]] = {
    "day": ((82.0, 148.0, 226.0), (192.0, 222.0, 246.0)),
    "bright": ((120.0, 194.0, 255.0), (255.0, 253.0, 236.0)),
    "sunset": ((112.0, 62.0, 122.0), (255.0, 128.0, 44.0)),
    "night": ((4.0, 8.0, 34.0), (26.0, 40.0, 96.0)),
}


def sky(v: View, horizon: float, tint: RGB | None = None, share: float = 0.5) -> None:
    """The sky down to the horizon with what stands in it; ``tint`` is mixed in by day."""
    above, beneath = (v.vary(colour, 7) for colour in _SKIES[v.light])
    if v.season == "winter" and v.light == "day":
        above, beneath = mix(above, (196, 206, 220), 0.6), mix(beneath, (226, 230, 236), 0.7)
    if v.season == "dry" and v.light == "day":
        above, beneath = mix(above, (224, 206, 160), 0.5), mix(beneath, (240, 222, 180), 0.7)
    if v.season == "autumn" and v.light == "day":
        above, beneath = mix(above, (206, 190, 176), 0.45), mix(beneath, (244, 218, 184), 0.6)
    if tint is not None:
        part = share * (1.0 if v.light == "day" else 0.5 if v.light == "bright" else 0.15)
        above, beneath = mix(above, tint, part), mix(beneath, tint, part)
    shining = v.shining()
    middle = horizon * 0.55
    if v.light == "sunset":
        shining.gradient(0, middle, above, beneath)
        shining.gradient(middle, horizon + 0.02, beneath, (255.0, 206.0, 92.0))
    else:
        shining.gradient(0, horizon + 0.02, above, beneath)
    shining.box(0, horizon + 0.01, 1, 1, beneath)
    _lights(shining, horizon)
    if v.light != "night" and not v.landscape.red_sun and v.chance(0.7):
        clouds(shining, horizon)


def _lights(v: View, horizon: float) -> None:
    x = v.u(0.08, 0.24) if v.chance(0.5) else v.u(0.76, 0.92)
    if v.light == "night":
        stars(v, 34, horizon)
        moon(v, x, v.u(0.08, 0.2), v.u(0.05, 0.07))
    elif v.light == "bright":
        sun(v, x, v.u(0.06, 0.17), v.u(0.07, 0.09))
    elif v.light == "sunset" and not v.landscape.red_sun:
        v.glow(x, horizon, 0.3, (255.0, 230.0, 140.0), 0.9)
    if v.landscape.fantasy:
        moon(v, 1 - x, v.u(0.1, 0.2), v.u(0.07, 0.1))
        moon(v, 1 - x + v.u(-0.08, 0.08), v.u(0.22, 0.3), v.u(0.035, 0.05))
    if v.landscape.red_sun:
        red_sun(v, horizon)


def sun(v: View, x: float, y: float, radius: float) -> None:
    """A white sun with broad rays."""
    v.glow(x, y, 4.2 * radius, (255.0, 255.0, 240.0), 0.8)
    turn = v.u(0, 1)
    for k in range(12):
        angle = turn + k * np.pi / 6
        tip = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-tip[1], tip[0]]) * 0.35
        points = (np.array([tip + across, tip * 2.3, tip - across]) * radius) + (x, y)
        v.pen.polygon(points, (255.0, 244.0, 150.0))
    v.pen.ellipse(x, y, radius, radius, (255.0, 252.0, 214.0))


def red_sun(v: View, horizon: float) -> None:
    """A large red disk, low over the horizon."""
    x = v.u(0.14, 0.26) if v.chance(0.5) else v.u(0.74, 0.86)
    y, radius = min(horizon - v.u(0.04, 0.12), 0.32), v.u(0.13, 0.17)
    v.glow(x, y, 1.9 * radius, (255.0, 120.0, 70.0), 0.5)
    v.pen.ellipse(x, y, radius, radius, (222.0, 22.0, 28.0))


def moon(v: View, x: float, y: float, radius: float) -> None:
    """A full moon with two dark spots."""
    v.ellipse(x, y, radius, radius, (240.0, 238.0, 214.0))
    v.ellipse(x - 0.3 * radius, y - 0.2 * radius, 0.3 * radius, 0.25 * radius, (204, 202, 184))
    v.ellipse(x + 0.3 * radius, y + 0.35 * radius, 0.2 * radius, 0.2 * radius, (210, 208, 190))


def stars(v: View, count: int, bottom: float) -> None:
    """Small stars, brighter and fainter ones."""
    places = v.scatter(count, 0, 0, 1, bottom)
    v.dots(places[::2], v.rng.uniform(0.006, 0.009, len(places[::2])), (255.0, 255.0, 240.0))
    v.dots(places[1::2], v.rng.uniform(0.003, 0.006, len(places[1::2])), (206.0, 214.0, 246.0))


def clouds(v: View, horizon: float) -> None:
    """A few heaps of cloud, lit by the hour."""
    colour = (255.0, 188.0, 150.0) if v.light == "sunset" else (248.0, 250.0, 253.0)
    for _ in range(v.n(1, 3)):
        x, y, size = v.u(0, 1), v.u(0.06, max(horizon * 0.6, 0.08)), v.u(0.06, 0.12)
        for shift in (-0.9, 0.0, 0.8):
            v.ellipse(x + shift * size, y, size, size * v.u(0.3, 0.5), colour)


def air(v: View) -> None:
    """What the season puts in front of everything: snowflakes, leaves, cracks in the ground."""
    if v.season == "winter":
        places = v.scatter(46, 0, 0, 1, 1)
        v.dots(places, v.rng.uniform(0.006, 0.013, 46), (252.0, 253.0, 255.0))
    elif v.season == "autumn":
        for colour in ((226.0, 92.0, 20.0), (206.0, 150.0, 30.0)):
            places = np.vstack([v.scatter(14, 0, 0.05, 1, 0.9), v.scatter(22, 0, 0.84, 1, 1)])
            v.dots(places, v.rng.uniform(0.01, 0.017, 36), colour)
    elif v.season == "dry":
        for x, y in v.scatter(11, 0, 0.8, 1, 1):
            path = np.cumsum(v.rng.uniform(-0.07, 0.07, (5, 2)) * (1.5, 0.5), 0)
            v.line(path - (-x, -y), 0.011, (92.0, 62.0, 30.0))


def beams(v: View) -> None:
    """The light that falls through the picture: rays by bright day, dusk at its rim by night."""
    if v.light == "bright":
        x = v.u(0.0, 0.3) if v.chance(0.5) else v.u(0.7, 1.0)
        for lean in (-0.55, 0.0, 0.5):
            foot, wide = x + lean + v.u(-0.1, 0.1) + (0.4 if x < 0.5 else -0.4), v.u(0.06, 0.13)
            ray = [[x - 0.02, -0.02], [x + 0.02, -0.02], [foot + wide, 1.02], [foot - wide, 1.02]]
            v.pen.glaze(ray, (255.0, 252.0, 222.0), 0.3)


def wonders(v: View) -> None:
    """Floating islands and crystals, at the sides, where a person leaves them room."""
    left = v.chance(0.5)
    for x, y, size in (
        (v.u(0.1, 0.2), v.u(0.3, 0.45), v.u(0.12, 0.16)),
        (v.u(0.82, 0.92), v.u(0.2, 0.36), v.u(0.08, 0.12)),
    ):
        island = v.at(x if left else 1 - x, y, size)
        island.polygon(
            [[-1.0, 0.0], [1.0, 0.0], [0.5, 0.7], [0.1, 1.4], [-0.5, 0.8]], (120, 92, 70)
        )
        island.ellipse(0, 0, 1.05, 0.26, (96, 190, 70))
        island.ellipse(-0.2, -0.5, 0.42, 0.5, (60, 150, 60))
    for x in (v.u(0.02, 0.12), v.u(0.16, 0.24), v.u(0.78, 0.86), v.u(0.9, 0.98)):
        crystal = v.shining().at(x, v.u(0.9, 1.02), v.u(0.1, 0.17), v.u(-0.3, 0.3))
        colour = v.pick(((255, 216, 60), (84, 240, 120), (120, 200, 255)), 6)
        crystal.polygon([[-0.3, 0.0], [-0.3, -1.0], [0.0, -1.6], [0.3, -1.0], [0.3, 0.0]], colour)
        crystal.polygon(
            [[0.0, 0.0], [0.0, -1.6], [0.3, -1.0], [0.3, 0.0]], mix(colour, (0, 0, 0), 0.3)
        )
