"""Train UNet and text encoder of the small base model on latents and captions, in stages."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.loop import AtCheckpoint, Plan, train
from likeness.world.book import Page
from likeness.world.grammar import caption
from likeness.world.learn.architecture import new_scheduler

if TYPE_CHECKING:
    import torch
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

# Small: many steps teach more than large ones; Muon makes use of twice what AdamW does.
BATCH = 32
EMPTY = 0.1  # share of captions left out, for classifier-free guidance (Ho and Salimans 2021)


def train_stage(
    unet: "UNet2DConditionModel",
    text_encoder: "CLIPTextModel",
    tokenizer: "CLIPTokenizer",
    latents: "torch.Tensor",
    pages: Sequence[Page],
    plan: Plan,
    power: float,
    full: float,
    scratch: Path,
    what: str,
    at_checkpoint: AtCheckpoint | None = None,
) -> list[dict[str, float]]:
    """Train both networks in place on scaled latents (N x 2C x h x w: mean, deviation).

    Levels of noise are 1000 u ** ``power`` with u even in 0..1. ``full`` is the share of captions
    that say all they could.
    """
    import torch

    both = torch.nn.ModuleDict({"unet": unet.train(), "text_encoder": text_encoder.train()})
    device = unet.device
    kept = new_scheduler().alphas_cumprod  # the share of signal at each of the 1000 noise levels

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        # Chance comes from the CPU: the same on every device.
        chosen = torch.randint(len(pages), (BATCH,), generator=generator)
        mean, deviation = latents[chosen].float().chunk(2, 1)
        x = mean + deviation * torch.randn(mean.shape, generator=generator)
        t = (1000 * torch.rand(BATCH, generator=generator) ** power).long().clamp(max=999)
        noise = torch.randn(x.shape, generator=generator)
        signal = kept[t].view(-1, 1, 1, 1)
        noisy = signal.sqrt() * x + (1 - signal).sqrt() * noise
        texts = captions([pages[int(i)] for i in chosen], generator, full)
        words = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
        context = text_encoder(words.input_ids.to(device)).last_hidden_state
        predicted = unet(noisy.to(device), t.to(device), encoder_hidden_states=context).sample
        velocity = signal.sqrt() * noise - (1 - signal).sqrt() * x
        return {"loss": (predicted.float() - velocity.to(device)).pow(2).mean()}

    with plain_attention_on_cpu(unet, text_encoder):
        curve = train(both, loss_of, plan, scratch, what, at_checkpoint)
    both.eval().requires_grad_(False)
    return curve


def captions(pages: Sequence[Page], generator: "torch.Generator", full: float) -> list[str]:
    """A fresh caption for each page, some of them empty, a share of them full."""
    import torch

    seed = int(torch.randint(2**31, (1,), generator=generator))
    rng = np.random.default_rng(seed)
    texts = []
    for page in pages:
        if rng.random() < EMPTY:
            texts.append("")
            continue
        # without the share no chance is drawn: earlier stages stay as they were
        says_all = full > 0 and bool(rng.random() < full)
        texts.append(caption(page.description, rng, says_all).text)
    return texts
