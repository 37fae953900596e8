import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.faces import compare, tasks
from likeness.faces.backend import Face, SmallFaces
from likeness.faces.compare import CompareParams, compare_recognisers
from likeness.faces.tasks import ReadFacesParams, read_faces
from likeness.faces.verification import best_distance, by_picture
from likeness.images import image_set

PARAMS = ReadFacesParams(recipe=SmallFaces())
TINY = 50


class Told:
    """The first pixel says how many faces there are, its green one points where they look."""

    threshold = 0.1

    def __init__(self):
        self.seen = 0

    def read(self, pictures):
        self.seen += len(pictures)
        return [
            [self.face(p, k) for k in range(p[0, 0, 0] % TINY)] + self.tiny(p) for p in pictures
        ]

    def face(self, picture, k):
        angle = (picture[0, 0, 1] + 40 * k) / 100
        vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
        return Face((k, 2, 30 - k, 30), 0.5, {"left_eye": (20.0, 10.0)}, vector)

    def tiny(self, picture):
        many = picture[0, 0, 0] // TINY
        return [Face((1, 1, 3, 3), None, reason="too small")] * int(many)

    def passport(self):
        return {"model": "told"}


def made_set(folder, firsts, size=(40, 32)):
    """Pictures by their first pixel; the last one is rejected."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for n, (count, angle) in enumerate(firsts):
        picture = np.full((*size, 3), 90, np.uint8)
        picture[0, 0, :2] = count, angle
        file = f"images/{n}.png"
        Image.fromarray(picture).save(folder / file)
        last = n == len(firsts) - 1
        rows.append(
            {"image_id": f"{n:016x}", "file": file, "width": size[1], "height": size[0]}
            | {"status": image_set.REJECTED if last else image_set.ACCEPTED}
        )
    image_set.write(folder, image_set.frame(rows))
    return folder


FIRSTS = [(1, 0), (0, 0), (2, 5), (TINY, 0), (1 + TINY, 8), (1, 200), (1, 0)]


@pytest.fixture
def backend(monkeypatch):
    told = Told()
    monkeypatch.setattr(tasks, "open_backend", lambda recipe: told)
    monkeypatch.setattr(compare, "open_backend", lambda recipe: told)
    monkeypatch.setattr(tasks, "PICTURES_AT_ONCE", 2)
    return told


def run(folder, output, scratch):
    output.mkdir()
    summary = read_faces(PARAMS, {"images": folder}, output, scratch)
    return summary, pd.read_parquet(output / "faces.parquet")


def test_a_row_a_face_and_one_for_pictures_without(backend, tmp_path):
    folder = made_set(tmp_path / "set", FIRSTS)
    summary, table = run(folder, tmp_path / "out", tmp_path / "scratch")
    files = [f"images/{n}.png" for n in (0, 1, 2, 2, 3, 4, 5)]
    assert list(table["file"]) == files
    assert list(table["status"]) == ["ok", "no_face", "ok", "ok", "no_face", "ok", "ok"]
    assert list(table.loc[table["status"] == "ok", "face"]) == [0, 0, 1, 0, 0]
    without = table[table["status"] == "no_face"]
    assert list(without["reason"]) == ["no face was found", "too small"]
    assert without["embedding"].isna().all()
    assert without["right"].tolist()[1] == 3.0
    assert json.loads(table["landmarks"][0]) == {"left_eye": [20.0, 10.0]}
    assert table["embedding"][0].dtype == np.float32
    assert summary == {
        "pictures": 6,
        "faces": 5,
        "without_face": 2,
        "several_faces": 1,
        "threshold": 0.1,
    }
    assert json.loads((tmp_path / "out" / "passport.json").read_text()) == {"model": "told"}
    with Image.open(tmp_path / "out" / "preview.jpg") as sheet:
        assert sheet.width > 6 * tasks.SHEET_SIDE
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    lime = (pixels[:, :, 1] > 200) & (pixels[:, :, 0] < 100) & (pixels[:, :, 2] < 100)
    assert lime.any()


def test_a_killed_reading_goes_on_and_ends_the_same(backend, tmp_path, monkeypatch):
    folder = made_set(tmp_path / "set", FIRSTS)
    _, whole = run(folder, tmp_path / "whole", tmp_path / "scratch")
    seen, backend.seen = backend.seen, 0
    (tmp_path / "scratch" / "faces-00001.parquet").unlink()
    _, again = run(folder, tmp_path / "again", tmp_path / "scratch")
    assert (seen, backend.seen) == (6, 2)
    pd.testing.assert_frame_equal(whole, again)
    monkeypatch.setattr(tasks, "PICTURES_AT_ONCE", 5)
    _, other = run(folder, tmp_path / "other", tmp_path / "scratch2")
    pd.testing.assert_frame_equal(whole, other)


def test_pixels_bound_a_batch(monkeypatch):
    monkeypatch.setattr(tasks, "PIXELS_AT_ONCE", 2500)
    table = pd.DataFrame({"width": 100, "height": 10, "n": range(40)})
    parts = list(tasks.batches(table))
    assert max(map(len, parts)) <= 3
    assert [n for part in parts for n in part["n"]] == list(range(40))


def test_a_broken_picture_is_a_row_with_its_reason(backend, tmp_path):
    folder = made_set(tmp_path / "set", FIRSTS)
    (folder / "images" / "0.png").write_bytes(b"nothing")
    summary, table = run(folder, tmp_path / "out", tmp_path / "scratch")
    assert summary["without_face"] == 3
    assert "not a picture" in table["reason"][0]


def test_a_set_without_pictures_is_one_sentence(backend, tmp_path):
    folder = made_set(tmp_path / "set", FIRSTS[:1])
    with pytest.raises(BadInput, match="no accepted picture"):
        run(folder, tmp_path / "out", tmp_path / "scratch")


def test_recognisers_side_by_side(backend, tmp_path, monkeypatch):
    folder = made_set(tmp_path / "set", FIRSTS)
    others = made_set(tmp_path / "others", [(1, 150), (1, 170), (0, 0)])
    output = tmp_path / "out"
    params = CompareParams.model_validate(
        {
            "recipes": [
                {"backend": "small"},
                {"backend": "deepface", "recogniser": "ArcFace"},
            ]
        }
    )

    def opened(recipe):
        if recipe.backend == "deepface":
            raise BadInput("ArcFace needs arcface_weights.pth")
        return backend

    monkeypatch.setattr(compare, "open_backend", opened)
    output.mkdir()
    inputs = {"images": folder, "others": others}
    summary = compare_recognisers(params, inputs, output, tmp_path / "scratch")
    first, second = pd.read_parquet(output / "recognisers.parquet").to_dict("records")
    run(folder, tmp_path / "faces", tmp_path / "scratch2")
    own = by_picture(pd.read_parquet(tmp_path / "faces" / "faces.parquet")).embeddings
    pairs = best_distance(own, own)[np.triu_indices(6, 1)]
    pairs = pairs[~np.isnan(pairs)]
    assert first["pairs"] == len(pairs) == 6
    assert first["distance"] == pytest.approx(pairs.mean(), abs=1e-6)
    assert first["verified"] == pytest.approx((pairs <= 0.1).mean()) == 0.5
    assert 0 < first["separation"] <= 1
    theirs = [np.array([[np.cos(angle), np.sin(angle)]], np.float32) for angle in (1.5, 1.7)]
    across = best_distance(own, theirs)
    across = across[~np.isnan(across)]
    assert first["other_pairs"] == len(across) == 8
    assert first["mistaken"] == pytest.approx((across <= 0.1).mean())
    assert first["without_face"] == 2
    assert second["status"] == "unavailable"
    assert second["reason"] == "ArcFace needs arcface_weights.pth"
    assert summary["unavailable"] == 1
    seen = backend.seen
    (tmp_path / "second").mkdir()
    compare_recognisers(params, inputs, tmp_path / "second", tmp_path / "scratch")
    assert backend.seen == seen


def test_an_age_model_that_cannot_be_had_is_said_before_the_first_picture(monkeypatch, tmp_path):
    from deepface.commons import weight_utils

    def offline(url):
        raise ValueError("no network")

    def never(recipe):
        raise AssertionError("faces were read")

    monkeypatch.setattr(weight_utils, "ensure_source_is_reachable", offline)
    monkeypatch.setattr(tasks, "open_backend", never)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    made_set(tmp_path / "set", [(1, 0), (0, 0)])
    asked = ReadFacesParams(recipe=SmallFaces(), ages=True)
    with pytest.raises(BadInput, match=r"the age model needs age_model_weights\.pth in .* put it"):
        read_faces(asked, {"images": tmp_path / "set"}, tmp_path, tmp_path / "scratch")
    # whether it is asked for changes no face
    assert asked.model_dump() == PARAMS.model_dump()
