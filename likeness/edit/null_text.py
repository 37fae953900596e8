"""Null-text inversion: embeddings of no words that let guided sampling return a picture.

Mokady et al. 2023, *Null-text Inversion for Editing Real Images using Guided Diffusion Models*,
arXiv 2211.09794.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.start import (
    Start,
    decode,
    denoised,
    embeddings,
    moved,
    predicted_noise,
    timesteps_of,
    too_many,
)
from likeness.errors import BadInput
from likeness.generate.sample import Denoising
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch


class NullText(BaseModel):
    """How unconditional embeddings are fitted (Mokady et al. 2023, section 3.3 and their code)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    guidance_scale: float = Field(
        7.5, gt=1, le=50, description="of the edits, which the embeddings are to undo"
    )
    inner_steps: int = Field(10, ge=1, le=500, description="of Adam, at most, per timestep")
    learning_rate: float = Field(
        1e-2, gt=0, le=1, description="at the noisiest timestep; falls to a half of it"
    )
    tolerance: float = Field(
        1e-5, ge=0, description="squared error of the latents that ends a timestep's fitting"
    )
    tolerance_growth: float = Field(
        1e-3, ge=0, description="by how much more is tolerated at the last timestep"
    )


def with_null_text(
    pipe: Pipeline,
    starts: Sequence[Start],
    prompts: Sequence[str],
    recipe: NullText,
    on_step: Callable[[], object] = lambda: None,
) -> list[Start]:
    """The starts with embeddings that make guided sampling return them (Mokady et al. 2023).

    Each timestep's embeddings begin as the ones before it, those of "" at first, and are fitted by
    a new Adam until one step from where sampling has come ends on the trajectory, within the
    tolerance. All pictures at once, each stopping by itself. Float32 networks are needed.
    Raises BadInput for starts that are not inverted in one schedule, and when memory runs out.
    """
    import torch

    path = _paths(starts).to(pipe.unet.device)
    steps = path.shape[1] - 1
    levels = timesteps_of(pipe.scheduler, steps)
    with torch.no_grad():
        words = embeddings(pipe, prompts)
        null = embeddings(pipe, [""] * len(starts)).float()
    x, kept = path[:, -1], []
    try:
        for i, (level, below) in enumerate(zip(levels, [*levels[1:], None], strict=True)):
            with torch.no_grad():
                spoken = predicted_noise(pipe, x, level, words)
            step = _Step(pipe, x, spoken, recipe.guidance_scale, level, below)
            rate = recipe.learning_rate * (1 - i / (2 * steps))
            limit = recipe.tolerance + recipe.tolerance_growth * i / steps
            null = _fitted(step, null, path[:, steps - 1 - i], recipe.inner_steps, rate, limit)
            with torch.no_grad():
                x = step(null, slice(None))
            kept.append(null.cpu())
            on_step()
    except torch.OutOfMemoryError as error:
        raise too_many(len(starts)) from error
    return [
        replace(start, null_text=one)
        for start, one in zip(starts, torch.stack(kept, 1), strict=True)
    ]


class _Step:
    """One guided step of sampling, as a function of the unconditional embeddings alone."""

    def __init__(
        self,
        pipe: Pipeline,
        x: "torch.Tensor",
        spoken: "torch.Tensor",
        scale: float,
        level: int,
        below: int | None,
    ) -> None:
        self.pipe, self.x, self.spoken, self.scale = pipe, x, spoken, scale
        self.level, self.below = level, below

    def __call__(self, null: "torch.Tensor", rows: Any) -> "torch.Tensor":
        x = self.x[rows]
        without = predicted_noise(self.pipe, x, self.level, null[rows])
        noise = without + self.scale * (self.spoken[rows] - without)
        return moved(self.pipe.scheduler, x, noise, self.level, self.below)


def _fitted(
    step: _Step, null: "torch.Tensor", goal: "torch.Tensor", most: int, rate: float, limit: float
) -> "torch.Tensor":
    """Embeddings, N x tokens x D, from which the step ends at the goal within the limit."""
    import torch

    with torch.enable_grad():
        null = null.detach().clone().requires_grad_(True)
        adam = torch.optim.Adam([null], lr=rate)
        done = torch.zeros(len(null), dtype=torch.bool, device=null.device)
        for _ in range(most):
            rows = ~done
            losses = (step(null, rows) - goal[rows]).square().flatten(1).mean(1)
            # Of the embeddings alone: no gradient gathers in a network that has not been frozen.
            (null.grad,) = torch.autograd.grad(losses.sum(), [null])
            before = null.detach().clone()
            adam.step()
            with torch.no_grad():
                # Its momentum would move on what is done.
                null[done] = before[done]
            done[rows] = losses.detach() < limit
            if done.all():
                break
    return null.detach()


def _paths(starts: Sequence[Start]) -> "torch.Tensor":
    """N x (steps + 1) x C x h x w. Raises BadInput for starts that are not of one schedule."""
    import torch

    paths = [start.trajectory for start in starts if start.trajectory is not None]
    if len(paths) < len(starts) or len({len(path) for path in paths}) != 1:
        raise BadInput("null-text needs inverted pictures: invert them all, in as many steps each")
    return torch.stack(paths)


def reconstruct(
    pipe: Pipeline, starts: Sequence[Start], prompts: Sequence[str], denoising: Denoising
) -> np.ndarray:
    """What is sampled from inverted noise, N x S x S x 3 uint8.

    With the guidance that null-text has been fitted to; at guidance 1 where there is none. All
    starts have null-text or none has.
    """
    import torch

    levels = timesteps_of(pipe.scheduler, denoising.num_inference_steps)
    nulls = [start.null_text for start in starts if start.null_text is not None]
    with torch.no_grad():
        x = torch.stack([start.noise for start in starts]).to(pipe.unet.device, pipe.unet.dtype)
        words = embeddings(pipe, prompts)
        null = torch.stack(nulls, 1).to(words) if nulls else [words[:0]] * len(levels)
        for i, level in enumerate(levels):
            rows = torch.cat([null[i], words])
            x = denoised(pipe, x, level, rows, denoising.guidance_scale)
        return decode(pipe, x)
