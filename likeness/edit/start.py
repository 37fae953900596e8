"""Where an edit begins: the noise of a seed, or the noise to which a picture is inverted.

Steps both ways are those of DDIM (Song et al. 2021, arXiv 2010.02502), guided by Ho and Salimans
2022 (*Classifier-Free Diffusion Guidance*, arXiv 2207.12598).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.errors import BadInput
from likeness.generate.prompts import unread
from likeness.generate.sample import Denoising, as_bytes
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch

NO_NUMBERS = "black: the model's values are no finite numbers"


@dataclass(frozen=True)
class Start:
    """Where an edit begins: the noise of a seed, or what an image was inverted to.

    All are float32 on the CPU; latents are C x h x w.
    """

    # Latents at the noisiest timestep, of unit variance.
    noise: "torch.Tensor"
    # steps + 1 latents, from the encoded image to ``noise``; None for a seed.
    trajectory: "torch.Tensor | None" = None
    # steps x tokens x D, unconditional embeddings in the order of sampling; None: a prompt's.
    null_text: "torch.Tensor | None" = None


@dataclass(frozen=True)
class Edited:
    """N x S x S x 3 uint8 each; ``notes``: what went wrong with each picture, "" if nothing."""

    source: np.ndarray
    edited: np.ndarray
    notes: list[str]


def from_seed(pipe: Pipeline, seed: int, side: int | None = None) -> Start:
    """The noise, C x h x w, that ``sample`` draws for this seed.

    ``side`` in px, None: the model's own. What a side is more than a multiple of the VAE's factor
    is left off.
    """
    import torch

    unet = pipe.unet
    rows = unet.config.sample_size if side is None else side // pipe.vae_scale_factor
    # In the model's number format, as the pipeline draws: other formats are other noise.
    noise = torch.randn(
        (1, unet.config.in_channels, rows, rows),
        generator=torch.Generator().manual_seed(seed),
        dtype=unet.dtype,
    )
    return Start(noise[0].float())


def invert(
    pipe: Pipeline,
    pictures: np.ndarray,
    prompts: Sequence[str],
    denoising: Denoising,
    substeps: int = 1,
    on_step: Callable[[], object] = lambda: None,
) -> list[Start]:
    """DDIM inversion at guidance 1 (Song et al. 2021, section 4.3), all at once.

    ``pictures`` are N x S x S x 3 uint8, ``prompts`` say what they show. The trajectories lie on
    the timesteps of ``denoising``, of which only ``num_inference_steps`` counts; ``substeps`` are
    taken from each of these to the next, and ``on_step`` counts them. A float32 ``pipe`` is
    advised: halves drift. Raises BadInput when ``substeps`` do not divide the distance of
    timesteps, and when memory runs out.
    """
    import torch

    scheduler = pipe.scheduler
    levels = timesteps_of(scheduler, denoising.num_inference_steps)[::-1]
    low: int | None = None
    try:
        with torch.no_grad():
            words = embeddings(pipe, prompts)
            x = encode(pipe, pictures)
            kept = [x.cpu()]
            for high in _rungs(levels, substeps):
                noise = predicted_noise(pipe, x, high, words)
                x = moved(scheduler, x, noise, low, high)
                low = high
                if high in levels:
                    kept.append(x.cpu())
                on_step()
    except torch.OutOfMemoryError as error:
        raise too_many(len(pictures)) from error
    trajectories = torch.stack(kept, 1)
    return [Start(one[-1], one) for one in trajectories]


def timesteps_of(scheduler: Any, steps: int) -> list[int]:
    """The timesteps of a schedule in the order of sampling; sets the scheduler to them."""
    scheduler.set_timesteps(steps)
    return [int(timestep) for timestep in scheduler.timesteps]


def _rungs(levels: Sequence[int], substeps: int) -> list[int]:
    """The ascending timesteps of a schedule, and those between them in equal parts.

    The picture is less than one step away from the first of them: nothing lies between.
    """
    rungs = list(levels[:1])
    for low, high in pairwise(levels):
        if (high - low) % substeps:
            raise BadInput(
                f"{high - low} timesteps lie between two steps and cannot be divided by {substeps} "
                "substeps: take a divisor"
            )
        width = (high - low) // substeps
        rungs += range(low + width, high + 1, width)
    return rungs


def alpha_at(scheduler: Any, level: int | None) -> "torch.Tensor":
    """The share of signal, 0..1, at a timestep; None: where the last step of sampling ends."""
    # Of a picture it is not 1 in Stable Diffusion (set_alpha_to_one false): both ways need one.
    return scheduler.final_alpha_cumprod if level is None else scheduler.alphas_cumprod[level]


def moved(
    scheduler: Any, x: "torch.Tensor", noise: "torch.Tensor", level: int | None, to: int | None
) -> "torch.Tensor":
    """Latents of one level at another, up or down: DDIM without chance (Song et al., eq. 12)."""
    here, there = alpha_at(scheduler, level), alpha_at(scheduler, to)
    picture = (x - (1 - here).sqrt() * noise) / here.sqrt()
    return there.sqrt() * picture + (1 - there).sqrt() * noise


def predicted_noise(
    pipe: Pipeline, x: "torch.Tensor", timestep: int, words: "torch.Tensor"
) -> "torch.Tensor":
    """What the model takes for noise in N x C x h x w latents, float32, without guidance.

    ``words`` are N x tokens x D embeddings. A model that predicts velocity is understood too.
    """
    unet, scheduler = pipe.unet, pipe.scheduler
    said = unet(x.to(unet.dtype), timestep, encoder_hidden_states=words.to(unet.dtype)).sample
    said = said.float()
    if scheduler.config.prediction_type == "epsilon":
        return said
    alpha = alpha_at(scheduler, timestep)
    return alpha.sqrt() * said + (1 - alpha).sqrt() * x.float()


def embeddings(pipe: Pipeline, prompts: Sequence[str]) -> "torch.Tensor":
    """N x tokens x D of N prompts, in the model's number format.

    Raises BadInput for a model that reads a prompt with two text encoders, whose pictures need
    more than these.
    """
    return words_of(pipe, prompts, "", 1.0)


def words_of(pipe: Pipeline, prompts: Sequence[str], negative: str, scale: float) -> "torch.Tensor":
    """As ``embeddings``; above guidance 1, 2N rows, of which the first N are of ``negative``."""
    import torch

    if getattr(pipe, "text_encoder_2", None) is not None:
        raise BadInput(
            "editing needs a model with one text encoder, such as sd15 or small: choose another"
        )
    guided = scale > 1
    away = [negative] * len(prompts) if guided else None
    words, empty = pipe.encode_prompt(list(prompts), pipe.unet.device, 1, guided, away)
    return torch.cat([empty, words]) if guided else words


def denoised(
    pipe: Pipeline,
    x: "torch.Tensor",
    timestep: int,
    words: "torch.Tensor",
    scale: "float | torch.Tensor",
) -> "torch.Tensor":
    """One step of sampling, bit for bit as ``sample`` takes it; latents N x C x h x w.

    ``words`` are of ``words_of``: with 2N rows, classifier-free guidance (Ho and Salimans 2022).
    The scheduler must be set to the timesteps, as ``timesteps_of`` does.
    """
    import torch

    guided = len(words) > len(x)
    rows = torch.cat([x, x]) if guided else x
    said = pipe.unet(rows, timestep, encoder_hidden_states=words).sample
    if guided:
        without, with_words = said.chunk(2)
        said = without + scale * (with_words - without)
    return pipe.scheduler.step(said, timestep, x).prev_sample


def encode(pipe: Pipeline, pictures: np.ndarray) -> "torch.Tensor":
    """Mean latents, N x C x h x w float32 on the model's device, of N x S x S x 3 uint8."""
    import torch

    vae = pipe.vae
    parts = []
    with torch.no_grad():
        # One by one, as they are decoded: a batch of large pictures would take gigabytes.
        for picture in pictures:
            x = torch.from_numpy(np.ascontiguousarray(picture)).to(vae.device).permute(2, 0, 1)
            x = (x[None].float() / 127.5 - 1).to(vae.dtype)
            parts.append(vae.encode(x).latent_dist.mean.float() * vae.config.scaling_factor)
    return torch.cat(parts)


def decode(pipe: Pipeline, latents: "torch.Tensor") -> np.ndarray:
    """Pictures, N x S x S x 3 uint8, of N x C x h x w latents, as ``sample`` decodes them."""
    import torch

    with torch.no_grad():
        x = latents.to(pipe.vae.device, pipe.vae.dtype) / pipe.vae.config.scaling_factor
        made = pipe.vae.decode(x, return_dict=False)[0]
    return as_bytes(np.asarray(pipe.image_processor.postprocess(made, output_type="np")))


def notes_of(pipe: Pipeline, latents: "torch.Tensor", prompts: Sequence[str]) -> list[str]:
    """What is wrong with each of N x C x h x w latents, or not read of its prompt; "": nothing."""
    finite = latents.isfinite().flatten(1).all(1).tolist()
    found = zip([None if one else NO_NUMBERS for one in finite], prompts, strict=True)
    return [
        "; ".join(filter(None, (wrong, unread(pipe.tokenizer, prompt)))) for wrong, prompt in found
    ]


def too_many(count: int) -> BadInput:
    """What to say when so many pictures at once are more than the GPU's memory."""
    return BadInput(
        f"{count} pictures at once do not fit into the GPU's memory: lower the number of pictures "
        "that are worked on together"
    )
