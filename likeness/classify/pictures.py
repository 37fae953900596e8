"""Pictures of an image set as arrays, the way a network wants to see them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from likeness.classify.networks import channels_of
from likeness.classify.recipe import Recipe
from likeness.errors import BadInput
from likeness.images.tiles import cut


def load(folder: Path, table: pd.DataFrame, recipe: Recipe) -> list[np.ndarray]:
    """One uint8 array ``(H, W, C)`` per row, in the table's order.

    Networks that see the whole picture get it resized to ``input_size``; the others at its own
    scale, and a picture smaller than a tile is an error that names it.
    """
    mode = "L" if channels_of(recipe) == 1 or recipe.architecture == "probe" else "RGB"
    side = recipe.input_size
    whole = recipe.architecture not in ("tiles", "probe")

    def one(file: str) -> np.ndarray:
        with Image.open(folder / file) as image:
            picture = image.convert(mode)
        if whole and picture.size != (side, side):
            picture = picture.resize((side, side), Image.Resampling.LANCZOS)
        if min(picture.size) < side and recipe.architecture == "tiles":
            raise BadInput(
                f"{file} is {picture.width}x{picture.height} and the network looks at squares of "
                f"{side}: set a smaller input_size or prepare larger pictures"
            )
        array = np.asarray(picture)
        return array[..., None] if array.ndim == 2 else array

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, table["file"]))


def views(picture: np.ndarray, recipe: Recipe, overlap: float) -> np.ndarray:
    """What the network looks at to judge a picture: ``(V, side, side, C)``, its tiles or itself."""
    if recipe.architecture == "tiles":
        return cut(picture, recipe.input_size, overlap)
    return picture[None]


def all_views(
    pictures: Sequence[np.ndarray], recipe: Recipe, overlap: float
) -> tuple[np.ndarray, np.ndarray]:
    """Views of many pictures ``(M, side, side, C)`` and the index of the picture of each."""
    parts = [views(picture, recipe, overlap) for picture in pictures]
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.concatenate(parts), owner
