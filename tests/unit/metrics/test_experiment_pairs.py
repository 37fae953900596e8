"""Pairs of an experiment's pictures and photos, against scikit-image and angles set by hand."""

import json
from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import small_sets
from skimage.metrics import structural_similarity

from likeness.errors import BadInput
from likeness.faces.backend import SmallFaces
from likeness.metrics.experiment import PairsParams, score_pairs
from likeness.metrics.photos import VarietyParams, variety
from likeness.metrics.tables import read

SIDE = 24
# Age, split, direction of the face (or none) and what became of each photo.
PHOTOS = [
    (3, "child", 0, ""),
    (9, "child", 20, ""),
    (12, "child", None, ""),
    (30, "adult", 10, ""),
    (5, None, 5, "held"),
    (33, None, 60, "held"),
    (None, None, 0, "ageless"),
    (4, None, 0, "rejected"),
]
# Role, age asked for and direction of the face of each picture.
MADE = [
    ("ages", 5, 0),
    ("ages", 5, 30),
    ("ages", 30, None),
    ("ages", 30, 50),
    ("class", None, 90),
    ("class", None, 55),
]
GAUSS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def photos_of(folder):
    """Photos with their faces, splits and variety, as the people graph makes them."""
    rows = [
        small_sets.row(
            small_sets.facing(n, degrees, SIDE),
            age=age,
            status="rejected" if fate == "rejected" else "accepted",
        )
        for n, (age, _, degrees, fate) in enumerate(PHOTOS)
    ]
    table = small_sets.write_set(folder / "photos", rows)
    table.loc[7, ["image_id", "file"]] = pd.NA
    table.to_parquet(folder / "photos" / "images.parquet", index=False)
    faces = [[] if degrees is None else [degrees] for _, _, degrees, _ in PHOTOS[:7]]
    small_sets.write_faces(folder / "faces", table[:7], faces)
    splits = folder / "splits"
    splits.mkdir()
    known = table.assign(held_back=[fate == "held" for *_, fate in PHOTOS])
    known.to_parquet(splits / "photos.parquet", index=False)
    members = table.assign(split=[split for _, split, *_ in PHOTOS]).dropna(subset="split")
    both = pd.concat([members, members.assign(split="all")])
    both[["split", "image_id", "file", "age"]].to_parquet(splits / "splits.parquet", index=False)
    (folder / "variety").mkdir()
    photos = {"photos": folder / "photos"}
    variety(VarietyParams(side=SIDE), photos, folder / "variety", folder)
    return table


def pictures_of(folder, order=None):
    rows = [
        small_sets.row(small_sets.facing(100 + n, degrees, SIDE), role=role, age=age)
        for n, (role, age, degrees) in enumerate(MADE)
    ] + [small_sets.row(small_sets.noise(1, SIDE), role="ages", age=5, status="rejected")]
    return small_sets.write_set(folder, rows if order is None else [rows[k] for k in order])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return SimpleNamespace(
        folder=folder, photos=photos_of(folder), made=pictures_of(folder / "made")
    )


@pytest.fixture(scope="module")
def score(home, tmp_path_factory):
    """Calls ``score_pairs`` with a backend that reads faces off the first pixel."""

    def call(split="child", recipe=SmallFaces(), **inputs):  # noqa: B008
        output = tmp_path_factory.mktemp("scored")
        names = ("made", "photos", "faces", "splits", "variety")
        given = {name: home.folder / name for name in names} | inputs
        given = {name: folder for name, folder in given.items() if folder is not None}
        params = PairsParams(side=SIDE, faces=recipe, split=split)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("likeness.faces.tasks.open_backend", lambda recipe: small_sets.Backend())
            summary = score_pairs(params, given, output, output / "scratch")
        return SimpleNamespace(
            folder=output,
            summary=summary,
            pairs=read(output, "pairs.parquet"),
            means=read(output, "means.parquet"),
            papers=json.loads((output / "passports.json").read_text()),
        )

    return call


@pytest.fixture(scope="module")
def scored(score):
    return score()


def counts(one):
    """(metric and protocol, the two sets) -> rows."""
    groups = one.pairs.groupby(["metric", "protocol", "set_a", "set_b"]).size()
    return {(metric, protocol, f"{a} {b}"): n for (metric, protocol, a, b), n in groups.items()}


def test_there_is_a_row_for_every_unordered_pair_and_no_other(scored):
    similar = {
        "train train": comb(3, 2),
        "ages ages": comb(4, 2),
        "class class": 1,
        "ages train": 4 * 3,
        "class train": 2 * 3,
    }
    faces = similar | {"held held": 1, "ages held": 4 * 2, "class held": 2 * 2}
    wanted = {("verification", "best pair of faces", sets): n for sets, n in faces.items()}
    for protocol in ("original", "corrected"):
        wanted |= {("ssim", protocol, sets): n for sets, n in similar.items()}
    assert counts(scored) == wanted
    keys = ["metric", "protocol", "set_a", "set_b"]
    for (*_, a, b), some in scored.pairs.groupby(keys):
        ids = zip(some["image_a"], some["image_b"], strict=True)
        assert len({frozenset(pair) if a == b else pair for pair in ids}) == len(some)


