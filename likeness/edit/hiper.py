"""HiPer: the last embeddings of a prompt learn one picture, and are put behind another prompt.

Han et al. 2023, *Highly Personalized Text Embedding for Image Manipulation by Stable Diffusion*,
arXiv 2303.08767.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from likeness.edit.fitting import (
    FittedRecipe,
    Fitting,
    Strength,
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


class HiPerRecipe(FittedRecipe):
    """How a picture is learned by the tail of its prompt, and edited (Han et al. 2023)."""

    name: Literal["hiper"] = "hiper"
    tokens: int = Field(
        5, ge=1, le=75, description="the last positions of the prompt, which are learned"
    )
    fitting: Fitting = Fitting(learning_rate=5e-3, steps=1000)
    strengths: tuple[Strength, ...] = Field(
        (0.8,),
        min_length=1,
        description="what the tail is multiplied by, a picture with each: 1 is most like the "
        "source, less follows the words better",
    )


def learn_tails(
    pipe: Pipeline,
    pictures: np.ndarray,
    sources: Sequence[str],
    recipe: HiPerRecipe,
    scratch: Path,
) -> list[Path]:
    """Fit a tail to each of N x S x S x 3 uint8 pictures (Han et al. 2023).

    ``sources`` say what the pictures show: the tail begins as the last embeddings of its source
    and learns, behind all others, what they do not say. All pictures at once, each on its own.
    The answer is a safetensors file below ``scratch`` for each picture: ``tail``, n x D, and
    ``latents``, C x h x w, of the picture itself. A killed run goes on in ``scratch`` and ends with
    the tails of one that was not killed, the same bit for bit on a CPU. No network changes.
    Raises BadInput for a model that is SDXL or not in float32, for a source that leaves no room for
    the tail, and when memory runs out.
    """
    for source in sources:
        check_room(pipe, source, recipe.tokens)
    plan = recipe.plan(recipe.fitting)
    latents, tails = fit_last(pipe, pictures, sources, recipe.tokens, plan, scratch, "HiPer")
    files = []
    for picture, source, latent, tail in zip(pictures, sources, latents, tails, strict=True):
        file = scratch / f"{mark_of(picture, [source], recipe.tokens, plan)}.safetensors"
        write_learned(file, {"tail": tail, "latents": latent.chunk(2)[0]}, recipe.name, source)
        files.append(file)
    return files


def check_room(pipe: Pipeline, prompt: str, tokens: int) -> None:
    """Raises BadInput for a prompt that reaches into the last ``tokens`` positions.

    The tail would take the place of words, which nobody would then see; the sentence says which.
    Quick: no network is asked.
    """
    # As the pipeline itself writes out learned words of several vectors.
    whole = pipe.maybe_convert_prompt(prompt, pipe.tokenizer)
    read = pipe.tokenizer(whole, truncation=False, verbose=False)["input_ids"]
    room = int(pipe.tokenizer.model_max_length) - tokens
    if len(read) > room:
        # As the pipeline cuts a prompt: the mark of its end stays, in the last place.
        lost = str(pipe.tokenizer.decode(read[room - 1 : -1])).strip()
        raise BadInput(
            f"the prompt '{prompt}' takes {len(read)} positions and a tail of {tokens} leaves "
            f"{room}, which would cut '{lost}': shorten it, or lower tokens"
        )


def hiper(
    pipe: Pipeline,
    starts: Sequence[Start],
    files: Sequence[Path],
    targets: Sequence[str],
    recipe: HiPerRecipe,
    on_step: Callable[[], object] = lambda: None,
) -> list[Edited]:
    """The learned pictures as the targets say (Han et al. 2023), for each strength.

    ``files``: of ``learn_tails``, a picture each; of its start only the noise counts, which is the
    same for all strengths. All pictures of all strengths are sampled at once; ``on_step`` counts
    steps. Targets had best be worded as their sources are, with other words only where the picture
    is to change. Raises BadInput for a target that leaves no room for the tail, for a file of
    another method or of another number of tokens, and when memory runs out.
    """
    import torch

    for target in targets:
        check_room(pipe, target, recipe.tokens)
    strengths = recipe.strengths
    many = [target for _ in strengths for target in targets]
    tails, latents = _read(files, recipe)
    try:
        with torch.no_grad():
            words = words_of(pipe, many, recipe.negative_prompt, recipe.guidance_scale)
            scaled = torch.cat([strength * tails for strength in strengths])
            # Without the rows of no words, which come first: the tail is no part of them.
            words[-len(many) :, -recipe.tokens :] = scaled.to(words)
            noise = torch.stack([start.noise for start in starts]).repeat(len(strengths), 1, 1, 1)
            made = sampled(pipe, noise, words, recipe, on_step)
            source = decode(pipe, latents)
            return [
                Edited(source, decode(pipe, some), notes_of(pipe, some, targets))
                for some in made.split(len(targets))
            ]
    except torch.OutOfMemoryError as error:
        raise too_many(len(many)) from error


def _read(files: Sequence[Path], recipe: HiPerRecipe) -> "tuple[torch.Tensor, torch.Tensor]":
    """Tails, N x n x D, and the pictures' latents, N x C x h x w."""
    import torch

    tails, latents = [], []
    for file in files:
        held, _ = read_learned(file, recipe.name)
        if len(held["tail"]) != recipe.tokens:
            raise BadInput(
                f"{file} has a tail of {len(held['tail'])} tokens and {recipe.tokens} are asked "
                "for: say as many as were learned"
            )
        tails.append(held["tail"])
        latents.append(held["latents"])
    return torch.stack(tails), torch.stack(latents)
