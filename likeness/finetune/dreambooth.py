"""DreamBooth (Ruiz et al. 2022, arXiv 2208.12242): teach a model one subject by a rare token."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.errors import BadInput
from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.cache import Conditions, cached_latents, conditions_of
from likeness.finetune.checkpoints import Checkpoints, Judge, Row
from likeness.finetune.loop import LossOf, train
from likeness.finetune.lora import add_adapters, save_adapters
from likeness.finetune.objective import denoising_errors
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.models.load import Pipeline
from likeness.models.place import forget_place

if TYPE_CHECKING:
    import torch

INSTANCE, CLASS = 0, 1


@dataclass(frozen=True)
class TrainedModel:
    """What a training leaves: the checkpoint to publish, and how it came about."""

    folder: Path  # unet/, text_encoder/ or pytorch_lora_weights.safetensors, float32
    step: int  # of the checkpoint in ``folder``
    curve: list[dict[str, float]]
    checkpoints: Checkpoints

    @property
    def best(self) -> Row:
        """The row of the published checkpoint."""
        return self.checkpoints.best()


def dreambooth(
    pipe: Pipeline,
    images: np.ndarray,
    class_images: np.ndarray | None,
    recipe: DreamBoothRecipe,
    scratch: Path,
    judge: Judge | None = None,
) -> TrainedModel:
    """Train ``pipe`` in place on N x S x S x 3 uint8 pictures of one subject.

    ``class_images``, M x S x S x 3 made by the model itself, hold what it knew; they may be None
    when ``prior_loss_weight`` is 0. A killed run goes on in ``scratch`` and ends with the weights
    of one that was not killed, the same bit for bit on a CPU. The pipe is left with the last
    weights, the answer's folder has those of the best checkpoint (``best_checkpoint``). Raises
    BadInput for SDXL, for pictures of unequal shapes, for weights that are not float32, and when
    memory runs out.
    """
    import torch

    _check(pipe, images, class_images, recipe)
    try:
        return _trained(pipe, images, class_images, recipe, scratch, judge)
    except torch.OutOfMemoryError as error:
        raise BadInput(
            f"a batch of {recipe.batch} does not fit into the GPU's memory: lower batch and raise "
            "gradient_accumulation_steps, set gradient_checkpointing, or train LoRA adapters"
        ) from error


def _check(
    pipe: Pipeline, images: np.ndarray, class_images: np.ndarray | None, recipe: DreamBoothRecipe
) -> None:
    if hasattr(pipe, "text_encoder_2"):
        raise BadInput("DreamBooth trains models with one text encoder: choose sd15, sd2 or small")
    if not len(images):
        raise BadInput("there is no picture to train on: give at least one")
    if recipe.prior_loss_weight > 0:
        if class_images is None or not len(class_images):
            raise BadInput("there are no class pictures: make some, or set prior_loss_weight to 0")
        if class_images.shape[1:] != images.shape[1:]:
            raise BadInput(
                f"class pictures are {class_images.shape[1:]} and the subject's "
                f"{images.shape[1:]}: make them of one size"
            )


def _trained(
    pipe: Pipeline,
    images: np.ndarray,
    class_images: np.ndarray | None,
    recipe: DreamBoothRecipe,
    scratch: Path,
    judge: Judge | None,
) -> TrainedModel:
    device = pipe.unet.device
    sets = [cached_latents(pipe.vae, images, recipe.flip, scratch / "instance.safetensors")]
    if recipe.prior_loss_weight > 0 and class_images is not None:
        sets.append(
            cached_latents(pipe.vae, class_images, recipe.flip, scratch / "class.safetensors")
        )
    pipe.vae.to("cpu")  # frees its memory until pictures are made
    module = _trainable(pipe, recipe)
    checkpoints = Checkpoints(
        pipe,
        recipe.judged,
        images.shape[1],
        scratch / "checkpoints",
        judge,
        lambda folder: _save(pipe, recipe, folder),
    )
    with _at_rest(pipe, module, recipe, device):
        checkpoints.see_base()

    def at_checkpoint(step: int, curve: list[dict[str, float]]) -> None:
        with _at_rest(pipe, module, recipe, device):
            checkpoints.see(step, curve)

    prompts = [recipe.instance_prompt, recipe.class_prompt]
    conditions = conditions_of(pipe, prompts, recipe.train_text_encoder)
    loss_of = loss_on_latents(pipe, sets, conditions, recipe)
    with plain_attention_on_cpu(pipe.unet, pipe.text_encoder):
        curve = train(module, loss_of, recipe.plan, scratch, "DreamBooth", at_checkpoint)
    module.eval().requires_grad_(False)
    pipe.unet.disable_gradient_checkpointing()
    pipe.vae.to(device)
    best = checkpoints.best()
    return TrainedModel(checkpoints.weights(best), best["step"], curve, checkpoints)


def _trainable(pipe: Pipeline, recipe: DreamBoothRecipe) -> "torch.nn.Module":
    """What is trained, as one module; everything else stays frozen."""
    import torch

    pipe.text_encoder.requires_grad_(False)
    parts = {"unet": pipe.unet}
    if recipe.train_text_encoder:
        parts["text_encoder"] = pipe.text_encoder
    if recipe.trains == "full":
        for network in parts.values():
            network.requires_grad_(True)
    else:
        add_adapters(pipe, recipe.trains, recipe.train_text_encoder, recipe.seed)
    if recipe.gradient_checkpointing:
        pipe.unet.enable_gradient_checkpointing()
    return torch.nn.ModuleDict(parts).train()


@contextmanager
def _at_rest(
    pipe: Pipeline, module: "torch.nn.Module", recipe: DreamBoothRecipe, device: "torch.device"
) -> Iterator[None]:
    """The pipeline whole and in eval mode, to make pictures between two steps."""
    import torch

    low = recipe.precision == "bfloat16"
    pipe.vae.to(device)
    module.eval()
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
        yield
    module.train()
    pipe.vae.to("cpu")


def _save(pipe: Pipeline, recipe: DreamBoothRecipe, folder: Path) -> None:
    """The components that differ from the base model's, in the layout of diffusers."""
    if recipe.trains != "full":
        save_adapters(pipe, folder)
        return
    pipe.unet.save_pretrained(folder / "unet", safe_serialization=True)
    if recipe.train_text_encoder:
        pipe.text_encoder.save_pretrained(folder / "text_encoder")
    forget_place(folder)


