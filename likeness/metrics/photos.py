"""The heavy calls on one person's photos: how varied they are, and whether they show one person."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.faces import tasks as faces
from likeness.faces.verification import NO_FACE, best_distance, by_picture, verified
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.sheets import ANY_SIZE
from likeness.metrics import passports
from likeness.metrics.heatmap import heat_map
from likeness.metrics.pairs import PairMean, mean_within
from likeness.metrics.ssim import SsimProtocol, pairwise, prepare, shared_side
from likeness.metrics.tables import (
    MEAN_COLUMNS,
    MEANS,
    PAIRS,
    mean_row,
    pair_rows,
    typed,
)
from likeness.people.same_person import VERIFIED, SamePersonRecipe, same_person
from likeness.progress import track

PROTOCOLS: tuple[SsimProtocol, ...] = get_args(SsimProtocol)
PHOTOS = ("photos", "photos")
PREVIEW = "preview.png"


class VarietyParams(BaseModel):
    """How photos are compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    side: int = Field(500, ge=16, le=2048, description="px; corrected never enlarges to it")


def variety(
    params: VarietyParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/variety``: SSIM of every two photos, both protocols; lower is more varied.

    Wang et al. 2004. Writes ``pairs.parquet``, ``means.parquet``, ``passports.json`` and heat maps
    in the order of age.
    """
    table = in_order_of_age(inputs["photos"])
    ids = table["image_id"].tolist()
    matrices: dict[str, np.ndarray] = {}
    papers = []
    rows, means = [], []
    for protocol in PROTOCOLS:
        side = side_of(table, protocol, params.side)
        pictures = prepared(inputs["photos"], table["file"].tolist(), protocol, side)
        matrices[protocol] = pairwise(pictures, protocol)
        papers.append(passports.of_ssim(protocol, side))
        named = papers[-1].named
        rows.append(pair_rows(matrices[protocol], PHOTOS, (ids, ids), named))
        means.append(mean_row(mean_within(matrices[protocol], protocol), PHOTOS, named))
    _write(output, pd.concat(rows), means, papers)
    ages = _ages(table)
    heat_map({f"SSIM, {k}": v for k, v in matrices.items()}, ages, ages, output / PREVIEW)
    return {"photos": len(table), "pairs": len(table) * (len(table) - 1) // 2} | {
        f"mean_ssim/{row['protocol']}": row["value"] for row in means
    }


class VerificationParams(BaseModel):
    """When two faces are of one person, and when a photo is one of the person's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float = Field(gt=0, le=2, description="cosine distance of the face backend")
    recipe: SamePersonRecipe = SamePersonRecipe()


def verification(
    params: VerificationParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/verification``: every two photos verified from the embeddings of their faces.

    Writes ``pairs.parquet`` (1 verified, 0 not), ``distances.parquet``, ``means.parquet``,
    ``verified.parquet`` (likeness.people.same_person) and a heat map in the order of age.
    """
    table = in_order_of_age(inputs["photos"])
    ids = table["image_id"].tolist()
    distances = _distances(inputs["faces"], ids)
    said = json.loads((inputs["faces"] / faces.PASSPORT).read_text())
    paper = passports.of_faces(said, params.threshold)
    same = verified(distances, params.threshold)
    rows = pair_rows(same, PHOTOS, (ids, ids), paper.named, NO_FACE)
    means = [mean_row(mean_of_verified(same), PHOTOS, paper.named)]
    _write(output, rows, means, [paper])
    named = paper.named | {"metric": "distance"}
    pair_rows(distances, PHOTOS, (ids, ids), named, NO_FACE).to_parquet(
        output / "distances.parquet", index=False
    )
    person = same_person(ids, distances, params.threshold, params.recipe)
    person.to_parquet(output / VERIFIED, index=False)
    heat_map({"verified": same}, _ages(table), _ages(table), output / PREVIEW)
    return {
        "photos": len(table),
        "with_face": int((~np.isnan(np.diag(distances))).sum()),
        "mean_verified": means[0]["value"],
        "of_the_person": int(person["verified"].sum()),
        "left_out": {
            str(row.image_id): str(row.reason)
            for row in person[~person["verified"].astype(bool)].itertuples()
        },
    }


def mean_of_verified(same: np.ndarray) -> PairMean:
    """Share of verified pairs; pairs without a face are left out and counted."""
    return mean_within(same, "corrected")


def in_order_of_age(folder: Path) -> pd.DataFrame:
    """Accepted photos, youngest first, those without an age last."""
    table = image_set.accepted(image_set.read(folder))
    return table.sort_values(["age", "image_id"], na_position="last").reset_index(drop=True)


def side_of(table: pd.DataFrame, protocol: SsimProtocol, side: int) -> int:
    """The side at which the pictures of an image set are compared, px."""
    sizes = zip(table["width"].astype(int), table["height"].astype(int), strict=True)
    return shared_side(list(sizes), protocol, side)


def prepared(folder: Path, files: Sequence[str], protocol: SsimProtocol, side: int) -> np.ndarray:
    """N x side x side float32, ready for SSIM."""
    found = [
        prepare(decode(folder / file, ANY_SIZE), protocol, side)
        for file in track(files, f"reading pictures for SSIM, {protocol}", len(files))
    ]
    return np.stack(found) if found else np.zeros((0, side, side), np.float32)


def _distances(folder: Path, ids: Sequence[str]) -> np.ndarray:
    """N x N cosine distances in the order of ``ids``; a photo without a face has NaN."""
    found = by_picture(pd.read_parquet(folder / faces.TABLE))
    known = dict(zip(found.image_ids, found.embeddings, strict=True))
    mine = [known[image_id] for image_id in ids]
    return best_distance(mine, mine)


def _ages(table: pd.DataFrame) -> list[str]:
    return ["?" if pd.isna(age) else f"{age:.0f}" for age in table["age"]]


def _write(
    output: Path,
    rows: pd.DataFrame,
    means: list[dict[str, object]],
    papers: list[passports.Passport],
) -> None:
    rows.to_parquet(output / PAIRS, index=False)
    typed(pd.DataFrame(means), MEAN_COLUMNS).to_parquet(output / MEANS, index=False)
    passports.write(output, papers)
