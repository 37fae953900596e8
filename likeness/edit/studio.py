"""One batch of pairs by any editor: what each needs of a model, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from likeness.edit.editors import Editor, Imported, PlugAndPlay, PromptToPrompt, Regenerate
from likeness.edit.fitting import FittedRecipe
from likeness.edit.hiper import HiPerRecipe, check_room, hiper
from likeness.edit.imagic import imagic
from likeness.edit.inversion import read_starts
from likeness.edit.learn import read_files
from likeness.edit.maps import WordMaps
from likeness.edit.plug_and_play import check_layers, plug_and_play
from likeness.edit.prompt_to_prompt import EditedMaps, check_steps, edit, edit_with_maps, plan
from likeness.edit.start import Edited, Start, from_seed
from likeness.edit.wanted import Branch, Wanted
from likeness.errors import BadInput
from likeness.generate.sample import Denoising, sample_batch
from likeness.images import image_set
from likeness.images.decode import Undecodable, decode
from likeness.images.listed import needed_bytes
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE
from likeness.models.load import Pipeline

NOT_INVERTED = "its picture could not be inverted"
OTHER_WORDS = (
    "its picture was inverted with the source prompt of an earlier pair: give all pairs of a "
    "picture one source prompt, or invert directly"
)
# What edits made elsewhere may be; a text beside a picture of the same name is none.
PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
NOT_LEARNED = "its picture could not be learned"
NOT_IMPORTED = "there is no picture of its name in the folder"
REFUSED = "its file is empty, cannot be read or leads out of the folder"


class Done(NamedTuple):
    """N pairs: pictures N x S x S x 3 uint8 and notes ("": nothing), for each strength."""

    # As the editor sees them: drawn, or a bench's by way of the model; None where it sees none.
    sources: np.ndarray | None
    made: list[np.ndarray]
    notes: list[list[str]]
    source_maps: list[WordMaps]  # of the first strength, where they were asked for
    edited_maps: list[WordMaps]


class Listed(NamedTuple):
    """A file of the folder that edits are imported from."""

    file: Path
    sha256: str  # "": it was refused


@dataclass
class Studio:
    """A model, an editor, and what was prepared for it."""

    pipe: Pipeline  # None for imported edits, which need no model
    editor: Editor
    side: int
    starts: dict[str, Start] = field(default_factory=dict)  # by image_id
    spoken: dict[str, str] = field(default_factory=dict)  # the prompts they were inverted with
    learned: dict[str, Path] = field(default_factory=dict)  # by pair_id
    imported: dict[str, Listed] = field(default_factory=dict)  # by what their files are named
    _noise: dict[int, Start] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        pipe: Pipeline,
        editor: Editor,
        side: int,
        inputs: dict[str, Path],
        inversion: Branch = "direct",
        imported: Mapping[str, str] | None = None,
    ) -> "Studio":
        """``inputs``, as the editor needs them: ``inverted``, ``model``, ``imported``.

        Of the folder ``imported`` only what was listed there counts: ``imported``, file -> sha256.
        """
        studio = cls(pipe, editor, side)
        if "inverted" in inputs:
            table = image_set.accepted(image_set.read(inputs["inverted"]))
            starts = read_starts(inputs["inverted"])
            studio.starts = starts if inversion == "direct" else _let_go(starts, editor)
            studio.spoken = dict(zip(table["image_id"], table["prompt"].fillna(""), strict=True))
        if isinstance(editor, FittedRecipe):
            studio.learned = read_files(inputs["model"])
        if imported:
            # Of two that differ in their suffix alone the first by name.
            files = [Listed(inputs["imported"] / name, imported[name]) for name in imported]
            files = [
                one
                for one in files
                if one.file.parent == inputs["imported"] and one.file.suffix.casefold() in PICTURES
            ]
            studio.imported = {_named(one.file.stem): one for one in sorted(files, reverse=True)}
        return studio

    @cached_property
    def unfit(self) -> str | None:
        """Why the editor can do nothing with this model, if so."""
        try:
            if isinstance(self.editor, PlugAndPlay):
                check_layers(self.pipe, self.editor)
        except BadInput as error:
            return str(error)
        return None

    def why_not(self, pair: Wanted) -> str | None:
        """Why a pair cannot be edited; None if it can. Quick: no network is asked."""
        if pair.reason is not None or self.unfit is not None:
            return pair.reason or self.unfit
        editor = self.editor
        if isinstance(editor, Imported):
            return self._why_not_imported(pair)
        is_bench = pair.image_id is not None
        if self._takes_inverted and is_bench and pair.image_id not in self.starts:
            return NOT_INVERTED
        if isinstance(editor, FittedRecipe) and pair.pair_id not in self.learned:
            return NOT_LEARNED
        if isinstance(editor, PromptToPrompt) and is_bench and self._spoken_otherwise(pair):
            return OTHER_WORDS
        try:
            if isinstance(editor, PromptToPrompt):
                plan(self.pipe, pair.source_prompt, pair.change, editor)
            elif isinstance(editor, HiPerRecipe):
                check_room(self.pipe, pair.change.target, editor.tokens)
        except BadInput as error:
            return str(error)
        return None

    def _why_not_imported(self, pair: Wanted) -> str | None:
        """What is wrong with its file; a changed one is no reason of a row but an error."""
        try:
            self._imported(pair)
        except Undecodable as error:
            return error.reason
        return None

    def steps(self, batch: Sequence[Wanted]) -> int:
        """How often ``edit`` says that it has taken a step."""
        editor = self.editor
        if isinstance(editor, Imported):
            return 0
        each = editor.num_inference_steps
        if isinstance(editor, PromptToPrompt | PlugAndPlay):
            return each * len(editor.strengths)
        if isinstance(editor, Regenerate):
            return each * (1 if batch[0].image_id else 2)
        return each * (1 if isinstance(editor, HiPerRecipe) else len(batch))

    def edit(
        self, batch: Sequence[Wanted], on_step: Callable[[], object], keep_maps: bool = False
    ) -> Done:
        """All pairs at once; ``keep_maps``: where Prompt-to-Prompt has looked at each word."""
        editor = self.editor
        if isinstance(editor, Imported):
            made = np.stack([self._imported(pair) for pair in batch])
            return Done(None, [made], [[""] * len(batch)], [], [])
        if isinstance(editor, Regenerate):
            return self._regenerated(batch, editor, on_step)
        targets = [pair.change.target for pair in batch]
        starts = [self._start(pair) for pair in batch]
        if isinstance(editor, PromptToPrompt):
            found = self._prompt_to_prompt(editor, batch, starts, on_step, keep_maps)
        elif isinstance(editor, PlugAndPlay):
            spoken = [self.spoken.get(p.image_id or "", p.source_prompt) for p in batch]
            found = [
                plug_and_play(self.pipe, starts, spoken, targets, editor.at(strength), on_step)
                for strength in editor.strengths
            ]
        else:
            files = [self.learned[pair.pair_id] for pair in batch]
            if isinstance(editor, HiPerRecipe):
                found = hiper(self.pipe, starts, files, targets, editor, on_step)
            else:
                found = imagic(self.pipe, starts, files, targets, editor, on_step)
        maps = found[0] if isinstance(found[0], EditedMaps) else None
        return Done(
            found[0].source,
            [one.edited for one in found],
            [one.notes for one in found],
            maps.source_maps if maps else [],
            maps.edited_maps if maps else [],
        )

    def seed_of(self, pair: Wanted) -> int | None:
        """The seed of the noise that an edit begins with; None where it begins otherwise."""
        inverted = self._takes_inverted and pair.image_id is not None
        return None if inverted or isinstance(self.editor, Imported) else pair.seed

    def _spoken_otherwise(self, pair: Wanted) -> bool:
        """Whether its source, sampled from noise, would be sampled with words it was not found by.

        A source that is put back onto its trajectory goes the same way with any words; null-text
        brings one back only with the words that it was fitted to.
        """
        start = self.starts[pair.image_id or ""]
        put_back = start.trajectory is not None and start.null_text is None
        return not put_back and self.spoken[pair.image_id or ""] != pair.source_prompt

    @property
    def _takes_inverted(self) -> bool:
        return isinstance(self.editor, PromptToPrompt | PlugAndPlay)

    def _start(self, pair: Wanted) -> Start:
        """The same object for all edits of one source, which then share its branch."""
        if pair.image_id is not None and self._takes_inverted:
            return self.starts[pair.image_id]
        if pair.seed not in self._noise:
            self._noise[pair.seed] = from_seed(self.pipe, pair.seed, self.side)
        return self._noise[pair.seed]

    def _prompt_to_prompt(
        self,
        editor: PromptToPrompt,
        batch: Sequence[Wanted],
        starts: Sequence[Start],
        on_step: Callable[[], object],
        keep_maps: bool,
    ) -> list[Edited]:
        sources = [pair.source_prompt for pair in batch]
        found = []
        for number, strength in enumerate(editor.strengths):
            changes = [editor.weaker(pair.change, strength) for pair in batch]
            make = edit_with_maps if keep_maps and not number else edit
            found.append(make(self.pipe, starts, sources, changes, editor.at(strength), on_step))
        return found

    def _regenerated(
        self, batch: Sequence[Wanted], editor: Denoising, on_step: Callable[[], object]
    ) -> Done:
        def sampled(prompts: list[str], seeds: list[int]) -> np.ndarray:
            return sample_batch(self.pipe, prompts, seeds, editor, on_step, self.side)

        sources = None
        if batch[0].image_id is None:
            asked = [(pair.source_prompt, pair.seed) for pair in batch]
            each = list(dict.fromkeys(asked))
            once = sampled([prompt for prompt, _ in each], [seed for _, seed in each])
            sources = once[[each.index(one) for one in asked]]
        made = sampled([pair.change.target for pair in batch], [pair.seed for pair in batch])
        return Done(sources, [made], [[""] * len(batch)], [], [])

    def _imported(self, pair: Wanted) -> np.ndarray:
        """S x S x 3 uint8. Raises Undecodable, with a reason, where there is no such picture.

        Raises BadInput where its file is no longer the one that was listed.
        """
        names = [_named(name) for name in (pair.pair_id, pair.label)]
        found = next((self.imported[name] for name in names if name in self.imported), None)
        if found is None:
            raise Undecodable(NOT_IMPORTED)
        file, sha256 = found
        if not sha256:
            raise Undecodable(REFUSED)
        needed_bytes(file.parent, file.name, sha256, "images/made")
        square = Preparation(size=self.side, resize="crop", color="color")
        return np.asarray(prepare(decode(file, ANY_SIZE), square))


def _named(name: str) -> str:
    """In any case of letters; and TEdBench's files drop the full stop that its texts end with."""
    return name.casefold().rstrip(".")


def _let_go(starts: dict[str, Start], editor: Editor) -> dict[str, Start]:
    """The inverted noise alone: sources are sampled from it as their edits are."""
    if not isinstance(editor, PromptToPrompt):
        raise TypeError(f"{editor.name} reads its sources on their trajectories")
    for start in starts.values():
        check_steps(start, editor)
    return {name: replace(start, trajectory=None) for name, start in starts.items()}
