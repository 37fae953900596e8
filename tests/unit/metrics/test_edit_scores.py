"""Measures of single edits: a value where there is one, else why not, and means by hand."""

import json
from dataclasses import replace

import edit_set
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.metrics import known_edits
from likeness.metrics.background import background_kept
from likeness.metrics.edit_measures import Edits, clip_measures
from likeness.metrics.edit_pairs import EditPairsParams, score_edit_pairs
from likeness.metrics.edits import EditMeasures, EditScoresParams, score_edits
from likeness.metrics.features import Features
from likeness.metrics.known_edits import Claims
from likeness.metrics.passports import Passport
from likeness.statistics import wilson
from likeness.world.reader.read import Reading


class Eyes:
    """Reads the colour of a thing from the first pixel."""

    def read(self, pictures):
        words = {0: "black", 255: "white"}
        return [
            Reading({"thing_colour": words.get(int(p[0, 0, 0]), "red")}, 30.0, []) for p in pictures
        ]


def picture(seed, first):
    pixels = edit_set.noise(seed)
    pixels[0, 0] = first
    return pixels


BASE = [picture(number, 0) for number in range(4)]
CLAIM = Claims(was={"thing_colour": "black"}, asked={"thing_colour": "white"})


@pytest.fixture
def score(tmp_path, monkeypatch):
    """Scores of four sources with an edit each; the last one could not be made."""
    monkeypatch.setattr(
        "likeness.world.reader.read.Reader.load", classmethod(lambda cls, folder: Eyes())
    )
    assert known_edits.READER.is_dir()
    edited = [picture(10, 255), picture(11, 0), picture(12, 255), None]
    # the third source is read as red
    sources = [BASE[0], BASE[1], picture(2, 99), BASE[3]]
    edit_set.write(
        tmp_path / "made",
        {
            f"s{n}": (sources[n], {f"p{n}": (edited[n], {"kind": "swap" if n else "style"})})
            for n in range(4)
        },
    )
    (tmp_path / "sources").mkdir()
    mask = np.zeros((edit_set.SIDE, edit_set.SIDE), np.uint8)
    mask[:8] = 255
    Image.fromarray(mask).save(tmp_path / "sources" / "mask.png")
    Image.fromarray(edited[0]).save(tmp_path / "sources" / "after.png")
    inputs = {"made": tmp_path / "made", "sources": tmp_path / "sources"}
    (tmp_path / "pairs").mkdir()
    score_edit_pairs(EditPairsParams(), inputs, tmp_path / "pairs", tmp_path)
    (tmp_path / "out").mkdir()
    params = EditScoresParams(
        measures=EditMeasures(reader="reader"),
        claims={f"p{n}": CLAIM for n in range(4)},
        masks={"p0": "mask.png", "p3": "mask.png"},
        afters={"p0": "after.png"},
    )
    score_edits(params, inputs | {"pairs": tmp_path / "pairs"}, tmp_path / "out", tmp_path)
    tables = [pd.read_parquet(tmp_path / "out" / f"{n}.parquet") for n in ("scores", "means")]
    return sources, edited, *tables, tmp_path


def test_every_edit_has_a_row_of_each_measure_with_a_value_or_a_reason(score):
    _, _, scores, _, folder = score
    assert set(scores.groupby(["metric", "protocol"]).size()) == {4}
    assert (scores["value"].notna() == (scores["status"] == "ok")).all()
    assert set(scores[scores["pair_id"] == "p3"]["status"]) == {"not made"}
    papers = {
        row["passport_id"]
        for place in ("out", "pairs")
        for row in json.loads((folder / place / "passports.json").read_text())
    }
    assert set(scores["passport_id"]) <= papers


def values(scores, metric, protocol=None):
    mine = scores[scores["metric"] == metric]
    if protocol:
        mine = mine[mine["protocol"] == protocol]
    return mine.set_index("pair_id")


