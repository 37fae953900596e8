"""What of a training picture and a prompt never changes: computed once, before the first step."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch

AT_ONCE = 8

# Which prompts, by their numbers -> their embeddings, B x positions x width.
Conditions = Callable[["torch.Tensor"], "torch.Tensor"]


def cached_latents(vae: Any, pictures: np.ndarray, flip: bool, file: Path) -> "torch.Tensor":
    """Posterior mean and deviation of N x S x S x 3 uint8: N x 2C x h x w float32 on the CPU.

    Both are times the VAE's ``scaling_factor``, so that mean + deviation * N(0, 1) is a fresh
    latent of unit scale. With ``flip``, 2N: the mirrored pictures follow. Kept in ``file``, which
    is read when it holds these pictures.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    digest = hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()
    note = {"pictures": digest, "shape": str(pictures.shape), "flip": str(flip)}
    if file.exists():
        with safe_open(file, framework="pt") as held:
            if held.metadata() == note:
                return held.get_tensor("latents")
    both = np.concatenate([pictures, pictures[:, :, ::-1]]) if flip else pictures
    latents = _encode(vae, both)
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".next")
    save_file({"latents": latents}, half, note)
    half.replace(file)
    return latents


def _encode(vae: Any, pictures: np.ndarray) -> "torch.Tensor":
    import torch

    parts = []
    with torch.no_grad():
        for start in range(0, len(pictures), AT_ONCE):
            some = np.ascontiguousarray(pictures[start : start + AT_ONCE])
            x = torch.from_numpy(some).to(vae.device).permute(0, 3, 1, 2)
            posterior = vae.encode((x.float() / 127.5 - 1).to(vae.dtype)).latent_dist
            both = torch.cat([posterior.mean, posterior.std], 1).float()
            parts.append(both * vae.config.scaling_factor)
    return torch.cat(parts).cpu().contiguous()


def conditions_of(pipe: Pipeline, prompts: list[str], trained: bool) -> Conditions:
    """The embeddings of these few prompts: cached when the text encoder is frozen.

    While it is trained, each prompt is encoded once a step and not once a row.
    """
    import torch

    encoder, device = pipe.text_encoder, pipe.text_encoder.device
    read = pipe.tokenizer(
        prompts,
        padding="max_length",
        max_length=pipe.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    words = {"input_ids": read.input_ids.to(device)}
    if getattr(encoder.config, "use_attention_mask", False):
        words["attention_mask"] = read.attention_mask.to(device)

    def encoded(rows: torch.Tensor) -> torch.Tensor:
        return encoder(**words).last_hidden_state[rows]

    if trained:
        return encoded
    with torch.no_grad():
        known = encoder(**words).last_hidden_state.detach()
    return lambda rows: known[rows]
