"""Prompt-to-Prompt: other words, the same picture, by attention maps that are handed on.

Hertz et al. 2022, *Prompt-to-Prompt Image Editing with Cross Attention Control*, arXiv 2208.01626.
Real pictures by direct inversion: Ju et al. 2023, arXiv 2310.01506.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.edit.attention import MapStore, controlled
from likeness.edit.change import Change, Plan, PromptToPromptRecipe, plan, steps_of
from likeness.edit.maps import WordMaps, blend_mask, word_maps
from likeness.edit.start import NO_NUMBERS, Edited, Start, too_many
from likeness.errors import BadInput
from likeness.generate.sample import as_bytes, led_away_from
from likeness.models.load import Pipeline

if TYPE_CHECKING:
    import torch

MASK_ALL = "the local blend takes in the whole picture"
MASK_NOTHING = "the local blend takes in nothing: the picture is its source"


@dataclass(frozen=True)
class EditedMaps(Edited):
    """With the attention of each source and each edited picture, before weights."""

    source_maps: list[WordMaps]
    edited_maps: list[WordMaps]


def edit(
    pipe: Pipeline,
    starts: Sequence[Start],
    sources: Sequence[str],
    targets: Sequence[str | Change],
    recipe: PromptToPromptRecipe,
    on_step: Callable[[], object] = lambda: None,
) -> Edited:
    """Pictures of the targets in the layout of their sources (Hertz et al. 2022, section 3).

    All at once; edits that share one Start object and source prompt share the source's branch.
    Where a start has a trajectory, the source's branch is put back onto it after each step (direct
    inversion, Ju et al. 2023). Where it has ``null_text``, this is what guidance leads away from,
    for the edit too, and the source's branch comes back to its picture by that alone (Mokady et al.
    2023). ``on_step`` counts steps. Raises BadInput as ``plan``, for an inversion in another number
    of steps, and when memory runs out.
    """
    edited, _ = _run(pipe, starts, sources, targets, recipe, on_step, keep=False)
    return edited


def edit_with_maps(
    pipe: Pipeline,
    starts: Sequence[Start],
    sources: Sequence[str],
    targets: Sequence[str | Change],
    recipe: PromptToPromptRecipe,
    on_step: Callable[[], object] = lambda: None,
) -> EditedMaps:
    """As ``edit``, and keeps where each word was looked at; ``save_word_maps`` draws it."""
    edited, control = _run(pipe, starts, sources, targets, recipe, on_step, keep=True)
    plans, branches, latents = control.plans, control.branches, control.latents
    assert control.maps is not None
    attention = control.maps.mean()
    of_sources = word_maps(attention[control.source_of], [one.source for one in plans], latents)
    own = attention[len(branches.starts) :]
    of_edits = word_maps(own, [one.target for one in plans], latents)
    return EditedMaps(edited.source, edited.edited, edited.notes, of_sources, of_edits)


@dataclass(frozen=True)
class _Branches:
    """The rows of a batch: each source once, then all edits."""

    starts: list[Start]  # of the sources
    prompts: list[str]  # of all rows
    source_of: list[int]  # the source's row, per edit

    @classmethod
    def of(
        cls, starts: Sequence[Start], sources: Sequence[str], targets: Sequence[str | Change]
    ) -> "_Branches":
        rows: dict[tuple[int, str], int] = {}
        firsts: list[Start] = []
        source_of = []
        for start, prompt in zip(starts, sources, strict=True):
            row = rows.setdefault((id(start), prompt), len(rows))
            if row == len(firsts):
                firsts.append(start)
            source_of.append(row)
        texts = [one.target if isinstance(one, Change) else one for one in targets]
        prompts = [prompt for _, prompt in rows] + texts
        return cls(firsts, prompts, source_of)

    @property
    def all_starts(self) -> list[Start]:
        """One per row."""
        return self.starts + [self.starts[row] for row in self.source_of]


class _Control:
    """Hands the sources' attention to the edits, and keeps to trajectories and blends."""

    def __init__(
        self, pipe: Pipeline, branches: _Branches, plans: list[Plan], recipe: PromptToPromptRecipe
    ) -> None:
        import torch

        def of_plans(arrays: Sequence[np.ndarray]) -> "torch.Tensor":
            return torch.from_numpy(np.stack(arrays)).to(pipe.unet.device)

        self.branches, self.plans, self.recipe = branches, plans, recipe
        self.source_of = torch.tensor(branches.source_of, device=pipe.unet.device)
        self.step = 0
        self.maps: MapStore | None = None
        _, height, width = branches.starts[0].noise.shape
        self.latents = (height, width)
        self.layout = range(recipe.num_inference_steps)[
            steps_of(recipe.self_replace_steps, recipe.num_inference_steps)
        ]
        # Edits x 1 (heads) x source tokens x target tokens.
        self.matrix = of_plans([one.alignment.matrix for one in plans])[:, None]
        known = of_plans([one.alignment.known for one in plans])[:, None, None]
        weights = of_plans([one.weights for one in plans])[:, None, None]
        # Steps x edits x 1 (heads) x 1 (queries) x target tokens.
        window = of_plans([one.window for one in plans]).transpose(0, 1)[:, :, None, None]
        self.taken = window & known
        self.factor = torch.where(window, weights, 1.0)
        self.busy = window.flatten(1).any(1).tolist()
        # Edits x 2 x T.
        self.blended = of_plans([one.blended for one in plans])
        self.mask: torch.Tensor | None = None

    def needs(self, cross: bool, queries: int) -> bool:
        """All cross-attention; self-attention of the coarse layers."""
        return cross or queries <= self.recipe.self_replace_side**2

    def edit(self, probabilities: "torch.Tensor", cross: bool) -> "torch.Tensor":
        """Changes the edits' rows of the guided half, the last rows of a batch."""
        import torch

        first = len(self.branches.starts)
        rows = first + len(self.plans)
        unguided, guided = probabilities[:-rows], probabilities[-rows:]
        sources, own = guided[:first], guided[first:]
        if not cross:
            if self.step not in self.layout:
                return probabilities
            return torch.cat([unguided, sources, sources[self.source_of]])
        if self.busy[self.step]:
            given = sources[self.source_of] @ self.matrix.to(own)
            own = torch.where(self.taken[self.step], given, own)
        # Before weights, which would turn the map of a word with a negative one upside down.
        if self.maps is not None:
            self.maps.add(torch.cat([sources, own]))
        if not self.busy[self.step]:
            return probabilities
        return torch.cat([unguided, sources, own * self.factor[self.step].to(own)])

    def after(self, latents: "torch.Tensor") -> "torch.Tensor":
        """The latents that the next step begins with; counts the step."""
        latents = latents.clone()
        for row, start in enumerate(self.branches.starts):
            # Put back as well, a source would show nothing of what its null-text was fitted for.
            if start.trajectory is not None and start.null_text is None:
                latents[row] = start.trajectory[-2 - self.step].to(latents)
        if any(one.blend for one in self.plans):
            self._blend(latents)
        self.step += 1
        return latents

    def _blend(self, latents: "torch.Tensor") -> None:
        """Outside of the words, put the sources' latents in place of the edits', in place."""
        import torch

        assert self.maps is not None
        first, source_of = len(self.branches.starts), self.source_of
        attention, blended = self.maps.mean(), self.blended[:, :, None]
        old = (attention[source_of] * blended[:, 0]).sum(-1)
        new = (attention[first:] * blended[:, 1]).sum(-1)
        blends = [one.blend for one in self.plans]
        share = torch.tensor([one.threshold if one else 0.0 for one in blends], device=old.device)
        self.mask = blend_mask(old, self.latents, share) | blend_mask(new, self.latents, share)
        steps = self.recipe.num_inference_steps
        free = [one is None or self.step < steps_of((one.start, 1), steps).start for one in blends]
        open_to_change = self.mask.clone()
        open_to_change[free] = True
        latents[first:] = torch.where(open_to_change, latents[first:], latents[source_of])

    def note(self, edit: int) -> str:
        """What is odd about an edit's blend, "" if nothing."""
        if self.mask is None or self.plans[edit].blend is None:
            return ""
        mask = self.mask[edit]
        return MASK_ALL if bool(mask.all()) else "" if bool(mask.any()) else MASK_NOTHING


