"""The editors by name, as a study asks for them, and how strong each is to be."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.change import Change
from likeness.edit.hiper import HiPerRecipe
from likeness.edit.imagic import ImagicRecipe
from likeness.edit.plug_and_play import PlugAndPlayRecipe
from likeness.edit.prompt_to_prompt import PromptToPromptRecipe
from likeness.generate.sample import Denoising

Shares = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...],
    Field(
        min_length=1,
        description="shares of the recipe's own windows, a picture with each: 1 keeps the source "
        "as long as the recipe says, 0 not at all (a local blend stays). Tables compare the first",
    ),
]


class PromptToPrompt(PromptToPromptRecipe):
    """Prompt-to-Prompt, for as many shares of its windows."""

    strengths: Shares = (1.0,)

    def at(self, strength: float) -> PromptToPromptRecipe:
        """The recipe with this share of both of its windows."""
        own = self.model_dump(exclude={"strengths"})
        windows = ("cross_replace_steps", "self_replace_steps")
        return PromptToPromptRecipe.model_validate(
            own | {name: _shortened(own[name], strength) for name in windows}
        )

    def weaker(self, change: Change, strength: float) -> Change:
        """The change with this share of the windows that words of it have of their own."""
        windows = change.cross_replace_steps.items()
        own = {word: _shortened(window, strength) for word, window in windows}
        return change.model_copy(update={"cross_replace_steps": own})


class PlugAndPlay(PlugAndPlayRecipe):
    """Plug-and-Play, for as many shares of its thresholds."""

    strengths: Shares = (1.0,)

    def at(self, strength: float) -> PlugAndPlayRecipe:
        """The recipe with this share of both of its thresholds."""
        own = self.model_dump(exclude={"strengths"})
        thresholds = ("feature_threshold", "attention_threshold")
        return PlugAndPlayRecipe.model_validate(
            own | {name: own[name] * strength for name in thresholds}
        )


class Regenerate(Denoising):
    """No control: the target's words and the same seed, with which every editor is compared."""

    name: Literal["regenerate"] = "regenerate"


class Imported(BaseModel):
    """Edits that were made elsewhere, a picture for each pair, named by it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["imported"] = "imported"
    folder: str = Field(
        min_length=1,
        description="folder below the raw folder (LIKENESS_RAW) with pictures named PAIR_ID.png or "
        "as the bench calls the pair (TEdBench: PHOTO-TARGET_PROMPT.png), in any case of letters",
    )


Editor = Annotated[
    PromptToPrompt | PlugAndPlay | HiPerRecipe | ImagicRecipe | Regenerate | Imported,
    Field(discriminator="name"),
]
# Learned picture by picture, before anything is edited.
Learner = Annotated[HiPerRecipe | ImagicRecipe, Field(discriminator="name")]


def strengths_of(editor: Any) -> tuple[float | None, ...]:
    """One for each picture that an editor makes of a pair; None for an editor without a knob."""
    return tuple(getattr(editor, "strengths", (None,)))


def fitting_of(recipe: HiPerRecipe | ImagicRecipe) -> HiPerRecipe | ImagicRecipe:
    """What learning depends on: the recipe with the usual sampling and strengths."""
    sampled = {*Denoising.model_fields, "strengths"}
    return type(recipe).model_validate(recipe.model_dump(exclude=sampled))


def _shortened(window: tuple[float, float], share: float) -> tuple[float, float]:
    return window[0], window[0] + (window[1] - window[0]) * share
