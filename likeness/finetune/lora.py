"""Low-rank adapters by peft, in the file format that stock diffusers loads.

Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*, arXiv 2106.09685.
"""

from pathlib import Path
from typing import Any

from likeness.errors import BadInput
from likeness.finetune.recipe import LoraSettings
from likeness.models.load import Pipeline


def add_adapters(pipe: Pipeline, settings: LoraSettings, text_encoder: bool, seed: int) -> None:
    """Put trainable float32 adapters into the frozen UNet and, if asked for, the text encoder.

    The first factor is drawn from a Gaussian by ``seed``, the second is 0: the pipeline makes the
    same pictures as before. Raises BadInput when a network has no layer of the named ones.
    """
    import torch

    networks = [(pipe.unet, settings.target_modules)]
    if text_encoder:
        networks.append((pipe.text_encoder, settings.text_encoder_target_modules))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for network, targets in networks:
            _add(network.requires_grad_(False), settings, targets)


def _add(network: Any, settings: LoraSettings, targets: list[str]) -> None:
    from peft import LoraConfig

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        init_lora_weights="gaussian",
        target_modules=list(targets),
    )
    try:
        network.add_adapter(config)
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        raise BadInput(
            f"{type(network).__name__} has no layers named {', '.join(targets)}: "
            "correct target_modules"
        ) from error


def save_adapters(pipe: Pipeline, folder: Path) -> None:
    """Write ``pytorch_lora_weights.safetensors`` with the adapters of UNet and text encoder."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft.utils import get_peft_model_state_dict

    arguments: dict[str, Any] = {}
    for part in ("unet", "text_encoder"):
        network = getattr(pipe, part)
        if hasattr(network, "peft_config"):
            layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
            arguments[f"{part}_lora_layers"] = {
                name: value.detach().cpu().contiguous() for name, value in layers.items()
            }
            # Without it, a reader takes alpha for the rank.
            metadata = network.peft_config["default"].to_dict()
            arguments[f"{part}_lora_adapter_metadata"] = {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in metadata.items()
            }
    StableDiffusionPipeline.save_lora_weights(folder, safe_serialization=True, **arguments)
