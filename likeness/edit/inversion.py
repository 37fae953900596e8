"""Pictures inverted once per model and schedule; every editor of real pictures begins here."""

import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from likeness.devices import best_device
from likeness.digests import sha256_file
from likeness.edit.null_text import NullText, reconstruct, with_null_text
from likeness.edit.start import Start, decode, invert
from likeness.errors import BadInput
from likeness.generate.prompts import unread
from likeness.generate.sample import TIMESTEPS, Denoising
from likeness.images import image_set
from likeness.images.decode import Undecodable, made_pixels
from likeness.images.decode import decode as decode_file
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE, contact_sheet, save_preview
from likeness.models.assemble import BASE, load_finetuned
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfModel
from likeness.progress import track

log = logging.getLogger("likeness")
PREVIEW, INVERTED, SOURCE = "preview.jpg", "inverted", "prepared"
SHEET_PICTURES, SHEET_COLUMNS, SHEET_SIDE = 24, 2, 384
NO_NUMBERS = "inverted to values that are no finite numbers"
# Where the latents of a picture lie, and its peak signal-to-noise ratios in dB: the VAE's picture
# against the original, and what is sampled from the inverted noise against the VAE's.
OWN_COLUMNS = {
    "inverted": "string",
    "vae_psnr": "Float64",
    "reconstruction_psnr": "Float64",
    "not_read": "string",
}


class Inversion(BaseModel):
    """What the inverted latents of a picture depend on besides model, picture and prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # No guidance here: editors that differ in nothing else share what is inverted once.
    num_inference_steps: int = Field(50, ge=1, le=500, description="of the edits")
    substeps: int = Field(
        1, ge=1, le=100, description="of inversion, from each timestep of the edits to the next"
    )
    null_text: NullText | None = Field(None, description="none: no embeddings are fitted")

    @model_validator(mode="after")
    def _has_a_schedule(self) -> "Inversion":
        steps = self.denoising.num_inference_steps
        if (TIMESTEPS // steps) % self.substeps:
            raise ValueError(
                f"{TIMESTEPS // steps} timesteps lie between two of {steps} steps and cannot be "
                f"divided by {self.substeps} substeps: take a divisor"
            )
        return self

    @property
    def denoising(self) -> Denoising:
        """How the inverted noise is sampled back: with null-text's guidance, or with none."""
        scale = 1.0 if self.null_text is None else self.null_text.guidance_scale
        return Denoising(num_inference_steps=self.num_inference_steps, guidance_scale=scale)


class InversionParams(OfModel):
    """Which pictures are inverted, by which model."""

    resolution: int = Field(ge=8, multiple_of=8, description="side of the pictures, px")
    prompts: dict[str, str] = Field(
        {}, description="of image_id; others have their set's prompt, or the empty one"
    )
    recipe: Inversion = Inversion()
    # A hint, kept out of the fingerprint: a picture does not depend on what shares its batch.
    batch: int = Field(8, ge=1, exclude=True, description="pictures inverted together")


@dataclass
class _Job:
    """A picture to be inverted; ``reason``: why it cannot be."""

    image_id: str
    prompt: str
    reason: str | None = None

    @property
    def picture(self) -> str:
        """The squared picture, below the output."""
        return f"{image_set.FOLDER}/{self.image_id}.png"

    @property
    def latents(self) -> str:
        """Its file below the output and below the scratch."""
        return f"{INVERTED}/{self.image_id}.safetensors"

    @property
    def strip(self) -> str:
        """Original, VAE and reconstruction side by side, below the scratch."""
        return f"strips/{self.image_id}.png"


