"""Plug-and-Play: the layout of one picture, in features and self-attention, for other words.

Tumanyan et al. 2023, *Plug-and-Play Diffusion Features for Text-Driven Image-to-Image Translation*,
arXiv 2211.12572.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.start import (
    Edited,
    Start,
    decode,
    denoised,
    embeddings,
    notes_of,
    timesteps_of,
    too_many,
    words_of,
)
from likeness.errors import BadInput
from likeness.generate.sample import Denoising
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch


class Layers(BaseModel):
    """Where the source's picture is put into the target's; layers of the decoder, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: tuple[str, ...] = Field(description="as up_blocks.1.resnets.1: what is added to it")
    attention: tuple[str, ...] = Field(
        description="as up_blocks.1.attentions.1: queries and keys of its self-attention"
    )


def _attention(*places: tuple[int, int]) -> tuple[str, ...]:
    return tuple(f"up_blocks.{block}.attentions.{layer}" for block, layer in places)


_CROSS = "CrossAttnUpBlock2D"
# By the kinds of the decoder's blocks, from the coarsest.
DEFAULTS: dict[tuple[str, ...], Layers] = {
    # Stable Diffusion 1 and 2, as published: layers 4 and 4 to 11 of the decoder's 0 to 11.
    ("UpBlock2D", _CROSS, _CROSS, _CROSS): Layers(
        features=("up_blocks.1.resnets.1",),
        attention=_attention((1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2)),
    ),
    # The small model: also the second coarsest block, behind 3 of 6 layers (published: 5 of 12),
    # and the attention from there on; in the coarsest, of 4 x 4, there is no layout to speak of.
    (_CROSS, _CROSS, _CROSS): Layers(
        features=("up_blocks.1.resnets.0",), attention=_attention((1, 0), (1, 1), (2, 0), (2, 1))
    ),
}


class PlugAndPlayRecipe(Denoising):
    """How much of the source's layout is kept, and for how long (Tumanyan et al. 2023)."""

    name: Literal["plug_and_play"] = "plug_and_play"
    feature_threshold: float = Field(
        0.8, ge=0, le=1, description="tau_f: share of the steps that take the source's features"
    )
    attention_threshold: float = Field(
        0.5, ge=0, le=1, description="tau_A: share that take its self-attention"
    )
    layers: Layers | None = Field(None, description="none: those of the model's architecture")


def plug_and_play(
    pipe: Pipeline,
    starts: Sequence[Start],
    sources: Sequence[str],
    targets: Sequence[str],
    recipe: PlugAndPlayRecipe,
    on_step: Callable[[], object] = lambda: None,
) -> Edited:
    """Pictures as the targets say, laid out as their sources (Tumanyan et al. 2023, section 4).

    ``sources`` are the words of the source's branch: the prompt of a seed; of an inverted picture
    the one it was inverted with. ``negative_prompt`` leads the target alone away. ``on_step``
    counts steps. Starts are all with a trajectory or all without, and are worked on at once.

    A source with a trajectory is not sampled again: at each step its features are read from the
    inverted latents of that step, as in the authors' later code. Their first one sampled from the
    inverted noise, which adds the drift of sampling to the layout that is to be kept.
    Raises BadInput for layers that the model does not have, for a trajectory of another number of
    steps, and when memory runs out.
    """
    import torch

    found = _modules(pipe.unet, recipe.layers or _published(pipe.unet))
    try:
        with torch.no_grad(), _Injection.into(found) as injection:
            source, edited = _denoise(pipe, starts, sources, targets, recipe, injection, on_step)
            return Edited(
                decode(pipe, source),
                decode(pipe, edited),
                notes_of(pipe, edited, targets),
            )
    except torch.OutOfMemoryError as error:
        raise too_many(len(starts)) from error


def check_layers(pipe: Pipeline, recipe: PlugAndPlayRecipe) -> None:
    """Raises BadInput for layers that the model does not have. Quick: no network is asked."""
    _modules(pipe.unet, recipe.layers or _published(pipe.unet))


def _denoise(
    pipe: Pipeline,
    starts: Sequence[Start],
    sources: Sequence[str],
    targets: Sequence[str],
    recipe: PlugAndPlayRecipe,
    injection: "_Injection",
    on_step: Callable[[], object],
) -> "tuple[torch.Tensor, torch.Tensor]":
    """The latents of the sources and of the edited pictures, N x C x h x w each."""
    import torch

    steps, scale = recipe.num_inference_steps, recipe.guidance_scale
    path = _path(starts, steps)
    x = torch.stack([start.noise for start in starts]).to(pipe.unet.device, pipe.unet.dtype)
    seen = x
    # One row a picture reads an inverted source, two rows sample one: both fit the target's rows.
    spoken = words_of(pipe, sources, "", scale) if path is None else embeddings(pipe, sources)
    wanted = words_of(pipe, targets, recipe.negative_prompt, scale)
    for i, timestep in enumerate(timesteps_of(pipe.scheduler, steps)):
        active = _active(recipe, i)
        if path is None:
            with injection.keeping(active):
                seen = denoised(pipe, seen, timestep, spoken, scale)
        elif active:
            with injection.keeping(active):
                at = path[:, steps - i].to(x)
                pipe.unet(at, timestep, encoder_hidden_states=spoken)
        with injection.putting(active):
            x = denoised(pipe, x, timestep, wanted, scale)
        on_step()
    return (seen if path is None else path[:, 0]), x