def _run(
    pipe: Pipeline,
    starts: Sequence[Start],
    sources: Sequence[str],
    targets: Sequence[str | Change],
    recipe: PromptToPromptRecipe,
    on_step: Callable[[], object],
    keep: bool,
) -> tuple[Edited, _Control]:
    """The edit and what has led it; ``keep`` its maps also where no blend needs them."""
    import torch

    if not len(starts) == len(sources) == len(targets):
        raise ValueError(f"{len(starts)} starts, {len(sources)} sources, {len(targets)} targets")
    for start in starts:
        check_steps(start, recipe)
    plans = [plan(pipe, *pair, recipe) for pair in zip(sources, targets, strict=True)]
    branches = _Branches.of(starts, sources, targets)
    control = _Control(pipe, branches, plans, recipe)
    if keep or any(one.blend for one in plans):
        control.maps = MapStore()
    try:
        with controlled(pipe.unet, control):
            pictures = _denoise(pipe, branches, recipe, control, on_step)
    except torch.OutOfMemoryError as error:
        raise too_many(len(branches.prompts)) from error
    made, first = as_bytes(pictures), len(branches.starts)
    finite = np.isfinite(pictures).all(axis=(1, 2, 3))[first:]
    notes = [control.note(k) if fine else NO_NUMBERS for k, fine in enumerate(finite)]
    return Edited(made[branches.source_of], made[first:], notes), control


