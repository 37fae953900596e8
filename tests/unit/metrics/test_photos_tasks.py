"""How varied photos are and whom they show, against scikit-image and angles set by hand."""

import json
import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import small_sets
from PIL import Image
from skimage.metrics import structural_similarity

from likeness.metrics import photos
from likeness.metrics.photos import VarietyParams, VerificationParams, variety, verification
from likeness.metrics.tables import read

SIDE = 32
PIXELS = [small_sets.noise(seed, SIDE) for seed in range(4)]
PIXELS[3] = np.clip(PIXELS[1].astype(int) + small_sets.noise(9, SIDE, 0, 30), 0, 255).astype(
    np.uint8
)
GAUSS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def run(task, params, tmp_path, inputs, name="out"):
    output, scratch = tmp_path / name, tmp_path / "scratch"
    output.mkdir()
    scratch.mkdir(exist_ok=True)
    return task(params, inputs, output, scratch), output


def album(folder, ages=(40, 3, None, 12), order=None):
    """Four photos, one of them again in another file, and one that was rejected."""
    rows = [small_sets.row(pixels, age=age) for pixels, age in zip(PIXELS, ages, strict=True)] + [
        small_sets.row(PIXELS[0], note="again", age=7)
    ]
    rows.append(small_sets.row(small_sets.noise(50, SIDE), status="rejected", age=1))
    return small_sets.write_set(folder, rows if order is None else [rows[k] for k in order])


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("varied")
    table = album(tmp_path / "photos")
    summary, output = run(
        variety, VarietyParams(side=SIDE), tmp_path, {"photos": tmp_path / "photos"}
    )
    return table, summary, output


def test_every_unordered_pair_has_a_row_per_protocol_and_rejected_photos_none(varied):
    table, summary, output = varied
    pairs = read(output, "pairs.parquet")
    assert len(pairs) == 2 * math.comb(5, 2)
    assert (summary["photos"], summary["pairs"]) == (5, 10)
    assert set(pairs["image_a"]) | set(pairs["image_b"]) == set(table["image_id"][:5])
    for _, some in pairs.groupby("protocol"):
        unordered = {frozenset(pair) for pair in zip(some["image_a"], some["image_b"], strict=True)}
        assert len(unordered) == 10
    assert set(pairs["status"]) == {"ok"}


def test_values_are_those_of_scikit_image_and_of_equal_photos_one(varied):
    table, _, output = varied
    pixels = dict(zip(table["image_id"], [*PIXELS, PIXELS[0]], strict=False))
    pairs = read(output, "pairs.parquet")
    for pair in pairs.itertuples():
        how = {} if pair.protocol == "original" else GAUSS
        a, b = pixels[pair.image_a], pixels[pair.image_b]
        wanted = structural_similarity(a, b, data_range=255, **how)
        if pair.protocol == "original":
            assert pair.value == pytest.approx(round(wanted, 2), abs=1e-9)
        else:
            assert pair.value == pytest.approx(wanted, abs=1e-6)
    twins = {table["image_id"][0], table["image_id"][4]}
    same = pairs[pairs["image_a"].isin(twins) & pairs["image_b"].isin(twins)]
    assert same["value"].tolist() == [1.0, 1.0]


def test_the_mean_of_a_protocol_is_that_of_its_rows(varied):
    _, summary, output = varied
    pairs, means = read(output, "pairs.parquet"), read(output, "means.parquet")
    for row in means.itertuples():
        some = pairs[pairs["protocol"] == row.protocol]
        assert row.value == pytest.approx(some["value"].mean())
        assert (row.n, row.left_out, row.part) == (10, 0, "all")
        assert (row.set_a, row.set_b) == ("photos", "photos")
        assert row.low <= row.value <= row.high
        assert summary[f"mean_ssim/{row.protocol}"] == row.value
        assert set(some["passport_id"]) == {row.passport_id}
    assert means["passport_id"].nunique() == 2


def test_photos_are_in_the_order_of_age_whatever_the_order_of_the_rows(varied, tmp_path):
    _, _, output = varied
    folder = tmp_path / "shuffled"
    album(folder, order=[4, 2, 5, 0, 3, 1])
    _, other = run(variety, VarietyParams(side=SIDE), tmp_path, {"photos": folder}, "other")
    for name in ("pairs.parquet", "means.parquet"):
        pd.testing.assert_frame_equal(read(output, name), read(other, name))
    assert photos.in_order_of_age(folder)["age"].fillna(-1).tolist() == [3, 7, 12, 40, -1]


