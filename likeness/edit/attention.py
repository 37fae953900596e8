"""Attention probabilities of a UNet, to be read and changed while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

# Larger maps are not kept: they are noisy, and of the order of the latents themselves.
KEPT_QUERIES = 32**2
# Layout is read from maps of this size, 16 latents a side, as published.
LAYOUT_QUERIES = 16**2


class Controller(Protocol):
    """What looks at attention and changes it."""

    def needs(self, cross: bool, queries: int) -> bool:
        """Whether such layers' probabilities are wanted; must not change while a picture is made.

        Where not, the layer runs as it would, without ever holding its probabilities in memory.
        """

    def edit(self, probabilities: "torch.Tensor", cross: bool) -> "torch.Tensor":
        """Rows x heads x queries x keys, each row of keys sums to 1 -> the same shape."""


class EditedAttention:
    """An attention processor that shows a controller the probabilities of one layer."""

    def __init__(self, controller: Controller, plain: Any) -> None:
        """``plain`` runs the layer where the controller does not need it."""
        self.controller = controller
        self.plain = plain

    def __call__(
        self,
        attn: Any,
        hidden_states: "torch.Tensor",
        encoder_hidden_states: "torch.Tensor | None" = None,
        attention_mask: "torch.Tensor | None" = None,
        temb: "torch.Tensor | None" = None,
        *args: Any,
        **kwargs: Any,
    ) -> "torch.Tensor":
        """Rows x queries x channels, of a transformer block, -> the same shape."""
        import torch

        cross = encoder_hidden_states is not None
        rows, queries, _ = hidden_states.shape
        if not self.controller.needs(cross, queries):
            given = (encoder_hidden_states, attention_mask, temb)
            return self.plain(attn, hidden_states, *given, *args, **kwargs)
        context = encoder_hidden_states if encoder_hidden_states is not None else hidden_states
        if cross and attn.norm_cross:
            context = attn.norm_encoder_hidden_states(context)
        mask = attn.prepare_attention_mask(attention_mask, context.shape[1], rows)
        query, key, value = (
            attn.head_to_batch_dim(part)
            for part in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        flat = attn.get_attention_scores(query, key, mask)
        split = flat.reshape(rows, -1, *flat.shape[1:])
        edited = self.controller.edit(split, cross).reshape_as(flat)
        mixed = attn.batch_to_head_dim(torch.bmm(edited.to(value.dtype), value))
        out = attn.to_out[1](attn.to_out[0](mixed))
        if attn.residual_connection:
            out = out + hidden_states
        return out / attn.rescale_output_factor


@contextmanager
def controlled(unet: Any, controller: Controller) -> Iterator[None]:
    """Within it, all transformer blocks of a UNet2DConditionModel go by the controller.

    What was there before comes back afterwards, also after an error.
    """
    plain = dict(unet.attn_processors)
    try:
        # The method empties the dict that it is given.
        unet.set_attn_processor(
            {name: EditedAttention(controller, processor) for name, processor in plain.items()}
        )
        yield
    finally:
        unet.set_attn_processor(dict(plain))


class MapStore:
    """Cross-attention maps, means over heads, summed over layers and steps, by their size.

    Those of more than ``KEPT_QUERIES`` are let go as soon as there are coarser ones.
    """

    def __init__(self) -> None:
        self._sums: dict[int, torch.Tensor] = {}
        self._count: dict[int, int] = {}

    def add(self, probabilities: "torch.Tensor") -> None:
        """Rows x heads x queries x tokens."""
        queries = probabilities.shape[2]
        if queries > KEPT_QUERIES and any(known < queries for known in self._sums):
            return
        for large in [known for known in self._sums if known > max(queries, KEPT_QUERIES)]:
            del self._sums[large], self._count[large]
        # Halves would lose small maps in the sum.
        mean = probabilities.float().mean(1)
        known = self._sums.get(queries)
        self._sums[queries] = mean if known is None else known + mean
        self._count[queries] = self._count.get(queries, 0) + 1

    def mean(self) -> "torch.Tensor":
        """Rows x queries x tokens, float32: of the finest layers up to 16 x 16.

        Where all are finer, as in Stable Diffusion XL, of the coarsest. Raises ValueError while
        there is none.
        """
        if not self._sums:
            raise ValueError("no cross-attention map has been kept: a step must come first")
        fitting = [queries for queries in self._sums if queries <= LAYOUT_QUERIES]
        chosen = max(fitting) if fitting else min(self._sums)
        return self._sums[chosen] / self._count[chosen]