def _denoise(
    pipe: Pipeline,
    branches: _Branches,
    recipe: PromptToPromptRecipe,
    control: _Control,
    on_step: Callable[[], object],
) -> np.ndarray:
    """Pictures of all rows, S x S x 3 in 0..1, by the pipeline's own loop."""
    import torch

    guided = recipe.guidance_scale > 1
    names = ("", "negative_", "pooled_", "negative_pooled_")
    encoded = pipe.encode_prompt(
        prompt=branches.prompts,
        device=pipe.unet.device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=guided,
        negative_prompt=led_away_from(recipe, len(branches.prompts)),
    )
    words = {f"{name}prompt_embeds": one for name, one in zip(names, encoded, strict=False)}
    if guided:
        words["negative_prompt_embeds"] = _led_away(words["negative_prompt_embeds"], branches, 0)

    def after_step(_: Pipeline, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        on_step()
        changed = {"latents": control.after(tensors["latents"])}
        if guided and step + 1 < recipe.num_inference_steps:
            changed["prompt_embeds"] = _led_away(tensors["prompt_embeds"], branches, step + 1)
        return changed

    noise = torch.stack([start.noise for start in branches.all_starts])
    pipe.set_progress_bar_config(disable=True)
    made = pipe(
        **words,
        latents=noise.to(pipe.unet.device, pipe.unet.dtype),
        num_inference_steps=recipe.num_inference_steps,
        guidance_scale=recipe.guidance_scale,
        height=noise.shape[2] * pipe.vae_scale_factor,
        width=noise.shape[3] * pipe.vae_scale_factor,
        output_type="np",
        callback_on_step_end=after_step,
        callback_on_step_end_tensor_inputs=["latents", "prompt_embeds"],
    ).images
    return np.asarray(made)


def _led_away(embeddings: "torch.Tensor", branches: _Branches, step: int) -> "torch.Tensor":
    """Embeddings whose first rows, one per row of the batch, are the step's null texts."""
    embeddings = embeddings.clone()
    for row, start in enumerate(branches.all_starts):
        if start.null_text is not None:
            embeddings[row] = start.null_text[step].to(embeddings)
    return embeddings


def check_steps(start: Start, recipe: PromptToPromptRecipe) -> None:
    """Raises BadInput for a start that was inverted in other steps than the recipe's."""
    path = start.trajectory
    steps = len(path) - 1 if path is not None else recipe.num_inference_steps
    null_texts = len(start.null_text) if start.null_text is not None else steps
    for count in (steps, null_texts):
        if count != recipe.num_inference_steps:
            raise BadInput(
                f"a picture was inverted in {count} steps and is to be edited in "
                f"{recipe.num_inference_steps}: invert it in as many"
            )
