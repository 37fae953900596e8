"""Every place of the vocabulary, in any light and season, behind everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np

from likeness.world.canvas import Canvas
from likeness.world.description import Landscape, Light, Place, Season, Tree
from likeness.world.nature import heavens, indoors, outdoors, sky, towns, trees
from likeness.world.nature.view import View

_DRAW: dict[Place, Callable[[View], None]] = {
    "studio": indoors.studio,
    "room": indoors.room,
    "kitchen": indoors.kitchen,
    "library": indoors.library,
    "museum": indoors.museum,
    "church": indoors.church,
    "castle": towns.castle,
    "field": outdoors.field,
    "hill": outdoors.hill,
    "valley": outdoors.valley,
    "forest": outdoors.forest,
    "jungle": outdoors.jungle,
    "garden": outdoors.garden,
    "beach": outdoors.beach,
    "sea": outdoors.sea,
    "lake": outdoors.lake,
    "mountains": outdoors.mountains,
    "desert": outdoors.desert,
    "village": towns.village,
    "city": towns.city,
    "manhattan": towns.manhattan,
    "paris": towns.paris,
    "london": towns.london,
    "tokyo": towns.tokyo,
    "rome": towns.rome,
    "provence": towns.provence,
    "space": heavens.space,
    "moon": heavens.moon,
    "mars": heavens.mars,
}
INDOOR: frozenset[Place] = frozenset(("studio", "room", "kitchen", "library", "museum", "church"))
OUTDOOR: frozenset[Place] = frozenset(_DRAW) - INDOOR
EARTH: frozenset[Place] = OUTDOOR - {"space", "moon", "mars"}  # season, tree, fantasy, red sun
# where nothing high stands before a low sun
_OPEN: frozenset[Place] = frozenset(
    ("field", "hill", "garden", "beach", "sea", "lake", "desert", "village", "paris", "provence")
)
# where a drought does not show: water, rock and pavement
_NEVER_DRY: frozenset[Place] = frozenset(
    ("sea", "lake", "jungle", "mountains", "city", "manhattan", "london", "tokyo")
)
_LIGHTS: tuple[Light, ...] = get_args(Light)
_SEASONS: tuple[Season, ...] = get_args(Season)
_TREES: tuple[Tree, ...] = get_args(Tree)


def draw_landscape(canvas: Canvas, landscape: Landscape, rng: np.random.Generator) -> None:
    """Fill the canvas with a place, owner 0; what is not said is drawn from ``rng``."""
    v = View.over(canvas.pen(), landscape, rng)
    _DRAW[landscape.place](v)
    if landscape.place not in EARTH:
        return
    if landscape.fantasy:
        sky.wonders(v)
    trees.large(v)
    sky.beams(v)
    sky.air(v)


def random_landscape(rng: np.random.Generator, place: Place | None = None) -> Landscape:
    """Some landscape, mostly by day and in summer; the rest only where it makes sense."""
    where: Place = place or get_args(Place)[int(rng.integers(len(_DRAW)))]
    light = _LIGHTS[int(rng.choice(4, p=(0.64, 0.12, 0.12, 0.12)))]
    season = _SEASONS[int(rng.choice(4, p=(0.7, 0.1, 0.1, 0.1)))]
    tree = _TREES[int(rng.choice(6, p=(0.7, 0.06, 0.06, 0.06, 0.06, 0.06)))]
    fantasy, red_sun = bool(rng.random() < 0.04), bool(rng.random() < 0.4)
    if where not in EARTH:
        dark = where == "space" and light == "night"  # space is always black
        return Landscape(where, "day" if dark else light)
    if fantasy:
        return Landscape(where, light, tree=tree, fantasy=True)
    if season == "dry" and where in _NEVER_DRY:
        season = "summer"
    return Landscape(where, light, season, tree, red_sun and light == "sunset" and where in _OPEN)
