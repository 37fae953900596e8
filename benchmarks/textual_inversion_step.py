"""A step of Textual Inversion against the published recipe's plain step.

python benchmarks/textual_inversion_step.py

The plain step encodes its pictures by the VAE and each row's sentence by the text encoder, wants
gradients of the whole embedding matrix and puts all rows but the word's back. Model, batch, number
format and optimiser are the same on both sides.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import report
from dreambooth_step import small_pipe

from likeness.finetune.attention import plain_attention_on_cpu
from likeness.finetune.cache import cached_latents
from likeness.finetune.loop import generator_of
from likeness.finetune.textual_inversion import (
    first_vectors,
    looked_up,
    loss_on_templates,
    readable_prompts,
)
from likeness.finetune.ti_recipe import TextualInversionRecipe
from likeness.models.learned_word import Word, add_word

STEPS = 3
ROUNDS = 3
WEIGHT_DECAY = 1e-2


def plain_steps(
    pipe: Any, images: np.ndarray, recipe: TextualInversionRecipe, ids: list[int]
) -> Callable[[], None]:
    """The published recipe's."""
    device = pipe.unet.device
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    weight = pipe.text_encoder.get_input_embeddings().weight.requires_grad_(True)
    optimizer = torch.optim.AdamW([weight], lr=recipe.rate, weight_decay=WEIGHT_DECAY)
    before = weight.detach().clone()
    others = torch.ones(len(weight), dtype=torch.bool, device=device)
    others[ids] = False

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        chosen = torch.randint(len(pixels), (recipe.batch,), generator=generator)
        sentences = [
            recipe.sentences[int(number)]
            for number in torch.randint(len(recipe.sentences), (recipe.batch,), generator=generator)
        ]
        with torch.no_grad():
            latents = pipe.vae.encode(pixels[chosen].to(device)).latent_dist.sample()
            latents = latents * pipe.vae.config.scaling_factor
        words = pipe.tokenizer(
            sentences, padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        context = pipe.text_encoder(words.to(device)).last_hidden_state
        noise = torch.randn_like(latents)
        t = torch.randint(1000, (len(latents),), device=device)
        noisy = pipe.scheduler.add_noise(latents, noise, t)
        predicted = pipe.unet(noisy, t, encoder_hidden_states=context).sample
        return (predicted.float() - noise).pow(2).mean()

    def call() -> None:
        weight.requires_grad_(True)
        for step in range(STEPS):
            low = recipe.precision == "bfloat16"
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
                loss = loss_of(generator_of(0, step))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            with torch.no_grad():
                weight[others] = before[others]
        weight.requires_grad_(False)

    return call


def our_steps(
    pipe: Any, images: np.ndarray, recipe: TextualInversionRecipe, ids: list[int]
) -> Callable[[], None]:
    """Ours."""
    with tempfile.TemporaryDirectory() as folder:
        latents = cached_latents(pipe.vae, images, False, Path(folder) / "latents.safetensors")
    embedding = pipe.text_encoder.get_input_embeddings()
    vectors = torch.nn.Embedding.from_pretrained(embedding.weight[ids].clone(), freeze=False)
    prompts = readable_prompts(pipe, recipe.sentences, ids)
    loss_of = loss_on_templates(pipe, latents, prompts, vectors, recipe)
    optimizer = torch.optim.AdamW([vectors.weight], lr=recipe.rate, weight_decay=WEIGHT_DECAY)
    device = pipe.unet.device

    def call() -> None:
        plain = plain_attention_on_cpu(pipe.unet, pipe.text_encoder)
        with looked_up(embedding, ids[0], vectors), plain:
            for step in range(STEPS):
                low = recipe.precision == "bfloat16"
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
                    loss = loss_of(step, generator_of(0, step))["loss"]
                loss.backward()
                torch.nn.utils.clip_grad_norm_([vectors.weight], 1.0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)

    return call


def compare(name: str, pipe: Any, side: int, recipe: TextualInversionRecipe) -> None:
    """Both steps in turn, the best round of each."""
    images = np.random.default_rng(0).integers(0, 256, (8, side, side, 3), np.uint8)
    ids = add_word(pipe, Word(recipe.placeholder_token, first_vectors(pipe, recipe)))
    calls = [make(pipe, images, recipe, ids) for make in (plain_steps, our_steps)]
    on_gpu = pipe.unet.device.type == "cuda"
    # Of a CPU, processor time: other work on the machine does not count.
    clock = time.perf_counter if on_gpu else time.process_time
    best = [float("inf"), float("inf")]
    for call in calls:
        call()
    for _ in range(ROUNDS):
        for which, call in enumerate(calls):
            began = clock()
            call()
            if on_gpu:
                torch.cuda.synchronize()
            best[which] = min(best[which], (clock() - began) / STEPS)
    said = f"{recipe.batch} pictures of {side} px, {recipe.precision}"
    report(f"textual_inversion_step_{name}", f"plain step, {said}", best[0], "cached", best[1])


def main(precision: str = "bfloat16") -> None:
    """The small model; of Stable Diffusion 1.5's shape too when there is a GPU."""
    builders: dict[str, tuple[Callable[[], Any], int]] = {"small": (small_pipe, 64)}
    if torch.cuda.is_available():
        from likeness.models.load import load_pipeline

        builders["sd15"] = (lambda: load_pipeline("sd15-random", "cuda", "float32"), 512)
    # A second one would only wait for the first, and that counts.
    torch.set_num_threads(1)
    for name, (build, side) in builders.items():
        recipe = TextualInversionRecipe(
            placeholder_token="<style>",
            initializer_token="painting",
            learnable_property="style",
            precision=precision,
        )
        compare(name, build(), side, recipe)


if __name__ == "__main__":
    main(*sys.argv[1:])
