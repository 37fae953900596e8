"""What DreamBooth on Stable Diffusion 1.5's shape asks of a GPU's memory, counted on a CPU.

python benchmarks/dreambooth_memory.py

Bytes of weights, gradients and moments follow from the parameters (float32), those of the
activations are what a forward pass keeps for its backward pass (bfloat16 products, fused attention,
512 px): about the same on any device. What a GPU's allocator takes on top is not in it.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from common import write_rows

from likeness.finetune.lora import add_adapters
from likeness.finetune.objective import denoising_errors
from likeness.finetune.recipe import LoraSettings
from likeness.models.load import Pipeline, load_pipeline

GB = 1e9
ROWS = 2  # a picture of the subject and one of the class
ADAM = 2  # moments per trained weight


@contextmanager
def kept_bytes(pipe: Pipeline) -> Iterator[dict[int, int]]:
    """Storages kept for the backward pass, by their address, without those of the weights."""
    networks = (pipe.unet, pipe.text_encoder)
    weights = {p.untyped_storage().data_ptr() for network in networks for p in network.parameters()}
    found: dict[int, int] = {}

    def see(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        yield found


def activations(pipe: Pipeline) -> float:
    """Bytes that ``ROWS`` latents of 512 px keep, from the text encoder's first layer on."""
    words = pipe.tokenizer(
        ["a photo of sks man"] * ROWS, padding="max_length", return_tensors="pt"
    ).input_ids
    x, noise = torch.randn(2, ROWS, 4, 64, 64)
    t = torch.full((ROWS,), 500)
    kept = pipe.scheduler.alphas_cumprod[t]
    with torch.autocast("cpu", dtype=torch.bfloat16), kept_bytes(pipe) as found:
        context = pipe.text_encoder(words).last_hidden_state
        loss = denoising_errors(pipe, x, noise, t, context, kept).mean()
    total = sum(found.values())
    del loss
    return float(total)


def row(name: str, pipe: Pipeline, checkpointing: bool) -> dict[str, object]:
    """Gigabytes of one way to train; prints them."""
    networks = (pipe.unet.train(), pipe.text_encoder.train())
    parameters = [p for network in networks for p in network.parameters()]
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    if checkpointing:
        pipe.unet.enable_gradient_checkpointing()
    kept = activations(pipe)
    if checkpointing:
        pipe.unet.disable_gradient_checkpointing()
    weights = sum(p.numel() for p in parameters) * 4
    state = trained * 4 * (1 + ADAM)
    said = {
        "trained": name,
        "gradient_checkpointing": checkpointing,
        "trained_millions": round(trained / 1e6, 2),
        "weights_gb": round(weights / GB, 2),
        "gradients_and_moments_gb": round(state / GB, 2),
        "activations_gb": round(kept / GB, 2),
        "sum_gb": round((weights + state + kept) / GB, 2),
    }
    print(", ".join(f"{key} {value}" for key, value in said.items()), flush=True)
    return said


def main() -> None:
    """All weights and LoRA, each with and without gradient checkpointing."""
    torch.set_num_threads(2)
    pipe = load_pipeline("sd15-random", "cpu", "float32")
    unet = copy.deepcopy(pipe.unet)
    pipe.unet.requires_grad_(True)
    pipe.text_encoder.requires_grad_(True)
    rows = [row("all weights", pipe, checkpointing) for checkpointing in (False, True)]
    pipe.unet = unet
    add_adapters(pipe, LoraSettings(), True, 0)
    rows += [row("LoRA, rank 4", pipe, checkpointing) for checkpointing in (False, True)]
    write_rows("dreambooth_memory", rows)


if __name__ == "__main__":
    main()
