"""What landscapes are made of: sky, mountain, fields, houses, trees and boats, drawn as forms."""

from itertools import cycle, pairwise

import numpy as np
from numpy.typing import ArrayLike

from likeness.world.hands import Material
from likeness.world.strokes import GRID, Array

Spot = tuple[float, float, float]  # x and y of the foot, size; in fractions of the side
_ROUND = np.array([(np.cos(t), np.sin(t)) for t in np.linspace(0, 2 * np.pi, 10, endpoint=False)])
DIAGONAL = -0.9  # the angle of things without a form of their own: sky, leaves


class Sketch:
    """A form being drawn from back to front: GRID x GRID x (material, tone, angle, depth)."""

    def __init__(self, light: int, rng: np.random.Generator) -> None:
        self.form = np.zeros((GRID, GRID, 4), np.float32)
        self.light, self.rng, self.depth = light, rng, 0.0
        self.rounds = cycle(_ROUND * rng.uniform(0.8, 1.15, (97, len(_ROUND), 1)))

    def fill(self, points: ArrayLike, material: Material, tone: float, angle: float) -> None:
        """A polygon of one material; points are fractions of the side."""
        import cv2

        self.depth += 0.25
        outline = (np.asarray(points) * (GRID * 16)).astype(np.int32)
        cv2.fillPoly(self.form, [outline], (material, tone, angle, self.depth), shift=4)

    def blob(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        material: Material,
        tone: float,
        angle: float,
    ) -> None:
        """An uneven ellipse about x, y."""
        self.fill(next(self.rounds) * (rx, ry) + (x, y), material, tone, angle)

    def ridge(self, y: float, rise: float, bumps: int) -> Array:
        """A wavy line from the left to the right edge, ``rise`` above and below ``y``."""
        x = np.linspace(0, 1, 33)
        knots = self.rng.normal(0.0, 0.5, bumps)
        wave = np.interp(x, np.linspace(0, 1, bumps), knots)
        wave = np.convolve(np.pad(wave, 2, "edge"), np.ones(5) / 5, "valid")
        return np.stack([x, y - rise * wave], -1)

    def below(self, line: Array, material: Material, tone: float, angle: float) -> None:
        """Everything under a line from the left to the right edge."""
        self.fill(np.vstack([line, [[1, 1.01], [0, 1.01]]]), material, tone, angle)


def sky(s: Sketch, horizon: float) -> None:
    """Open sky, lighter towards the horizon, with a few flat clouds."""
    s.fill([[0, 0], [1, 0], [1, 1], [0, 1]], Material.SKY, 0, DIAGONAL)
    for _ in range(s.rng.integers(2, 5)):
        x, y = s.rng.uniform(0, 1), s.rng.uniform(0.05, 0.75) * horizon
        wide = s.rng.uniform(0.08, 0.2)
        for _ in range(5):
            dx, dy = s.rng.normal(0, wide * 0.6), s.rng.normal(0, 0.018)
            tone = 0.25 if dy < 0 else -0.12
            size = s.rng.uniform(0.02, 0.045)
            s.blob(x + dx, y + dy, wide * 0.5, size, Material.CLOUD, tone, -0.35)
    height = np.linspace(0, 1, GRID, dtype=np.float32) / horizon
    s.form[..., 1] += (0.35 * np.clip(height, 0, 1) - 0.15)[:, None]


def mountain(s: Sketch, horizon: float, peak_x: float, height: float) -> None:
    """A bare peak whose flanks break into lit and shaded shards, and its foothills."""
    base, peak = horizon + 0.02, horizon - height
    left, right = peak_x - s.rng.uniform(0.4, 0.6), peak_x + s.rng.uniform(0.35, 0.6)
    steps = 7
    rise = np.linspace(0, 1, steps) ** s.rng.uniform(0.9, 1.5)
    up = np.stack([left + (peak_x - left) * np.linspace(0, 1, steps), rise], -1)
    fall = np.linspace(1, 0, steps) ** s.rng.uniform(0.8, 1.3)
    down = np.stack([peak_x + (right - peak_x) * np.linspace(0, 1, steps), fall], -1)
    line = np.vstack([up, down[1:]])
    line[1:-1, 1] += s.rng.normal(0, 0.05, len(line) - 2)
    line[:, 1] = base - (base - peak) * np.clip(line[:, 1], 0, 1.05)
    s.fill(np.vstack([line, [[right, base], [left, base]]]), Material.ROCK, 0, -0.6)
    for a, b in pairwise(line):  # shards that hang from the crest
        for _ in range(2):
            t = s.rng.uniform(0, 0.5)
            top = a + (b - a) * t
            side = np.sign((a[0] + b[0]) / 2 - peak_x)
            hang = (base - top[1]) * s.rng.uniform(0.6, 1)
            foot = np.add(top, (side * s.rng.uniform(0.0, 0.16), hang))
            wide = np.array([s.rng.uniform(0.03, 0.08), 0])
            slope = float(np.arctan2(foot[1] - top[1], foot[0] - top[0]))
            tone = 0.5 * side * s.light + s.rng.normal(0, 0.22)
            s.fill([top, b, foot + wide, foot - wide], Material.ROCK, tone, slope)
    s.below(s.ridge(horizon + 0.01, 0.035, 6), Material.FAR, -0.15, 0.1)


