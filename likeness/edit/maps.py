"""Where in a picture the words of its prompt were looked at: maps as masks and as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from likeness.edit.words import ReadPrompt
from likeness.images.sheets import contact_sheet

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class WordMaps:
    """The cross-attention of one picture, mean over heads, layers and steps."""

    prompt: ReadPrompt
    # h x w x tokens float32; over all tokens a place sums to 1, before any weights.
    attention: np.ndarray

    def picture(self, phrase: str, side: int) -> np.ndarray:
        """A word's map, S x S uint8: its highest value is 255, 0 stays 0.

        Raises BadInput for a word that is not in the prompt.
        """
        heat = self.attention[..., self.prompt.find(phrase)].sum(-1)
        scaled = np.clip(heat / max(float(heat.max()), 1e-12) * 255, 0, 255)
        small = Image.fromarray(scaled.round().astype(np.uint8))
        return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))


def word_maps(
    attention: "torch.Tensor", prompts: Sequence[ReadPrompt], latents: tuple[int, int]
) -> list[WordMaps]:
    """N x queries x tokens of pictures whose latents are h x w, as maps."""
    shape = grid_of(attention.shape[1], *latents)
    grids = attention.float().cpu().numpy().reshape(len(prompts), *shape, -1)
    return [WordMaps(prompt, grid) for prompt, grid in zip(prompts, grids, strict=True)]


def save_word_maps(maps: WordMaps, picture: np.ndarray, folder: Path) -> Image.Image:
    """Write ``picture.png``, S x S x 3 uint8, and one grayscale PNG per word of its prompt.

    The files are numbered in the order of the words, of which each is drawn once. Returns all in a
    sheet with the words as captions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, captions = [folder / "picture.png"], ["picture"]
    Image.fromarray(picture).save(files[0])
    known = dict.fromkeys(word.text for word in maps.prompt.words if word.core)
    for number, word in enumerate(known):
        # A word may hold characters that no file name may.
        name = "".join(letter for letter in word if letter.isalnum())
        file = folder / f"{number:02d}-{name}.png"
        Image.fromarray(maps.picture(word, len(picture))).save(file)
        files.append(file)
        captions.append(word)
    return contact_sheet(files, captions=captions)


def blend_mask(
    heat: "torch.Tensor", latents: tuple[int, int], thresholds: "torch.Tensor"
) -> "torch.Tensor":
    """Where a word is: N x queries sums of its maps -> N x 1 x h x w, true inside.

    Widened by one place, scaled to the latents, and above a share (N ``thresholds``, 0..1) of the
    highest value (Hertz et al. 2022, section 3.2 and their code).
    """
    from torch.nn import functional

    grid = heat.reshape(-1, 1, *grid_of(heat.shape[1], *latents))
    wide = functional.max_pool2d(grid, 3, stride=1, padding=1)
    whole = functional.interpolate(wide, size=latents, mode="nearest")
    return whole > thresholds.reshape(-1, 1, 1, 1) * whole.amax((2, 3), keepdim=True)


def grid_of(queries: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of a map of h x w latents, which a UNet halves, rounding up."""
    while height * width > queries:
        height, width = -(-height // 2), -(-width // 2)
    if height * width != queries:
        raise ValueError(f"{queries} queries are no halving of the latents")
    return height, width
