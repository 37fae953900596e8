"""A person on the page and the terminal: who is recognised, at which age, by which model."""

import math
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from likeness.images.sheets import labelled_grid
from likeness.metrics.tables import HELD, TRAIN
from likeness.studies.schema import Study
from resources import keys
from resources.artifacts import Artifacts
from resources.report.figures import NO_DATA, rate_text
from resources.report.pictures import Pictures
from resources.warehouse import query

PHOTOS = {TRAIN: "photos learned from", HELD: "photos held back"}
GRID_SIDE = 96
# Roles as the study asks for them: files begin with the number of their prompt.
ROLES = (
    "SELECT role, min(file) AS first FROM images WHERE study = ? AND experiment IS NOT NULL "
    "GROUP BY role ORDER BY first, role"
)


# How many pairs the photos of an experiment make that a model learned from.
PHOTO_PAIRS = (
    "SELECT study, experiment, max(n) AS pairs FROM pair_means "
    f"WHERE set_a = '{TRAIN}' AND set_b = '{TRAIN}' AND metric = 'ssim' GROUP BY ALL"
)


def pair_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per comparison and experiment: SSIM by both protocols, verified pairs, published.

    Pictures asked for at several ages are compared with each other and with all photos, others with
    the photos held back alone. Models of one method have a row for their mean.
    """
    found = query(warehouse, "SELECT * FROM time_machine WHERE study = ?", [study])
    aged = set(found.loc[found["part"] != "all", "set_a"])
    whole = found[found["part"] == "all"]
    rows = []
    for sets in _compared(list(query(warehouse, ROLES, [study])["role"]), aged):
        some = whole[(whole["set_a"] == sets[0]) & (whole["set_b"] == sets[1])]
        names = dict.fromkeys(PHOTOS.get(one, one) for one in sets)
        rows += [_pair_row(" x ".join(names), row) for row in some.itertuples()]
    return pd.DataFrame(rows)


def _compared(roles: list[str], aged: set[str]) -> Iterator[tuple[str, str]]:
    """Two sets of pictures each, in the order in which they are read."""
    yield TRAIN, TRAIN
    for role in roles:
        if role in aged:
            yield role, role
            yield role, TRAIN
        yield role, HELD
    yield HELD, HELD


def _pair_row(name: str, r: Any) -> dict[str, str]:
    mean = "" if pd.isna(r.models) else f"mean of {int(r.models)} by {r.method}"
    return {
        "pictures": name,
        "experiment": mean or (r.split if isinstance(r.split, str) else r.method),
        "SSIM, original [95 %]": _rounded(
            r.ssim_original, r.ssim_original_low, r.ssim_original_high
        ),
        "SSIM [95 %], n": rate_text(r.ssim, r.ssim_low, r.ssim_high, _count(r.ssim_n)),
        "verified [95 %], n": rate_text(
            r.verified, r.verified_low, r.verified_high, _count(r.verified_n)
        ),
        "without face": str(_count(r.without_face)),
        "verified, original": _number(r.verified_original, 2),
        "published SSIM": _number(r.published_ssim, 2),
        "published verified": _number(r.published_verified, 2),
    }


def identity_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per role and experiment: recognised, years off, copies; the best of a role first."""
    found = query(
        warehouse,
        "SELECT e.experiment, coalesce(e.split, e.method) AS title, p.pairs, "
        "m.* EXCLUDE (study, experiment) FROM experiments e JOIN image_means m "
        f"USING (study, experiment) LEFT JOIN ({ROLES}) r USING (role) "
        f"LEFT JOIN ({PHOTO_PAIRS}) p USING (study, experiment) "
        "WHERE study = ? AND part = 'all' AND e.subject IS NOT NULL "
        "ORDER BY r.first, role",
        [study, study],
    )
    rows = []
    for role, some in found.groupby("role", sort=False):
        known = {
            experiment: {r.metric: r for r in of_one.itertuples()}
            for experiment, of_one in some.groupby("experiment", sort=True)
        }
        rows += [
            {"prompts": role} | _identity_row(one) for one in sorted(known.values(), key=_rank)
        ]
    table = pd.DataFrame(rows)
    return table.loc[:, (table != NO_DATA).any()]  # not every study reads ages


def _rank(known: dict[Hashable, Any]) -> float:
    """The more are recognised, the earlier; those that nobody was compared with come last."""
    one = known.get("recognised")
    return 0.0 if one is None or pd.isna(one.value) else -1.0 - float(one.value)


def _identity_row(known: dict[Hashable, Any]) -> dict[str, str]:
    asked = {
        "recognised [95 %], n": "recognised",
        "of those with a face": "held_back_verified",
        "years off [95 %], n": "age_error",
        "copies of photos": "copied",
    }
    row = {"experiment": next(iter(known.values())).title}
    for column, metric in asked.items():
        r = known.get(metric)
        row[column] = NO_DATA if r is None else rate_text(r.value, r.low, r.high, _count(r.n))
    copied = known.get("copied")
    row["by chance"] = NO_DATA if copied is None else f"{_chance(_count(copied.pairs)):.3f}"
    return row


def _chance(pairs: int) -> float:
    """That one more photo like the n of these pairs seems a copy: of all pairs the nearest is one
    of its n as often as these are among n (n + 1) / 2.
    """
    photos = (1 + math.sqrt(1 + 8 * pairs)) / 2
    return 2 / (photos + 1) if pairs else math.nan


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
        cells = [pictures.thumbnail(keys.IMAGES, key, files[a]) if a in files else "" for a in ages]
        rows.append({"title": title, "cells": cells})
    return {"ages": [f"{age:g}" for age in ages], "rows": rows}


def draw_age_grid(grid: dict[str, Any], folder: Path, file: Path) -> None:
    """The grid as one picture, for where no page is shown; its files lie in ``folder``."""
    rows = [
        (row["title"], [folder / cell if cell else None for cell in row["cells"]])
        for row in grid["rows"]
    ]
    sizes = [_side(cell) for _, cells in rows for cell in cells if cell]
    # what is small is shown as it is
    labelled_grid(rows, grid["ages"], min([GRID_SIDE, *sizes])).save(file)


def _side(file: Path) -> int:
    with Image.open(file) as picture:
        return max(picture.size)


def sheets(study: Study, pictures: Pictures) -> list[dict[str, str]]:
    """Pictures that assets of a person and of its experiments have drawn."""
    wanted = [
        *((keys.PHOTOS, key, "preview.jpg", "photos") for key in study.subjects),
        *((keys.FACES, key, "preview.jpg", "faces found") for key in study.subjects),
        *((keys.VARIETY, key, "preview.png", "how alike photos are") for key in study.subjects),
        *((keys.VERIFICATION, key, "preview.png", "who is who") for key in study.subjects),
        *(
            (keys.FINETUNED, f"{study.name}__{key}", name, f"{one.title}: checkpoints")
            for key, one in study.experiments.items()
            if one.subject
            for name in ("curve.png", "preview.jpg")
        ),
        *(
            (keys.PAIRS, f"{study.name}__{key}", "preview.png", f"{one.title}: pairs")
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


def _rounded(value: float, low: float, high: float) -> str:
    """With two decimals, as scores of the original protocol have."""
    bounds = "" if pd.isna(low) else f" [{low:.2f}, {high:.2f}]"
    return f"{_number(value, 2)}{bounds}"


def _number(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"
