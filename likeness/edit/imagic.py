"""Imagic: a prompt's embedding and the network learn one picture; between both lie its edits.

Kawar et al. 2023, *Imagic: Text-Based Real Image Editing with Diffusion Models*, arXiv 2210.09276.
"""

import copy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from likeness.edit.fitting import (
    FittedRecipe,
    Fitting,
    Strength,
    fit,
    fit_last,
    mark_of,
    read_learned,
    sampled,
    write_learned,
)
from likeness.edit.start import Edited, Start, decode, notes_of, too_many, words_of
from likeness.errors import BadInput
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch

UNET = "unet."


class ImagicRecipe(FittedRecipe):
    """How a picture is learned, and edited (Kawar et al. 2023, for Stable Diffusion)."""

    name: Literal["imagic"] = "imagic"
    embedding: Fitting = Field(
        Fitting(learning_rate=2e-3, steps=1000), description="of the target's embedding"
    )
    unet: Fitting = Field(
        Fitting(learning_rate=5e-7, steps=1500),
        description="of the network around it; a checkpoint is three times as large as the network",
    )
    strengths: tuple[Strength, ...] = Field(
        (0.6, 0.7, 0.8),
        min_length=1,
        description="from the learned embedding, 0, to the target's, 1: a picture with each",
    )


def learn_imagic(
    pipe: Pipeline,
    pictures: np.ndarray,
    targets: Sequence[str],
    recipe: ImagicRecipe,
    scratch: Path,
) -> list[Path]:
    """Fit an embedding, then a UNet, to each picture (Kawar et al. 2023, section 3.2).

    ``pictures`` are N x S x S x 3 uint8, ``targets`` say what each is to become. The embeddings are
    fitted all at once, each on its own, the networks one by one. The answer is a safetensors file
    below ``scratch`` for each picture, as large as a float32 UNet (3.4 GB for sd15): ``words``,
    tokens x D, ``latents``, C x h x w, of the picture itself, and ``unet.*``. A killed run goes on
    in ``scratch`` and ends with the weights of one that was not killed, the same bit for bit on a
    CPU. Raises BadInput for a model that is SDXL or not in float32, and when memory runs out.

    A copy of the UNet is trained: the base's weights stay beside its own, its gradients and its
    moments (3.4 GB beside 14 for sd15). Training in place would save these, and an error while the
    base is put back would leave a model that is not what it says it is.
    """
    plans = (recipe.plan(recipe.embedding), recipe.plan(recipe.unet))
    tokens = int(pipe.tokenizer.model_max_length)
    latents, words = fit_last(
        pipe, pictures, targets, tokens, plans[0], scratch, "Imagic, embedding"
    )
    files = []
    for picture, target, latent, learned in zip(pictures, targets, latents, words, strict=True):
        file = scratch / f"{mark_of(picture, [target], *plans)}.safetensors"
        if not file.exists():
            _learn_unet(pipe, latent, learned, target, recipe, file)
        # Its checkpoint is three times as large as what is kept of it.
        shutil.rmtree(_scratch_of(file), ignore_errors=True)
        files.append(file)
    return files


def _scratch_of(file: Path) -> Path:
    return file.with_suffix("")


def _learn_unet(
    pipe: Pipeline,
    latents: "torch.Tensor",
    words: "torch.Tensor",
    target: str,
    recipe: ImagicRecipe,
    file: Path,
) -> None:
    """Fit a copy of the UNet to one picture around its words, and write both."""
    import torch

    try:
        own = _with_own_unet(pipe)
        own.unet.requires_grad_(True)
        fit(
            own.unet,
            own,
            latents[None],
            lambda: words[None],
            recipe.plan(recipe.unet),
            _scratch_of(file),
            "Imagic, UNet",
        )
    except torch.OutOfMemoryError as error:
        raise BadInput(
            "fitting the UNet to one picture does not fit into the GPU's memory, of which it needs "
            "five times the weights and more: give smaller pictures, or take HiPer"
        ) from error
    held = {"words": words, "latents": latents.chunk(2)[0]}
    weights = {f"{UNET}{name}": value for name, value in own.unet.state_dict().items()}
    write_learned(file, held | weights, recipe.name, target)


def _with_own_unet(pipe: Pipeline) -> Pipeline:
    """The pipe with a copy of its UNet; all else is shared."""
    own = copy.copy(pipe)
    own.unet = copy.deepcopy(pipe.unet)
    return own


def imagic(
    pipe: Pipeline,
    starts: Sequence[Start],
    files: Sequence[Path],
    targets: Sequence[str],
    recipe: ImagicRecipe,
    on_step: Callable[[], object] = lambda: None,
) -> list[Edited]:
    """The learned pictures as the targets say (Kawar et al. 2023, section 3.2), for each strength.

    ``files``: of ``learn_imagic``, a picture each, with its target; of its start only the noise
    counts, which is the same for all strengths. The pictures are worked on one by one, each with
    its own network, all strengths at once; ``on_step`` counts steps of all of them. ``pipe`` may be
    of any number format, and stays what it is. Raises BadInput for a file of another method or of
    another target, and when memory runs out.
    """
    import torch

    made, sources = [], []
    try:
        own = _with_own_unet(pipe)
        for start, file, target in zip(starts, files, targets, strict=True):
            held, learned_for = read_learned(file, recipe.name)
            if learned_for != target:
                raise BadInput(
                    f"{file} was learned for '{learned_for}' and not for '{target}': learn it for "
                    "this target"
                )
            sources.append(held.pop("latents"))
            learned = held.pop("words")
            own.unet.load_state_dict({k.removeprefix(UNET): v for k, v in held.items()})
            with torch.no_grad():
                words = words_between(own, learned, target, recipe)
                noise = start.noise.expand(len(recipe.strengths), *start.noise.shape)
                made.append(sampled(own, noise, words, recipe, on_step))
        source = decode(pipe, torch.stack(sources))
        return [
            Edited(source, decode(pipe, some), notes_of(pipe, some, targets))
            for some in torch.stack(made, 1)
        ]
    except torch.OutOfMemoryError as error:
        raise too_many(len(recipe.strengths)) from error


def words_between(
    pipe: Pipeline, learned: "torch.Tensor", target: str, recipe: ImagicRecipe
) -> "torch.Tensor":
    """Embeddings on the line from the learned ones to the target's, a row a strength.

    ``learned``: tokens x D. As ``words_of`` gives them: above guidance 1, the rows of no words
    come first.
    """
    import torch

    count = len(recipe.strengths)
    words = words_of(pipe, [target] * count, recipe.negative_prompt, recipe.guidance_scale)
    at = torch.tensor(recipe.strengths, device=words.device).view(-1, 1, 1)
    wanted = words[-count:].float()
    words[-count:] = torch.lerp(learned.to(wanted).expand_as(wanted), wanted, at).to(words)
    return words
