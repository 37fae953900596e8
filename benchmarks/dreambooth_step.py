"""A DreamBooth step with what never changes cached, against the published recipe's plain step.

python benchmarks/dreambooth_step.py

The plain step encodes its pictures by the VAE and each row's prompt by the text encoder every
time. Model, batch, number format, optimiser and clipping are the same on both sides.
"""

import copy
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import report

from likeness.finetune.cache import cached_latents, conditions_of
from likeness.finetune.dreambooth import loss_on_latents
from likeness.finetune.loop import generator_of
from likeness.finetune.lora import add_adapters
from likeness.finetune.recipe import DreamBoothRecipe, LoraSettings

PROMPTS = ["a photo of sks man", "a photo of a man"]
STEPS = 5
ROUNDS = 3
# Of Stable Diffusion 1.5: forward and backward of a 512 px sample, and what an H200 can (bfloat16).
TERAFLOP_OF_ROW, TERAFLOPS = 3 * 0.803, 989.0


def small_pipe() -> Any:
    """The shape of the small base model with random weights."""
    from diffusers import StableDiffusionPipeline
    from transformers import CLIPTokenizer

    from likeness.models.load import on_device
    from likeness.world.grammar import vocabulary
    from likeness.world.learn import architecture
    from likeness.world.tokenizer import write_tokenizer

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(vocabulary(), Path(folder))
        tokenizer = CLIPTokenizer.from_pretrained(folder)
    pipe = StableDiffusionPipeline(
        vae=architecture.new_vae(),
        unet=architecture.new_unet(),
        text_encoder=architecture.new_text_encoder(tokenizer),
        tokenizer=tokenizer,
        scheduler=architecture.new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return on_device(pipe, "cuda" if torch.cuda.is_available() else "cpu")


def plain_loss(pipe: Any, images: np.ndarray, of_class: np.ndarray, batch: int) -> Callable:
    """Instance and class pictures through the VAE, the text encoder and the UNet."""
    device = pipe.unet.device
    pixels = [
        torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in (images, of_class)
    ]

    def loss_of(step: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        chosen = [x[torch.randint(len(x), (batch,), generator=generator)] for x in pixels]
        with torch.no_grad():
            latents = pipe.vae.encode(torch.cat(chosen).to(device)).latent_dist.sample()
            latents = latents * pipe.vae.config.scaling_factor
            texts = [prompt for prompt in PROMPTS for _ in range(batch)]
            words = pipe.tokenizer(
                texts, padding="max_length", truncation=True, return_tensors="pt"
            ).input_ids
            context = pipe.text_encoder(words.to(device)).last_hidden_state
        noise = torch.randn_like(latents)
        t = torch.randint(1000, (len(latents),), device=device)
        noisy = pipe.scheduler.add_noise(latents, noise, t)
        predicted = pipe.unet(noisy, t, encoder_hidden_states=context).sample
        instance, prior = (predicted.float() - noise).pow(2).chunk(2)
        return {"loss": instance.mean() + prior.mean()}

    return loss_of


def cached_loss(pipe: Any, images: np.ndarray, of_class: np.ndarray, batch: int) -> Callable:
    """Ours."""
    recipe = DreamBoothRecipe(instance_prompt=PROMPTS[0], class_prompt=PROMPTS[1], batch=batch)
    with tempfile.TemporaryDirectory() as folder:
        sets = [
            cached_latents(pipe.vae, x, False, Path(folder) / f"{n}.safetensors")
            for n, x in enumerate((images, of_class))
        ]
    return loss_on_latents(pipe, sets, conditions_of(pipe, PROMPTS, False), recipe)


def steps(pipe: Any, loss_of: Callable, precision: str) -> Callable[[], None]:
    """Some whole steps, the optimiser's included."""
    trained = [p for p in pipe.unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6)
    device = pipe.unet.device.type

    def call() -> None:
        for step in range(STEPS):
            low = precision == "bfloat16"
            with torch.autocast(device, dtype=torch.bfloat16, enabled=low):
                loss = loss_of(step, generator_of(0, step))["loss"]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if device == "cuda":
            torch.cuda.synchronize()

    return call


def compare(name: str, pipe: Any, side: int, batch: int, precision: str) -> None:
    """Both steps in turn, the best round of each."""
    rng = np.random.default_rng(0)
    images, of_class = (rng.integers(0, 256, (8, side, side, 3), np.uint8) for _ in range(2))
    calls = [
        steps(pipe, make(pipe, images, of_class, batch), precision)
        for make in (plain_loss, cached_loss)
    ]
    best = [float("inf"), float("inf")]
    for call in calls:
        call()
    for _ in range(ROUNDS):
        for which, call in enumerate(calls):
            began = time.perf_counter()
            call()
            best[which] = min(best[which], (time.perf_counter() - began) / STEPS)
    said = f"{batch} + {batch} pictures of {side} px, {precision}"
    report(f"dreambooth_step_{name}", f"plain step, {said}", best[0], "cached", best[1])
    if name.startswith("sd15"):
        rate = 2 * batch * TERAFLOP_OF_ROW / best[1] / TERAFLOPS
        print(f"{name}: model FLOP utilisation of an H200 {rate:.2f}, backward counted as two")


def main(precision: str = "float32") -> None:
    """Full training and LoRA; of Stable Diffusion 1.5's shape too when there is a GPU."""
    builders = {"small": (small_pipe, 64, 6)}
    if torch.cuda.is_available():
        from likeness.models.load import load_pipeline

        builders["sd15"] = (lambda: load_pipeline("sd15-random", "cuda", "float32"), 512, 4)
        precision = "bfloat16"
    torch.set_num_threads(2)
    for name, (build, side, batch) in builders.items():
        pipe = build()
        adapted = copy.deepcopy(pipe.unet)
        pipe.unet.requires_grad_(True).train()
        compare(f"{name}_full", pipe, side, batch, precision)
        pipe.unet = adapted
        gc.collect()
        add_adapters(pipe, LoraSettings(), False, 0)
        compare(f"{name}_lora", pipe, side, batch, precision)


if __name__ == "__main__":
    main(*sys.argv[1:])
