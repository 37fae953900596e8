"""Pictures from prompts and seeds; a picture does not depend on which others share its batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.progress import track

# A diffusers pipeline, whose parts no type checker can see
Pipeline = Any


class Sampling(BaseModel):
    """How pictures are sampled: the scheduler of the model (DDIM, Song et al. 2021)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    num_inference_steps: int = Field(25, ge=1, le=1000, description="steps of the scheduler")
    guidance_scale: float = Field(
        4.0, ge=0, le=50, description="classifier-free guidance; 1 and below: none"
    )
    negative_prompt: str = Field("", description="what guidance leads away from")
    batch: int = Field(32, ge=1, le=1024, description="pictures sampled together")


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
    sampling: Sampling,
    on_step: Callable[[], object] = lambda: None,
) -> np.ndarray:
    """As ``sample``, all at once whatever ``sampling.batch`` says; ``on_step`` counts steps."""
    import torch

    def count(*step: Any) -> dict[str, Any]:
        on_step()
        return {}

    # Noise is drawn on the CPU, by a generator per picture: the same on every device.
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    side = pipe.unet.config.sample_size * pipe.vae_scale_factor
    made = pipe(
        prompt=list(prompts),
        negative_prompt=[sampling.negative_prompt] * len(prompts),
        num_inference_steps=sampling.num_inference_steps,
        guidance_scale=sampling.guidance_scale,
        generator=generators,
        height=side,
        width=side,
        output_type="np",
        callback_on_step_end=count,
    ).images
    return np.asarray((np.asarray(made) * 255).round(), dtype=np.uint8)
