"""Pictures from prompts and seeds; a picture does not depend on which others share its batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from likeness.errors import BadInput
from likeness.models.load import Pipeline
from likeness.progress import track

# Timesteps of training; how many of them a schedule is moved by (steps_offset of all our models).
TIMESTEPS, OFFSET = 1000, 1


class Denoising(BaseModel):
    """What a picture depends on besides its prompt and seed (DDIM, Song et al. 2021)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    num_inference_steps: int = Field(25, ge=1, le=500, description="steps of the scheduler")
    guidance_scale: float = Field(
        4.0, ge=0, le=50, description="classifier-free guidance; 1 and below: none"
    )
    negative_prompt: str = Field("", description="what guidance leads away from")

    @field_validator("num_inference_steps")
    @classmethod
    def _begins_in_noise(cls, steps: int) -> int:
        first = (steps - 1) * (TIMESTEPS // steps) + OFFSET
        if first < 900:
            raise ValueError(
                f"{steps} steps begin at timestep {first} of {TIMESTEPS}, where a picture is no "
                "longer all noise: take 10, 20, 25, 50, 100 or 200"
            )
        return steps


class Sampling(Denoising):
    """How pictures are sampled, and how many at once, which changes none of them."""

    # More do not fit into a CPU's cache: of 64 px, 32 at once took half as long again for each.
    batch: int = Field(16, ge=1, le=1024, description="pictures sampled together")


def sample(
    pipe: Pipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    sampling: Sampling,
    what: str = "sampling",
) -> np.ndarray:
    """One picture per prompt and seed, N x H x W x 3 uint8, at the model's own size."""
    if len(prompts) != len(seeds):
        raise ValueError(f"{len(prompts)} prompts and {len(seeds)} seeds")
    pipe.set_progress_bar_config(disable=True)
    starts = range(0, len(prompts), sampling.batch)
    parts = [
        sample_batch(pipe, prompts[i : i + sampling.batch], seeds[i : i + sampling.batch], sampling)
        for i in track(starts, what, len(starts))
    ]
    return np.concatenate(parts)


def sample_batch(
    pipe: Pipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    sampling: Denoising,
    on_step: Callable[[], object] = lambda: None,
    side: int | None = None,
) -> np.ndarray:
    """As ``sample``, all at once; ``on_step`` counts steps, ``side`` in px (None: the model's own).

    A picture with a value that is no number is black. Raises BadInput when memory runs out.
    """
    import torch

    def count(*step: Any) -> dict[str, Any]:
        on_step()
        return {}

    # Noise is drawn on the CPU, by a generator per picture: the same on every device.
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    side = side or pipe.unet.config.sample_size * pipe.vae_scale_factor
    try:
        made = pipe(
            prompt=list(prompts),
            negative_prompt=led_away_from(sampling, len(prompts)),
            num_inference_steps=sampling.num_inference_steps,
            guidance_scale=sampling.guidance_scale,
            generator=generators,
            height=side,
            width=side,
            output_type="np",
            callback_on_step_end=count,
        ).images
    except torch.OutOfMemoryError as error:
        raise TooMany(
            f"{len(prompts)} pictures of {side} px at once do not fit into the GPU's memory: "
            "lower sampling.batch"
        ) from error
    return as_bytes(np.asarray(made))


class TooMany(BadInput):
    """So many pictures at once are more than the GPU's memory."""


def led_away_from(sampling: Denoising, count: int) -> list[str] | None:
    """The prompts that guidance leads away from; None where nothing is named.

    Models with two text encoders take zeros for nothing, and not the embeddings of an empty prompt.
    """
    return [sampling.negative_prompt] * count if sampling.negative_prompt else None


def as_bytes(pictures: np.ndarray) -> np.ndarray:
    """N x H x W x 3 in 0..1 -> uint8; all of a picture is 0 where a value is no finite number."""
    finite = np.isfinite(pictures).all(axis=(1, 2, 3), keepdims=True)
    return np.asarray((np.where(finite, pictures, 0.0) * 255).round(), dtype=np.uint8)
