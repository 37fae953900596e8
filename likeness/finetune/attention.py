"""How networks attend while they are trained on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def plain_attention_on_cpu(unet: Any, text_encoder: Any) -> Iterator[None]:
    """Inside, networks on a CPU attend as three products, with their probabilities in memory.

    The backward pass of fused kernels is slow there (benchmarks/plain_attention.py): in bfloat16 a
    step takes a quarter to a third less processor time without them. On a GPU nothing changes.
    """
    from diffusers.models.attention_processor import AttnProcessor

    before, fused = dict(unet.attn_processors), text_encoder.config._attn_implementation
    if unet.device.type == "cpu":
        unet.set_attn_processor(AttnProcessor())
        text_encoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        unet.set_attn_processor(before)
        text_encoder.set_attn_implementation(fused)
