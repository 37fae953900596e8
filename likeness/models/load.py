"""Ready pipelines from base models by name: local files only, safetensors only, DDIM."""

import json
from pathlib import Path
from typing import Any

from likeness.errors import BadInput
from likeness.models import checksums
from likeness.models.local import INDEX, LEFT_OUT, needed_folder
from likeness.models.pickles import refuse_pickles
from likeness.models.registry import BaseModelSpec, DType, spec_of

VOCABULARIES = ("vocab.json", "tokenizer.json")
# StableDiffusionPipeline or StableDiffusionXLPipeline, whose parts no type checker can see
Pipeline = Any


def load_pipeline(name: str, device: str, dtype: DType | None = None) -> Pipeline:
    """The pipeline of a base model, ready to run on ``device`` (``cpu``, ``cuda``, ``cuda:1``).

    ``dtype`` None: the model's own on a GPU, float32 on a CPU. The scheduler is DDIM; there is no
    safety checker. The networks are in eval mode and, on a GPU, in channels-last memory. Raises
    BadInput when the model is not on this machine, is damaged, or is not what its name says.
    """
    spec = spec_of(name)
    dtype = dtype or dtype_on(spec, device)
    if spec.is_random:
        from likeness.models.random_weights import build

        pipe = build(spec.architecture, spec.seed, device, dtype)
    else:
        folder = needed_folder(spec)
        if (folder / checksums.SUMS).is_file():
            checksums.verify(folder)
        pipe = load_folder(folder, dtype, spec.two_encoders, spec.variant)
    _check(pipe, spec)
    if dtype == "float32":
        _whole_float32()
    return on_device(pipe, device)


def _whole_float32() -> None:
    """No TensorFloat-32 in this process: its 10 bits of fraction are not what float32 promises."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _quiet() -> None:
    """Only our own lines in the log of a run: no bars, no advice of the libraries."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging_of in (diffusers_logging, transformers_logging):
        logging_of.set_verbosity_error()
        logging_of.disable_progress_bar()


def load_folder(
    folder: Path, dtype: DType, two_encoders: bool = False, variant: str | None = None
) -> Pipeline:
    """The pipeline of a diffusers folder, on the CPU, with a DDIM scheduler.

    Raises BadInput for a folder that is none, that holds a pickle, or whose weights are damaged.
    """
    import torch
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
    from safetensors import SafetensorError

    refuse_pickles(folder)
    _needed_vocabularies(folder)
    _quiet()
    kind = StableDiffusionXLPipeline if two_encoders else StableDiffusionPipeline
    absent: dict[str, Any] = dict.fromkeys(LEFT_OUT)
    if two_encoders:
        # Otherwise it may write a mark into pictures, by a library that is not always there.
        absent = {"feature_extractor": None, "image_encoder": None, "add_watermarker": False}
    else:
        absent["requires_safety_checker"] = False
    encoders = ["text_encoder", "text_encoder_2"] if two_encoders else ["text_encoder"]
    try:
        read = {part: _text_encoder(folder / part, dtype, variant) for part in encoders}
        scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
        pipe = kind.from_pretrained(
            folder,
            scheduler=scheduler,
            **read,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            local_files_only=True,
            variant=variant,
            **absent,
        )
    except (OSError, ValueError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise BadInput(
            f"{folder / INDEX} cannot be loaded with its parts: {first}; restore the model"
        ) from error
    return pipe


def _text_encoder(folder: Path, dtype: DType, variant: str | None) -> Any:
    """A text encoder with all of its weights: the pipeline would draw those that lack at random."""
    import torch
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    kinds = {kind.__name__: kind for kind in (CLIPTextModel, CLIPTextModelWithProjection)}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    named = (config.get("architectures") or ["CLIPTextModel"])[0]
    if named not in kinds:
        raise BadInput(f"{folder} is a {named}: models here read prompts with a CLIPTextModel")
    network, said = kinds[named].from_pretrained(
        folder,
        dtype=getattr(torch, dtype),
        use_safetensors=True,
        local_files_only=True,
        variant=variant,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # told below, in a sentence
    )
    refuse_missing(folder, said)
    return network


def refuse_missing(folder: Path, said: dict[str, Any]) -> None:
    """BadInput when weights do not fit (``said`` so): transformers would draw them at random."""
    misshapen = sorted(name for name, *_ in said["mismatched_keys"])
    for what, names in (("lacks", said["missing_keys"]), ("has misshapen", misshapen)):
        if names:
            some = f"{len(names)} weights, such as {sorted(names)[0]}"
            raise BadInput(f"{folder} {what} {some}: restore the model")


def _needed_vocabularies(folder: Path) -> None:
    """BadInput for a tokenizer without words: the library would make some up."""
    for part in (folder / "tokenizer", folder / "tokenizer_2"):
        if part.is_dir() and not any((part / name).is_file() for name in VOCABULARIES):
            raise BadInput(f"{part} has none of {' and '.join(VOCABULARIES)}: restore the model")


def dtype_on(spec: BaseModelSpec, device: str) -> DType:
    """The model's own number format on a GPU; float32 on a CPU, where half formats are slow."""
    return spec.dtype if device.startswith("cuda") else "float32"


def on_device(pipe: Pipeline, device: str) -> Pipeline:
    """Move a pipeline, in eval mode and without bars; channels-last convolutions on a GPU.

    Latents are decoded one by one: a batch of large pictures would take gigabytes.
    """
    import torch

    pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_slicing()
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    if device.startswith("cuda"):
        for network in (pipe.unet, pipe.vae):
            network.to(memory_format=torch.channels_last)
    return pipe


def _check(pipe: Pipeline, spec: BaseModelSpec) -> None:
    """Is the pipeline what the registry says of it? A mirror may hold something else."""
    found = {
        "prediction_type": pipe.scheduler.config.prediction_type,
        "scaling_factor": pipe.vae.config.scaling_factor,
        "latent_channels": pipe.vae.config.latent_channels,
        "cross_attention_dim": pipe.unet.config.cross_attention_dim,
    }
    for field, value in found.items():
        wanted = getattr(spec, field)
        if wanted is not None and wanted != value:
            raise BadInput(
                f"model '{spec.name}' has {field} {value} where {wanted} is expected: "
                f"correct its source, or say {field} in the file of LIKENESS_MODELS"
            )
