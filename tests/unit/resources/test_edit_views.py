"""Views on edits, and editors two and two, from tables written by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from resources.comparisons import compared_editors
from resources.report import edit_curves
from resources.report.edits import bench_tables, comparison_rows, control_rows, set_rows
from resources.warehouse import build, query


def mean(experiment, metric, value, part="all", protocol="p", **more):
    row = {"study": "s", "experiment": experiment, "metric": metric, "protocol": protocol}
    row |= {"role": "edit", "part": part, "compared": True, "value": value, "n": 4, "left_out": 1}
    row |= {"passport_id": f"{metric} {protocol}"}
    return row | {"low": value - 0.1, "high": value + 0.1} | more


def of_pairs(experiment, protocol, value, sets="set"):
    row = {"study": "s", "experiment": experiment, "metric": "ssim", "protocol": protocol}
    row |= {"set_a": sets, "set_b": "set" if sets == "set" else "edit", "part": "all"}
    return row | {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 20}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    file = tmp_path_factory.mktemp("edits") / "likeness.duckdb"
    names = {"control": "drawn", "later": "drawn", "bench": "world", "sampled": None}
    names |= {"curve": "world", "plain": "world", "fewer": "world"}
    methods = {"plain": "regenerate", "fewer": "regenerate"}
    experiments = pd.DataFrame(
        [
            {"study": "s", "experiment": name, "title": "t", "sources": sources}
            | {"method": methods.get(name, "hiper")}
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
    edit = {"study": "s", "role": "edit", "status": "accepted", "compared": False}
    images += [
        edit | {"experiment": name, "pair_id": pair, "kind": kind}
        for name, pairs in (("bench", "abcd"), ("curve", "ba"), ("plain", "ab"))
        for pair, kind in zip(pairs, ("swap", "refine", "reweight", "reweight"), strict=False)
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
        mean("bench", "clip_score", 0.3, protocol="clamped"),
        mean("bench", "clip_score", 0.75, protocol="hessel"),
        mean("bench", "clip_score", 0.8, compared=False),
        mean("bench", "clip_score", 0.9, part="pose"),
        mean("bench", "background_mse", 0.25, protocol="corrected"),
        mean("bench", "clip_score", 0.35, part="reworded"),
        mean("curve", "ssim", 0.5, part="reworded", protocol="corrected", strength=1.0),
        mean("curve", "clip_score", 0.3, part="reworded", strength=1.0),
        mean("curve", "ssim", 0.4, part="reworded", protocol="corrected", strength=0.0),
        mean("curve", "clip_score", 0.4, part="reworded", strength=0.0, n=3),
        mean("plain", "ssim", 0.2, part="reworded", protocol="corrected"),
        mean("plain", "clip_score", 0.5, part="reworded"),
    ]
    comparison = {"study": "s", "metric": "kept", "protocol": "p", "passport_id": "x"}
    comparison |= {"experiment_a": "a", "experiment_b": "b", "difference": 0.5, "low": 0.25}
    comparison |= {"high": 0.75, "n": 4, "wins": np.nan, "ties": 4, "left_out": 0}
    background = {"study": "s", "metric": "background_mse", "protocol": "corrected", "ties": 0}
    background |= {"experiment_a": "bench", "experiment_b": "plain", "difference": -0.00123}
    background |= {"low": -0.002, "high": -0.0005, "n": 4, "wins": 0.75, "wins_low": 0.3}
    background |= {"wins_high": 0.95, "left_out": 0}
    fewer = background | {"experiment_b": "fewer", "n": 2, "difference": 0.5}
    as_published = background | {"protocol": "original", "difference": 0.7}
    tables = {
        "experiments": experiments,
        "images": pd.DataFrame(images),
        "pair_means": pd.DataFrame(pairs),
        "image_means": pd.DataFrame(means),
        "edit_comparisons": pd.DataFrame([comparison, fewer, as_published, background]),
        "passports": pd.DataFrame(
            [
                {"passport_id": f"clip_score {form}", "metric": "clip_score", "model": "ViT"}
                for form in ("clamped", "hessel")
            ]
        ),
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
    rows = query(
        warehouse, "SELECT metric, value, published FROM editing_bench WHERE experiment = 'bench'"
    )
    assert rows["value"].tolist() == [0.25, 0.3, 0.75]
    # published scores are cosines, and no 2.5 times a cosine
    assert rows["published"].fillna(-1).tolist() == [-1, 0.2173, -1]
    ((title, table),) = bench_tables(warehouse, "s")
    assert title == "world, 2 pairs"
    assert table.notna().all(axis=None)
    printed = table.set_index("measure")
    # of a measure taken in two ways each is a row
    mine = printed.loc["CLIP score (ViT, clamped)"]
    assert mine["bench"] == "0.300 [0.200, 0.400], n=4, 1 left out"
    assert mine["published"] == "hiper 0.2173"
    assert printed.loc["CLIP score (ViT, hessel)", "bench"].startswith("0.750")
    # what was not measured is said to be no data, never zero
    assert printed.loc["LPIPS to source", "bench"] == "no data"
    assert printed.loc["background MSE (PIE-Bench)", "bench"] == "no data"


def test_a_knob_is_a_row_per_strength_of_edits_in_other_words(warehouse):
    rows = query(warehouse, "SELECT * FROM edit_curves WHERE experiment = 'curve'")
    assert rows["clip_score"].tolist() == [0.4, 0.3]
    assert rows["clip_score_n"].tolist() == [3, 4]
    assert rows["clip_score_by"].notna().all()
    assert rows["ssim_low"].tolist() == pytest.approx([0.3, 0.4])
    # edits by weights alone are no part of a curve: their pairs do not count either
    rows = query(warehouse, "SELECT * FROM edit_curves").set_index("experiment")
    assert rows["pairs"].to_dict() == {"bench": 2, "curve": 2, "plain": 2}
    assert rows["population"].nunique() == 1
    assert rows.loc["bench", "clip_score"] == 0.35


def curve(experiment, population, strengths):
    row = {"experiment": experiment, "population": population, "pairs": 8, "compared": False}
    row |= {name: 0.5 for name in ("ssim", "directional")} | {"asked": np.nan, "clip_score": np.nan}
    for name in ("ssim", "asked", "directional", "clip_score"):
        row |= {f"{name}_low": 0.4, f"{name}_high": 0.6, f"{name}_n": 8, f"{name}_by": name}
    return [row | {"strength": one, "compared": not number} for number, one in enumerate(strengths)]


def test_curves_are_drawn_of_one_set_of_pairs_and_say_how_many(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(edit_curves, "_draw", lambda axis, rows, panel: drawn.append((rows, panel)))
    rows = [
        *curve("curve__hiper", "eight", [0.8, 0.4]),
        *curve("curve__regenerate", "eight", [np.nan]),
        *curve("hiper", "forty", [0.8]),
    ]
    assert edit_curves.draw_edit_curves(pd.DataFrame(rows), tmp_path / "curves.png")
    ((shown, panel),) = drawn
    assert set(shown["experiment"]) == {"curve__hiper", "curve__regenerate"}
    assert panel[1] == "directional"
    monkeypatch.undo()
    assert edit_curves.draw_edit_curves(pd.DataFrame(rows), tmp_path / "curves.png")
    axis = Figure().subplots()
    edit_curves._draw(axis, shown, panel)
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["curve__hiper, n=8", "curve__regenerate, n=8"]
    assert axis.get_title() == "the same 8 pairs"
    # by another encoder: no line beside the others, but named
    other = pd.DataFrame(curve("big", "eight", [0.8, 0.4])).assign(directional_by="another")
    axis = Figure().subplots()
    edit_curves._draw(axis, pd.concat([shown, other]), panel)
    assert len(axis.get_legend().get_texts()) == 2
    assert axis.get_title() == "the same 8 pairs\nmeasured otherwise: big"
    # without a knob that was turned there is no curve
    assert not edit_curves.draw_edit_curves(pd.DataFrame(rows[-1:]), tmp_path / "none.png")


def test_editors_that_always_tie_win_nothing(warehouse):
    rows = comparison_rows(warehouse, "s")
    (row,) = rows[rows["measure"] == "kept"].itertuples(index=False)
    assert row[2:] == ("0.500 [0.250, 0.750], n=4", "all tied", 4)


def test_backgrounds_are_held_against_no_control_on_most_pairs(warehouse):
    (row,) = control_rows(warehouse, "s").to_dict("records")
    assert (row["editor"], row["less"]) == ("bench", "plain")
    assert row["background MSE [95 %], n"] == "-0.00123 [-0.00200, -0.00050], n=4"
    assert row["background MSE, better [95 %]"] == "0.75 [0.30, 0.95]"
    assert row["background SSIM [95 %], n"] == "no data"


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
    edits = {
        name: SimpleNamespace(
            method=SimpleNamespace(name="regenerate" if name == "plain" else "hiper")
        )
        for name in scores
    }
    study = SimpleNamespace(name="s", edits=edits)
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


def test_editors_are_compared_on_the_same_pairs_and_all_with_no_control():
    found = compared_editors(
        current_of({"plain": [0.0] * 4, "a": [1.0] * 4, "b": [0.5] * 4, "few": [2.0] * 2})
    ).set_index(["experiment_a", "experiment_b"])
    assert found["difference"].to_dict() == {
        ("a", "b"): 0.5,
        ("a", "plain"): 1.0,
        ("b", "plain"): 0.5,
        ("few", "plain"): 2.0,
    }
    assert found.loc[("few", "plain"), "n"] == 1
