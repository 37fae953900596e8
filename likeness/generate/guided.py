"""Pictures of which each has a guidance of its own, also between no prompt and the prompt alone."""

from collections.abc import Callable, Sequence

import numpy as np

from likeness.edit.start import decode, denoised
from likeness.errors import BadInput
from likeness.generate.sample import Denoising
from likeness.models.load import Pipeline


def sample_guided(
    pipe: Pipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    sampling: Denoising,
    scales: Sequence[float],
    on_step: Callable[[], object] = lambda: None,
    side: int | None = None,
) -> np.ndarray:
    """As ``sample_batch``, with a guidance scale for each picture; that of ``sampling`` is unused.

    At 0 a picture shows what the model paints unasked, at 1 what it paints asked and unguided, in
    between what lies between (Ho and Salimans 2022, equation 6). Stock pipelines take every scale
    up to 1 for 1. Raises BadInput for a model with two text encoders, and when memory runs out.
    """
    import torch

    if getattr(pipe, "text_encoder_2", None) is not None:
        raise BadInput(
            "a guidance for each picture needs a model with one text encoder, such as sd15 or "
            "small: choose another"
        )
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    side = side or pipe.unet.config.sample_size * pipe.vae_scale_factor
    device, count, channels = pipe.unet.device, len(prompts), pipe.unet.config.in_channels
    away = [sampling.negative_prompt] * count
    try:
        with torch.no_grad():
            words, empty = pipe.encode_prompt(list(prompts), device, 1, True, away)
            both = torch.cat([empty, words])
            scale = torch.tensor(scales, dtype=words.dtype, device=device)[:, None, None, None]
            x = pipe.prepare_latents(count, channels, side, side, words.dtype, device, generators)
            pipe.scheduler.set_timesteps(sampling.num_inference_steps, device=device)
            for timestep in pipe.scheduler.timesteps:
                x = denoised(pipe, x, timestep, both, scale)
                on_step()
            return decode(pipe, x)
    except torch.OutOfMemoryError as error:
        raise BadInput(
            f"{count} pictures of {side} px at once do not fit into the GPU's memory: lower batch"
        ) from error
