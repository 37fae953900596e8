"""The heavy call of a painter's pictures that a base model paints, or has been through."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import BaseModel, Field

from likeness.devices import best_device
from likeness.errors import BadInput
from likeness.generate.tasks import ImagesParams, make_images
from likeness.images import image_set
from likeness.images.decode import Limits, Undecodable, decode
from likeness.images.facts import facts_of
from likeness.images.inventory import FOUND
from likeness.images.listed import needed_bytes
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import save_spread
from likeness.models.load import load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfPictures
from likeness.progress import track

PREVIEW, SHEET_PICTURES = "preview.jpg", 48
REBUILT = "rebuilt"
# Whose pictures; what of a prompt was not read; the raw file that went through the autoencoder.
OWN_COLUMNS = {"label_key": "string", "not_read": "string", "rebuilt_from": "string"}


class RebuiltParams(OfPictures):
    """Which raw pictures go through whose autoencoder."""

    of: str = Field(description="label_key of the raw pictures")
    limits: Limits


class GuidanceParams(BaseModel):
    """The sets of a painter that a base model has a hand in, by their label or name."""

    sampled: dict[str, ImagesParams]
    rebuilt: dict[str, RebuiltParams]
    # A hint, kept out of the fingerprint: a picture does not depend on what shares its batch.
    batch: int = Field(32, ge=1, exclude=True, description="pictures sampled together")


def make_classes(
    params: GuidanceParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``images/guidance_classes``: ``images/<set>/*.png``, ``images.parquet`` and a contact sheet.

    ``inputs``: where something is rebuilt, ``raw`` with its ``inventory.parquet`` and ``files``,
    the folder of its files. A killed run goes on behind the pictures that it had sampled. Raises
    BadInput when a model on this machine is not the one that is asked for, when there is nothing to
    rebuild, and when a file to rebuild is no longer the one that was listed.
    """
    parts = [
        _sampled(key, one.model_copy(update={"batch": params.batch}), output, scratch / key)
        for key, one in params.sampled.items()
    ]
    parts += [_rebuilt(key, one, inputs, output) for key, one in params.rebuilt.items()]
    table = pd.concat(parts, ignore_index=True)
    image_set.write(output, table)
    good = image_set.accepted(table)
    if len(good):
        files = [output / str(name) for name in good["file"]]
        keys = [str(key) for key in good["label_key"]]
        save_spread(files, keys, SHEET_PICTURES, output / PREVIEW)
    counts = good["label_key"].value_counts().sort_index()
    return {
        "accepted": len(good),
        "rejected": len(table) - len(good),
        "sets": {str(key): int(n) for key, n in counts.items()},
        "not_read": sorted(set(table["not_read"].dropna())),
    }


def _sampled(key: str, params: ImagesParams, output: Path, scratch: Path) -> pd.DataFrame:
    """Pictures of one set, sampled; their rows."""
    half = scratch / "output"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    make_images(params, {}, half, scratch)
    table = image_set.read(half)
    shutil.copytree(half / image_set.FOLDER, output / image_set.FOLDER / key)
    names = [Path(str(file)).name for file in table["file"]]
    table = table.assign(label_key=key, file=[f"{image_set.FOLDER}/{key}/{n}" for n in names])
    return image_set.frame(table.to_dict("records"), OWN_COLUMNS)


def _rebuilt(
    key: str, params: RebuiltParams, inputs: dict[str, Path], output: Path
) -> pd.DataFrame:
    """The centre squares of raw pictures, encoded and decoded; their rows."""
    from likeness.edit.start import decode as from_latents
    from likeness.edit.start import encode as to_latents

    needed_identity(params.model, params.identity)
    listing = pd.read_parquet(inputs["raw"] / "inventory.parquet")
    mine = listing[(listing["label_key"] == params.of) & (listing["status"] == FOUND)]
    if mine.empty:
        raise BadInput(f"'{key}' is '{params.of}' rebuilt, of which there is no picture: add some")
    device = best_device()
    pipe = load_pipeline(params.model, device, params.dtype if device == "cuda" else None)
    pipe.vae.float()  # XL's overflows in float16, and one picture at a time is no load
    square = Preparation(size=params.resolution, resize="crop", color="color")
    (output / image_set.FOLDER / key).mkdir(parents=True)
    rows = []
    known = dict(sorted(zip(mine["path"], mine["sha256"], strict=True)))
    for path, sha256 in track(known.items(), f"rebuilding {key}", len(known)):
        needed_bytes(inputs["files"], path, sha256, "painters/raw_paintings")
        common = {"source": REBUILT, "label_key": key, "rebuilt_from": path}
        common |= {"base": params.model, "model": params.identity}
        try:
            pixels = np.array(prepare(decode(inputs["files"] / path, params.limits), square))
        except Undecodable as error:
            rows.append(common | {"status": image_set.REJECTED, "reason": error.reason})
            continue
        made = from_latents(pipe, to_latents(pipe, pixels[None]))[0]
        file = f"{image_set.FOLDER}/{key}/{len(rows):05d}.png"
        Image.fromarray(made).save(output / file)
        rows.append(common | facts_of(output, file))
    return image_set.frame(rows, OWN_COLUMNS)
