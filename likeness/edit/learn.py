"""The heavy call of editors that learn each picture first: HiPer's tails, Imagic's networks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from likeness.devices import best_device
from likeness.edit.editors import Learner
from likeness.edit.hiper import HiPerRecipe, check_room, learn_tails
from likeness.edit.imagic import learn_imagic
from likeness.edit.wanted import Wanted
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import made_pixels
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfModel
from likeness.progress import track

LEARNED, TABLE, REFERENCE = "learned", "learned.parquet", "reference.json"
COLUMNS = {"pair_id": "string", "file": "string", "status": "string", "reason": "string"}


class LearnParams(OfModel):
    """Which model learns which pictures, one by one."""

    recipe: Learner
    pairs: list[Wanted] = Field(min_length=1)
    # A hint, kept out of the fingerprint: what is fitted to one picture is its own alone.
    batch: int = Field(8, ge=1, exclude=True, description="pictures learned together")


def learn_pictures(
    params: LearnParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``models/finetuned`` of HiPer and Imagic: ``learned/*.safetensors`` and which pair has which.

    ``inputs``: ``sources``, the pictures of a bench. HiPer learns a picture once for each source
    prompt, Imagic once for each target. A killed run goes on in ``scratch``. A pair that cannot be
    learned is a row with a reason. Raises BadInput when the model on this machine is not the one
    that is asked for, and when no pair can be learned.
    """
    needed_identity(params.model, params.identity)
    pipe = load_pipeline(params.model, best_device(), "float32")
    files = _files_of(inputs["sources"])
    reasons = {pair.pair_id: _why_not(pipe, pair, files, params.recipe) for pair in params.pairs}
    groups: dict[tuple[str, str], list[Wanted]] = {}
    for pair in params.pairs:
        if reasons[pair.pair_id] is None:
            key = (str(pair.image_id), _text(pair, params.recipe))
            groups.setdefault(key, []).append(pair)
    if not groups:
        raise BadInput(f"no pair can be learned: {next(iter(reasons.values()))}")
    made = _learn_all(pipe, params, list(groups), files, scratch)
    (output / LEARNED).mkdir(parents=True)
    kept: dict[str, str] = {}
    for pairs, file in zip(groups.values(), made, strict=True):
        name = f"{LEARNED}/{pairs[0].pair_id}.safetensors"
        # Networks are large, and the scratch is gone when the artefact is there.
        (output / name).hardlink_to(file)
        kept |= {pair.pair_id: name for pair in pairs}
    rows = [
        {
            "pair_id": name,
            "file": kept.get(name),
            "status": image_set.ACCEPTED if name in kept else image_set.REJECTED,
            "reason": why,
        }
        for name, why in reasons.items()
    ]
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).astype(COLUMNS)
    table.to_parquet(output / TABLE, index=False)
    said = {"model": params.model, "reference": params.identity, "method": params.recipe.name}
    (output / REFERENCE).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return {
        "method": params.recipe.name,
        "pairs": len(rows),
        "not_learned": len(rows) - len(kept),
        "pictures_learned": len(groups),
    }


def read_files(folder: Path) -> dict[str, Path]:
    """``pair_id`` -> what was learned of its picture."""
    table = pd.read_parquet(folder / TABLE)
    good = table[table["status"] == image_set.ACCEPTED]
    return {str(row.pair_id): folder / str(row.file) for row in good.itertuples()}


def _files_of(folder: Path) -> dict[str, Path]:
    table = image_set.accepted(image_set.read(folder))
    return {str(row.image_id): folder / str(row.file) for row in table.itertuples()}


def _text(pair: Wanted, recipe: Learner) -> str:
    """What a picture is learned with: HiPer's source, Imagic's target."""
    is_tail = isinstance(recipe, HiPerRecipe)
    return pair.source_prompt if is_tail else pair.change.target


def _why_not(pipe: Pipeline, pair: Wanted, files: dict[str, Path], recipe: Learner) -> str | None:
    if pair.reason is not None:
        return pair.reason
    if pair.image_id not in files:
        return "its picture is not among the sources"
    if isinstance(recipe, HiPerRecipe):
        try:
            check_room(pipe, pair.source_prompt, recipe.tokens)
        except BadInput as error:
            return str(error)
    return None


def _learn_all(
    pipe: Pipeline,
    params: LearnParams,
    wanted: Sequence[tuple[str, str]],
    files: dict[str, Path],
    scratch: Path,
) -> list[Path]:
    """A safetensors file for each picture and text, in their order."""
    starts = range(0, len(wanted), params.batch)
    made: list[Path] = []
    for start in track(starts, f"{params.recipe.name}, batches of pictures", len(starts)):
        some = wanted[start : start + params.batch]
        pictures = np.stack([made_pixels(files[image_id]) for image_id, _ in some])
        texts = [text for _, text in some]
        if isinstance(params.recipe, HiPerRecipe):
            made += learn_tails(pipe, pictures, texts, params.recipe, scratch)
        else:
            made += learn_imagic(pipe, pictures, texts, params.recipe, scratch)
    return made
