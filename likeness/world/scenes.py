"""Scenes: what stands where in a landscape, and its form, on which strokes are then laid."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from likeness.world.hands import Material
from likeness.world.motifs import (
    DIAGONAL,
    Sketch,
    Spot,
    boat,
    house,
    leaves,
    mountain,
    pine,
    plain,
    road,
    sky,
    tall_tree,
    tree,
)
from likeness.world.strokes import Array, smooth_noise

Kind = Literal["mountain", "village", "sea", "forest"]
KINDS: tuple[Kind, ...] = ("mountain", "village", "sea", "forest")


class Scene(BaseModel):
    """Where things stand in a landscape; fractions of the side, y points down."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    horizon: float
    light: Literal[-1, 1]  # the sun stands left or right
    peak_x: float
    peak_height: float
    houses: tuple[Spot, ...]
    trees: tuple[Spot, ...]
    framed: bool  # a near pine at one side leans into the picture
    details: int  # seed of everything small


# per kind: range of the horizon; then for houses and for trees: least and most number,
# highest and lowest foot (0 = horizon, 1 = lower edge), size at mid distance
_PLANS: dict[Kind, tuple[tuple[float, float], tuple[float, ...], tuple[float, ...]]] = {
    "mountain": ((0.5, 0.6), (3, 5, 0.12, 0.5, 0.1), (5, 8, 0.1, 1.0, 0.16)),
    "village": ((0.38, 0.48), (8, 12, 0.04, 0.7, 0.15), (4, 6, 0.0, 0.95, 0.15)),
    "sea": ((0.3, 0.42), (2, 5, 0.78, 0.97, 0.08), (3, 6, 0.75, 1.05, 0.13)),
    "forest": ((0.5, 0.62), (0, 1, 0.05, 0.1, 0.12), (9, 14, 0.08, 0.9, 0.5)),
}


def draw_scene(rng: np.random.Generator) -> Scene:
    """A scene of any kind; the same state of ``rng`` gives the same scene."""
    kind = KINDS[rng.integers(len(KINDS))]
    between, houses, trees = _PLANS[kind]
    horizon = float(rng.uniform(*between))
    return Scene(
        kind=kind,
        horizon=horizon,
        light=1 if rng.random() < 0.5 else -1,
        peak_x=float(rng.uniform(0.28, 0.72)),
        peak_height=float(rng.uniform(0.28, 0.42)),
        houses=_spots(houses, horizon, rng),
        trees=_spots(trees, horizon, rng),
        framed=bool(rng.random() < 0.4),
        details=int(rng.integers(2**31)),
    )


def _spots(plan: tuple[float, ...], horizon: float, rng: np.random.Generator) -> tuple[Spot, ...]:
    least, most, top, bottom, size = plan
    count = int(rng.integers(int(least), int(most) + 1))
    near = np.sort(rng.uniform(top, bottom, count))  # far ones first, and smaller
    across = (rng.permutation(count) + rng.uniform(0.1, 0.9, count)) / max(count, 1)
    sizes = size * (0.55 + 0.9 * near) * rng.uniform(0.8, 1.25, count)
    feet = horizon + near * (1 - horizon)
    return tuple(
        (float(x), float(y), float(s)) for x, y, s in zip(across, feet, sizes, strict=True)
    )


def _things(s: Sketch, scene: Scene) -> None:
    """Houses and trees, the far ones first."""
    things = [(spot, house) for spot in scene.houses] + [(spot, tree) for spot in scene.trees]
    for spot, draw in sorted(things, key=lambda thing: thing[0][1]):
        draw(s, spot)


def _draw_mountain(s: Sketch, scene: Scene) -> None:
    mountain(s, scene.horizon, scene.peak_x, scene.peak_height)
    plain(s, scene.horizon + 0.04)
    _things(s, scene)


def _draw_village(s: Sketch, scene: Scene) -> None:
    s.below(s.ridge(scene.horizon - 0.06, 0.09, 6), Material.FAR, -0.05, 0.2)
    plain(s, scene.horizon)
    road(s, scene.horizon + 0.1)
    _things(s, scene)


def _draw_sea(s: Sketch, scene: Scene) -> None:
    s.below(s.ridge(scene.horizon - 0.06, 0.07, 7), Material.FAR, 0.0, 0.15)
    flat = np.array([[0, scene.horizon], [1, scene.horizon]])
    s.below(flat, Material.WATER, 0.1, 0.0)
    shore = 1 - 0.3 * (1 - scene.horizon)
    for _ in range(22):
        y = scene.horizon + (shore - scene.horizon) * s.rng.random() ** 1.3
        wide, tall = s.rng.uniform(0.1, 0.35), 0.004 + 0.03 * (y - scene.horizon)
        s.blob(s.rng.random(), y, wide, tall, Material.WATER, s.rng.normal(0.05, 0.3), 0.0)
    for _ in range(s.rng.integers(2, 5)):
        boat(s, s.rng.uniform(0.1, 0.9), s.rng.uniform(scene.horizon + 0.03, shore - 0.06))
    line = s.ridge(shore, 0.07, 5)
    s.below(line, Material.PATH, 0.15, 0.1)
    s.below(line + np.array([0, 0.05]), Material.MEADOW, -0.05, 0.1)
    for x, y in line[::3] + np.array([0, 0.03]):
        s.blob(x, y, 0.05, 0.025, Material.ROCK, s.rng.normal(0.1, 0.3), DIAGONAL)
    _things(s, scene)


def _draw_forest(s: Sketch, scene: Scene) -> None:
    horizon = scene.horizon
    s.below(s.ridge(horizon - 0.16, 0.12, 6), Material.FAR, 0.05, DIAGONAL)
    for x in np.linspace(0, 1, 12):
        leaves(s, x, horizon - 0.05, 0.09, s.rng.uniform(0.07, 0.17), 4)
    s.below(np.array([[0, horizon], [1, horizon]]), Material.MEADOW, -0.1, 0.05)
    road(s, horizon)
    for _ in range(26):  # patches of sun and shade on the ground
        y = horizon + (1 - horizon) * s.rng.random()
        wide = 0.03 + 0.25 * (y - horizon)
        sun = s.rng.random() < 0.45
        material = Material.FIELD if sun else Material.MEADOW
        tone = 0.35 if sun else -0.5
        s.blob(s.rng.random(), y, wide, wide * 0.22, material, tone, 0.05)
    for spot in scene.houses:
        house(s, spot)
    for x, y, size in scene.trees:
        tall_tree(s, x, y, size)


_DRAW: dict[Kind, Callable[[Sketch, Scene], None]] = {
    "mountain": _draw_mountain,
    "village": _draw_village,
    "sea": _draw_sea,
    "forest": _draw_forest,
}


def sketch(scene: Scene) -> Array:
    """The scene as a form for ``strokes.lay``: GRID x GRID x (material, tone, angle, depth)."""
    rng = np.random.default_rng(scene.details)
    s = Sketch(scene.light, rng)
    sky(s, scene.horizon)
    _DRAW[scene.kind](s, scene)
    if scene.framed and scene.kind != "forest":
        pine(s)
    s.form[..., 1] += 0.07 * smooth_noise(9, rng)
    return s.form
