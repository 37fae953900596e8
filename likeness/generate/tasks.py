"""The heavy call of generation: the pictures of an experiment, with their table and their sheet."""

import logging
import shutil
from collections.abc import Callable, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from pydantic import Field

from likeness.devices import best_device
from likeness.generate.asked import Asked
from likeness.generate.guided import sample_guided
from likeness.generate.prompts import unread
from likeness.generate.sample import Denoising, sample_batch
from likeness.images import image_set
from likeness.images.facts import facts_of
from likeness.images.sheets import contact_sheet, save_preview
from likeness.models.assemble import BASE, load_finetuned
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfPictures
from likeness.progress import track

log = logging.getLogger("likeness")
PREVIEW = "preview.jpg"
SHEET_PROMPTS, SHEET_COLUMNS, SHEET_SIDE = 16, 6, 128
SOURCE = "generated"
# What a picture is for, the years asked for, and what of its prompt the model did not read.
OWN_COLUMNS = {"role": "string", "age": "Float64", "not_read": "string"}


class ImagesParams(OfPictures):
    """What is sampled; a picture per prompt and each of its seeds, in this order."""

    asked: list[Asked] = Field(min_length=1)
    sampling: Denoising
    # A hint, kept out of the fingerprint: a picture does not depend on what shares its batch.
    batch: int = Field(32, ge=1, exclude=True, description="pictures sampled together")


class Shot(NamedTuple):
    """One picture to be sampled."""

    number: int
    asked: Asked
    seed: int
    guidance_scale: float

    @property
    def prompt(self) -> str:
        """In words."""
        return self.asked.prompt

    @property
    def file(self) -> str:
        """Its name: number of the prompt from 0, seed."""
        return f"{self.number:03d}-{self.seed}.png"


def make_images(
    params: ImagesParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``images/made``: ``images/*.png``, ``images.parquet`` and a contact sheet.

    ``inputs``: ``model``, what a method has made of the base model, or a reference to it.
    Each batch is kept in ``scratch`` as soon as it is sampled, so a killed run goes on behind it.
    Raises BadInput when the model on this machine is not the one that is asked for.
    """
    needed_identity(params.model, params.identity)
    shots = [
        Shot(number, asked, seed, scale)
        for number, asked in enumerate(params.asked)
        for seed, scale in zip(asked.seeds, _scales(asked, params), strict=True)
    ]
    device = best_device()
    dtype = params.dtype if device == "cuda" else None
    trained = "model" in inputs and (inputs["model"] / BASE).is_file()
    pipe = (
        load_finetuned(inputs["model"], device, dtype)
        if trained
        else load_pipeline(params.model, device, dtype)
    )
    remarks = _remarks(pipe, params)
    _sample_all(pipe, shots, params, scratch / "images")
    shutil.copytree(scratch / "images", output / "images")
    rows = [_row(shot, params, remarks, output) for shot in shots]
    table = image_set.frame(rows, OWN_COLUMNS)
    image_set.write(output, table)
    save_preview(_sheet(shots, output / "images"), output / PREVIEW)
    return {
        "images": len(table),
        "rejected": len(table) - len(image_set.accepted(table)),
        "prompts": len(params.asked),
        "prompts_not_read_whole": len(remarks),
        "not_read": remarks,
        "prompts_on_the_sheet": {
            str(number): one.prompt for number, one in enumerate(params.asked[:SHEET_PROMPTS])
        },
    }


def _scales(asked: Asked, params: ImagesParams) -> list[float]:
    """The guidance of each picture of a prompt."""
    return asked.guidance_scales or [params.sampling.guidance_scale] * len(asked.seeds)


def _remarks(pipe: Pipeline, params: ImagesParams) -> dict[str, str]:
    """Prompt -> what of it the model does not read."""
    found = {
        # a learned word of several vectors takes as many positions
        one.prompt: unread(pipe.tokenizer, pipe.maybe_convert_prompt(one.prompt, pipe.tokenizer))
        for one in params.asked
    }
    for prompt, remark in found.items():
        if remark:
            log.info("'%s': %s", prompt, remark)
    return {prompt: remark for prompt, remark in found.items() if remark}


def _sample_all(pipe: Pipeline, shots: Sequence[Shot], params: ImagesParams, folder: Path) -> None:
    """Sample all batches that are not in ``folder`` yet; a picture that is there is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    rest = iter(shots)
    batches = list(iter(lambda: list(islice(rest, params.batch)), []))
    ahead = [batch for batch in batches if not all((folder / s.file).exists() for s in batch)]
    if len(ahead) < len(batches):
        log.info("going on behind %d of %d batches", len(batches) - len(ahead), len(batches))
    total = len(ahead) * params.sampling.num_inference_steps
    steps = track(range(total), f"sampling {sum(map(len, ahead))} pictures, steps", total)
    for batch in ahead:
        pictures = _sample(pipe, batch, params, lambda: next(steps, None))
        for shot, picture in zip(batch, pictures, strict=True):
            half = folder.parent / "half.png"
            Image.fromarray(picture).save(half)
            half.replace(folder / shot.file)


def _sample(
    pipe: Pipeline, batch: Sequence[Shot], params: ImagesParams, on_step: Callable[[], object]
) -> np.ndarray:
    """The pictures of a batch; with a guidance of its own for each where one asks for that."""
    prompts, seeds = [shot.prompt for shot in batch], [shot.seed for shot in batch]
    side = params.resolution
    if all(shot.asked.guidance_scales is None for shot in batch):
        return sample_batch(pipe, prompts, seeds, params.sampling, on_step, side)
    scales = [shot.guidance_scale for shot in batch]
    return sample_guided(pipe, prompts, seeds, params.sampling, scales, on_step, side)


def _row(
    shot: Shot, params: ImagesParams, remarks: dict[str, str], output: Path
) -> dict[str, object]:
    return {
        **facts_of(output, f"images/{shot.file}"),
        "source": SOURCE,
        "base": params.model,
        "model": params.identity,
        "prompt": shot.prompt,
        "seed": shot.seed,
        "guidance_scale": shot.guidance_scale,
        "role": shot.asked.role,
        "age": shot.asked.age,
        "not_read": remarks.get(shot.prompt),
    }


def _sheet(shots: Sequence[Shot], folder: Path) -> Image.Image:
    """The first pictures of the first prompts, a row a prompt (several, where rows are short)."""
    rows = [list(row) for _, row in groupby(shots, key=lambda shot: shot.number)]
    some = [shot for row in rows[:SHEET_PROMPTS] for shot in row[:SHEET_COLUMNS]]
    each = min(len(rows[0]), SHEET_COLUMNS)
    columns = SHEET_COLUMNS // each * each
    # A prompt would not fit; the summary says which number is which.
    captions = [f"{shot.number} · seed {shot.seed}" for shot in some]
    return contact_sheet([folder / s.file for s in some], columns, SHEET_SIDE, captions)
