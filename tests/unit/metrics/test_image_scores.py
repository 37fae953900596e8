"""Each picture by itself, from pairs written by hand."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
import small_sets

from likeness.errors import BadInput
from likeness.metrics import images, tables
from likeness.metrics.images import ImagesScoresParams, score_images

# Role, age asked for, and the age that the reader sees.
MADE = [
    ("ages", 5, 9),
    ("ages", 5, 5),
    ("ages", 40, 70),
    ("class", None, 33),
]
# Row, then its value with each photo: None where a face is missing.
HELD = {0: [1, 0], 1: [None, None], 2: [1, None], 3: [0, 0]}
NEAR = {0: [0.2, 0.9], 1: [0.1, 0.3], 2: [1.0, 0.0], 3: [0.5, 0.5]}
AMONG = 0.6


def pairs_table(ids, among=AMONG, near=NEAR, held=HELD, held_pair=1.0, alone=False):
    """What ``scores/pairs`` would say of four pictures, two photos learned and two held back."""
    rows = []

    def add(metric, protocol, sets, pair, value):
        rows.append(
            {
                "metric": metric,
                "protocol": protocol,
                "passport_id": metric[:4],
                "set_a": sets[0],
                "set_b": sets[1],
                "image_a": pair[0],
                "image_b": pair[1],
                "value": value,
                "status": "no_face" if value is None else "ok",
            }
        )

    if among is not None:
        add("ssim", "corrected", ("train", "train"), ("t0", "t1"), among)
        # neither another protocol nor another metric says what is a copy
        add("ssim", "original", ("train", "train"), ("t0", "t1"), 0.01)
        add("verification", "best pair", ("train", "train"), ("t0", "t1"), 0.0)
    for number, values in near.items():
        for n, value in enumerate(values):
            role = MADE[number][0]
            add("ssim", "corrected", (role, "train"), (ids[number], f"t{n}"), value)
            add("ssim", "original", (role, "train"), (ids[number], f"t{n}"), 1.0)
            add("verification", "best pair", (role, "train"), (ids[number], f"t{n}"), 1.0)
    for number, values in held.items():
        for n, value in enumerate(values[:1] if alone else values):
            role = MADE[number][0]
            add("verification", "best pair", (role, "held"), (ids[number], f"h{n}"), value)
    if not alone:
        add("verification", "best pair", ("held", "held"), ("h0", "h1"), held_pair)
    add("ssim", "corrected", ("ages", "ages"), (ids[0], ids[1]), 1.0)
    return tables.typed(pd.DataFrame(rows), tables.PAIR_COLUMNS)


class Reader:
    """Reads the age off the first pixel."""

    def read(self, pictures):
        return SimpleNamespace(age=pictures[:, 0, 0, 0].astype(float))


@pytest.fixture
def score(tmp_path, monkeypatch):
    """Calls ``score_images`` with pairs as a function of the pictures' ids makes them."""
    rows = []
    for n, (role, age, seen) in enumerate(MADE):
        pixels = small_sets.noise(n, 16)
        pixels[0, 0] = seen
        rows.append(small_sets.row(pixels, role=role, age=age))
    rows.append(small_sets.row(small_sets.noise(9, 16), role="ages", age=5, status="rejected"))
    table = small_sets.write_set(tmp_path / "made", rows)
    ids = list(table["image_id"][:4])
    weights = tmp_path / "reader"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"some weights")
    monkeypatch.setattr(images, "READER", weights)
    monkeypatch.setattr("likeness.world.reader.read.Reader.load", lambda folder: Reader())

    places = list(table["image_id"])

    def call(make=pairs_table, ages="none"):
        pairs, output = tmp_path / "pairs", tmp_path / "out"
        for folder in (pairs, output):
            folder.mkdir(exist_ok=True)
        make(ids).to_parquet(pairs / "pairs.parquet", index=False)
        small_sets.write_faces(pairs, table[:4], [[0], [], [0], [0]])
        inputs = {"made": tmp_path / "made", "pairs": pairs}
        summary = score_images(ImagesScoresParams(ages=ages), inputs, output, tmp_path)
        scores = tables.read(output, "scores.parquet")
        return SimpleNamespace(
            ids=ids,
            scores=scores,
            told={
                (r.metric, places.index(r.image_id)): None if pd.isna(r.value) else r.value
                for r in scores.itertuples()
            },
            means={
                (r.metric, r.role, r.part): r
                for r in tables.read(output, "means.parquet").itertuples()
            },
            papers=json.loads((output / "passports.json").read_text()),
            summary=summary,
        )

    return call