def plain(s: Sketch, top: float) -> None:
    """Fields that grow wider and warmer towards the beholder."""
    s.below(np.array([[0, top], [1, top]]), Material.MEADOW, 0.05, 0.05)
    y = top
    while y < 1:
        tall = (0.02 + 0.35 * (y - top)) * s.rng.uniform(0.8, 1.3)
        tilt = s.rng.normal(0, 0.03)
        x = -s.rng.uniform(0, 0.3)
        while x < 1:
            wide = s.rng.uniform(0.18, 0.5)
            corners = [[x, y + tilt], [x + wide, y - tilt], [x + wide + 0.06, y + tall * 1.4]]
            material = s.rng.choice(
                [Material.FIELD, Material.FIELD, Material.MEADOW, Material.PATH]
            )
            s.fill(
                [*corners, [x - 0.06, y + tall * 1.4]],
                Material(int(material)),
                s.rng.normal(0.08, 0.22),
                s.rng.normal(0, 0.2),
            )
            if s.rng.random() < 0.3:  # a hedge along the field
                for t in np.linspace(0, 1, 5):
                    size = 0.012 + 0.05 * (y - top)
                    tone = s.rng.normal(-0.25, 0.2)
                    s.blob(x + t * wide, y, size * 1.5, size, Material.FOLIAGE, tone, DIAGONAL)
            x += wide
        y += tall


def road(s: Sketch, top: float) -> None:
    """A path that bends from the lower edge up to ``top``."""
    bend, foot, aim = (
        s.rng.uniform(-0.25, 0.25),
        s.rng.uniform(0.25, 0.75),
        s.rng.uniform(0.35, 0.65),
    )
    t = np.linspace(0, 1, 9)
    middle = aim + (foot - aim) * t + bend * np.sin(np.pi * t) * (1 - t)
    wide = 0.008 + 0.13 * t**1.6
    y = top + (1.02 - top) * t**1.3
    edge = np.vstack([np.stack([middle - wide, y], -1), np.stack([middle + wide, y], -1)[::-1]])
    s.fill(edge, Material.PATH, 0.3, 0.25)


def house(s: Sketch, spot: Spot) -> None:
    """A house with a gable towards the sun, a tiled roof and dark windows."""
    x, y, size = spot
    wide, tall = size * s.rng.uniform(0.8, 1.15), size * s.rng.uniform(0.5, 0.75)
    deep, roof = size * s.rng.uniform(0.35, 0.6) * s.light, size * s.rng.uniform(0.22, 0.36)
    near, far = x - wide / 2 * s.light, x + wide / 2 * s.light  # the gable looks at the sun
    gable = [[far, y], [far + deep, y - 0.1 * size], [far + deep, y - tall], [far, y - tall]]
    top = [far + deep / 2, y - tall - roof]
    s.fill([*gable[:3], top, gable[3]], Material.WALL, 0.5, np.pi / 2)
    s.fill([[near, y], [far, y], [far, y - tall], [near, y - tall]], Material.WALL, -0.3, 0.0)
    ridge = [near + deep / 2, y - tall - roof]
    slope = float(np.arctan2(-roof, deep / 2))
    s.fill(
        [[near, y - tall], [far, y - tall], top, ridge], Material.ROOF, s.rng.normal(0, 0.2), slope
    )
    for t in (0.28, 0.68):
        if s.rng.random() < 0.7:
            hole, w = near + (far - near) * t, size * 0.06
            box = [[hole - w, y - tall * 0.7], [hole + w, y - tall * 0.7]]
            s.fill(
                [*box, [hole + w, y - tall * 0.35], [hole - w, y - tall * 0.35]],
                Material.WALL,
                -0.95,
                np.pi / 2,
            )


