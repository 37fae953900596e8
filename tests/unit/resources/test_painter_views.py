"""Pictures after a painter in the warehouse, from tables written by hand."""

import pandas as pd
import pytest

from resources.report.painter import after_rows
from resources.warehouse import build, query


def mean(experiment, role, metric, value, n=10, part="all", protocol="p"):
    row = {"study": "s", "experiment": experiment, "role": role, "metric": metric, "part": part}
    row |= {"value": value, "low": value - 0.1, "high": value + 0.1, "n": n}
    return row | {"protocol": protocol, "passport_id": "x", "left_out": 0}


def verdicts(image_set, authentic, n):
    """So many of n taken for class 0."""
    rows = [
        {"study": "s", "network": "tiles", "image_set": image_set, "image_id": f"{image_set}{k}"}
        | {"predicted": 0 if k < authentic else 1}
        for k in range(n)
    ]
    return pd.DataFrame(rows)


MEANS = [
    mean("word", "TISD1", "reconstruction", 0.1),
    mean("word", "reconstruction", "reconstruction", 0.7, n=64),
    mean("word", "editability", "reconstruction", 0.2),
    mean("word", "TISD1", "editability", 0.3, protocol="mean of cosines"),
    mean("word", "editability", "editability", 0.25, n=3, protocol="mean of cosines"),
    mean("word", "editability", "editability", 0.4, n=3, protocol="cosine of mean"),
    mean("word", "TISD1", "painter_read", 0.6),
    mean("word", "painter", "reconstruction", 0.9),
    mean("word", "painter", "painter_read", 0.96, part="NEW"),
    mean("word", "painter", "painter_read", 0.8, part="AGAIN"),
    # has neither of the two roles
    mean("plain", "made", "reconstruction", 0.5),
    mean("plain", "made", "kid", float("nan"), n=0),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    file = tmp_path_factory.mktemp("painters") / "likeness.duckdb"
    sets = [
        {"image_set": "AGAIN", "name": "the same rebuilt", "truth": 0, "rebuilt": True},
        {"image_set": "NEW", "name": "new ones", "truth": 0, "rebuilt": False},
        {"image_set": "ONE", "name": "one", "made_by": "s__word", "role": "TISD1"},
    ]
    judge = {"study": "s", "network": "tiles", "painter": "he", "home": "s", "title": "t"}
    tables = {
        "experiments": pd.DataFrame(
            [{"study": "s", "experiment": e, "painter": "he"} for e in ("word", "plain")]
        ),
        "networks": pd.DataFrame([judge | {"architecture": "tiles", "rounds": "split"}]),
        "labels": pd.DataFrame({"painter": "he", "label": [0, 1], "name": ["he", "other"]}),
        "image_sets": pd.DataFrame(sets).assign(painter="he").astype({"truth": "Int64"}),
        "image_means": pd.DataFrame(MEANS),
        "verdicts": pd.concat(
            [verdicts("NEW", 9, 10), verdicts("AGAIN", 5, 10), verdicts("ONE", 2, 10)]
        ),
    }
    build(file, tables)
    return file


def test_both_measures_rest_on_the_roles_of_their_names_in_every_row(warehouse):
    rows = query(warehouse, "SELECT * FROM after_painters").set_index(["experiment", "role"])
    for role in ("TISD1", "reconstruction", "editability"):
        row = rows.loc["word", role]
        assert (row["reconstruction"], row["reconstruction_n"]) == (0.7, 64)
        assert (row["editability"], row["editability_n"]) == (0.25, 3)
        assert row["editability_of_mean"] == 0.4
    # the line of the painter's own pictures is no role of the experiment
    assert rows.loc[("word", "painter"), "reconstruction"] == 0.9
    assert rows.loc[("plain", "made"), "reconstruction"] == 0.5


def test_both_ceilings_and_the_ratio_to_the_second_stand_in_every_row(warehouse):
    rows = after_rows(warehouse, "s").set_index(["experiment", "pictures"])
    row = rows.loc[("word", "TISD1")]
    assert row["reader: NEW / AGAIN; ratio"] == "0.960 / 0.800; 0.75"
    assert row["tiles: NEW / AGAIN; ratio"] == "0.900 / 0.500; 0.40"
    assert row["authentic to tiles [95 %], n"].startswith("0.200 [")
    own = rows.loc[("the same rebuilt", "AGAIN")]
    assert own["read as the painter's [95 %], n"] == "0.800 [0.700, 0.900], n=10"
    assert own["authentic to tiles [95 %], n"].startswith("0.500 [")


def test_what_was_asked_and_not_found_is_no_data_and_what_was_not_asked_is_blank(warehouse):
    rows = after_rows(warehouse, "s").set_index(["experiment", "pictures"])
    assert rows.loc[("plain", "made"), "KID [95 %], n"] == "no data"
    assert rows.loc[("word", "TISD1"), "KID [95 %], n"] == ""
    assert "SSIM [95 %], pairs" not in rows.columns
