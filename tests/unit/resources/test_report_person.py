"""A person's part of the report, from a small warehouse written by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.studies.schema import Study
from resources.report.person import age_grid, draw_age_grid, identity_rows, pair_rows, sheets
from resources.warehouse import build

ASKED = {"model": "small", "subject": "me", "prompts": ["a"], "seeds": [0]}
STUDY = Study.model_validate(
    {
        "name": "s",
        "title": "S",
        "subjects": {"me": {"title": "Me", "album": {}}},
        "experiments": {
            "me__plain": {"title": "Plain", **ASKED},
            "me__taught": {"title": "Taught", **ASKED},
            "me__better": {"title": "Better", **ASKED},
            "nobody": {"title": "Nobody", **ASKED, "subject": None},
        },
    }
)


def pair_mean(experiment, metric, sets, value, protocol="corrected", part="all", **more):
    row = {"experiment": experiment, "metric": metric, "protocol": protocol, "part": part}
    row |= {"set_a": sets[0], "set_b": sets[1], "value": value, "n": 10, "left_out": 0}
    return row | {"low": None, "high": None} | more


def image_mean(experiment, metric, role, value, part="all", **more):
    row = {"experiment": experiment, "metric": metric, "role": role, "part": part}
    return row | {"value": value, "low": None, "high": None, "n": 6, "left_out": 0} | more


PAIR_MEANS = [
    pair_mean("me__taught", "ssim", ("ages", "ages"), 0.25, "original"),
    pair_mean("me__taught", "ssim", ("ages", "ages"), 0.2, low=0.1, high=0.3),
    pair_mean("me__taught", "ssim", ("ages", "ages"), 0.9, part="5"),
    pair_mean("me__taught", "verification", ("ages", "ages"), 0.5, "best", n=6, left_out=4),
    pair_mean("me__taught", "ssim", ("train", "train"), 0.4, n=105),
    pair_mean("me__taught", "ssim", ("ages_bright", "ages_bright"), 0.3),
    pair_mean("me__taught", "ssim", ("ages_bright", "ages_bright"), 0.3, part="5"),
    pair_mean("me__taught", "verification", ("scenes", "held"), 0.6, "best"),
    # of which the page says nothing: scenes have no ages
    pair_mean("me__taught", "ssim", ("scenes", "scenes"), 0.4),
    pair_mean("me__better", "ssim", ("ages", "ages"), 0.4, "original", low=0.3, high=0.5),
    pair_mean("me__plain", "ssim", ("ages", "ages"), 0.7),
    pair_mean("me__plain", "verification", ("ages", "ages"), None, "best", n=0, left_out=10),
    pair_mean("nobody", "ssim", ("ages", "ages"), 0.8),
]
IMAGE_MEANS = [
    image_mean("me__taught", "recognised", "ages", 0.5, low=0.25, high=0.75, n=9),
    image_mean("me__taught", "held_back_verified", "ages", 0.75, low=0.5, high=1.0),
    image_mean("me__taught", "recognised", "class", 0.125, n=3),
    image_mean("me__taught", "recognised", "ages_bright", 0.3),
    image_mean("me__taught", "recognised", "ages", 0.9, part="5"),
    image_mean("me__better", "recognised", "ages", 0.625),
    image_mean("me__better", "recognised", "ages_bright", 0.25),
    image_mean("me__taught", "age_error", "ages", 12.5),
    image_mean("me__taught", "copied", "ages", 0.0, low=0.0, high=0.0),
    image_mean("me__taught", "nearest_photo", "ages", 0.9),
    image_mean("me__plain", "recognised", "ages", 0.0),
    image_mean("me__plain", "held_back_verified", "ages", None, n=0, left_out=6),
    image_mean("nobody", "age_error", "ages", 3.0),
]


def picture(experiment, age, file, status="accepted", study="s", role="ages"):
    seed = int(Path(file).stem.partition("-")[2] or 0)
    row = {"study": study, "experiment": experiment, "age": age, "file": file, "seed": seed}
    return row | {"status": status, "role": role, "image_id": file}


IMAGES = [
    picture("me__taught", 5, "images/001-10.png"),
    picture("me__taught", 5, "images/001-9.png"),
    picture("me__taught", 40.5, "images/002-1.png"),
    picture("me__taught", None, "images/003-1.png", role="scenes"),
    picture("me__better", None, "images/005-1.png", role="class"),
    # asked for behind the first set of ages
    picture("me__taught", 5, "images/002-30.png", role="ages_bright"),
    picture("me__taught", 70, "images/004-1.png", status="rejected"),
    picture("me__plain", 5, "images/000-1.png"),
    # photos have an age and no experiment
    picture(None, 33, "images/photo.png"),
    picture("me__plain", 99, "images/000-1.png", study="other"),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("person"), PAIR_MEANS, IMAGE_MEANS, IMAGES)


def fill(folder, pairs, means, images):
    file = folder / "likeness.duckdb"
    experiments = [
        {"experiment": key, "title": one.title, "subject": one.subject, "method": "base"}
        | {"split": None, "study": "s"}
        for key, one in STUDY.experiments.items()
    ]
    experiments[1] |= {"method": "dreambooth", "split": "all_01"}
    experiments[2] |= {"method": "dreambooth", "split": "child_02"}
    published = {"study": "s", "set_a": "ages", "set_b": "ages", "ssim": 0.39, "verification": 0.4}
    build(
        file,
        {
            "experiments": pd.DataFrame(experiments),
            "pair_means": pd.DataFrame(pairs).assign(study="s"),
            "image_means": pd.DataFrame(means).assign(study="s"),
            "images": pd.DataFrame(images),
            "published_pairs": pd.DataFrame([published]),
        },
    )
    return file


def cells(rows):
    return rows.to_dict("records")


def test_comparisons_come_in_order_each_with_every_experiment_about_a_person(warehouse):
    found = pair_rows(warehouse, "s")
    assert list(zip(found["pictures"], found["experiment"], strict=True)) == [
        ("photos learned from", "all_01"),
        ("ages", "child_02"),
        ("ages", "base"),
        ("ages", "all_01"),
        ("ages", "mean of 2 by dreambooth"),
        ("ages_bright", "all_01"),
        ("scenes x photos held back", "all_01"),
    ]


def test_pairs_are_printed_with_interval_and_count_and_what_was_published(warehouse):
    learned, better, plain, taught, mean, *_ = cells(pair_rows(warehouse, "s"))
    assert taught == {
        "pictures": "ages",
        "experiment": "all_01",
        "SSIM, original [95 %]": "0.25",
        "SSIM [95 %], n": "0.200 [0.100, 0.300], n=10",
        "verified [95 %], n": "0.500, n=6",
        "without face": "4",
        "verified, original": "0.30",
        "published SSIM": "0.39",
        "published verified": "0.40",
    }
    assert plain["verified [95 %], n"] == "no data"
    assert plain["without face"] == "10"
    assert plain["SSIM, original [95 %]"] == ""
    assert learned["published SSIM"] == ""
    assert better["SSIM, original [95 %]"] == "0.40 [0.30, 0.50]"
    # 0.25, 0.4: mean 0.325, half of their difference times Student's t of one degree, 12.7062
    assert mean["SSIM, original [95 %]"] == "0.33 [-0.63, 1.00]"
    assert mean["SSIM [95 %], n"] == "0.200, n=1"
    assert mean["published SSIM"] == "0.39"


def test_who_is_recognised_is_told_for_every_experiment_about_a_person(warehouse):
    found = {
        (row["prompts"], row["experiment"]): row for row in cells(identity_rows(warehouse, "s"))
    }
    assert found["ages", "all_01"] == {
        "prompts": "ages",
        "experiment": "all_01",
        "recognised [95 %], n": "0.500 [0.250, 0.750], n=9",
        "of those with a face": "0.750 [0.500, 1.000], n=6",
        "years off [95 %], n": "12.500, n=6",
        "copies of photos": "0.000 [0.000, 0.000], n=6",
        "by chance": "0.125",
    }
    assert found["class", "all_01"]["recognised [95 %], n"] == "0.125, n=3"
    plain = found["ages", "base"]
    assert plain["recognised [95 %], n"] == "0.000, n=6"
    assert plain["of those with a face"] == plain["years off [95 %], n"] == "no data"


def test_every_role_has_its_rows_as_the_study_asks_for_them_the_best_first(warehouse):
    rows = cells(identity_rows(warehouse, "s"))
    assert [(row["prompts"], row["experiment"]) for row in rows] == [
        ("ages", "child_02"),
        ("ages", "all_01"),
        ("ages", "base"),
        ("ages_bright", "all_01"),
        ("ages_bright", "child_02"),
        ("class", "all_01"),
    ]


def test_nothing_measured_is_an_empty_table(tmp_path):
    file = fill(tmp_path, [], [], [])
    assert pair_rows(file, "s").empty
    assert identity_rows(file, "s").empty
    assert age_grid(SimpleNamespace(warehouse=file), STUDY, Shown()) is None
    assert pair_rows(file, "nothing").empty


class Shown:
    """Says which picture it was asked for; some files are not there."""

    def __init__(self, missing=()):
        self.missing = missing

    def thumbnail(self, asset, partition, file):
        return f"{asset} {partition} {file}"

    def artefact_file(self, asset, partition, name):
        return None if (asset, name) in self.missing else f"{asset} {partition} {name}"


def test_the_grid_has_the_first_picture_of_every_model_at_every_age(warehouse):
    grid = age_grid(SimpleNamespace(warehouse=warehouse), STUDY, Shown())
    assert grid["ages"] == ["5", "40.5"]
    assert grid["rows"] == [
        {"title": "Plain", "cells": ["images/made s__me__plain images/000-1.png", ""]},
        {
            "title": "Taught",
            "cells": [
                "images/made s__me__taught images/001-9.png",
                "images/made s__me__taught images/002-1.png",
            ],
        },
    ]


def test_the_grid_is_a_picture_too_with_a_cell_for_each_that_is_there(tmp_path):
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        Image.new("RGB", (16, 16), colour).save(tmp_path / f"{name}.png")
    rows = [
        {"title": "Plain", "cells": ["red.png", ""]},
        {"title": "Taught", "cells": ["", "blue.png"]},
    ]
    draw_age_grid({"ages": ["5", "40"], "rows": rows}, tmp_path, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as grid:
        pixels = np.asarray(grid.convert("RGB"))
    red, blue = ((pixels == colour).all(-1) for colour in ((255, 0, 0), (0, 0, 255)))
    # at their own size: nothing may be smoothed away
    assert (red.sum(), blue.sum()) == (256, 256)
    # down and to the right, a row and a column of 16 px and the gap further
    (top, left), (lower, right) = (np.argwhere(one)[0] for one in (red, blue))
    assert (lower - top, right - left) == (20, 20)


def test_sheets_are_those_of_people_and_of_experiments_about_them_where_they_are_there():
    found = sheets(STUDY, Shown(missing={("models/finetuned", "preview.jpg")}))
    files = [one["file"] for one in found]
    assert files[0] == "people/photos me preview.jpg"
    assert "models/finetuned s__me__taught curve.png" in files
    assert "scores/pairs s__me__taught preview.png" in files
    assert not any("preview.jpg" in file and "finetuned" in file for file in files)
    assert not any("nobody" in file for file in files)