def _path(starts: Sequence[Start], steps: int) -> "torch.Tensor | None":
    """N x (steps + 1) x C x h x w of inverted starts; None for seeds."""
    import torch

    paths = [start.trajectory for start in starts if start.trajectory is not None]
    if not paths:
        return None
    if len(paths) < len(starts):
        raise ValueError(f"{len(paths)} of {len(starts)} starts have a trajectory: give all or no")
    for one in paths:
        if len(one) != steps + 1:
            raise BadInput(
                f"a picture was inverted in {len(one) - 1} steps and is to be edited in {steps}: "
                "invert it in as many"
            )
    return torch.stack(paths)


def _active(recipe: PlugAndPlayRecipe, step: int) -> set[str]:
    """What is taken from the source at this step, counted from 0."""
    # A hair above: 0.29 * 100 is 28.999999999999996.
    shares = {"features": recipe.feature_threshold, "attention": recipe.attention_threshold}
    return {
        kind
        for kind, share in shares.items()
        if step < int(recipe.num_inference_steps * share + 1e-9)
    }


def _published(unet: Any) -> Layers:
    """The layers for a model of this shape. Raises BadInput for a shape that has none."""
    kinds = tuple(unet.config.up_block_types)
    if kinds not in DEFAULTS:
        raise BadInput(
            f"there are no usual layers for a decoder of {', '.join(kinds)}: say layers; it has "
            f"{', '.join(_names(unet))}"
        )
    return DEFAULTS[kinds]


def _names(unet: Any) -> list[str]:
    """All layers of the decoder, in the order in which they are passed."""
    return [
        f"up_blocks.{number}.{kind}.{layer}"
        for number, block in enumerate(unet.up_blocks)
        for kind in ("resnets", "attentions")
        for layer in range(len(getattr(block, kind, ())))
    ]


def _modules(unet: Any, layers: Layers) -> "list[tuple[str, torch.nn.Module]]":
    """What is computed by each module here is exchanged; with "features" or "attention".

    Raises BadInput for a layer that is not there or of the other kind.
    """
    have = _names(unet)
    found: list[tuple[str, torch.nn.Module]] = []
    for kind, part, names in (
        ("features", ".resnets.", layers.features),
        ("attention", ".attentions.", layers.attention),
    ):
        for name in names:
            if name not in have or part not in name:
                there = ", ".join(one for one in have if part in one)
                raise BadInput(f"layer {name} is no layer of {kind} in this model: say {there}")
            module = unet.get_submodule(name)
            if kind == "features":
                # Behind its second convolution, before the shortcut is added to it.
                found.append((kind, module.conv2))
                continue
            for block in module.transformer_blocks:
                found += [(kind, block.attn1.to_q), (kind, block.attn1.to_k)]
    return found


class _Injection:
    """Keeps what modules compute in the source's pass and puts it in place in the target's."""

    def __init__(self) -> None:
        self.active: set[str] = set()
        self.is_keeping = False
        self.kept: dict[int, torch.Tensor] = {}

    @classmethod
    @contextmanager
    def into(cls, modules: "Sequence[tuple[str, torch.nn.Module]]") -> "Iterator[_Injection]":
        """Hooks on these modules, gone afterwards whatever happens."""
        injection = cls()
        handles = [
            module.register_forward_hook(injection._hook(number, kind))
            for number, (kind, module) in enumerate(modules)
        ]
        try:
            yield injection
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, number: int, kind: str) -> Callable[..., "torch.Tensor | None"]:
        def hook(module: Any, inputs: Any, output: "torch.Tensor") -> "torch.Tensor | None":
            if kind not in self.active:
                return None
            if self.is_keeping:
                self.kept[number] = output
                return None
            kept = self.kept[number]
            times = len(output) // len(kept)
            return kept.repeat(times, *[1] * (kept.ndim - 1))

        return hook

    @contextmanager
    def keeping(self, active: set[str]) -> Iterator[None]:
        """While the source's pass runs."""
        self.active, self.is_keeping = active, True
        yield
        self.active, self.is_keeping = set(), False

    @contextmanager
    def putting(self, active: set[str]) -> Iterator[None]:
        """While the target's pass runs; what was kept is then let go."""
        self.active = active
        yield
        self.active = set()
        self.kept.clear()
