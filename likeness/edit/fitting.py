"""What is fitted to one picture, and sampled from it: all that HiPer and Imagic share."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.start import denoised, embeddings, timesteps_of, too_many
from likeness.errors import BadInput
from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.cache import cached_latents
from likeness.finetune.loop import LossOf, Plan, train
from likeness.finetune.objective import denoising_errors
from likeness.generate.sample import Denoising
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch

NOTE = "learned"

Strength = Annotated[float, Field(ge=0, le=2)]


class Fitting(BaseModel):
    """One optimisation: Adam at a constant rate, a noise level a step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: float = Field(gt=0, le=1)
    steps: int = Field(ge=1, le=1_000_000)
    checkpoint_steps: int = Field(500, ge=1, description="steps from checkpoint to checkpoint")


class FittedRecipe(Denoising):
    """How a picture is sampled from what was fitted, and what all fittings have in common."""

    num_inference_steps: int = Field(50, ge=1, le=500, description="steps of the scheduler")
    guidance_scale: float = Field(
        7.5, ge=0, le=50, description="classifier-free guidance; 1 and below: none"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="of the products in fitting; what is fitted stays float32"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the noise in fitting")

    def plan(self, fitting: Fitting) -> Plan:
        """What the training loop needs of a fitting."""
        return Plan(
            steps=fitting.steps,
            learning_rate=fitting.learning_rate,
            schedule="constant",
            clip_norm=None,  # one norm over all pictures would tie them together
            precision=self.precision,
            seed=self.seed,
            checkpoint_steps=fitting.checkpoint_steps,
        )


def fit_last(
    pipe: Pipeline,
    pictures: np.ndarray,
    prompts: Sequence[str],
    tokens: int,
    plan: Plan,
    scratch: Path,
    what: str,
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Fit the last embeddings of N prompts to N x S x S x 3 uint8 pictures, each on its own.

    The answer: the pictures' cached latents, N x 2C x h x w, and what was learned, N x ``tokens`` x
    D float32. A killed run goes on in ``scratch``, to the same bits on a CPU. No network changes.
    Raises BadInput when there is no picture, for a model that is SDXL or not in float32, and when
    memory runs out.
    """
    import torch

    _check(pipe, pictures, prompts)
    with torch.no_grad():
        known = embeddings(pipe, prompts).float()
    first = known.shape[1] - tokens
    front = known[:, :first]
    module = torch.nn.ParameterDict({"words": torch.nn.Parameter(known[:, first:].clone())})
    pipe.unet.requires_grad_(False).eval()
    folder = scratch / mark_of(pictures, prompts, tokens, plan)
    try:
        latents = cached_latents(pipe.vae, pictures, False, folder / "latents.safetensors")
        fit(
            module,
            pipe,
            latents,
            lambda: torch.cat([front, module["words"]], 1),
            plan,
            folder,
            what,
        )
    except torch.OutOfMemoryError as error:
        raise too_many(len(pictures)) from error
    return latents, module["words"].detach()


def _check(pipe: Pipeline, pictures: np.ndarray, prompts: Sequence[str]) -> None:
    import torch

    if not len(pictures):
        raise BadInput("there is no picture to edit: give at least one")
    if len(pictures) != len(prompts):
        raise ValueError(f"{len(pictures)} pictures and {len(prompts)} prompts")
    if pipe.unet.dtype != torch.float32:
        raise BadInput(
            f"the model is in {pipe.unet.dtype} and what is fitted to a picture needs more digits: "
            "load it as float32"
        )


def mark_of(pictures: np.ndarray, prompts: Sequence[str], *how: object) -> str:
    """16 hex digits by which a fitting's files are named: no other fitting is taken for it."""
    digest = hashlib.sha256(np.ascontiguousarray(pictures).tobytes())
    digest.update(repr((pictures.shape, list(prompts), [str(one) for one in how])).encode())
    return digest.hexdigest()[:16]


def fit(
    module: "torch.nn.Module",
    pipe: Pipeline,
    latents: "torch.Tensor",
    words: "Callable[[], torch.Tensor]",
    plan: Plan,
    scratch: Path,
    what: str,
) -> None:
    """Train ``module``, in place, until ``pipe`` with ``words`` denoises the latents best.

    ``latents``: cached ones, N x 2C x h x w; ``words``: their N x tokens x D embeddings, which are
    asked for at each step. A killed run goes on in ``scratch``, to the same bits on a CPU.
    """
    with plain_attention_on_cpu(pipe.unet, pipe.text_encoder):
        train(module, loss_on_pictures(pipe, latents, words), plan, scratch, what)


def loss_on_pictures(
    pipe: Pipeline, latents: "torch.Tensor", words: "Callable[[], torch.Tensor]"
) -> LossOf:
    """The sum of the pictures' losses, so that a gradient is of its own picture alone.

    Each is that of ``likeness.finetune.objective``, with words of the picture's own.

    A step draws one noise level, one noise and one draw of the VAE's posterior for all pictures:
    what is fitted to one depends neither on its company nor on its place.
    """
    import torch

    device = pipe.unet.device
    kept = pipe.scheduler.alphas_cumprod.to(device)  # share of signal at each noise level
    mean, deviation = latents.to(device).chunk(2, 1)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        t = torch.randint(len(kept), (1,), generator=generator).to(device)
        fresh, noise = torch.randn((2, *mean.shape[1:]), generator=generator).to(device)
        rows = len(mean)
        x = mean + deviation * fresh
        errors = denoising_errors(
            pipe, x, noise.expand_as(x), t.expand(rows), words(), kept[t].expand(rows)
        )
        return {"loss": errors.sum(), "each": errors.detach().mean()}

    return loss_of


def write_learned(file: Path, tensors: "dict[str, torch.Tensor]", method: str, prompt: str) -> None:
    """Write what ``method`` has learned of one picture, whole or not at all."""
    from safetensors.torch import save_file

    half = file.with_suffix(".next")
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    # One entry: several are written in an order that differs from process to process.
    save_file(held, half, {NOTE: json.dumps({"method": method, "prompt": prompt})})
    half.replace(file)


def read_learned(file: Path, method: str) -> "tuple[dict[str, torch.Tensor], str]":
    """The tensors of a file that ``write_learned`` wrote, on the CPU, and the prompt.

    Raises BadInput for a file that is damaged, or that another method wrote.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(file, framework="pt") as held:
            note = json.loads((held.metadata() or {}).get(NOTE, "{}"))
        tensors = load_file(file)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{file} cannot be read as safetensors: learn the picture again") from error
    if note.get("method") != method:
        raise BadInput(f"{file} was not learned by {method}: learn the picture by this method")
    return tensors, str(note["prompt"])


def sampled(
    pipe: Pipeline,
    noise: "torch.Tensor",
    words: "torch.Tensor",
    denoising: Denoising,
    on_step: Callable[[], object],
) -> "torch.Tensor":
    """Latents, N x C x h x w, sampled from noise; ``words`` as ``words_of`` gives them."""
    x = noise.to(pipe.unet.device, pipe.unet.dtype)
    for timestep in timesteps_of(pipe.scheduler, denoising.num_inference_steps):
        x = denoised(pipe, x, timestep, words, denoising.guidance_scale)
        on_step()
    return x
