"""A training step of the small base model on a CPU: plain attention against the fused one.

python benchmarks/plain_attention.py
"""

import torch
from common import best_of, report
from diffusers.models.attention_processor import AttnProcessor

from likeness.world.learn.architecture import CHANNELS, TEXT_WIDTH, new_unet
from likeness.world.learn.base import BATCH


def step(unet: torch.nn.Module) -> None:
    """Forward and backward in bfloat16, 77 positions."""
    x, t = torch.randn(BATCH, CHANNELS, 16, 16), torch.randint(1000, (BATCH,))
    words = torch.randn(BATCH, 77, TEXT_WIDTH)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        unet(x, t, encoder_hidden_states=words).sample.float().pow(2).mean().backward()


def main() -> None:
    """Both in one process, two threads, the fused one first."""
    torch.set_num_threads(2)
    unet = new_unet().train()
    fused = best_of(lambda: step(unet))
    unet.set_attn_processor(AttnProcessor())
    plain = best_of(lambda: step(unet))
    report("plain_attention", f"fused attention, step of {BATCH}", fused, "plain attention", plain)


if __name__ == "__main__":
    main()
