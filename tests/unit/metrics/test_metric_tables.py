"""Rows of pairs and means, against matrices written out."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.metrics import passports, tables
from likeness.metrics.heatmap import Panel, heat_map, heat_maps
from likeness.metrics.means import mean_of_pictures
from likeness.metrics.pairs import mean_between
from likeness.metrics.tables import matrix_of, mean_row, pair_rows

NAN = math.nan
MEASURE = {"metric": "m", "protocol": "p", "passport_id": "id"}
SQUARE = np.array([[1, 0.1, NAN], [0.1, 1, 0.3], [NAN, 0.3, 1]])


def told(table):
    """Pairs of image ids and their value (None: no value) and status."""
    return {
        (r.image_a, r.image_b): (None if pd.isna(r.value) else r.value, r.status)
        for r in table.itertuples()
    }


def test_of_a_set_with_itself_each_unordered_pair_is_one_row():
    table = pair_rows(SQUARE, ("s", "s"), (list("abc"),) * 2, MEASURE, "no_face")
    assert told(table) == {
        ("a", "b"): (0.1, "ok"),
        ("a", "c"): (None, "no_face"),
        ("b", "c"): (0.3, "ok"),
    }
    assert dict(table.dtypes.astype(str)) == tables.PAIR_COLUMNS
    assert set(table["metric"] + table["protocol"] + table["passport_id"]) == {"mpid"}


def test_of_two_sets_each_cell_is_one_row():
    cells = np.array([[0.1, 0.2, 0.3], [NAN, 0.5, 0.6]])
    table = pair_rows(cells, ("s", "t"), (["a", "b"], ["x", "y", "z"]), MEASURE, "no_face")
    assert len(table) == 6
    assert told(table)["b", "x"] == (None, "no_face")
    assert told(table)["a", "z"] == (0.3, "ok")
    assert set(table["set_a"] + table["set_b"]) == {"st"}


@pytest.mark.parametrize("sets", [("s", "s"), ("s", "t")])
def test_nothing_has_no_rows_and_all_columns(sets, tmp_path):
    table = pair_rows(np.zeros((0, 0)), sets, ([], []), MEASURE)
    assert list(table.columns) == list(tables.PAIR_COLUMNS)
    table.to_parquet(tmp_path / "none.parquet", index=False)
    assert len(tables.read(tmp_path, "none.parquet")) == 0


def test_the_matrix_of_some_pictures_comes_back_from_the_rows_of_all(tmp_path):
    rng = np.random.default_rng(0)
    upper = np.triu(rng.random((6, 6)), 1)
    matrix = upper + upper.T + np.eye(6)
    matrix[1, 4] = matrix[4, 1] = NAN
    ids = list("abcdef")
    rows = pair_rows(matrix, ("s", "s"), (ids, ids), MEASURE)
    rows.sample(frac=1, random_state=1).to_parquet(tmp_path / "rows.parquet", index=False)
    some = [4, 0, 1]
    back = matrix_of(tables.read(tmp_path, "rows.parquet"), [ids[k] for k in some])
    np.testing.assert_array_equal(back, matrix[np.ix_(some, some)])


def test_a_row_of_means_says_what_it_rests_on():
    mean = mean_between(np.array([[0.0, 1.0], [1.0, NAN]]), "corrected")
    row = mean_row(mean, ("s", "t"), MEASURE, "5")
    assert list(row) == list(tables.MEAN_COLUMNS)
    assert (row["value"], row["n"], row["left_out"], row["part"]) == (
        pytest.approx(2 / 3),
        3,
        1,
        "5",
    )
    table = tables.typed(pd.DataFrame([row]), tables.MEAN_COLUMNS)
    # fewer than three pictures have no interval: nothing, and not a number that is none
    assert table["low"].isna().all()


def test_the_interval_of_pictures_is_that_of_drawing_them_one_by_one():
    values = np.random.default_rng(3).random(20)
    found = mean_of_pictures(values)
    rng = np.random.default_rng(8)
    means = [np.mean([values[rng.integers(20)] for _ in range(20)]) for _ in range(1000)]
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.02)
    assert mean_of_pictures(values) == found
    assert mean_of_pictures(values, seed=1) != found


def test_few_pictures_have_a_mean_and_no_interval_and_none_have_neither():
    two = mean_of_pictures(np.array([0.0, 1.0]))
    assert (two.value, two.n) == (0.5, 2)
    assert math.isnan(two.low)
    none = mean_of_pictures(np.array([]))
    assert none.n == 0
    assert all(map(math.isnan, (none.value, none.low, none.high)))


def test_passports_differ_as_soon_as_anything_does(tmp_path):
    said = {"model": "m", "revision": "r", "detector": "d", "distance": "cosine", "torch": "2"}
    papers = [
        passports.of_ssim("original", 500),
        passports.of_ssim("corrected", 500),
        passports.of_ssim("corrected", 64),
        passports.of_faces(said, 0.4),
        passports.of_faces(said, 0.5),
        passports.of_faces(said | {"torch": "3"}, 0.4),
        passports.of_faces(said | {"revision": "s"}, 0.4),
    ]
    assert len({paper.passport_id for paper in papers}) == len(papers)
    assert passports.of_faces(dict(reversed(said.items())), 0.4) == papers[3]
    passports.write(tmp_path, papers)
    back = json.loads((tmp_path / "passports.json").read_text())
    ids = [row.pop("passport_id") for row in back]
    assert ids == [passports.Passport(**row).passport_id for row in back]


def test_a_heat_map_has_a_panel_for_each_matrix_and_gray_where_there_is_no_value(tmp_path):
    file = tmp_path / "map.png"
    one = np.full((3, 4), NAN)
    heat_map({"a": one}, ["1"] * 3, list("wxyz"), file)
    with Image.open(file) as picture:
        width = picture.width
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert (211, 211, 211) in colours
    heat_map({"a": one, "b": one}, ["1"] * 3, list("wxyz"), file)
    with Image.open(file) as picture:
        assert picture.width == pytest.approx(2 * width, abs=3)


def test_lines_of_heat_maps_may_be_of_different_length(tmp_path):
    file = tmp_path / "map.png"
    dark, bright = np.zeros((3, 3)), np.ones((3, 4))
    line = [Panel("a", dark, list("xyz"), list("xyz")), Panel("b", bright, list("xyz"), ["1"] * 4)]
    heat_maps([line, line[:1]], file)
    with Image.open(file) as picture:
        height = picture.height
        pixels = np.asarray(picture.convert("RGB"))
    # viridis at 0 and at 1, where a line has a panel
    for colour, quarters in (
        ((68, 1, 84), (True, False, True)),
        ((253, 231, 37), (False, True, False)),
    ):
        found = (np.abs(pixels.astype(int) - colour) <= 1).all(-1)
        middle = np.array(found.shape) // 2
        upper, lower = found[: middle[0]], found[middle[0] :]
        shares = [part.mean() for part in (upper[:, : middle[1]], upper[:, middle[1] :], lower)]
        assert [share > 0.2 for share in shares] == list(quarters)
    heat_maps([line], file)
    with Image.open(file) as picture:
        assert picture.height == pytest.approx(height / 2, abs=3)
