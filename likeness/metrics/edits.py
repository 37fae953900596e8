"""The heavy call on single edits: do they say what was asked, and is the rest as it was?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.table import EDIT
from likeness.metrics import passports, tables
from likeness.metrics.clip_score import ClipScoreForm
from likeness.metrics.comparison import mean_of_metric
from likeness.metrics.edit_measures import (
    Edits,
    Measured,
    backgrounds,
    clip_measures,
    lpips_measure,
    of_pairs,
    structure_measure,
)
from likeness.metrics.known_edits import Claims, known_answers, to_the_true_edit
from likeness.metrics.tables import OK

SCORES, MEANS = "scores.parquet", "means.parquet"
COLUMNS = tables.NAMED | {
    "image_id": "string",
    "pair_id": "string",
    "strength": "Float64",
    "value": "Float64",
    "status": "string",
}
KEYS = {"role": "string", "part": "string", "strength": "Float64", "compared": "boolean"}
MEAN_COLUMNS = tables.NAMED | KEYS | tables.MEAN
# All but edits by weights alone: these act within the windows that a knob shortens, so that without
# any window such an edit is its source, and no weaker control of it.
REWORDED, REWEIGHT = "reworded", "reweight"


class EditMeasures(BaseModel):
    """What edits are measured by; what is not named is not measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str | None = Field(None, description="encoder, such as small-clip or clip-vit-l-14")
    clip_form: ClipScoreForm = Field(
        "clamped",
        description="of the CLIP score: clamped is max(cosine, 0); hessel 2.5 times that, of "
        "'A photo depicts' before the target",
    )
    lpips: Path | None = Field(None, description="folder of LPIPS weights: alex, vgg or squeeze")
    structure: str | None = Field(
        None, description="encoder of the structure distance, such as facebook/dino-vitb8"
    )
    reader: Literal["reader", "none"] = Field(
        "none", description="reader: the small world's, which knows what an edit should show"
    )


class EditScoresParams(BaseModel):
    """How edits are measured, and what is known of the right ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measures: EditMeasures = EditMeasures()
    encoders: dict[str, str] = Field({}, description="encoder by name -> what its bytes are")
    claims: dict[str, Claims] = Field({}, description="pair_id -> what the edit should show")
    masks: dict[str, str] = Field({}, description="pair_id -> mask, a file of the sources")
    afters: dict[str, str] = Field({}, description="pair_id -> true edit, a file of the sources")


def score_edits(
    params: EditScoresParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/images`` of edits: a row per edit and measure, and means over edits and by kind.

    ``inputs``: ``made`` and ``pairs`` of the same experiment, and ``sources`` where there are masks
    or true edits. Measures: ``ssim`` with the source (-1..1), ``clip_score`` with the target
    (0..1; Hessel's form: 0..2.5), ``directional`` (-1..1), ``clip_i`` with the source (-1..1),
    ``lpips`` and ``structure`` to the source, ``background_mse``, ``_psnr`` (dB) and ``_ssim``
    outside of the mask by both protocols, ``after_ssim`` to the true edit beside
    ``untouched_ssim``, that of the source, ``asked`` (1 where the reader reads what was asked, of
    sources that it reads rightly) and ``kept`` (share of what should stay). Means count a source
    once; ``asked`` is a share of edits. Raises BadInput where a named measure cannot be had.
    """
    edits = Edits.of(inputs, params.masks, params.afters)
    measured = list(_measured(edits, params, inputs))
    scores = _scores(edits, measured)
    scores.to_parquet(output / SCORES, index=False)
    means = tables.typed(pd.DataFrame(_means(scores, edits.table)), MEAN_COLUMNS)
    means.to_parquet(output / MEANS, index=False)
    # SSIM has the passport of the pairs.
    own = [one.paper for one in measured if one.is_own]
    passports.write(output, list({paper.passport_id: paper for paper in own}.values()))
    whole = means[(means["part"] == "all") & means["compared"]]
    return {
        "edits": len(edits.table),
        "means": {
            f"{row.metric} {row.protocol}": (
                round(float(row.value), 4) if np.isfinite(float(row.value)) else None
            )
            for row in whole.dropna(subset="value").itertuples()
        },
    }


def _measured(
    edits: Edits, params: EditScoresParams, inputs: dict[str, Path]
) -> Iterator[Measured]:
    wanted = params.measures
    yield from of_pairs(edits, tables.read(inputs["pairs"], tables.PAIRS), inputs["pairs"])
    if wanted.clip is not None:
        yield from clip_measures(edits, wanted.clip, wanted.clip_form)
    if wanted.lpips is not None:
        yield lpips_measure(edits, wanted.lpips)
    if wanted.structure is not None:
        yield structure_measure(edits, wanted.structure)
    if params.masks:
        yield from backgrounds(edits)
    if params.afters:
        yield from to_the_true_edit(edits)
    if wanted.reader == "reader" and params.claims:
        yield from known_answers(edits, params.claims)


def _scores(edits: Edits, measured: list[Measured]) -> pd.DataFrame:
    parts = []
    for one in measured:
        about = edits.table[["image_id", "pair_id", "strength"]].reset_index(drop=True)
        values = pd.array(one.values, dtype="Float64")
        values[np.isnan(one.values)] = pd.NA
        status = np.where(np.isnan(one.values), one.why, OK)
        parts.append(about.assign(**one.paper.named, value=values, status=status))
    return tables.typed(pd.concat(parts) if parts else pd.DataFrame(), COLUMNS)


def _means(scores: pd.DataFrame, edits: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Of each strength over all edits and those in other words; of the compared by kinds too."""
    about = edits[["pair_id", "strength", "kind", "source_id", "compared"]]
    # Strengths may be missing, and missing ones are equal here.
    key = ["pair_id", "strength"]
    joined = scores.merge(about.drop_duplicates(key), on=key)
    named = [*tables.NAMED, "strength", "compared"]
    for one, rows in joined.groupby(named, dropna=False, sort=False):
        said = dict(zip(named, one, strict=True))
        yield _mean(said, "all", rows)
        kinds = rows["kind"].fillna("")
        yield _mean(said, REWORDED, rows[kinds != REWEIGHT])
        if bool(one[-1]):
            for kind, some in rows[kinds != ""].groupby("kind"):
                yield _mean(said, str(kind), some)


def _mean(said: dict[str, object], part: str, rows: pd.DataFrame) -> dict[str, object]:
    values = rows["value"].to_numpy(float, na_value=np.nan)
    mean = mean_of_metric(str(said["metric"]), values, rows["source_id"].tolist())
    return {**said, "role": EDIT, "part": part, **mean.row}