def leaves(s: Sketch, x: float, y: float, rx: float, ry: float, count: int) -> None:
    """A crown of clumps, lit from the sun's side and from above."""
    s.blob(x, y, rx, ry, Material.FOLIAGE, -0.55, DIAGONAL)
    chance = s.rng.normal(0, (0.5, 0.5, 0.2, 0.4), (count, 4)).tolist()
    sizes = s.rng.uniform(0.25, 0.45, count).tolist()
    for (u, v, glow, turn), size in zip(chance, sizes, strict=True):
        tone = min(max(0.45 * (u * s.light - v) - 0.1 + glow, -0.8), 0.75)
        clump = (x + u * rx, y + v * ry, rx * size, ry * size)
        s.blob(*clump, Material.FOLIAGE, tone, DIAGONAL + turn)


def tree(s: Sketch, spot: Spot) -> None:
    """A round tree, or a cypress, and its shadow."""
    x, y, size = spot
    trunk = size * 0.05
    s.fill(
        [[x - trunk, y], [x + trunk, y], [x + trunk / 2, y - size], [x - trunk / 2, y - size]],
        Material.TRUNK,
        -0.3,
        np.pi / 2,
    )
    s.blob(x - s.light * size * 0.2, y, size * 0.5, size * 0.06, Material.FOLIAGE, -0.75, 0.0)
    if s.rng.random() < 0.25:  # a cypress
        leaves(s, x, y - size * 0.75, size * 0.17, size * 0.75, 6)
    else:
        leaves(s, x, y - size * 0.85, size * 0.45, size * 0.45, 9)


def pine(s: Sketch) -> None:
    """A near pine at the shadow side of the picture whose boughs reach over the view."""
    side = -s.light
    x, lean = 0.5 + side * s.rng.uniform(0.36, 0.44), s.rng.normal(0, 0.03)
    s.fill(
        [[x - 0.022, 1.01], [x + 0.022, 1.01], [x + lean + 0.011, 0.02], [x + lean - 0.011, 0.02]],
        Material.TRUNK,
        -0.1,
        np.pi / 2 + lean,
    )
    for _ in range(7):
        reach, y = s.rng.uniform(-0.1, 0.42), s.rng.uniform(-0.02, 0.2)
        bough = x + lean - side * reach
        s.fill(
            [[x + lean, y + 0.06], [bough, y], [bough, y + 0.008], [x + lean, y + 0.075]],
            Material.TRUNK,
            -0.3,
            0.2,
        )
        leaves(s, bough, y, s.rng.uniform(0.06, 0.13), s.rng.uniform(0.025, 0.05), 5)


def boat(s: Sketch, x: float, y: float) -> None:
    """A sailing boat and its reflection."""
    size = 0.03 + 0.2 * max(y - 0.35, 0)
    s.blob(x, y + size * 0.15, size * 0.8, size * 0.12, Material.WATER, -0.6, 0.0)
    s.fill(
        [
            [x - size * 0.7, y - size * 0.15],
            [x + size * 0.7, y - size * 0.2],
            [x + size * 0.45, y + size * 0.12],
            [x - size * 0.5, y + size * 0.12],
        ],
        Material.TRUNK,
        -0.2,
        0.0,
    )
    lean = size * 0.8 * s.light
    s.fill(
        [[x, y - size * 1.8], [x, y - size * 0.25], [x + lean, y - size * 0.3]],
        Material.WALL,
        0.45,
        1.3,
    )


def tall_tree(s: Sketch, x: float, y: float, size: float) -> None:
    """A bare trunk with boughs above the view."""
    width, lean, top = size * 0.032, s.rng.normal(0, 0.05), y - size * 1.5
    up = np.pi / 2 - lean
    for shift, tone in ((0.0, -0.45), (0.5 * s.light * width, 0.3)):
        w = width if shift == 0 else width * 0.45
        s.fill(
            [
                [x - w + shift, y],
                [x + w + shift, y],
                [x + lean + shift + w / 2, top],
                [x + lean + shift - w / 2, top],
            ],
            Material.TRUNK,
            tone,
            up,
        )
    for _ in range(4):
        cx, cy = x + lean + s.rng.normal(0, 0.12), top + s.rng.uniform(-0.05, 0.2) * size
        leaves(s, cx, max(cy, 0.0), 0.1, s.rng.uniform(0.04, 0.08), 5)