def pixels_of(home):
    found = {}
    for n, image_id in enumerate(home.photos["image_id"].dropna()):
        found[image_id] = small_sets.facing(n, PHOTOS[n][2], SIDE)
    for n, (*_, degrees) in enumerate(MADE):
        found[home.made["image_id"][n]] = small_sets.facing(100 + n, degrees, SIDE)
    return found


def test_similarity_is_that_of_scikit_image(home, scored):
    pixels = pixels_of(home)
    for pair in scored.pairs[scored.pairs["metric"] == "ssim"].itertuples():
        how = {} if pair.protocol == "original" else GAUSS
        value = structural_similarity(
            pixels[pair.image_a], pixels[pair.image_b], data_range=255, **how
        )
        near = round(value, 2) if pair.protocol == "original" else value
        assert pair.value == pytest.approx(near, abs=1e-6)


def test_verification_is_the_angle_between_faces_and_nothing_where_one_is_missing(home, scored):
    degrees = dict(zip(home.photos["image_id"], [p[2] for p in PHOTOS], strict=True))
    degrees |= dict(zip(home.made["image_id"], [m[2] for m in MADE], strict=False))
    same = scored.pairs[scored.pairs["metric"] == "verification"]
    missing = 0
    for pair in same.itertuples():
        a, b = degrees[pair.image_a], degrees[pair.image_b]
        if a is None or b is None:
            assert pair.status == "no_face"
            assert pd.isna(pair.value)
            missing += 1
        else:
            assert pair.status == "ok"
            assert pair.value == (abs(a - b) <= 25)
    assert missing > 10


def test_means_are_those_of_their_rows_for_all_and_for_each_age_asked_for(home, scored):
    asked = dict(zip(home.made["image_id"], home.made["age"], strict=True))
    pairs = scored.pairs
    for mean in scored.means.itertuples():
        some = pairs
        for name in ("metric", "protocol", "set_a", "set_b"):
            some = some[some[name] == getattr(mean, name)]
        if mean.part != "all":
            some = some[some["image_a"].map(asked) == float(mean.part)]
            if mean.set_a == mean.set_b:
                some = some[some["image_b"].map(asked) == float(mean.part)]
        assert len(some) == mean.n + mean.left_out
        assert mean.left_out == (some["status"] == "no_face").sum()
        if mean.n:
            assert mean.value == pytest.approx(some["value"].mean())
        else:
            assert pd.isna(mean.value)


def test_only_pictures_that_ask_for_an_age_have_means_per_age(scored):
    parts = scored.means.groupby(["metric", "protocol", "set_a", "set_b"])["part"].agg(set)
    for (_, _, a, _), found in parts.items():
        assert set(found) == ({"all", "5", "30"} if a == "ages" else {"all"})


def test_pictures_without_a_face_are_left_out_and_counted(scored):
    rows = scored.means[scored.means["metric"] == "verification"]
    found = {(r.set_a, r.set_b, r.part): r for r in rows.itertuples()}
    # 0, 30 and 50 degrees, and one without a face, against 5 and 60 held back
    held = found["ages", "held", "all"]
    assert (held.value, held.n, held.left_out) == (pytest.approx(3 / 6), 6, 2)
    old = found["ages", "ages", "30"]
    assert (old.n, old.left_out) == (0, 1)
    assert scored.summary["without_face"] == 1
    assert scored.summary["pictures"] == 6


def test_photos_are_the_split_that_was_learned_and_those_held_back(home, scored):
    sets = {}
    for a, b, first, second in scored.pairs[["set_a", "set_b", "image_a", "image_b"]].to_numpy():
        sets.setdefault(a, set()).add(first)
        sets.setdefault(b, set()).add(second)
    assert sets["train"] == set(home.photos["image_id"][:3])
    assert sets["held"] == set(home.photos["image_id"][4:6])


def test_numbers_do_not_depend_on_the_order_of_any_table(home, scored, score, tmp_path):
    made, splits = tmp_path / "made", tmp_path / "splits"
    pictures_of(made, [3, 6, 5, 0, 4, 2, 1])
    splits.mkdir()
    for name in ("photos.parquet", "splits.parquet"):
        table = read(home.folder / "splits", name).sample(frac=1, random_state=4)
        table.to_parquet(splits / name, index=False)
    other = score(made=made, splits=splits)
    keys = ["metric", "protocol", "set_a", "set_b", "part"]
    one, two = (x.means.sort_values(keys).reset_index(drop=True) for x in (scored, other))
    # the interval is of resamples of places: files have other names now
    rest = [name for name in one.columns if name not in ("low", "high")]
    pd.testing.assert_frame_equal(one[rest], two[rest])


