"""Whether the base model paints from memory: samples beside the pictures that it was shown."""

from pathlib import Path

import numpy as np

from likeness.world.book import write_book
from likeness.world.figures.figure import Figure, mean, rate
from likeness.world.learn.recipe import BaseRecipe

SIDE = 16  # px; finer grain is noise that no two pictures share


def remembered(made: np.ndarray, recipe: BaseRecipe, scratch: Path, shown: int) -> list[Figure]:
    """Distances of N samples (N x 64 x 64 x 3 uint8) to the nearest picture that was shown.

    Of these, ``shown`` are looked at, as many of each stage as it had a share of; all, where there
    are fewer.

    Root mean squares over 16 x 16 x 3 values in 0..1, of samples and of as many shown pictures to
    the nearest *other* shown one, in the same set. A copy is what lies nearer than 99 of 100 shown
    pictures do (Carlini et al. 2023 count by nearness, too); one in a hundred does by chance.
    """
    known = _shown(recipe, scratch, shown)
    others = np.random.default_rng(0).choice(len(known), min(len(made), len(known)), replace=False)
    near = nearest(small(made), known)
    among = nearest(known[others], known, itself=others)
    bound = float(np.quantile(among, 0.01))
    return [
        mean("base", "memory/nearest_shown", near, ">= that of shown ones"),
        mean("base", "memory/nearest_shown_of_shown", among),
        rate("base", "memory/copies", near < bound, "<= 0.01, by chance"),
        Figure("base", "memory/shown_pictures_looked_at", len(known)),
    ]


def small(pictures: np.ndarray) -> np.ndarray:
    """N x S x S x 3 uint8 -> N x 768 float32 in 0..1, areas averaged."""
    n, side = len(pictures), pictures.shape[1]
    part = side // SIDE
    areas = pictures.reshape(n, SIDE, part, SIDE, part, 3).astype(np.float32)
    return np.asarray(areas.mean((2, 4)).reshape(n, -1) / 255, dtype=np.float32)


def nearest(a: np.ndarray, b: np.ndarray, itself: np.ndarray | None = None) -> np.ndarray:
    """Of each row of A x D the root mean square distance to the nearest of B x D.

    ``itself``: the row of ``b`` that each row of ``a`` is, which does not count.
    """
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    if itself is not None:
        square[np.arange(len(a)), itself] = np.inf
    return np.asarray(np.sqrt(square.min(1).clip(min=0) / a.shape[1]))


def _shown(recipe: BaseRecipe, scratch: Path, shown: int) -> np.ndarray:
    """The first pictures of every stage's book: the same arguments draw the same pictures."""
    total = sum(stage.count for stage in recipe.stages)
    found = []
    for stage in recipe.stages:
        count = max(1, round(shown * stage.count / total))
        folder = scratch / "books" / f"shown-{stage.name}"
        book = write_book(folder, f"base-{stage.name}", min(count, stage.count), stage.mixture)
        found.append(small(np.asarray(book.pictures)))
    return np.concatenate(found)
