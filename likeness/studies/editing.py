"""An editing experiment: sources, edits of them in words, and the editor that makes them."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from likeness.bench.sources import BenchSource, WorldBench
from likeness.edit.change import Change
from likeness.edit.editors import (
    Editor,
    Imported,
    PlugAndPlay,
    PromptToPrompt,
    Regenerate,
    strengths_of,
)
from likeness.edit.inversion import Inversion
from likeness.edit.null_text import NullText
from likeness.edit.table import ROLES
from likeness.edit.wanted import Branch, Wanted, kind_of
from likeness.edit.words import is_said, said_words
from likeness.metrics.edits import EditMeasures
from likeness.metrics.known_edits import Claim, Claims
from likeness.studies.parts import Part, Prompt, Seed, SetName

# What only the other kind of experiment has.
SAMPLED_ALONE = ("prompts", "seeds", "sampling")
DRAWN_ALONE = ("edits", "source")


class Editing(Part):
    """What all editing experiments say."""

    title: str = Field(description="what a reader calls it")
    model: str = Field(description="name of a base model: likeness models list")
    method: Editor
    measures: EditMeasures = EditMeasures()
    batch: int = Field(32, ge=1, le=1024, description="pictures edited together")

    @model_validator(mode="after")
    def _each_strength_once(self) -> "Editing":
        strengths = strengths_of(self.method)
        if len(set(strengths)) < len(strengths):
            raise ValueError(f"'{self.title}' has one of its strengths twice: keep one of them")
        return self

    @property
    def roles(self) -> list[str]:
        """The roles that its pictures play."""
        return list(ROLES)

    @property
    def edited(self) -> str:
        """What is edited: pictures that are drawn, or the name of a bench."""
        return "drawn"

    @property
    def raw_folders(self) -> list[str]:
        """The folders below the raw folder that it reads."""
        return []

    @property
    def wanted(self) -> list[Wanted]:
        """Edits of drawn sources; those of a bench are in its own table."""
        return []

    @property
    def claims(self) -> dict[str, Claims]:
        """``pair_id`` -> what the reader should read of drawn sources."""
        return {}

    @property
    def subject(self) -> None:
        """Edits are about nobody."""
        return

    @property
    def painter(self) -> None:
        """Edits are about nobody."""
        return

    @model_validator(mode="before")
    @classmethod
    def _edits_and_does_not_sample(cls, given: Any) -> Any:
        both = [name for name in SAMPLED_ALONE if isinstance(given, dict) and name in given]
        if both:
            raise ValueError(
                f"'{given.get('title')}' has edits and {both[0]}: an experiment edits or samples, "
                "so make two of it"
            )
        drawn = [name for name in DRAWN_ALONE if isinstance(given, dict) and name in given]
        if drawn and "bench" in given:
            raise ValueError(
                f"'{given.get('title')}' has a bench and {drawn[0]}: a bench brings its own "
                "pictures and words, so leave one of them out"
            )
        return given


class DrawnSource(Part):
    """What is edited: a picture for each seed, drawn from one prompt by the model itself."""

    prompt: Prompt
    seeds: list[Seed] = Field(min_length=1, max_length=1000)
    shows: dict[SetName, Claim] = Field(
        {}, description="what the small world's reader should read in it: attribute -> value"
    )


class WordedEdit(Change):
    """One edit of every source, and what is known of the right result."""

    plain: Prompt | None = Field(
        None, description="what an editor that knows no weights is asked for instead"
    )
    asked: dict[SetName, Claim] = Field(
        {}, description="what the reader should read now and not before: attribute -> value"
    )
    free: list[SetName] = Field([], description="attributes of the source that may change as well")

    @property
    def change(self) -> Change:
        """Without what is only for the measures."""
        return Change.model_validate(self.model_dump(include=set(Change.model_fields)))


class DrawnEdits(Editing):
    """Edits of pictures that the model draws itself."""

    source: DrawnSource
    edits: dict[SetName, WordedEdit] = Field(min_length=1, max_length=100)
    method: Annotated[PromptToPrompt | PlugAndPlay | Regenerate, Field(discriminator="name")] = (
        PromptToPrompt()
    )

    @property
    def wanted(self) -> list[Wanted]:
        """Every edit of every source; those of one source one behind another."""
        return [
            Wanted(
                pair_id=f"{seed}-{name}",
                kind=kind_of(self.source.prompt, edit),
                edit=name,
                source_prompt=self.source.prompt,
                change=self._asked_of_the_editor(edit),
                seed=seed,
            )
            for seed in self.source.seeds
            for name, edit in self.edits.items()
        ]

    @property
    def claims(self) -> dict[str, Claims]:
        """``pair_id`` -> what the reader should read."""
        known = {name: _claims(self.source, edit) for name, edit in self.edits.items()}
        return {pair.pair_id: known[pair.edit] for pair in self.wanted}

    def _asked_of_the_editor(self, edit: WordedEdit) -> Change:
        if isinstance(self.method, PromptToPrompt):
            return edit.change
        return Change(target=edit.plain or edit.target)

    @model_validator(mode="after")
    def _can_be_asked(self) -> "DrawnEdits":
        seeds = self.source.seeds
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"'{self.title}' has one of its seeds twice: keep one of them")
        for name, edit in self.edits.items():
            if why := next(_problems(self, name, edit), None):
                raise ValueError(why)
        return self


class BenchEdits(Editing):
    """Edits of the pictures of a bench."""

    bench: BenchSource
    folder: str | None = Field(
        None, description="folder of the bench below the raw folder (LIKENESS_RAW), if it is read"
    )
    method: Editor
    substeps: int = Field(
        1, ge=1, le=100, description="of inversion, from each timestep of the edit to the next"
    )
    inversion: Branch | NullText = Field(
        "direct",
        description="how the source of an edit stays its picture: direct puts it back onto its "
        "inverted latents after each step; ddim does nothing more; or embeddings of no words are "
        "fitted to each picture, of which the fields are those of null-text",
    )

    @property
    def edited(self) -> str:
        """The name of the bench."""
        return self.bench.bench

    @property
    def raw_folders(self) -> list[str]:
        """The folders below the raw folder that it reads: the bench, and edits made elsewhere."""
        imported = self.method.folder if isinstance(self.method, Imported) else None
        return [folder for folder in (self.folder, imported) if folder is not None]

    @property
    def inverted_as(self) -> Inversion | None:
        """How its pictures are inverted; None for editors that begin with noise of their own."""
        if not isinstance(self.method, PromptToPrompt | PlugAndPlay):
            return None
        return Inversion(
            num_inference_steps=self.method.num_inference_steps,
            substeps=self.substeps,
            null_text=self._null_text,
        )

    @property
    def _null_text(self) -> NullText | None:
        return self.inversion if isinstance(self.inversion, NullText) else None

    @model_validator(mode="after")
    def _can_be_edited(self) -> "BenchEdits":
        if (self.folder is None) != isinstance(self.bench, WorldBench):
            needs = "is drawn and has no folder" if self.folder else "is read: say its folder"
            raise ValueError(f"the bench of '{self.title}', {self.edited}, {needs}")
        # Its own sentence where the steps cannot be divided.
        inverted, null_text = self.inverted_as, self._null_text
        if inverted is None and (self.inversion != "direct" or self.substeps != 1):
            raise ValueError(
                f"'{self.title}' edits by {self.method.name}, which inverts nothing: leave out "
                "substeps and inversion"
            )
        if self.inversion == "direct":
            return self
        if not isinstance(self.method, PromptToPrompt):
            raise ValueError(
                f"'{self.title}' has an inversion of which {self.method.name} knows nothing: leave "
                "it out, or take prompt_to_prompt"
            )
        if null_text and null_text.guidance_scale != self.method.guidance_scale:
            raise ValueError(
                f"'{self.title}' edits at guidance {self.method.guidance_scale:g} and null-text "
                f"undoes {null_text.guidance_scale:g}: say the same for both"
            )
        if null_text and self.method.negative_prompt:
            raise ValueError(
                f"'{self.title}' names a negative_prompt, whose place null-text takes: leave it out"
            )
        return self


def _claims(source: DrawnSource, edit: WordedEdit) -> Claims:
    was = {name: value for name, value in source.shows.items() if name in edit.asked}
    gone = {*edit.asked, *edit.free}
    kept = {name: value for name, value in source.shows.items() if name not in gone}
    return Claims(was=was, asked=edit.asked, kept=kept)


def _problems(experiment: DrawnEdits, name: str, edit: WordedEdit) -> Iterator[str]:
    """What is wrong with an edit, as the editor's own tokenizer would say it at last."""
    source, target = experiment.source.prompt, edit.target
    counts = [len(said_words(text)) for text in (source, target)]
    where = f"edit '{name}' of '{experiment.title}'"
    if edit.alignment == "swap" and counts[0] != counts[1]:
        yield (
            f"{where} is a swap from {counts[0]} words to {counts[1]}: give as many, or take refine"
        )
    asked: list[tuple[str, str]] = [(word, target) for word in edit.cross_replace_steps]
    asked += [(word, target) for word in edit.weights]
    if edit.local_blend is not None:
        asked += [(word, source) for word in edit.local_blend.source]
        asked += [(word, target) for word in edit.local_blend.target]
    for word, text in asked:
        if not is_said(word, text):
            yield f"{where} names '{word}', which is no word of '{text}'"
    if said_words(source) == said_words(target):
        if not edit.weights:
            yield f"{where} has the words of its source and no weights: it would change nothing"
        if edit.plain is None and not isinstance(experiment.method, PromptToPrompt):
            yield (
                f"{where} only changes weights, of which {experiment.method.name} knows nothing: "
                "say in plain what it is asked for"
            )
