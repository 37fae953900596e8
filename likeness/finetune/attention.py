"""How networks attend while they are trained on a CPU."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def plain_attention_on_cpu(*networks: Any) -> Iterator[None]:
    """Inside, UNets and text encoders on a CPU attend as three products, probabilities in memory.

    The backward pass of fused kernels is slow there (benchmarks/plain_attention.py): in bfloat16 a
    step takes a quarter to a third less processor time without them. On a GPU nothing changes.
    """
    with ExitStack() as stack:
        for network in networks:
            if network.device.type == "cpu":
                stack.callback(_make_plain(network))
        yield


def _make_plain(network: Any) -> Any:
    """What puts the network's own attention back."""
    if hasattr(network, "set_attn_processor"):
        from diffusers.models.attention_processor import AttnProcessor

        before = dict(network.attn_processors)
        network.set_attn_processor(AttnProcessor())
        return lambda: network.set_attn_processor(before)
    fused = network.config._attn_implementation
    network.set_attn_implementation("eager")
    return lambda: network.set_attn_implementation(fused)