def loss_on_latents(
    pipe: Pipeline,
    sets: Sequence["torch.Tensor"],
    conditions: Conditions,
    recipe: DreamBoothRecipe,
) -> LossOf:
    """The loss of one batch: instance + ``prior_loss_weight`` x prior, each a mean of squares.

    Prior preservation is that of Ruiz et al. 2022, section 3.3; offset noise is Guttenberg's
    (*Diffusion with Offset Noise*, 2023).
    ``sets``: cached latents of the subject and, if there is a prior, of the class (N x 2C x h x w:
    mean, deviation). Targets are noise or velocity, as the scheduler says. Min-SNR weights the
    instance half alone: the prior is to hold every noise level as it was.
    """
    import torch

    device = pipe.unet.device
    prediction: str = pipe.scheduler.config.prediction_type
    kept = pipe.scheduler.alphas_cumprod.to(device)  # share of signal at each noise level

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        drawn = draw(sets, recipe.batch, len(kept), recipe.offset_noise, generator)
        x, noise, t = (value.to(device) for value in drawn)
        prompts = torch.arange(len(sets), device=device).repeat_interleave(recipe.batch)
        every = denoising_errors(pipe, x, noise, t, conditions(prompts), kept[t])
        errors = every.split(recipe.batch)
        weights = snr_weights(kept[t][: recipe.batch], recipe.snr_gamma, prediction)
        values = {"instance": (weights * errors[INSTANCE]).mean()}
        values["loss"] = values["instance"]
        if len(sets) > 1:
            values["prior"] = errors[CLASS].mean()
            values["loss"] = values["instance"] + recipe.prior_loss_weight * values["prior"]
        return values

    return loss_of


def draw(
    sets: Sequence["torch.Tensor"],
    batch: int,
    levels: int,
    offset: float,
    generator: "torch.Generator",
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """Latents, noise (B x C x h x w) and noise levels (B): ``batch`` rows of each set in turn.

    Chance is drawn row by row, a row of each set after the other: two batches of two see what one
    batch of four sees. It comes from the CPU: the same on every device.
    """
    import torch

    rows: list[list[tuple[torch.Tensor, ...]]] = [[] for _ in sets]
    for _ in range(batch):
        for latents, mine in zip(sets, rows, strict=True):
            chosen = torch.randint(len(latents), (1,), generator=generator)
            mean, deviation = latents[chosen].chunk(2, 1)
            x = mean + deviation * torch.randn(mean.shape, generator=generator)
            t = torch.randint(levels, (1,), generator=generator)
            noise = torch.randn(mean.shape, generator=generator)
            if offset:
                shift = torch.randn((*mean.shape[:2], 1, 1), generator=generator)
                noise = noise + offset * shift
            mine.append((x, noise, t))
    columns = zip(*(row for mine in rows for row in mine), strict=True)
    latents, noises, times = (torch.cat(column) for column in columns)
    return latents, noises, times


def snr_weights(kept: "torch.Tensor", gamma: float | None, prediction: str) -> "torch.Tensor":
    """Min-SNR weights at these shares of signal; 1 when ``gamma`` is None.

    Hang et al. 2023, arXiv 2303.09556: min(SNR, gamma) / SNR for noise as the target, / (SNR + 1)
    for velocity.
    """
    import torch

    if gamma is None:
        return torch.ones_like(kept)
    ratio = kept / (1 - kept)
    return ratio.clamp(max=gamma) / (ratio + 1 if prediction == "v_prediction" else ratio)
