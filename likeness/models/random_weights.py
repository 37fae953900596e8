"""Full-size pipelines with random weights: true shapes, memory and speed without a download."""

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from likeness.errors import BadInput
from likeness.models import configs
from likeness.models.load import Pipeline
from likeness.models.registry import Architecture, DType

if TYPE_CHECKING:
    import torch
    from transformers import CLIPTokenizer


VOCABULARY = 49408
START, END = "<|startoftext|>", "<|endoftext|>"


def build(
    architecture: Architecture,
    seed: int,
    device: str = "cpu",
    dtype: DType = "float32",
    folder: Path | None = None,
) -> Pipeline:
    """A pipeline of the published shape with weights drawn on ``device`` in ``dtype``.

    Every matrix keeps the scale of what it multiplies, so that images come out finite (and
    meaningless). The same seed gives the same weights on the same kind of device. With ``folder``
    it is also saved there, as safetensors. Raises BadInput for another architecture.
    """
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

    if architecture not in configs.UNET:
        raise BadInput(
            f"random weights are built for {', '.join(configs.UNET)}, not {architecture}"
        )
    networks = {
        name: materialise(module, zlib.crc32(f"{name}-{seed}".encode()), device, dtype).eval()
        for name, module in shapes(architecture).items()
    }
    tokenizer = byte_tokenizer(configs.PAD[architecture])
    scheduler = DDIMScheduler(**configs.SCHEDULER)
    pipe: Pipeline
    if architecture == "sdxl":
        second = byte_tokenizer(configs.PAD_2)
        pipe = StableDiffusionXLPipeline(
            **networks,
            tokenizer=tokenizer,
            tokenizer_2=second,
            scheduler=scheduler,
            add_watermarker=False,
        )
    else:
        pipe = StableDiffusionPipeline(
            **networks,
            tokenizer=tokenizer,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    if folder is not None:
        pipe.save_pretrained(folder, safe_serialization=True)
    return pipe


def shapes(architecture: str) -> dict[str, "torch.nn.Module"]:
    """The networks of an architecture without memory: parameters on the meta device."""
    from accelerate import init_empty_weights
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    text = CLIPTextConfig(**configs.TEXT[architecture])
    makers: dict[str, Callable[[], Any]] = {
        "unet": lambda: UNet2DConditionModel(**configs.UNET[architecture]),
        "vae": lambda: AutoencoderKL(**configs.VAE[architecture]),
        "text_encoder": lambda: CLIPTextModel(text),
    }
    if architecture == "sdxl":
        makers["text_encoder_2"] = lambda: CLIPTextModelWithProjection(
            CLIPTextConfig(**configs.TEXT_2)
        )
    # Buffers stay real: they hold positions, which are computed and not drawn.
    with init_empty_weights(include_buffers=False):
        return {name: make() for name, make in makers.items()}


def materialise(
    module: "torch.nn.Module", seed: int, device: str, dtype: DType
) -> "torch.nn.Module":
    """Draw all parameters of a module, in place, directly on a device in a number format.

    Biases are 0, the scales of norms 1, embeddings N(0, 0.02^2), matrices and convolutions
    N(0, 1 / number of inputs).
    """
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    kind: torch.dtype = getattr(torch, dtype)
    for part in module.modules():
        for name, old in list(part.named_parameters(recurse=False)):
            new = torch.empty(old.shape, dtype=kind, device=device)
            if old.ndim < 2:
                new.fill_(1.0 if name == "weight" else 0.0)
            else:
                embedding = isinstance(part, torch.nn.Embedding)
                scale = 0.02 if embedding else 1 / math.sqrt(old[0].numel())
                new.normal_(0.0, scale, generator=generator)
            setattr(part, name, torch.nn.Parameter(new, requires_grad=False))
        for name, buffer in list(part.named_buffers(recurse=False)):
            part._buffers[name] = buffer.to(device)
    return module


def byte_tokenizer(pad: str) -> "CLIPTokenizer":
    """A CLIP tokenizer of bytes: one token a letter, start 49406, end 49407, 77 long.

    The first 512 ids are those of the published vocabulary; the rest stands empty, since the
    published words are no part of this package. A prompt beyond 75 letters is cut.
    """
    from transformers import CLIPTokenizer

    letters = byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += [f"<|empty-{index}|>" for index in range(len(words), VOCABULARY - 2)]
    vocabulary = {word: index for index, word in enumerate([*words, START, END])}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=[],
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=pad,
        model_max_length=configs.TEXT["sd15"]["max_position_embeddings"],
    )


def byte_letters() -> list[str]:
    """One printable letter for each of the 256 bytes, in the order of the published vocabulary.

    Printable bytes of Latin-1 stand for themselves and come first; the others follow, as the
    letters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return [chr(byte) for byte in printable] + [chr(0x100 + k) for k in range(len(others))]