def test_what_was_asked_counts_where_the_source_is_read_rightly(score):
    _, _, scores, means, _ = score
    asked = values(scores, "asked")
    assert asked.loc[["p0", "p1"], "value"].tolist() == [1.0, 0.0]
    assert asked.loc["p2", "status"] == "thing_colour of the source is read as red"
    (whole,) = means[(means["metric"] == "asked") & (means["part"] == "all")].itertuples()
    assert (whole.value, whole.n, whole.left_out) == (0.5, 2, 2)
    assert (whole.low, whole.high) == pytest.approx(wilson(1, 2))
    kinds = means[means["metric"] == "asked"].set_index("part")["value"]
    assert (kinds["style"], kinds["swap"]) == (1.0, 0.0)


def test_background_and_true_edit_are_measured_where_they_are_known(score):
    sources, edited, scores, _, _ = score
    mask = np.zeros((edit_set.SIDE, edit_set.SIDE), bool)
    mask[:8] = True
    for protocol in ("original", "corrected"):
        wanted = background_kept(sources[0], edited[0], mask, protocol)
        for name in ("mse", "psnr", "ssim"):
            found = values(scores, f"background_{name}", protocol)
            assert found.loc["p0", "value"] == getattr(wanted, name)
            assert found.loc["p1", "status"] == "no mask"
    assert values(scores, "after_ssim").loc["p0", "value"] == pytest.approx(1.0)
    assert values(scores, "untouched_ssim").loc["p0", "value"] < 0.5


def test_ssim_is_that_of_the_pairs(score):
    _, _, scores, _, folder = score
    pairs = pd.read_parquet(folder / "pairs" / "pairs.parquet")
    known = pairs[(pairs["set_a"] == "source") & (pairs["protocol"] == "corrected")]
    mine = values(scores, "ssim", "corrected")
    assert mine.loc[["p0", "p1", "p2"], "value"].tolist() == known["value"].tolist()


class Encoder:
    """Pictures to (3, 4) where they are edited and (1, 0) where not; texts by their first words."""

    def embed_images(self, files):
        vectors = [[1.0, 0.0] if "made" not in file.name else [3.0, 4.0] for file in files]
        return features_of(vectors)

    def embed_texts(self, texts):
        known = {"a cat": [1.0, 0.0], "A photo depicts a cat": [0.0, 2.0], "a dog": [0.0, -1.0]}
        known["A photo depicts a dog"] = [0.0, -1.0]
        # with its prefix the dog is too long a text
        found = features_of([known[text] for text in texts])
        cut = ["cut" if text == "A photo depicts a dog" else "" for text in texts]
        return replace(found, reason=tuple(cut))

    def passport(self, metric, protocol):
        return Passport(metric=metric, protocol=protocol, preprocessing="none")


def features_of(vectors):
    return Features(np.array(vectors), ("",) * len(vectors))


@pytest.mark.parametrize(("form", "values"), [("clamped", [0.6, 0.0]), ("hessel", [2.0, np.nan])])
def test_the_clip_score_has_two_forms(tmp_path, monkeypatch, form, values):
    monkeypatch.setattr("likeness.metrics.clip.open_clip_folder", lambda source: Encoder())
    edited = {
        "p0": (edit_set.noise(1), {}),
        "p1": (edit_set.noise(2), {"prompt": "a dog"}),
    }
    edit_set.write(tmp_path / "made", {"s0": (edit_set.noise(0), edited)})
    edits = Edits.of({"made": tmp_path / "made"}, {}, {})
    found = {one.paper.metric: one for one in clip_measures(edits, "any", form)}
    assert found["clip_score"].values.tolist() == pytest.approx(values, nan_ok=True)
    assert found["clip_score"].paper.protocol == form
    assert found["clip_score"].why == ["ok", "cut" if form == "hessel" else "ok"]
    # the other measures know no prefix
    assert found["clip_i"].values.tolist() == pytest.approx([0.6, 0.6])
    change = np.array([3, 4]) / 5 - np.array([1, 0])
    asked = np.array([1, 0]) - np.array([0, -1])
    cosine = change @ asked / np.linalg.norm(change) / np.linalg.norm(asked)
    assert found["directional"].values[0] == pytest.approx(cosine)
