"""The heavy call on single pictures: how old they look, whose they are, whether they are copies."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.faces import tasks as faces
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.sheets import ANY_SIZE
from likeness.metrics import passports, tables
from likeness.metrics.comparison import mean_of_metric
from likeness.metrics.tables import HELD, TRAIN
from likeness.models.registry import PACKAGE
from likeness.progress import track

SCORES, MEANS = "scores.parquet", "means.parquet"
NO_FACE, NOTHING = "no_face", "nothing to compare with"
READER = PACKAGE / "world" / "weights" / "reader"
COLUMNS = tables.NAMED | {
    "image_id": "string",
    "photo_id": "string",
    "value": "Float64",
    "status": "string",
}
MEAN_COLUMNS = tables.NAMED | {"role": "string", "part": "string"} | tables.MEAN
AgeReader = Literal["reader", "deepface", "none"]
# Years of a picture (H x W x 3 uint8) with this face, a row of faces.parquet; NaN unknown.
ReadAge = Callable[[np.ndarray, "pd.Series[Any]"], float]


class ImagesScoresParams(BaseModel):
    """What is asked of every picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ages: AgeReader = Field(
        "none",
        description="what reads ages: the small world's reader, DeepFace's age model, or none",
    )


def score_images(
    params: ImagesScoresParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/images``: a row per picture and measure, and their means per role and age asked for.

    ``inputs``: ``made``, and ``pairs`` of the same experiment. ``recognised``: share of the photos
    held back that the picture's face verifies with, 0..1; without a face, or of one colour, it is
    0, as where a checkpoint is chosen: the picture was to show the person. ``held_back_verified``:
    the same of the pictures with a face alone. The intervals of both are over pictures, for these
    photos held back. ``nearest_photo``: the largest SSIM (corrected) with
    a photo learned from, ``photo_id`` (of two as near, the first by id); ``copied``: 1 where it is
    larger than that of any two different photos learned from (one more photo like these n would be
    in 2 of n + 1 cases). ``age`` in years as read (DeepFace: of the
    largest face), ``age_error``: years off what the prompt asked for. Pictures without a face have
    no age. What is taken from pairs has the passport of the pairs; those of the rest are in
    ``passports.json``.
    Raises ``BadInput`` where what reads ages cannot be had.
    """
    ages = _opened(params.ages)
    made = image_set.accepted(image_set.read(inputs["made"]))
    pairs = tables.read(inputs["pairs"], tables.PAIRS)
    found = [*_from_pairs(pairs)]
    papers = []
    if ages is not None:
        papers = [ages.paper]
        found += _ages(inputs, made, ages)
    table = pd.concat(found) if found else pd.DataFrame()
    lost = _lost(table, image_set.read(inputs["made"]))
    scores = tables.typed(pd.concat([table, lost.drop_duplicates("image_id")]), COLUMNS)
    scores.to_parquet(output / SCORES, index=False)
    means = tables.typed(pd.DataFrame(_means(table, made, lost)), MEAN_COLUMNS)
    means.to_parquet(output / MEANS, index=False)
    passports.write(output, papers)
    return {
        "pictures": len(made),
        "means": {
            f"{row.metric}, {row.role}": None if pd.isna(row.value) else round(float(row.value), 4)
            for row in means[means["part"] == "all"].itertuples()
        },
    }


def _from_pairs(pairs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """What the pairs say about each picture by itself."""
    same = pairs[(pairs["metric"] == "verification") & (pairs["set_b"] == HELD)]
    if len(mine := same[same["set_a"] != HELD]):
        share, named = mine.groupby("image_a")["value"].mean(), _named(mine)
        # Without a face among the photos held back nothing is known of any picture. One alone makes
        # no pair; it was held back because it was verified, so there is a face in it.
        held = same[same["set_a"] == HELD]["value"]
        known = held.empty or held.notna().any() or share.notna().any()
        why = NO_FACE if known else NOTHING
        yield _rows("recognised", named, share.fillna(0.0) if known else share, why)
        yield _rows("held_back_verified", named, share, why)
    alike = pairs[(pairs["metric"] == "ssim") & (pairs["protocol"] == "corrected")]
    near = alike[(alike["set_b"] == TRAIN) & (alike["set_a"] != TRAIN)]
    if len(near):
        best_first = near.sort_values(["value", "image_b"], ascending=[False, True])
        best = best_first.drop_duplicates("image_a").set_index("image_a").sort_index()
        nearest, photos, named = best["value"], best["image_b"].to_numpy(), _named(near)
        yield _rows("nearest_photo", named, nearest, NOTHING).assign(photo_id=photos)
        among = alike[(alike["set_a"] == TRAIN) & (alike["set_b"] == TRAIN)]["value"].max()
        copied = (nearest > among).astype(float) if pd.notna(among) else nearest * np.nan
        yield _rows("copied", named, copied, NOTHING).assign(photo_id=photos)


def _lost(scores: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """Pictures that came out black, which show nobody: rows of ``recognised`` with role and age."""
    lost = made[(made["status"] == image_set.REJECTED) & made["file"].notna()]
    known = (
        scores[scores["metric"] == "recognised"].dropna(subset="value") if len(scores) else scores
    )
    rows = lost[["image_id", "role", "age"]].assign(value=0.0, status=lost["reason"])
    return rows.assign(**_named(known)) if len(known) else rows[:0]


def _named(pairs: pd.DataFrame) -> passports.Named:
    return {name: str(pairs[name].iat[0]) for name in tables.NAMED}


def _rows(metric: str, named: passports.Named, values: pd.Series, why: str) -> pd.DataFrame:
    known = pd.to_numeric(values, errors="coerce").astype("Float64")
    return pd.DataFrame(
        {
            **named,
            "metric": metric,
            "image_id": known.index,
            "value": known.to_numpy(),
            "status": known.isna().map({True: why, False: tables.OK}).to_numpy(),
        }
    )


class _Ages(NamedTuple):
    paper: passports.Passport
    read: ReadAge


def _opened(name: AgeReader) -> _Ages | None:
    """Loaded, or BadInput: before the first picture is looked at."""
    return {"reader": _reader, "deepface": _deepface, "none": lambda: None}[name]()


def _reader() -> _Ages:
    from likeness.world.reader.read import Reader

    reader = Reader.load(READER)
    paper = passports.of_reader("age", "expected age", READER)
    # it sees whole pictures
    return _Ages(paper, lambda picture, face: float(reader.read(picture[None]).age[0]))


def _deepface() -> _Ages:
    from likeness.faces.deepface_ages import DeepFaceAges

    ages = DeepFaceAges()
    said = ages.passport()
    paper = passports.Passport(
        metric="age",
        protocol="expected age, whole years",
        model=said.pop("model"),
        revision=said.pop("revision"),
        preprocessing="largest face, eyes level, 224 x 224",
        libraries=said,
    )

    def read(picture: np.ndarray, face: "pd.Series[Any]") -> float:
        box = (face["left"], face["top"], face["right"], face["bottom"])
        return ages.read(picture, box, json.loads(face["landmarks"]))

    return _Ages(paper, read)


def _ages(inputs: dict[str, Path], made: pd.DataFrame, ages: _Ages) -> list[pd.DataFrame]:
    """Of the pictures in which a face was found."""
    read = pd.read_parquet(inputs["pairs"] / faces.TABLE)
    largest = read[(read["status"] == faces.OK) & (read["face"] == 0)].drop_duplicates("image_id")
    seen = largest.set_index("image_id")
    known: dict[str, float] = {}
    for row in track(list(made.itertuples()), "reading ages", len(made)):
        if row.image_id in seen.index:
            picture = np.asarray(decode(inputs["made"] / str(row.file), ANY_SIZE))
            known[str(row.image_id)] = ages.read(picture, seen.loc[str(row.image_id)])
    years = pd.Series({str(i): known.get(str(i), np.nan) for i in made["image_id"]}, dtype=float)
    asked = made.drop_duplicates("image_id").set_index("image_id")["age"].astype(float)
    off = (years - asked)[asked.notna()].abs()
    named = ages.paper.named
    return [_rows("age", named, years, NO_FACE), _rows("age_error", named, off, NO_FACE)]


def _means(
    scores: pd.DataFrame, made: pd.DataFrame, lost: pd.DataFrame
) -> Iterator[dict[str, object]]:
    """Over the pictures of each role, and of each age asked for."""
    if scores.empty:
        return
    about = made.drop_duplicates("image_id")[["image_id", "role", "age"]]
    joined = pd.concat([scores.merge(about, on="image_id"), lost])
    keys = [*tables.NAMED, "role"]
    for key, rows in joined.groupby(keys, sort=True):
        yield _mean(dict(zip(keys, key, strict=True)), "all", rows)
        for age, some in rows.dropna(subset="age").groupby("age"):
            yield _mean(dict(zip(keys, key, strict=True)), f"{age:g}", some)


def _mean(named: dict[str, object], part: str, rows: pd.DataFrame) -> dict[str, object]:
    values = rows["value"].to_numpy(float, na_value=np.nan)
    return {**named, "part": part, **mean_of_metric(str(named["metric"]), values).row}