def test_pairs_of_photos_compared_before_are_the_same_as_those_compared_now(home, score, scored):
    paper = scored.papers[0]["passport_id"]
    before = read(home.folder / "variety", "pairs.parquet")
    assert (before["passport_id"] == paper).any()
    empty = home.folder / "nothing"
    empty.mkdir()
    before[:0].to_parquet(empty / "pairs.parquet", index=False)
    again = score(variety=empty)
    pd.testing.assert_frame_equal(again.pairs, scored.pairs)
    pd.testing.assert_frame_equal(again.means, scored.means)


def test_pairs_of_photos_that_were_compared_otherwise_are_compared_again(home, score, scored):
    other = home.folder / "otherwise"
    other.mkdir()
    before = read(home.folder / "variety", "pairs.parquet").assign(passport_id="x", value=-1.0)
    before.to_parquet(other / "pairs.parquet", index=False)
    pd.testing.assert_frame_equal(score(variety=other).pairs, scored.pairs)


def test_a_model_that_learned_from_nobody_is_compared_with_photos_held_back_alone(score):
    base = score(split=None)
    assert {sets for *_, sets in counts(base)} == {
        *("ages ages", "class class", "ages held", "class held", "held held"),
    }
    assert not (base.pairs["set_b"] == "train").any()


def test_pictures_of_nobody_are_compared_among_themselves_and_no_face_is_read(score):
    alone = score(None, None, photos=None, faces=None, splits=None, variety=None)
    assert {sets for *_, sets in counts(alone)} == {"ages ages", "class class"}
    assert alone.summary["without_face"] is None
    assert not (alone.folder / "faces.parquet").exists()


def test_a_planted_copy_of_a_photo_is_as_alike_as_can_be(home, score, tmp_path):
    copy = small_sets.facing(1, PHOTOS[1][2], SIDE)
    rows = [small_sets.row(copy, note="copy", role="ages", age=9)]
    made = small_sets.write_set(tmp_path / "made", rows)
    found = score(made=tmp_path / "made").pairs
    near = found[(found["set_a"] == "ages") & (found["set_b"] == "train")]
    near = near[near["image_b"] == home.photos["image_id"][1]]
    assert set(near["image_a"]) == {made["image_id"][0]}
    assert near["value"].tolist() == [1, 1, 1]


def test_every_number_has_a_passport_and_all_sides_are_the_smallest(home, score, scored, tmp_path):
    known = {paper["passport_id"] for paper in scored.papers}
    assert set(scored.pairs["passport_id"]) == set(scored.means["passport_id"]) == known
    small = [small_sets.row(small_sets.noise(7, 16), role="ages", age=5)]
    small_sets.write_set(tmp_path / "made", small)
    papers = {p["protocol"]: p["preprocessing"] for p in score(made=tmp_path / "made").papers}
    assert "16 x 16" in papers["corrected"]
    assert "24 x 24" in papers["original"]


def test_photos_read_by_another_face_model_are_no_reference(home, score, tmp_path):
    other = small_sets.PASSPORT | {"revision": "1" * 64}
    faces = [[] if degrees is None else [degrees] for _, _, degrees, _ in PHOTOS[:7]]
    small_sets.write_faces(tmp_path / "faces", home.photos[:7], faces, other)
    with pytest.raises(ValueError, match="another face model"):
        score(faces=tmp_path / "faces")


def test_where_every_picture_was_rejected_there_is_nothing_to_compare(score, tmp_path):
    rows = [small_sets.row(np.zeros((SIDE, SIDE), np.uint8), role="ages", status="rejected")]
    small_sets.write_set(tmp_path / "made", rows)
    for recipe in (SmallFaces(), None):
        with pytest.raises(BadInput, match="no accepted picture"):
            score(recipe=recipe, made=tmp_path / "made")


def test_the_first_role_and_the_photos_learned_from_are_drawn_with_each_other(score, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "likeness.metrics.experiment.heat_maps", lambda lines, file: drawn.extend(lines)
    )
    one = score()
    sets = ["ages x ages", "ages x train", "train x train"]
    titles = [[panel.title for panel in line] for line in drawn]
    assert titles == [[f"{metric}, {name}" for name in sets] for metric in ("ssim", "verification")]
    assert [panel.matrix.shape for panel in drawn[0]] == [(4, 4), (4, 3), (3, 3)]
    # the same numbers as in the table, whatever picture they are of
    pairs = one.pairs[(one.pairs["metric"] == "ssim") & (one.pairs["protocol"] == "corrected")]
    for panel, (a, b) in zip(drawn[0], (name.split(" x ") for name in sets), strict=True):
        told = pairs.loc[(pairs["set_a"] == a) & (pairs["set_b"] == b), "value"].astype(float)
        shown = panel.matrix[np.triu_indices(len(panel.matrix), 1)] if a == b else panel.matrix
        assert sorted(np.ravel(shown)) == sorted(told)
    drawn.clear()
    score(None)
    assert [[panel.title for panel in line] for line in drawn] == [
        ["ssim, ages x ages"],
        ["verification, ages x ages"],
    ]
