"""SSIM of sets of edits against scikit-image and means worked out by hand."""

import cv2
import edit_set
import numpy as np
import pandas as pd
import pytest
from skimage.metrics import structural_similarity

from likeness.metrics.edit_pairs import EditPairsParams, mean_of_sets, score_edit_pairs

WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def reference(one, other, protocol):
    """As scikit-image has it: native luma by Wang's window, or 256 px by its defaults, rounded."""
    if protocol == "corrected":
        pair = [cv2.cvtColor(x.astype(np.float32), cv2.COLOR_RGB2GRAY) for x in (one, other)]
        return structural_similarity(*pair, data_range=255, **WANG)
    large = [cv2.resize(x, (256, 256)) for x in (one, other)]
    gray = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in large]
    return round(structural_similarity(*gray), 2)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    pictures, sources = {}, {}
    for number in range(3):
        base = edit_set.noise(number)
        pictures[f"s{number}"] = base
        edits = {}
        for place, (name, kind) in enumerate((("cat", "swap"), ("less", "reweight"))):
            pair = f"{number}-{name}"
            near = edit_set.nearly(base, 10 * number + place + 5, 0.1 + 0.2 * place)
            pictures[f"{pair}-made"] = near
            edits[pair] = (near, {"edit": name, "kind": kind})
        weak = edit_set.nearly(base, 99 + number, 0.9)
        pictures[f"{number}-weak"] = weak
        about = {"edit": "cat", "compared": False, "strength": 0.5, "image_id": f"{number}-weak"}
        edits[f"{number}-cat "] = (weak, about)
        sources[f"s{number}"] = (base, edits)
    edit_set.write(folder / "made", sources)
    (folder / "out").mkdir()
    summary = score_edit_pairs(
        EditPairsParams(), {"made": folder / "made"}, folder / "out", folder / "scratch"
    )
    tables = [pd.read_parquet(folder / "out" / f"{name}.parquet") for name in ("pairs", "means")]
    return pictures, *tables, summary


@pytest.mark.parametrize("protocol", ["corrected", "original_256"])
def test_all_pairs_of_a_set_are_scored_as_by_scikit_image(scored, protocol):
    pictures, pairs, _, _ = scored
    mine = pairs[(pairs["set_a"] == "set") & (pairs["protocol"] == protocol)]
    assert len(mine) == 3 * 3
    for row in mine.itertuples():
        wanted = reference(pictures[row.image_a], pictures[row.image_b], protocol)
        assert row.value == pytest.approx(wanted, abs=1e-6)
    # pictures of two sources are never compared
    assert {row.image_a[:2] for row in mine.itertuples() if row.image_a[0] == "s"} == {
        *("s0", "s1", "s2")
    }


def test_the_mean_is_over_all_pairs_of_all_sets_and_over_each_edit_by_its_name(scored):
    _, pairs, means, summary = scored
    mine = pairs[pairs["protocol"] == "corrected"]
    known = means[means["protocol"] == "corrected"].set_index(["set_a", "part"])
    sets = mine[mine["set_a"] == "set"]
    whole = known.loc[("set", "all")]
    assert whole["value"] == pytest.approx(sets["value"].mean())
    assert whole["n"] == 9
    assert whole["low"] <= whole["value"] <= whole["high"]
    assert summary["mean_ssim/corrected"] == pytest.approx(whole["value"], abs=1e-4)
    edits = mine[mine["set_a"] == "source"]
    # other strengths are pairs, and no part of a mean
    assert len(edits) == 9
    cats = edits[edits["image_b"].str.endswith("-cat-made")]["value"]
    assert known.loc[("source", "cat"), "value"] == pytest.approx(cats.mean())
    assert known.loc[("source", "cat"), "n"] == 3
    assert set(known.loc["source"].index) == {"all", "cat", "less"}


def test_the_interval_is_over_sets_and_of_one_set_over_its_pictures():
    def matrix(value):
        return np.where(np.eye(4, dtype=bool), 1.0, value)

    same = mean_of_sets([matrix(0.5)] * 3, "corrected").mean
    assert (same.value, same.n, same.low, same.high) == (0.5, 18, 0.5, 0.5)
    varied = mean_of_sets([matrix(value) for value in (0.2, 0.5, 0.8)], "corrected").mean
    assert varied.value == pytest.approx(0.5)
    assert varied.low < 0.3
    assert np.isnan(mean_of_sets([matrix(0.2), matrix(0.8)], "corrected").mean.low)
    assert mean_of_sets([matrix(0.2)], "corrected").mean.n == 6
    # pairs count once: of sets of different sizes the interval is about the same mean
    large = np.where(np.eye(21, dtype=bool), 1.0, 0.9)
    small = np.where(np.eye(2, dtype=bool), 1.0, 0.1)
    uneven = mean_of_sets([large] * 5 + [small] * 5, "corrected").mean
    assert uneven.value == pytest.approx((5 * 210 * 0.9 + 5 * 0.1) / (5 * 211))
    assert 0.1 < uneven.low <= uneven.value <= uneven.high <= 0.9
    assert mean_of_sets([], "corrected").mean.n == 0