def test_only_the_original_protocol_enlarges(tmp_path):
    small = [
        small_sets.row(small_sets.noise(n, side), age=n) for n, side in enumerate((32, 20, 28))
    ]
    small_sets.write_set(tmp_path / "photos", small)
    _, output = run(variety, VarietyParams(side=SIDE), tmp_path, {"photos": tmp_path / "photos"})
    papers = json.loads((output / "passports.json").read_text())
    sides = {paper["protocol"]: paper["preprocessing"] for paper in papers}
    assert "32 x 32" in sides["original"]
    assert "20 x 20" in sides["corrected"]
    with Image.open(output / "preview.png") as preview:
        assert preview.width > preview.height


def test_one_photo_has_no_pair_and_no_mean(tmp_path):
    small_sets.write_set(tmp_path / "photos", [small_sets.row(PIXELS[0])])
    summary, output = run(
        variety, VarietyParams(side=SIDE), tmp_path, {"photos": tmp_path / "photos"}
    )
    assert summary["pairs"] == 0
    assert read(output, "means.parquet")["value"].isna().all()
    assert len(read(output, "pairs.parquet")) == 0


# Directions in degrees of the faces in each photo; pairs up to 25 degrees apart verify.
FACES = [[0], [20], [40], [], [180, 10]]


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("verified")
    rows = [small_sets.row(small_sets.noise(n), age=n) for n in range(5)]
    table = small_sets.write_set(tmp_path / "photos", rows)
    small_sets.write_faces(tmp_path / "faces", table, FACES)
    inputs = {"photos": tmp_path / "photos", "faces": tmp_path / "faces"}
    params = VerificationParams(threshold=small_sets.THRESHOLD)
    return table, *run(verification, params, tmp_path, inputs)


def apart(a, b):
    """The smallest angle between a face of one and a face of the other, degrees; None without."""
    return min((abs(x - y) for x in FACES[a] for y in FACES[b]), default=None)


def test_pairs_verify_by_their_nearest_faces_and_not_at_all_without_one(verified):
    table, _, output = verified
    number = {image_id: n for n, image_id in enumerate(table["image_id"])}
    pairs, distances = read(output, "pairs.parquet"), read(output, "distances.parquet")
    assert {frozenset((number[p.image_a], number[p.image_b])) for p in pairs.itertuples()} == {
        frozenset(pair) for pair in combinations(range(5), 2)
    }
    for pair, far in zip(pairs.itertuples(), distances.itertuples(), strict=True):
        angle = apart(number[pair.image_a], number[pair.image_b])
        if angle is None:
            assert (pair.status, far.status) == ("no_face", "no_face")
            assert pd.isna(pair.value)
            assert pd.isna(far.value)
        else:
            assert (pair.status, far.status) == ("ok", "ok")
            assert pair.value == (angle <= 25)
            assert far.value == pytest.approx(1 - math.cos(math.radians(angle)), abs=1e-6)


def test_means_leave_out_and_count_pairs_without_a_face(verified):
    _, summary, output = verified
    (mean,) = read(output, "means.parquet").itertuples()
    # 0-20, 20-40, 0-10 and 20-10 verify, 0-40 and 40-10 do not; four pairs have no face
    assert (mean.value, mean.n, mean.left_out) == (pytest.approx(4 / 6), 6, 4)
    assert (summary["with_face"], summary["mean_verified"]) == (4, mean.value)
    assert mean.metric == "verification"


def test_every_photo_left_out_of_the_person_has_its_reason(verified):
    table, summary, output = verified
    found = pd.read_parquet(output / "verified.parquet").set_index("image_id")
    assert found["reason"][table["image_id"][3]] == "no face was found"
    assert summary["of_the_person"] == found["verified"].sum()
    assert set(summary["left_out"]) == set(found.index[~found["verified"].astype(bool)])


def test_the_passport_of_a_verification_names_model_detector_and_threshold(verified):
    _, _, output = verified
    (paper,) = json.loads((output / "passports.json").read_text())
    assert (paper["model"], paper["revision"]) == ("fake", "0" * 64)
    assert paper["preprocessing"] == "detector fake, cosine distance at most 0.1"
    assert set(read(output, "pairs.parquet")["passport_id"]) == {paper["passport_id"]}


def test_photos_without_any_face_are_nobodys(tmp_path):
    rows = [small_sets.row(small_sets.noise(n), age=n) for n in range(3)]
    table = small_sets.write_set(tmp_path / "photos", rows)
    small_sets.write_faces(tmp_path / "faces", table, [[]] * 3)
    inputs = {"photos": tmp_path / "photos", "faces": tmp_path / "faces"}
    summary, output = run(verification, VerificationParams(threshold=0.1), tmp_path, inputs)
    assert (summary["with_face"], summary["of_the_person"]) == (0, 0)
    (mean,) = read(output, "means.parquet").itertuples()
    assert pd.isna(mean.value)
    assert (mean.n, mean.left_out) == (0, 3)
