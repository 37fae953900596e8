"""What an editing experiment asks for: a source, an edit of it in words, and what the edit is."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.change import Change
from likeness.edit.words import said_words

# What an edit does to the words of a prompt.
WordEdit = Literal["swap", "refine", "reweight"]
# How the source of an inverted picture is sampled.
Branch = Literal["direct", "ddim"]


class Wanted(BaseModel):
    """One edit of one source, which is a picture of a bench or is drawn by its seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pair_id: str = Field(pattern=r"^[\w-]+$", description="names its files")
    kind: str = Field("", description="swap, refine, reweight; of a bench its own kinds")
    edit: str = Field("", description="what the study calls the edit, over all sources")
    label: str = Field("", description="what its bench calls it, and a published edit's file")
    source_prompt: str
    change: Change
    seed: int = Field(ge=0, description="of the noise that it begins with")
    image_id: str | None = Field(None, description="of the bench's picture; none: drawn")
    reason: str | None = Field(None, description="why it cannot be edited, if so")


def kind_of(source: str, change: Change) -> WordEdit:
    """What a change does to a prompt (Hertz et al. 2022, section 3.2).

    ``reweight``: the same words; ``swap``: words exchanged for as many others; else ``refine``.
    """
    old, new = said_words(source), said_words(change.target)
    if old == new:
        return "reweight"
    if change.alignment is not None:
        return change.alignment
    return "swap" if len(old) == len(new) else "refine"


def spoken_of(pairs: Iterable[Wanted]) -> dict[str, str]:
    """``image_id`` -> the prompt with which a bench's picture is inverted: its first pair's."""
    found: dict[str, str] = {}
    for pair in pairs:
        if pair.image_id is not None and pair.reason is None:
            found.setdefault(pair.image_id, pair.source_prompt)
    return found
