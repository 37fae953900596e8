"""What experiments have made is prepared as the painter's own pictures and judged as unseen."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.classify import tasks
from likeness.classify.verdicts import JudgeParams, judge_all
from likeness.images import image_set
from likeness.images.prepare import Preparation, prepare

PREPARE = Preparation(size=16, color="gray")
OWN = {"image_set": "string", "label": "Int64", "group": "Int64", "fold": "Int64"}


@pytest.fixture
def folders(tmp_path):
    """Classes of one picture, and three pictures of an experiment: two roles, one rejected."""
    row = {"image_id": "own", "file": "images/own.png", "status": "accepted", "split": "test"}
    row |= {"image_set": "classes", "label": 1, "group": 0}
    image_set.write(tmp_path / "classes", image_set.frame([row], OWN))
    made = tmp_path / "made"
    (made / "images").mkdir(parents=True)
    rows = []
    for name, role, status in (
        ("a", "x", "accepted"),
        ("b", "y", "accepted"),
        ("c", "x", "rejected"),
    ):
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(made / "images" / f"{name}.png")
        rows.append(
            {"image_id": name, "file": f"images/{name}.png", "status": status, "role": role}
        )
    # the same bytes twice, as two prompts of one seed could give
    image_set.write(made, image_set.frame([*rows, rows[0]], {"role": "string"}))
    return {"classes": tmp_path / "classes", "s__e": made}


def heard(monkeypatch, tmp_path, folders, made):
    """The table that the judge gets."""
    monkeypatch.setattr(
        tasks, "judge", lambda params, inputs, output, scratch: image_set.read(inputs["classes"])
    )
    params = JudgeParams.model_validate(
        {"names": {0: "n", 1: "m"}, "made": made, "prepare": PREPARE.model_dump()}
    )
    return judge_all(params, folders, tmp_path / "output", tmp_path / "scratch")


def test_sets_are_rows_of_unseen_pictures_by_role_each_picture_once(monkeypatch, tmp_path, folders):
    made = {
        "ALL": {"experiment": "s__e"},
        "X": {"experiment": "s__e", "role": "x"},
        "NONE": {"experiment": "s__e", "role": "z"},
    }
    for _ in range(2):  # a killed try leaves pictures behind
        table = heard(monkeypatch, tmp_path, folders, made)
    found = list(zip(table["image_set"], table["image_id"], table["split"], strict=True))
    assert found == [
        ("classes", "own", "test"),
        ("ALL", "a", "unseen"),
        ("ALL", "b", "unseen"),
        ("X", "a", "unseen"),
    ]
    assert table["label"].isna().tolist() == [False, True, True, True]
    assert set(table["status"]) == {"accepted"}
    with Image.open(folders["s__e"] / "images" / "a.png") as picture:
        wanted = prepare(picture, PREPARE)
    for file in table.loc[table["image_id"] == "a", "file"]:
        with Image.open(folders["classes"] / file) as picture:
            assert (picture.mode, picture.size) == ("L", (16, 16))
            assert picture.tobytes() == wanted.tobytes()


def test_without_sets_the_table_is_the_painters(monkeypatch, tmp_path, folders):
    table = heard(monkeypatch, tmp_path, folders, {})
    pd.testing.assert_frame_equal(table, image_set.read(folders["classes"]))