def of(found, metric):
    return [found.told[metric, n] for n in range(4)]


def test_a_picture_without_a_face_is_not_recognised_and_counts(score):
    found = score()
    assert of(found, "recognised") == [0.5, 0.0, 1.0, 0.0]
    # nor is one that came out black: it shows nobody
    assert found.told["recognised", 4] == 0.0
    every = found.means["recognised", "ages", "all"]
    assert (every.value, every.n, every.left_out) == (1.5 / 4, 4, 0)
    five = found.means["recognised", "ages", "5"]
    assert (five.value, five.n, five.left_out) == (pytest.approx(0.5 / 3), 3, 0)


def test_without_a_face_among_the_photos_held_back_nobody_can_say(score):
    nobody = {number: [None, None] for number in HELD}
    found = score(lambda ids: pairs_table(ids, held=nobody, held_pair=None))
    assert of(found, "recognised") == [None] * 4
    mine = found.scores[found.scores["metric"] == "recognised"]
    assert "nothing to compare with" in set(mine["status"])
    mean = found.means["recognised", "ages", "all"]
    assert pd.isna(mean.value)
    assert mean.n == 0
    # photos with a face, and pictures without one
    found = score(lambda ids: pairs_table(ids, held=nobody))
    assert of(found, "recognised") == [0.0] * 4
    # a photo alone makes no pair; it has a face, or it would not have been held back
    found = score(lambda ids: pairs_table(ids, held=nobody, alone=True))
    assert of(found, "recognised") == [0.0] * 4


def test_of_pictures_with_a_face_it_is_the_share_of_photos_held_back_that_verify(score):
    found = score()
    assert of(found, "held_back_verified") == [0.5, None, 1.0, 0.0]
    rows = found.scores[found.scores["metric"] == "held_back_verified"]
    assert (rows["status"] == "no_face").sum() == 1
    assert set(rows["passport_id"]) == {"veri"}


def test_a_picture_nearer_to_a_photo_than_photos_are_to_each_other_is_a_copy(score):
    found = score()
    assert of(found, "nearest_photo") == [0.9, 0.3, 1.0, 0.5]
    assert of(found, "copied") == [1, 0, 1, 0]
    assert set(found.scores[found.scores["metric"] == "copied"]["protocol"]) == {"corrected"}


def test_the_photo_that_is_nearest_is_named_of_two_as_near_the_first(score):
    found = score()
    for metric in ("nearest_photo", "copied"):
        rows = found.scores[found.scores["metric"] == metric]
        named = dict(zip(rows["image_id"], rows["photo_id"], strict=True))
        assert [named[i] for i in found.ids] == ["t1", "t1", "t0", "t0"]
    others = found.scores[~found.scores["metric"].isin(["nearest_photo", "copied"])]
    assert others["photo_id"].isna().all()


def test_as_near_as_two_photos_is_no_copy(score):
    assert of(score(lambda ids: pairs_table(ids, among=1.0)), "copied") == [0, 0, 0, 0]


def test_with_one_photo_nobody_can_say_what_is_a_copy(score):
    found = score(lambda ids: pairs_table(ids, among=None))
    assert of(found, "nearest_photo") == [0.9, 0.3, 1.0, 0.5]
    assert of(found, "copied") == [None] * 4
    rows = found.scores[found.scores["metric"] == "copied"]
    assert set(rows["status"]) == {"nothing to compare with"}
    assert pd.isna(found.means["copied", "ages", "all"].value)
    assert found.means["copied", "ages", "all"].left_out == 3


def test_means_are_over_the_pictures_of_a_role_and_of_each_age_asked_for(score):
    means = score().means
    every = means["held_back_verified", "ages", "all"]
    assert (every.value, every.n, every.left_out) == (0.75, 2, 1)
    five, forty = (means["held_back_verified", "ages", part] for part in ("5", "40"))
    assert (five.value, five.n, five.left_out) == (0.5, 1, 1)
    assert (forty.value, forty.n, forty.left_out) == (1.0, 1, 0)
    of_class = means["held_back_verified", "class", "all"]
    assert (of_class.value, of_class.n) == (0.0, 1)
    assert {part for _, role, part in means if role == "class"} == {"all"}
    near = means["nearest_photo", "ages", "all"]
    assert near.value == pytest.approx((0.9 + 0.3 + 1.0) / 3)
    assert near.low <= near.value <= near.high


