"""Views on edits, and editors two and two, from tables written by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from resources.comparisons import compared_editors
from resources.report.edits import bench_rows, comparison_rows, set_rows
from resources.warehouse import build, query


def mean(experiment, metric, value, part="all", protocol="p", **more):
    row = {"study": "s", "experiment": experiment, "metric": metric, "protocol": protocol}
    row |= {"role": "edit", "part": part, "compared": True, "value": value, "n": 4, "left_out": 1}
    return row | {"low": value - 0.1, "high": value + 0.1} | more


def of_pairs(experiment, protocol, value, sets="set"):
    row = {"study": "s", "experiment": experiment, "metric": "ssim", "protocol": protocol}
    row |= {"set_a": sets, "set_b": "set" if sets == "set" else "edit", "part": "all"}
    return row | {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 20}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    file = tmp_path_factory.mktemp("edits") / "likeness.duckdb"
    names = {"control": "drawn", "later": "drawn", "bench": "world", "sampled": None}
    experiments = pd.DataFrame(
        [
            {"study": "s", "experiment": name, "title": "t", "method": "hiper", "sources": sources}
            for name, sources in names.items()
        ]
    )
    images = [
        {"study": "s", "experiment": "control", "role": role, "status": status, "compared": first}
        for role, status, first in (
            ("source", "accepted", None),
            ("edit", "accepted", True),
            ("edit", "accepted", False),
            ("edit", "rejected", True),
        )
    ]
    pairs = [
        of_pairs("control", "original_256", 0.7),
        of_pairs("control", "corrected", 0.6),
        of_pairs("control", "corrected", 0.2, sets="source"),
        of_pairs("bench", "corrected", 0.1),
    ]
    means = [
        mean("control", "asked", 0.75, part="swap"),
        mean("control", "asked", 0.25),
        mean("control", "kept", 0.9),
        mean("control", "kept", 0.1, compared=False),
        mean("bench", "clip_score", 0.3),
        mean("bench", "clip_score", 0.8, compared=False),
        mean("bench", "clip_score", 0.9, part="pose"),
        mean("bench", "background_mse", 0.25, protocol="corrected"),
    ]
    comparison = {"study": "s", "metric": "kept", "protocol": "p", "passport_id": "x"}
    comparison |= {"experiment_a": "a", "experiment_b": "b", "difference": 0.5, "low": 0.25}
    comparison |= {"high": 0.75, "n": 4, "wins": np.nan, "ties": 4, "left_out": 0}
    tables = {
        "experiments": experiments,
        "images": pd.DataFrame(images),
        "pair_means": pd.DataFrame(pairs),
        "image_means": pd.DataFrame(means),
        "edit_comparisons": pd.DataFrame([comparison]),
        "published_sets": pd.DataFrame([{"study": "s", "experiment": "control", "ssim": 0.77}]),
        "published_editors": pd.DataFrame(
            [{"study": "s", "method": "hiper", "metric": "clip_score", "value": 0.2173}]
        ),
    }
    build(file, tables)
    return file


def test_sets_have_both_protocols_swaps_and_what_was_published(warehouse):
    rows = query(warehouse, "SELECT * FROM prompt_to_prompt").set_index("experiment")
    assert set(rows.index) == {"control", "later"}
    one = rows.loc["control"]
    assert (one["ssim_original"], one["ssim"], one["published_ssim"]) == (0.7, 0.6, 0.77)
    assert (one["sources"], one["edits"], one["n"]) == (1, 1, 20)
    assert (one["swapped"], one["swaps"], one["kept"]) == (0.75, 4, 0.9)
    assert pd.isna(rows.loc["later", "ssim"])
    printed = set_rows(warehouse, "s").set_index("experiment")
    assert printed.loc["control", "swaps read [95 %], n"] == "0.750 [0.650, 0.850], n=4"
    assert printed.loc["later", "SSIM [95 %], pairs"] == "no data"


def test_a_bench_has_a_row_a_measure_of_the_compared_strength(warehouse):
    rows = query(warehouse, "SELECT metric, value, published FROM editing_bench")
    assert rows["value"].tolist() == [0.25, 0.3]
    assert rows["published"].fillna(-1).tolist() == [-1, 0.2173]
    printed = bench_rows(warehouse, "s").set_index("measure")
    assert printed.loc["CLIP score", "bench"] == "0.300 [0.200, 0.400], n=4"
    assert printed.loc["CLIP score", "published"] == "hiper 0.2173"
    # what was not measured is said to be no data, never zero
    assert printed.loc["LPIPS to source", "bench"] == "no data"
    assert printed.loc["background MSE (PIE-Bench)", "bench"] == "no data"


def test_a_knob_is_a_row_per_strength(warehouse):
    rows = query(warehouse, "SELECT * FROM edit_curves WHERE experiment = 'bench'")
    assert sorted(rows["clip_score"]) == [0.3, 0.8]


def test_editors_that_always_tie_win_nothing(warehouse):
    (row,) = comparison_rows(warehouse, "s").itertuples(index=False)
    assert row[2:] == ("0.500 [0.250, 0.750], n=4", "all tied", 4)


def current_of(scores):
    """Artefacts of experiments, as ``Current`` finds them."""
    tables = {}
    for name, values in scores.items():
        pairs = [f"p{n}" for n in range(len(values))]
        made = pd.DataFrame({"pair_id": pairs, "strength": np.nan, "compared": True})
        rows = made.assign(metric="kept", protocol="p", passport_id="x", value=values)
        tables[name] = {
            "images.parquet": made.assign(source_id=[f"s{n // 2}" for n in range(len(values))]),
            "scores.parquet": rows.drop(columns="compared"),
        }
    study = SimpleNamespace(name="s", edits=dict.fromkeys(scores))
    return SimpleNamespace(
        registry=SimpleNamespace(studies={"s": study}),
        made=lambda key: tables[key.removeprefix("s__")],
        scores=lambda asset, key: tables[key.removeprefix("s__")],
        parquet=lambda table, file: table[file],
    )


def test_two_editors_are_compared_where_both_have_a_value_a_source_at_a_time():
    a = [1.0, 0.5, 0.75, np.inf, 0.5, 0.5, 1.0, 1.0]
    b = [0.5, 0.5, 0.25, 0.0, np.nan, 0.25, 0.5, 0.5]
    (row,) = compared_editors(current_of({"a": a, "b": b})).itertuples()
    # sources: (0.5 + 0) / 2, 0.5 alone, 0.25 alone, 0.5
    assert row.difference == pytest.approx(np.mean([0.25, 0.5, 0.25, 0.5]))
    assert (row.n, row.wins, row.ties, row.left_out) == (4, 1.0, 0, 2)
    assert row.low <= row.difference <= row.high
