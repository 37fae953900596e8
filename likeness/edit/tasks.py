"""The heavy call of editing: sources and their edits, with their table, sheet and word maps."""

import logging
import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field

from likeness.devices import best_device
from likeness.edit.editors import Editor, Imported, PromptToPrompt, strengths_of
from likeness.edit.galleries import MAPS, MAPS_PREVIEW, draw_maps, draw_sheet, keep_maps
from likeness.edit.hiper import HiPerRecipe
from likeness.edit.start import NO_NUMBERS
from likeness.edit.studio import Done, Studio
from likeness.edit.table import EDIT, OWN_COLUMNS, SOURCE
from likeness.edit.wanted import Branch, Wanted
from likeness.errors import BadInput
from likeness.generate.prompts import unread
from likeness.images import image_set
from likeness.images.facts import facts_of
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfPictures
from likeness.progress import track

log = logging.getLogger("likeness")
MADE = "edited"


class EditsParams(OfPictures):
    """Which edits of which sources, by which editor."""

    editor: Editor
    pairs: list[Wanted] = Field(min_length=1, description="edits of one source one behind another")
    inversion: Branch = Field(
        "direct",
        description="of inverted pictures without null-text, by Prompt-to-Prompt: direct puts a "
        "source back onto its trajectory after each step, ddim lets it go its own way",
    )
    imported: dict[str, str] = Field(
        {}, description="file -> sha256 of the folder that edits are imported from"
    )
    # A hint, kept out of the fingerprint: an edit does not depend on what shares its batch.
    batch: int = Field(32, ge=1, exclude=True, description="pictures edited together")


class Shot(NamedTuple):
    """One edited picture to be."""

    number: int
    pair: Wanted
    strength: float | None
    first: bool

    @property
    def file(self) -> str:
        """Its name: number of the pair from 0, the pair, the strength where there are several."""
        end = "" if self.strength is None or self.first else f"-at-{self.strength:g}"
        return f"{self.number:03d}-{self.pair.pair_id}{end}.png"


