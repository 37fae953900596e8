"""Trees: the large one in the foreground, by kind, and small ones for the distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from likeness.world.canvas import RGB, darker, lighter, mix
from likeness.world.description import Tree
from likeness.world.nature.view import SNOW, View

BARK: RGB = (98.0, 68.0, 44.0)


def large(v: View) -> None:
    """The one large tree of the landscape, at the left or at the right."""
    draw = _LARGE.get(v.landscape.tree)
    if draw is None:
        return
    left = v.chance(0.5)
    x = v.u(0.1, 0.22) if left else v.u(0.78, 0.9)
    draw(v.at(x, v.u(0.94, 1.02), v.u(0.82, 0.95), mirror=left))


def _pine(v: View) -> None:
    dark = v.vary((26.0, 74.0, 50.0), 7)
    v.box(-0.03, -0.16, 0.03, 0, BARK)
    for k in range(5):
        top, wide = -1.0 + 0.17 * k, 0.1 + 0.045 * k
        tier = np.array([[0, top], [wide, top + 0.27], [-wide, top + 0.27]])
        v.polygon(tier, lighter(dark, 0.07 * (k % 2)))
        if v.season == "winter":
            v.polygon(tier * (0.55, 1) + [[0, 0], [0, -0.13], [0, -0.13]], SNOW)


def _banyan(v: View) -> None:
    bark, green = v.vary((122.0, 96.0, 72.0), 8), v.vary((42.0, 108.0, 44.0), 9)
    v.line([[0, 0.03], [0.01, -0.3], [0, -0.62]], 0.12, bark)
    v.line([[0, -0.35], [-0.3, -0.68]], 0.06, bark)
    v.line([[0, -0.35], [0.26, -0.68]], 0.06, bark)
    for x in np.linspace(-0.5, 0.42, 8):
        sway, foot = v.u(-0.02, 0.02), v.u(-0.28, 0.02) if abs(x) < 0.4 else v.u(-0.35, -0.1)
        v.line([[x, -0.62], [x + sway, -0.3], [x, foot]], v.u(0.016, 0.032), darker(bark, 0.2))
    leaf = v.leaf(green)
    for x, y in ((-0.44, -0.68), (-0.2, -0.74), (0.08, -0.76), (0.34, -0.7), (-0.05, -0.84)):
        v.ellipse(x + v.u(-0.03, 0.03), y, 0.23, 0.13, leaf)
        v.ellipse(x - 0.04, y - 0.05, 0.13, 0.05, lighter(leaf, 0.16))


def _palm(v: View) -> None:
    trunk = v.vary((150.0, 112.0, 70.0), 8)
    lean = v.u(-0.16, 0.04)
    path = np.array([[0, 0.02], [0.03 + lean * 0.2, -0.35], [lean, -0.72]])
    v.line(path, 0.055, trunk)
    for k in range(1, 7):
        spot = path[0] + (path[2] - path[0]) * k / 7
        v.line([spot - (0.02, 0), spot - (-0.03, -0.01)], 0.014, darker(trunk, 0.35))
    leaf = v.leaf(v.vary((48.0, 140.0, 52.0), 8))
    for k, angle in enumerate(np.linspace(-3.6, 0.45, 8)):
        tip = np.array([np.cos(angle), np.sin(angle)]) * v.u(0.28, 0.34)
        root = path[2]
        frond = [root, root + tip * 0.5 + (0, -0.07), root + tip + (0, 0.1), root + tip * 0.5]
        v.polygon(np.array(frond), darker(leaf, 0.16 * (k % 2)))
    for x in (-0.03, 0.02):
        v.ellipse(lean + x, -0.69, 0.026, 0.028, (98.0, 60.0, 32.0))


def _cypress(v: View) -> None:
    dark = v.vary((30.0, 66.0, 46.0), 6)
    v.box(-0.018, -0.08, 0.018, 0, BARK)
    heights = np.array([0.04, 0.25, 0.5, 0.75, 1.0])
    breadth = np.array([0.05, 0.095, 0.085, 0.05, 0.0]) * v.rng.uniform(0.9, 1.1, 5)
    right = np.stack([breadth, -heights], -1)
    v.polygon(np.vstack([right, right[::-1] * (-1, 1)]), dark)
    v.polygon(np.vstack([right[::-1], [[0.02, -0.1]]]), lighter(dark, 0.12))
    if v.season == "winter":
        v.polygon([[0.0, -1.0], [0.05, -0.7], [-0.01, -0.5], [-0.05, -0.72]], SNOW)


def _oak(v: View) -> None:
    bark = v.vary(BARK, 6)
    v.polygon([[-0.08, 0.02], [-0.04, -0.45], [0.05, -0.45], [0.09, 0.02]], bark)
    v.line([[0, -0.38], [-0.18, -0.62]], 0.035, bark)
    v.line([[0, -0.38], [0.16, -0.6]], 0.035, bark)
    leaf = v.leaf(v.vary((72.0, 138.0, 50.0), 9))
    v.ellipse(0, -0.68, 0.31, 0.29, darker(leaf, 0.12))
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1]:
        x, y = 0.2 * np.cos(angle), -0.69 + 0.18 * np.sin(angle)
        v.ellipse(x, y, 0.12, 0.11, mix(leaf, darker(leaf, 0.25), 0.5 + 0.5 * np.sin(angle)))
    v.ellipse(-0.08, -0.78, 0.13, 0.1, lighter(leaf, 0.2))


_LARGE: dict[Tree, Callable[[View], None]] = {
    "pine": _pine,
    "banyan": _banyan,
    "palm": _palm,
    "cypress": _cypress,
    "oak": _oak,
}


def bush(v: View, x: float, y: float, size: float, colour: RGB) -> None:
    """A small round tree standing at x, y, ``size`` high."""
    v.box(x - 0.06 * size, y - 0.4 * size, x + 0.06 * size, y, BARK)
    v.ellipse(x, y - 0.62 * size, 0.36 * size, 0.38 * size, v.leaf(colour))


def fir(v: View, x: float, y: float, size: float, colour: RGB) -> None:
    """A small conifer standing at x, y, ``size`` high."""
    own = mix(colour, SNOW, 0.55 if v.season == "winter" else 0.0)
    v.polygon([[x, y - size], [x + 0.28 * size, y], [x - 0.28 * size, y]], own)


def flame(v: View, x: float, y: float, size: float) -> None:
    """A small cypress standing at x, y, ``size`` high."""
    dark = v.roof(v.vary((34.0, 72.0, 48.0), 5))
    v.ellipse(x, y - size / 2, 0.13 * size, 0.5 * size, dark)
