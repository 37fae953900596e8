"""Measure the shipped models of the small world on pictures and prompts none was trained on."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from likeness.generate.sample import sample
from likeness.world.book import write_book
from likeness.world.figures.binding import bind, new_people_bound
from likeness.world.figures.figure import PROMPTS, SAMPLING, Figure, mean
from likeness.world.figures.judges import TARGETS, of_judge
from likeness.world.figures.layout import layout_moves, repeated
from likeness.world.figures.memory import remembered
from likeness.world.figures.names import names_bound, painters_bound
from likeness.world.figures.prompts import held_out_prompts, prompts_followed
from likeness.world.learn.recipe import BaseRecipe


class Extent(NamedTuple):
    """On how many of each the base model's figures rest."""

    prompts: int
    people: int
    taught: int  # people it has not seen, taught by DreamBooth
    shown: int  # pictures of its training, beside which samples are held


# All that were shown are fewer than the last number.
QUICK, FULL = Extent(200, 48, 0, 4000), Extent(500, 320, 3, 10**9)


def measure(weights: Path, scratch: Path, extent: Extent = QUICK) -> list[Figure]:
    """All figures of the models below ``weights``; books and samples are left in ``scratch``."""
    figures = [*_of_base(weights, scratch, extent)]
    for model, targets in TARGETS.items():
        if (weights / model).exists():
            figures += of_judge(weights / model, scratch, model, targets)
    figures.append(Figure("all", "size_mb", _megabytes(weights), target="<= 40"))
    (scratch / "figures.json").write_text(json.dumps([asdict(f) for f in figures], indent=1))
    return figures


def _megabytes(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def _of_base(weights: Path, scratch: Path, extent: Extent) -> list[Figure]:
    from likeness.faces.small import SmallFace
    from likeness.models.checksums import verify
    from likeness.models.load import load_folder
    from likeness.world.learn.vae import psnr
    from likeness.world.reader.read import Reader

    verify(weights / "base")
    pipe = load_folder(weights / "base", "float32")
    reader, face = Reader.load(weights / "reader"), SmallFace.load(weights / "face")
    book = write_book(scratch / "books/eyes", "measure-eyes", 500, PROMPTS)
    figures = [mean("base", "vae_psnr_db", psnr(pipe.vae, np.asarray(book.pictures)), ">= 27")]
    asked = held_out_prompts(extent.prompts)
    made = sample(pipe, [a.prompt for a in asked], range(len(asked)), SAMPLING, "held-out prompts")
    figures += prompts_followed(reader, asked, made, scratch)
    figures += remembered(made, _recipe_of(weights / "base"), scratch, extent.shown)
    figures.append(speed(pipe))
    figures += names_bound(pipe, face, extent.people, scratch)
    figures.append(painters_bound(pipe, reader, scratch))
    figures += layout_moves(pipe, reader, face, scratch)
    figures.append(repeated(pipe))
    taught = range(extent.taught)
    rows = [bind(weights / "base", one, face, scratch / f"taught-{one}") for one in taught]
    return figures + (new_people_bound(rows) if rows else [])


def _recipe_of(base: Path) -> BaseRecipe:
    """By which the model was trained."""
    note = json.loads((base / "training.json").read_text())
    return BaseRecipe.model_validate(note["params"]["recipe"])


def speed(pipe: Any) -> Figure:
    """Seconds for 32 pictures with 25 steps and guidance."""
    began = time.monotonic()
    sample(pipe, ["a photo of a dog"] * 32, list(range(32)), SAMPLING, "speed")
    return Figure("base", "seconds_for_32_pictures", time.monotonic() - began, 32, target="<= 12")