def test_a_model_that_learned_nothing_copies_nothing_and_may_be_recognised(score):
    found = score(lambda ids: pairs_table(ids, among=None, near={}))
    assert set(found.scores["metric"]) == {"recognised", "held_back_verified"}


def test_without_a_person_there_is_nothing_to_say(score):
    found = score(lambda ids: pairs_table(ids, among=None, near={}, held={})[-1:])
    assert len(found.scores) == 0
    assert list(found.scores.columns) == list(images.COLUMNS)
    assert found.means == {}
    assert found.summary == {"pictures": 4, "means": {}}


def test_ages_are_read_where_there_is_a_face_and_set_against_what_was_asked_for(score):
    found = score(ages="reader")
    assert of(found, "age") == [9, None, 70, 33]
    assert [found.told["age_error", n] for n in range(3)] == [4, None, 30]
    # nobody asked for an age there
    assert ("age_error", 3) not in found.told
    assert found.means["age_error", "ages", "all"].value == 17
    assert found.means["age_error", "ages", "all"].left_out == 1
    assert ("age_error", "class", "all") not in found.means


def test_what_reads_ages_has_a_passport_with_the_digest_of_its_weights(score):
    found = score(ages="reader")
    (paper,) = found.papers
    ages = found.scores[found.scores["metric"].isin(["age", "age_error"])]
    assert set(ages["passport_id"]) == {paper["passport_id"]}
    assert len(paper["revision"]) == 64
    assert score().papers == []


class Ages:
    """Stands for DeepFace's: the age is off the first pixel, once more for the box's left edge."""

    def read(self, picture, box, landmarks):
        assert landmarks == {"left_eye": [3.0, 4.0]}
        return float(picture[0, 0, 0]) + box[0]

    def passport(self):
        return {"model": "deepface/Age", "revision": "1" * 64, "torch": "2"}


def test_deepface_reads_the_age_of_the_largest_face(score, monkeypatch):
    monkeypatch.setattr("likeness.faces.deepface_ages.DeepFaceAges", Ages)
    plain = small_sets.write_faces

    def with_boxes(folder, table, degrees):
        plain(folder, table, [[0, 90] if angles else [] for angles in degrees])
        read = pd.read_parquet(folder / "faces.parquet")
        read["left"] = read["face"] * 50.0
        read[["top", "right", "bottom"]] = 1.0
        read["landmarks"] = json.dumps({"left_eye": [3.0, 4.0]})
        # whatever order they are in
        read.iloc[::-1].to_parquet(folder / "faces.parquet", index=False)

    monkeypatch.setattr(small_sets, "write_faces", with_boxes)
    found = score(ages="deepface")
    assert of(found, "age") == [9, None, 70, 33]
    assert [found.told["age_error", n] for n in range(3)] == [4, None, 30]
    (paper,) = found.papers
    assert (paper["model"], paper["libraries"]) == ("deepface/Age", {"torch": "2"})
    ages = found.scores[found.scores["metric"] == "age"]
    assert set(ages["passport_id"]) == {paper["passport_id"]}


def test_without_weights_nothing_is_begun(tmp_path, monkeypatch):
    from deepface.commons import weight_utils

    def offline(url):
        raise ValueError("no network")

    monkeypatch.setattr(weight_utils, "ensure_source_is_reachable", offline)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(BadInput, match=r"the age model needs age_model_weights\.pth"):
        score_images(ImagesScoresParams(ages="deepface"), {}, tmp_path, tmp_path)


def test_the_order_of_the_pairs_changes_nothing(score):
    one = score()
    two = score(lambda ids: pairs_table(ids).sample(frac=1, random_state=5))
    assert one.told == two.told
    assert {key: figures(mean) for key, mean in one.means.items()} == {
        key: figures(mean) for key, mean in two.means.items()
    }


def figures(mean):
    values = (mean.value, mean.low, mean.high, mean.n, mean.left_out)
    return [None if pd.isna(value) else value for value in values]