def make_edits(
    params: EditsParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``images/made`` of edits: a row a source (role source) and a row an edit (role edit).

    ``inputs``: ``model``, what HiPer and Imagic have learned or a reference; ``sources`` and
    ``inverted`` for pictures of a bench; ``imported``, a folder. An edit names its source by
    ``source_id``; where it could not be made it is a rejected row without a file. Prompt-to-Prompt
    leaves where it looked at each word in ``maps``, of the first source. Each batch is kept in
    ``scratch`` as soon as it is made, so a killed run goes on behind it. Raises BadInput when the
    model on this machine is not the one that is asked for, when a drawn source cannot be edited as
    asked, when no pair can be edited though the editor fits the model, and when a file that is
    imported is no longer the one that was listed.
    """
    studio = _open(params, inputs)
    shots = [
        Shot(number, pair, strength, not place)
        for number, pair in enumerate(params.pairs)
        for place, strength in enumerate(strengths_of(params.editor))
    ]
    reasons = _reasons(studio, params.pairs)
    _edit_all(studio, params, shots, reasons, scratch)
    shutil.copytree(scratch / image_set.FOLDER, output / image_set.FOLDER)
    for name in (MAPS, MAPS_PREVIEW):
        if (scratch / name).is_dir():
            shutil.copytree(scratch / name, output / name)
        elif (scratch / name).is_file():
            shutil.copyfile(scratch / name, output / name)
    sources = _sources(params, inputs, output, studio.pipe)
    ids = {_source_key(pair): row["image_id"] for pair, row in sources}
    rows = [row for _, row in sources]
    for shot in shots:
        why = reasons.get(shot.pair.pair_id)
        about = _about(shot, params, ids.get(_source_key(shot.pair)), studio)
        rows.append(about | _facts(shot, why, output, scratch))
    table = image_set.frame(rows, OWN_COLUMNS)
    image_set.write(output, table)
    draw_sheet(table, output)
    edits = table[table["role"] == EDIT]
    return {
        "method": params.editor.name,
        "sources": len(sources),
        "edits": len(edits),
        "rejected": int((edits["status"] != image_set.ACCEPTED).sum()),
        "why_rejected": edits["reason"].value_counts().head(10).to_dict(),
        "prompts_not_read_whole": int(table["not_read"].notna().sum()),
    }


def _open(params: EditsParams, inputs: dict[str, Path]) -> Studio:
    """The editor with its model; imported edits need none."""
    pipe = None
    if not isinstance(params.editor, Imported):
        needed_identity(params.model, params.identity)
        device = best_device()
        pipe = load_pipeline(params.model, device, params.dtype if device == "cuda" else None)
    return Studio.open(
        pipe, params.editor, params.resolution, inputs, params.inversion, params.imported
    )


def _reasons(studio: Studio, pairs: Sequence[Wanted]) -> dict[str, str]:
    """``pair_id`` -> why it cannot be edited.

    What a study itself says of drawn sources can be corrected there, and is no row but an error.
    """
    found = {}
    for pair in pairs:
        if why := studio.why_not(pair):
            if pair.image_id is None:
                raise BadInput(why)
            found[pair.pair_id] = why
    # Of an editor that does not fit the model all rows say so, beside the editors that do.
    if len(found) == len(pairs) and studio.unfit is None:
        raise BadInput(f"no pair can be edited: {next(iter(found.values()))}")
    return found


def _source_key(pair: Wanted) -> tuple[str | int, str]:
    """What tells sources apart: a picture of the bench, or a seed with its prompt."""
    return (pair.image_id, "") if pair.image_id is not None else (pair.seed, pair.source_prompt)


def _source_file(pair: Wanted) -> str:
    """The name of a drawn source, below the images."""
    return f"source-{pair.seed}-{crc32(pair.source_prompt.encode()):08x}.png"


def _edit_all(
    studio: Studio,
    params: EditsParams,
    shots: Sequence[Shot],
    reasons: dict[str, str],
    scratch: Path,
) -> None:
    """Make all that is not in ``scratch`` yet; a picture that is there is whole."""
    images, notes = scratch / image_set.FOLDER, scratch / "notes"
    for folder in (images, notes):
        folder.mkdir(parents=True, exist_ok=True)
    of_pair = {
        name: list(some) for name, some in groupby(shots, key=lambda shot: shot.pair.pair_id)
    }
    good = [pair for pair in params.pairs if pair.pair_id not in reasons]
    batches = _batches(good, params)
    ahead = [
        (number, batch)
        for number, batch in enumerate(batches)
        if not all((images / s.file).exists() for pair in batch for s in of_pair[pair.pair_id])
    ]
    if len(ahead) < len(batches):
        log.info("going on behind %d of %d batches", len(batches) - len(ahead), len(batches))
    total = sum(studio.steps(batch) for _, batch in ahead)
    count = sum(map(len, (batch for _, batch in ahead)))
    done = track(range(total), f"{params.editor.name}, {count} edits, steps", total)
    first = _first_source(good, params.editor)
    for _, batch in ahead:
        keep = batch[0] in first
        made = studio.edit(batch, lambda: next(done, None), keep)
        if keep:
            keep_maps(made, batch, scratch)
        _keep(made, batch, of_pair, images, notes)
    if first:
        draw_maps(first, scratch)


def _first_source(pairs: Sequence[Wanted], editor: Editor) -> list[Wanted]:
    """The edits of the source whose maps are drawn; none by an editor that looks at no words."""
    if not (isinstance(editor, PromptToPrompt) and pairs):
        return []
    key = _source_key(pairs[0])
    return [pair for pair in pairs if _source_key(pair) == key]


def _batches(pairs: Sequence[Wanted], params: EditsParams) -> list[list[Wanted]]:
    """The first source by itself, whose maps are drawn; then as many as go together."""
    each = params.batch
    if isinstance(params.editor, HiPerRecipe):
        each = max(1, each // len(params.editor.strengths))  # all strengths are sampled at once
    first = _first_source(pairs, params.editor)
    parts = (first, pairs[len(first) :])
    return [list(some[i : i + each]) for some in parts for i in range(0, len(some), each)]


def _keep(
    made: Done,
    batch: Sequence[Wanted],
    of_pair: dict[str, list[Shot]],
    images: Path,
    notes: Path,
) -> None:
    """Write sources and notes, then edits, whose presence says that all of them are whole."""
    for place, pair in enumerate(batch):
        file = images / _source_file(pair)
        # A bench has pictures of its own.
        if pair.image_id is None and made.sources is not None and not file.exists():
            _save(made.sources[place], file)
    for place, pair in enumerate(batch):
        for shot, pictures, said in zip(of_pair[pair.pair_id], made.made, made.notes, strict=True):
            (notes / f"{shot.file}.txt").write_text(said[place], encoding="utf-8")
            _save(pictures[place], images / shot.file)


def _save(picture: np.ndarray, file: Path) -> None:
    half = file.parent.parent / "half.png"
    Image.fromarray(picture).save(half)
    half.replace(file)


def _sources(
    params: EditsParams, inputs: dict[str, Path], output: Path, pipe: Pipeline
) -> list[tuple[Wanted, dict[str, object]]]:
    """A row for each source: drawn ones as they were made, a bench's as they are there."""
    firsts: dict[tuple[str | int, str], Wanted] = {}
    for pair in params.pairs:
        firsts.setdefault(_source_key(pair), pair)
    if "sources" not in inputs:
        found = [
            (
                pair,
                facts_of(output, f"{image_set.FOLDER}/{_source_file(pair)}")
                | _made_by(params)
                | {"seed": pair.seed, "source": "generated"},
            )
            for pair in firsts.values()
        ]
    else:
        found = []
        table = image_set.accepted(image_set.read(inputs["sources"]))
        known = {str(row["image_id"]): row for row in table.to_dict("records")}
        for pair in firsts.values():
            if pair.image_id not in known:
                continue
            row = known[pair.image_id]
            name = f"{image_set.FOLDER}/source-{pair.image_id}{Path(row['file']).suffix}"
            shutil.copyfile(inputs["sources"] / row["file"], output / name)
            own = {key: row[key] for key in image_set.COLUMNS if not pd.isna(row.get(key))}
            found.append((pair, own | {"file": name}))
    return [
        (
            pair,
            row | {"role": SOURCE, "prompt": pair.source_prompt} | _read(pair.source_prompt, pipe),
        )
        for pair, row in found
    ]


def _read(prompt: str, pipe: Pipeline) -> dict[str, object]:
    """What of a prompt the model does not read."""
    return {} if pipe is None else {"not_read": unread(pipe.tokenizer, prompt)}


def _made_by(params: EditsParams) -> dict[str, object]:
    if isinstance(params.editor, Imported):
        return {}
    return {
        "base": params.model,
        "model": params.identity,
        "guidance_scale": params.editor.guidance_scale,
    }


def _about(shot: Shot, params: EditsParams, source_id: object, studio: Studio) -> dict[str, object]:
    """What an edit was asked to be."""
    pair = shot.pair
    return {
        **_made_by(params),
        **_read(pair.change.target, studio.pipe),
        "source": MADE,
        "prompt": pair.change.target,
        "seed": studio.seed_of(pair),
        "role": EDIT,
        "source_id": source_id,
        "source_prompt": pair.source_prompt,
        "pair_id": pair.pair_id,
        "kind": pair.kind,
        "edit": pair.edit,
        "strength": shot.strength,
        "compared": shot.first,
    }


def _facts(shot: Shot, why: str | None, output: Path, scratch: Path) -> dict[str, object]:
    """What an edit became; also of an accepted one, what is odd about it."""
    if why is not None:
        return {"status": image_set.REJECTED, "reason": why}
    facts = facts_of(output, f"{image_set.FOLDER}/{shot.file}")
    note = (scratch / "notes" / f"{shot.file}.txt").read_text(encoding="utf-8")
    if NO_NUMBERS in note:
        return facts | {"status": image_set.REJECTED, "reason": note}
    return facts | {"reason": facts["reason"] or note or None}
