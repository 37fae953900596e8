"""Batches for training, a pure function of seed, epoch and number: a resumed run sees the same."""

from collections.abc import Sequence

import numpy as np

from likeness.classify.recipe import Recipe


def draw_order(
    labels: np.ndarray, count: int, balanced: bool, rng: np.random.Generator
) -> np.ndarray:
    """Indices of ``count`` pictures: whole shuffled passes over each class in turn, or over all.

    Balanced drawing gives each class the same share of the slots; both ways every picture of a
    class is seen before one is seen again.
    """
    if not balanced:
        return _passes(np.arange(len(labels)), count, rng)
    classes = np.unique(labels)
    slots = np.arange(count) % len(classes)
    order = np.empty(count, dtype=np.int64)
    for position, label in enumerate(classes):
        mine = slots == position
        order[mine] = _passes(np.flatnonzero(labels == label), int(mine.sum()), rng)
    return rng.permutation(order)


def _passes(indices: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    rounds = -(-count // len(indices))
    return np.concatenate([rng.permutation(indices) for _ in range(max(1, rounds))])[:count]


def random_crop(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A square of ``side`` pixels at a random place, at native scale."""
    height, width = picture.shape[:2]
    y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    return picture[y : y + side, x : x + side]


def augmented(pixels: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    """Mirrored left-right half of the time; ``flip_light`` also varies contrast and brightness."""
    if how == "none":
        return pixels.astype(np.float32)
    out = (pixels[:, ::-1] if rng.random() < 0.5 else pixels).astype(np.float32)
    if how == "flip_light":
        # +-15 % contrast and +-12 grey levels: about what two photographers of one painting differ.
        out = (out - 128) * rng.uniform(0.85, 1.15) + 128 + rng.uniform(-12, 12)
    return out


def training_batch(
    pictures: Sequence[np.ndarray],
    labels: np.ndarray,
    chosen: np.ndarray,
    recipe: Recipe,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels ``(B, side, side, C)`` float32 0..255 (about) and labels ``(B,)`` of ``chosen``."""
    side = recipe.input_size
    rows = [
        augmented(
            random_crop(pictures[i], side, rng) if recipe.architecture == "tiles" else pictures[i],
            recipe.augment,
            rng,
        )
        for i in chosen
    ]
    return np.stack(rows), labels[chosen]


def steps_of(recipe: Recipe, pictures: int) -> int:
    """Batches per epoch: as the recipe says, or one look at every picture."""
    return recipe.steps_per_epoch or -(-pictures // recipe.batch_size)
