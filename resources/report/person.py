"""A person on the page and the terminal: who is recognised, at which age, by which model."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.studies.schema import Study
from resources.artifacts import Artifacts
from resources.report.figures import NO_DATA, rate_text
from resources.report.pictures import Pictures
from resources.warehouse import query

# Two sets of pictures -> what a reader calls their comparison; in this order.
COMPARED = {
    ("train", "train"): "photos learned from",
    ("ages", "ages"): "generated",
    ("ages", "train"): "generated x photos learned from",
    ("ages", "held"): "generated x photos held back",
    ("scenes", "held"): "other scenes x photos held back",
    ("class", "held"): "class prompt x photos held back",
    ("held", "held"): "photos held back",
}
MADE = "images/made"


def pair_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per comparison and experiment: SSIM by both protocols, verified pairs, published."""
    found = query(warehouse, "SELECT * FROM time_machine WHERE study = ? AND part = 'all'", [study])
    rows = []
    for sets, name in COMPARED.items():
        some = found[(found["set_a"] == sets[0]) & (found["set_b"] == sets[1])]
        rows += [_pair_row(name, row) for row in some.itertuples()]
    return pd.DataFrame(rows)


def _pair_row(name: str, r: Any) -> dict[str, str]:
    return {
        "pictures": name,
        "experiment": r.split if isinstance(r.split, str) else r.method,
        "SSIM, original": _number(r.ssim_original, 2),
        "SSIM [95 %], pairs": rate_text(r.ssim, r.ssim_low, r.ssim_high, _count(r.ssim_n)),
        "verified [95 %], pairs": rate_text(
            r.verified, r.verified_low, r.verified_high, _count(r.verified_n)
        ),
        "without face": str(_count(r.without_face)),
        "published SSIM": _number(r.published_ssim, 2),
        "published verified": _number(r.published_verified, 2),
    }


def identity_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per experiment: recognised, leaked into the class, years off, copies."""
    found = query(
        warehouse,
        "SELECT e.experiment, e.method, e.split, m.* EXCLUDE (study, experiment) "
        "FROM experiments e JOIN image_means m USING (study, experiment) "
        "WHERE study = ? AND part = 'all' AND e.subject IS NOT NULL ORDER BY e.experiment",
        [study],
    )
    asked = {
        "recognised [95 %], n": ("held_back_verified", "ages"),
        "in other scenes": ("held_back_verified", "scenes"),
        "class prompt recognised": ("held_back_verified", "class"),
        "years off [95 %], n": ("age_error", "ages"),
        "copies of photos": ("copied", "ages"),
    }
    rows = []
    for _, some in found.groupby("experiment", sort=True):
        known = {(r.metric, r.role): r for r in some.itertuples()}
        first = some.iloc[0]
        row = {"experiment": first["split"] if isinstance(first["split"], str) else first["method"]}
        for column, key in asked.items():
            r = known.get(key)
            row[column] = NO_DATA if r is None else rate_text(r.value, r.low, r.high, _count(r.n))
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.loc[:, (table != NO_DATA).any()]  # not every study asks for scenes


def age_grid(artifacts: Artifacts, study: Study, pictures: Pictures) -> dict[str, Any] | None:
    """The first picture of each experiment at each age asked for: experiments x ages."""
    found = query(
        artifacts.warehouse,
        "SELECT i.experiment, e.title, i.age, arg_min(i.file, i.seed) AS file FROM images i "
        "JOIN experiments e USING (study, experiment) WHERE study = ? AND i.age IS NOT NULL "
        "AND i.experiment IS NOT NULL AND i.status = 'accepted' GROUP BY ALL",
        [study.name],
    )
    if found.empty:
        return None
    ages = sorted(found["age"].unique())
    rows = []
    for (experiment, title), some in found.groupby(["experiment", "title"], sort=True):
        files = dict(zip(some["age"], some["file"], strict=True))
        key = f"{study.name}__{experiment}"
        cells = [pictures.thumbnail(MADE, key, files[a]) if a in files else "" for a in ages]
        rows.append({"title": title, "cells": cells})
    return {"ages": [f"{age:g}" for age in ages], "rows": rows}


def sheets(study: Study, pictures: Pictures) -> list[dict[str, str]]:
    """Pictures that assets of a person and of its experiments have drawn."""
    wanted = [
        *(("people/photos", key, "preview.jpg", "photos") for key in study.subjects),
        *(("people/faces", key, "preview.jpg", "faces found") for key in study.subjects),
        *(("people/variety", key, "preview.png", "how alike photos are") for key in study.subjects),
        *(("people/verification", key, "preview.png", "who is who") for key in study.subjects),
        *(
            ("models/finetuned", f"{study.name}__{key}", name, f"{one.title}: checkpoints")
            for key, one in study.experiments.items()
            if one.subject
            for name in ("curve.png", "preview.jpg")
        ),
        *(
            ("scores/pairs", f"{study.name}__{key}", "preview.png", f"{one.title}: pairs")
            for key, one in study.experiments.items()
            if one.subject
        ),
    ]
    found = []
    for asset, partition, name, title in wanted:
        if file := pictures.artefact_file(asset, partition, name):
            found.append({"title": title, "file": file})
    return found


def _count(value: float) -> int:
    return 0 if pd.isna(value) else int(value)


def _number(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"
