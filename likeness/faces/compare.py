"""Which recogniser to trust: several of them on one person's pictures, and on other people's."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.errors import BadInput
from likeness.faces.backend import (
    DeepFaces,
    FaceBackend,
    FacesRecipe,
    SmallFaces,
    open_backend,
    vectors_of,
)
from likeness.faces.tasks import accepted_pictures, batches, read_batch
from likeness.faces.verification import best_distance, separation, verified
from likeness.metrics.pairs import mean_between, mean_within
from likeness.progress import track

log = logging.getLogger("likeness")
TABLE = "recognisers.parquet"
OK, UNAVAILABLE = "ok", "unavailable"
COLUMNS = {
    "backend": "string",
    "recogniser": "string",
    "detector": "string",
    "status": "string",
    "reason": "string",
    "threshold": "Float64",
    "pictures": "Int64",
    "without_face": "Int64",
    "pairs": "Int64",
    "verified": "Float64",
    "verified_low": "Float64",
    "verified_high": "Float64",
    "distance": "Float64",
    "distance_low": "Float64",
    "distance_high": "Float64",
    "other_pairs": "Int64",
    "mistaken": "Float64",
    "mistaken_low": "Float64",
    "mistaken_high": "Float64",
    "separation": "Float64",
    "separation_low": "Float64",
    "separation_high": "Float64",
    "seconds": "Float64",
}


class CompareParams(BaseModel):
    """Which recognisers are compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipes: list[FacesRecipe] = Field(min_length=1, description="detectors and recognisers")
    seed: int = Field(0, ge=0, description="of the pictures that are drawn for the intervals")


def compare_recognisers(
    params: CompareParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``recognisers.parquet``: how each sees the person in ``images``, a row a recipe.

    ``verified`` (share, 0..1) and ``distance`` (mean cosine distance, 0..2) are over all pairs of
    different pictures with a face. With a second image set ``others``, of other people,
    ``mistaken`` is the share verified of the ``other_pairs`` of the person with somebody else, and
    ``separation`` the chance that a pair of the person is nearer than one of these (the area under
    the ROC curve). Intervals are of 95 %, over pictures. A recogniser that cannot be had is a row
    with its reason. What is done is kept in ``scratch``.
    """
    sets = [accepted_pictures(inputs[name]) for name in ("images", "others") if name in inputs]
    folders = [inputs[name] for name in ("images", "others") if name in inputs]
    scratch.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, recipe in enumerate(params.recipes):
        done = scratch / f"{number:02d}.json"
        if not done.exists():
            row = _row(recipe, folders, sets, params.seed)
            half = scratch / "half.json"
            half.write_text(json.dumps(row))
            half.replace(done)
        rows.append(json.loads(done.read_text()))
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS)).astype(COLUMNS)
    table.to_parquet(output / TABLE, index=False)
    return {
        "recognisers": len(table),
        "unavailable": int((table["status"] == UNAVAILABLE).sum()),
        "verified": {
            _name(recipe): row.get("verified")
            for recipe, row in zip(params.recipes, rows, strict=True)
        },
    }


def _name(recipe: SmallFaces | DeepFaces) -> str:
    if isinstance(recipe, SmallFaces):
        return recipe.backend
    return f"{recipe.recogniser} after {recipe.detector}"


def _row(
    recipe: SmallFaces | DeepFaces, folders: list[Path], sets: list[pd.DataFrame], seed: int
) -> dict[str, Any]:
    row: dict[str, Any] = recipe.model_dump() | {"pictures": len(sets[0])}
    try:
        backend = open_backend(recipe)
    except BadInput as error:
        log.info("left out: %s", error)
        return row | {"status": UNAVAILABLE, "reason": str(error)}
    start = time.monotonic()
    own, *others = [
        _embeddings(backend, folder, pictures, _name(recipe))
        for folder, pictures in zip(folders, sets, strict=True)
    ]
    seconds = time.monotonic() - start
    within = best_distance(own, own)
    row |= _with_interval("distance", mean_within(within, "corrected", seed).mean)
    share = mean_within(verified(within, backend.threshold), "corrected", seed).mean
    row |= _with_interval("verified", share)
    if others:
        across = best_distance(own, others[0])
        mistaken = mean_between(verified(across, backend.threshold), "corrected", seed).mean
        row |= {"other_pairs": mistaken.n} | _with_interval("mistaken", mistaken)
        row |= _with_interval("separation", separation(within, across, seed))
    return row | {
        "status": OK,
        "threshold": backend.threshold,
        "without_face": sum(not len(faces) for faces in own),
        "pairs": share.n,
        "seconds": seconds,
    }


def _with_interval(name: str, rate: Any) -> dict[str, float | None]:
    values = {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    return {key: None if np.isnan(value) else float(value) for key, value in values.items()}


def _embeddings(
    backend: FaceBackend, images: Path, pictures: pd.DataFrame, name: str
) -> list[np.ndarray]:
    """F x D for each picture; F may be 0."""
    steps = track(range(len(pictures)), f"{name}, pictures", len(pictures))
    found: list[np.ndarray] = []
    for some in batches(pictures):
        for one in read_batch(backend, images, some):
            found.append(vectors_of(one.faces))
            next(steps, None)
    return found
