"""What Prompt-to-Prompt is asked for: an edit in words, and what it means for each token.

Hertz et al. 2022, *Prompt-to-Prompt Image Editing with Cross Attention Control*, arXiv 2208.01626.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from likeness.edit.words import Alignment, ReadPrompt, read, refine, swap
from likeness.generate.sample import Denoising
from likeness.models.load import Pipeline


def _in_order(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] > window[1]:
        raise ValueError(f"the window {list(window)} ends before it begins: swap the two")
    return window


Share = Annotated[float, Field(ge=0, le=1)]
Window = Annotated[tuple[Share, Share], AfterValidator(_in_order)]
Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class LocalBlend(BaseModel):
    """Outside of where some words are, the picture stays its source's (Hertz et al., 3.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Words = Field(description="words of the source prompt")
    target: Words = Field(description="words of the target prompt; both places are open to change")
    threshold: float = Field(
        0.3, ge=0, lt=1, description="share of a map's highest value above which the words are"
    )
    start: float = Field(0.2, ge=0, lt=1, description="share of the steps before the first blend")


class Change(BaseModel):
    """One edit of a picture, in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: str = Field(min_length=1, description="the prompt of the edited picture")
    alignment: Literal["swap", "refine"] | None = Field(
        None,
        description="swap: word for word; refine: equal words, new ones free; none: swap where "
        "both prompts have as many words, else refine",
    )
    cross_replace_steps: dict[str, Window] = Field(
        {}, description="word of the target -> its own window instead of the recipe's"
    )
    weights: dict[str, Annotated[float, Field(ge=-100, le=100)]] = Field(
        {},
        description="word of the target -> what its maps are multiplied by: 2 to 5 is more of it, "
        "below 1 less, below 0 against it",
    )
    local_blend: LocalBlend | None = Field(None, description="none: all of the picture may change")


class PromptToPromptRecipe(Denoising):
    """How much of the source's attention is kept, and for how long (Hertz et al. 2022).

    A window is two shares of the steps: the first that is in it and the first that is not.
    """

    name: Literal["prompt_to_prompt"] = "prompt_to_prompt"
    cross_replace_steps: Window = Field(
        (0.0, 0.8), description="when the target takes the source's cross-attention"
    )
    self_replace_steps: Window = Field(
        (0.0, 0.4), description="when the target takes the source's self-attention"
    )
    self_replace_side: int = Field(
        16,
        ge=1,
        le=256,
        description="of layers with at most so many latents a side; published: 16, later 32, which "
        "keeps more. XL has none below 32",
    )


@dataclass(frozen=True)
class Plan:
    """What one edit does to attention; T is the tokens of a prompt with what fills it up."""

    source: ReadPrompt
    target: ReadPrompt
    alignment: Alignment
    window: np.ndarray  # steps x T bool
    weights: np.ndarray  # T float32
    blend: LocalBlend | None
    blended: np.ndarray  # 2 x T float32: 1 at the words of source and target that are blended


def plan(pipe: Pipeline, source: str, target: str | Change, recipe: PromptToPromptRecipe) -> Plan:
    """Read the prompts of one edit and align them; quick, no picture is made.

    Raises BadInput, one sentence, for a prompt that is too long, a word that is not there, and
    prompts of different length in a swap: what ``edit`` would raise for this edit.
    """
    change = target if isinstance(target, Change) else Change(target=target)
    # As the pipeline itself writes out learned words of several vectors.
    old, new = (
        read(pipe.tokenizer, pipe.maybe_convert_prompt(text, pipe.tokenizer))
        for text in (source, change.target)
    )
    alignment = change.alignment or ("swap" if len(old.words) == len(new.words) else "refine")
    steps, blend = recipe.num_inference_steps, change.local_blend
    window = np.zeros((steps, new.positions), bool)
    window[steps_of(recipe.cross_replace_steps, steps)] = True
    for word, own in change.cross_replace_steps.items():
        positions = new.find(word)
        window[:, positions] = False
        window[steps_of(own, steps), positions] = True
    weights = np.ones(new.positions, np.float32)
    for word, weight in change.weights.items():
        weights[new.find(word)] = weight
    blended = np.zeros((2, new.positions), np.float32)
    if blend is not None:
        for row, prompt, words in ((0, old, blend.source), (1, new, blend.target)):
            for word in words:
                blended[row, prompt.find(word)] = 1
    aligned = (swap if alignment == "swap" else refine)(old, new)
    return Plan(old, new, aligned, window, weights, blend, blended)


def steps_of(window: tuple[float, float], steps: int) -> slice:
    """Which of a number of steps are in a window, rounded down."""
    # 0.29 * 100 is 28.999 in binary, and means 29.
    first, end = (int(share * steps + 1e-6) for share in window)
    return slice(first, end)