def invert_images(
    params: InversionParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``images/inverted``: the squared pictures, ``inverted/*.safetensors``, table and preview.

    ``inputs``: ``images``, an image set, of which the accepted ones are inverted, and optionally
    ``model``, what a method has made of the base model. In float32 on every device. Each picture
    is kept in ``scratch`` as soon as it is inverted, so a killed run goes on behind it. The preview
    shows original, VAE and reconstruction. Raises BadInput when the model on this machine is not
    the one that is asked for, when there is no picture, and for a prompt of none of them.
    """
    needed_identity(params.model, params.identity)
    jobs = _jobs(params, inputs["images"], output)
    device = best_device()
    trained = "model" in inputs and (inputs["model"] / BASE).is_file()
    pipe = (
        load_finetuned(inputs["model"], device, "float32")
        if trained
        else load_pipeline(params.model, device, "float32")
    )
    good = [job for job in jobs if job.reason is None]
    _invert_all(pipe, good, params, output, scratch)
    shutil.copytree(scratch / INVERTED, output / INVERTED)
    rows = [_row(job, params, pipe, output, scratch) for job in jobs]
    table = image_set.frame(rows, OWN_COLUMNS)
    image_set.write(output, table)
    strips = [scratch / job.strip for job in good][:SHEET_PICTURES]
    if strips:
        save_preview(contact_sheet(strips, SHEET_COLUMNS, SHEET_SIDE), output / PREVIEW)
    kept = image_set.accepted(table)
    return {
        "images": len(table),
        "rejected": len(table) - len(kept),
        "vae_psnr": _median(kept["vae_psnr"]),
        "reconstruction_psnr": _median(kept["reconstruction_psnr"]),
    }


def read_starts(folder: Path) -> dict[str, Start]:
    """``image_id`` -> where its edit begins, of the accepted pictures ``invert_images`` wrote."""
    from safetensors.torch import load_file

    table = image_set.accepted(image_set.read(folder))
    starts = {}
    for image_id, file in zip(table["image_id"], table["inverted"], strict=True):
        held = {name: value.float() for name, value in load_file(folder / file).items()}
        path = held["trajectory"]
        starts[str(image_id)] = Start(path[-1], path, held.get("null_text"))
    return starts


def _jobs(params: InversionParams, images: Path, output: Path) -> list[_Job]:
    """Square and write every accepted picture, once; one that cannot be decoded has its reason."""
    table = image_set.accepted(image_set.read(images)).drop_duplicates("image_id")
    if not len(table):
        raise BadInput("the image set holds no accepted picture: there is nothing to invert")
    unknown = sorted(params.prompts.keys() - set(table["image_id"]))
    if unknown:
        raise BadInput(
            f"prompts name {unknown[0]}, which is no accepted image of the set: correct it"
        )
    square = Preparation(size=params.resolution, resize="crop", color="color")
    (output / image_set.FOLDER).mkdir(parents=True, exist_ok=True)
    jobs = []
    for row in table.itertuples():
        own = "" if pd.isna(row.prompt) else str(row.prompt)
        job = _Job(str(row.image_id), params.prompts.get(str(row.image_id), own))
        try:
            picture = prepare(decode_file(images / str(row.file), ANY_SIZE), square)
            picture.save(output / job.picture)
        except Undecodable as error:
            job.reason = error.reason
        jobs.append(job)
    return jobs


def _invert_all(
    pipe: Pipeline, jobs: Sequence[_Job], params: InversionParams, output: Path, scratch: Path
) -> None:
    """Invert all that are not in ``scratch`` yet; whose latents are there is whole."""
    for folder in (INVERTED, "strips"):
        (scratch / folder).mkdir(parents=True, exist_ok=True)
    ahead = [job for job in jobs if not (scratch / job.latents).exists()]
    if len(ahead) < len(jobs):
        log.info("going on behind %d of %d pictures", len(jobs) - len(ahead), len(jobs))
    batches = [ahead[i : i + params.batch] for i in range(0, len(ahead), params.batch)]
    recipe, steps = params.recipe, params.recipe.num_inference_steps
    each = 1 + (steps - 1) * recipe.substeps + (0 if recipe.null_text is None else steps)
    total = each * len(batches)
    done = track(range(total), f"inverting {len(ahead)} pictures, steps", total)
    for batch in batches:
        pictures = np.stack([made_pixels(output / job.picture) for job in batch])
        prompts = [job.prompt for job in batch]
        starts = invert(
            pipe,
            pictures,
            prompts,
            recipe.denoising,
            recipe.substeps,
            lambda: next(done, None),
        )
        if recipe.null_text is not None:
            starts = with_null_text(
                pipe,
                starts,
                prompts,
                recipe.null_text,
                lambda: next(done, None),
            )
        _keep(pipe, batch, starts, pictures, recipe, scratch)


def _keep(
    pipe: Pipeline,
    batch: Sequence[_Job],
    starts: Sequence[Start],
    pictures: np.ndarray,
    recipe: Inversion,
    scratch: Path,
) -> None:
    """Write strips, then latents, whose presence says that both are whole."""
    import torch
    from safetensors.torch import save_file

    encoded = torch.stack([start.trajectory[0] for start in starts if start.trajectory is not None])
    seen = decode(pipe, encoded)
    again = reconstruct(pipe, starts, [job.prompt for job in batch], recipe.denoising)
    for job, start, *parts in zip(batch, starts, pictures, seen, again, strict=True):
        Image.fromarray(np.concatenate(parts, axis=1)).save(scratch / job.strip)
        held = {"trajectory": start.trajectory, "null_text": start.null_text}
        tensors = {
            name: value.float().contiguous() for name, value in held.items() if value is not None
        }
        half = scratch / "half.safetensors"
        save_file(tensors, half)
        half.replace(scratch / job.latents)


def _row(
    job: _Job, params: InversionParams, pipe: Pipeline, output: Path, scratch: Path
) -> dict[str, object]:
    row: dict[str, object] = {
        "image_id": job.image_id,
        "source": SOURCE,
        "base": params.model,
        "model": params.identity,
        "prompt": job.prompt,
        "not_read": unread(pipe.tokenizer, job.prompt),
        "status": image_set.REJECTED,
        "reason": job.reason,
    }
    if job.reason is not None:
        return row
    original, seen, again = np.split(made_pixels(scratch / job.strip), 3, axis=1)
    row |= {
        "file": job.picture,
        "sha256": sha256_file(output / job.picture),
        "width": params.resolution,
        "height": params.resolution,
        "guidance_scale": params.recipe.denoising.guidance_scale,
    }
    if not _finite(output / job.latents):
        return row | {"reason": NO_NUMBERS}
    return row | {
        "status": image_set.ACCEPTED,
        "inverted": job.latents,
        "vae_psnr": psnr(seen, original),
        "reconstruction_psnr": psnr(again, seen),
    }


def _finite(file: Path) -> bool:
    from safetensors.torch import load_file

    return all(bool(value.isfinite().all()) for value in load_file(file).values())


def psnr(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 pictures of one shape; of equal ones infinity.

    10 log10(255^2 / mean squared error), over all pixels and channels at once.
    """
    error = float(((picture.astype(np.float64) - reference) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _median(values: "pd.Series[float]") -> float | None:
    """To two digits; None where there is none, or no finite one."""
    middle = float(values.median()) if len(values) else math.nan
    return round(middle, 2) if math.isfinite(middle) else None
