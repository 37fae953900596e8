"""Gates of the experiments: whole models, whole pictures."""

from collections import Counter
from pathlib import Path

import dagster as dg
import pandas as pd

from likeness.edit.editors import strengths_of
from likeness.edit.table import EDIT, SOURCE
from likeness.edit.tasks import EditsParams
from likeness.generate.tasks import ImagesParams
from likeness.images import image_set
from likeness.images.decode import Limits, Undecodable, decode
from likeness.models.registry import BaseModelSpec
from resources import keys

SAFE = "models__weights_are_safetensors"
COUNT = "images__a_picture_per_prompt_and_seed"
READABLE = "images__every_picture_decodes"
SIZE = "images__size_is_the_models"
FLAT = "images__no_picture_is_flat"

ANY_SIZE = Limits(min_side=1)

BASE_CHECKS = [
    dg.AssetCheckSpec(
        SAFE,
        asset=keys.BASE_MODEL.split("/"),
        blocking=True,
        description="Every network of the model has its weights as safetensors.",
    ),
]
IMAGES_CHECKS = [
    dg.AssetCheckSpec(
        COUNT,
        asset=keys.IMAGES.split("/"),
        blocking=True,
        description="Every prompt has a picture for each of its seeds, and no other; of edits, "
        "every pair an edit, or why there is none, for each strength.",
    ),
    dg.AssetCheckSpec(
        READABLE,
        asset=keys.IMAGES.split("/"),
        blocking=True,
        description="Every picture of the table can be decoded.",
    ),
    dg.AssetCheckSpec(
        SIZE,
        asset=keys.IMAGES.split("/"),
        blocking=True,
        description="Every picture is as large as the model's pictures are.",
    ),
    dg.AssetCheckSpec(
        FLAT,
        asset=keys.IMAGES.split("/"),
        description="Warns of pictures of one colour: black ones come from overflow in half "
        "precision.",
    ),
]


def check_base(folder: Path | None, spec: BaseModelSpec) -> tuple[dg.AssetCheckResult, ...]:
    """Weights of a model's folder; random weights have no folder and no files."""
    parts = ["unet", "vae", *(["text_encoder", "text_encoder_2"][: 1 + spec.two_encoders])]
    without = [
        part
        for part in parts
        if folder is not None and not any(folder.glob(f"{part}/*.safetensors"))
    ]
    return (
        dg.AssetCheckResult(
            check_name=SAFE, passed=not without, metadata={"without_safetensors": without}
        ),
    )


def check_images(folder: Path, params: ImagesParams) -> tuple[dg.AssetCheckResult, ...]:
    """Counts, and each picture looked at once."""
    table = image_set.read(folder)
    found = sorted(zip(table["prompt"], table["seed"], strict=True))
    wanted = sorted((one.prompt, seed) for one in params.asked for seed in one.seeds)
    return _check(folder, table, params.resolution, len(found), len(wanted), found == wanted)


def check_edits(folder: Path, params: EditsParams) -> tuple[dg.AssetCheckResult, ...]:
    """An edit of each pair for each strength, and its source; what was made looked at once.

    A pair that could not be edited has a row with its reason and no picture.
    """
    table = image_set.read(folder)
    edits = table[table["role"] == EDIT]
    strengths = strengths_of(params.editor)
    found = Counter(edits["pair_id"])
    whole = found == {pair.pair_id: len(strengths) for pair in params.pairs}
    sources = set(table.loc[table["role"] == SOURCE, "image_id"])
    good = edits[edits["status"] == image_set.ACCEPTED]
    whole &= set(good["source_id"]) <= sources
    wanted = len(params.pairs) * len(strengths)
    return _check(folder, table, params.resolution, len(edits), wanted, whole)


def _check(
    folder: Path, table: pd.DataFrame, side: int, found: int, wanted: int, is_whole: bool
) -> tuple[dg.AssetCheckResult, ...]:
    broken, other, flat = [], [], []
    for file in table["file"].dropna():
        try:
            picture = decode(folder / file, ANY_SIZE)
        except Undecodable as error:
            broken.append(f"{file}: {error.reason}")
            continue
        if picture.size != (side, side):
            other.append(f"{file}: {picture.width} x {picture.height}")
        if picture.convert("RGB").getcolors(1) is not None:
            flat.append(file)
    return (
        dg.AssetCheckResult(
            check_name=COUNT, passed=is_whole, metadata={"pictures": found, "wanted": wanted}
        ),
        _listed(READABLE, broken),
        _listed(SIZE, other),
        _listed(FLAT, flat, dg.AssetCheckSeverity.WARN),
    )


def _listed(
    name: str, found: list[str], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=severity,
        metadata={"pictures": len(found), "list": dg.MetadataValue.json(found[:50])},
    )
