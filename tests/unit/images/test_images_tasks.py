"""Paintings become classes: whose near duplicate stays with whom, and what crosses a split."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import Limits
from likeness.images.given import Given
from likeness.images.intake import Duplicates
from likeness.images.prepare import Preparation
from likeness.images.raw import list_raw
from likeness.images.splits import Made
from likeness.images.tasks import ClassesParams, IntakeParams, classes, intake

GIVEN = Given(train=["train"], valid=["valid"], test=["test"])
MADE = Made(valid=0.25, test=0.25)


def hand_made(folder, rows):
    """An image set with ``rows`` of (path, label_key, group, given_group), all accepted."""
    (folder / "images").mkdir(parents=True)
    full = []
    for k, (path, label_key, group, given_group) in enumerate(rows):
        image_id = f"{k:016x}"
        Image.new("L", (32, 32), k).save(folder / "images" / f"{image_id}.png")
        full.append(
            {
                "image_id": image_id,
                "file": f"images/{image_id}.png",
                "status": "accepted",
                "path": path,
                "label_key": label_key,
                "group": group,
                "given_group": given_group,
            }
        )
    extra = {name: "string" for name in ("path", "label_key", "given_group", "duplicate_of")}
    extra["group"] = "Int64"
    image_set.write(folder, image_set.frame(full, extra))
    return folder


def given_rows():
    """Both classes in every split; two pictures straddle, each pair linked in another way."""
    rows = []
    for split, many in (("train", 4), ("valid", 2), ("test", 2)):
        for label in "01":
            for _ in range(many):
                path = f"{split}/{label}/{len(rows)}.png"
                rows.append([path, label, len(rows), None])
    rows.append(["TISD1/a.png", "TISD1", len(rows), None])
    # one near-duplicate pair across train and valid (rows 0 and 8) ...
    rows[8][2] = rows[0][2]
    # ... to which the user's own grouping joins a third picture, in test (row 12)
    rows[8][3] = rows[12][3] = "one motif"
    # a pair inside train straddles nothing
    rows[2][2] = rows[1][2]
    return rows


def made_rows(n=16):
    """Two classes in pairs that belong together, plus two pictures of an unseen set."""
    rows = [[f"all/{k}.png", str(k % 4 // 2), k // 2, None] for k in range(2 * n)]
    rows += [[f"TISD1/{k}.png", "TISD1", 100 + k, None] for k in range(2)]
    # the user's own groups join pairs 0 and 2
    rows[0][3] = rows[5][3] = "motif"
    return rows


def run(tmp_path, rows, split, folds=2):
    paintings = hand_made(tmp_path / "paintings", rows)
    params = ClassesParams(labels=[0, 1], split=split, folds=folds, seed=1)
    output = tmp_path / "classes"
    output.mkdir()
    figures = classes(params, {"paintings": paintings}, output, tmp_path / "scratch")
    return figures, image_set.read(output), output


def test_a_given_split_is_kept_and_the_pictures_that_straddle_it_are_listed(tmp_path):
    figures, table, output = run(tmp_path, given_rows(), GIVEN)
    known = table[table["image_set"] == "classes"]
    assert (known["split"] == known["path"].str.split("/").str[0]).all()
    assert figures["splits"] == {"test": 4, "train": 8, "valid": 4}
    assert (figures["pictures"], figures["made"]) == (16, False)

    crossing = pd.read_parquet(output / "straddling.parquet")
    assert figures["straddling_groups"] == 1
    assert sorted(zip(crossing["path"], crossing["split"], crossing["label"], strict=True)) == [
        ("test/0/12.png", "test", 0),
        ("train/0/0.png", "train", 0),
        ("valid/0/8.png", "valid", 0),
    ]
    assert crossing["group"].nunique() == 1
    with Image.open(output / "preview.jpg") as preview:
        assert preview.format == "JPEG"


def test_near_duplicates_and_the_owners_groups_join_and_no_group_is_no_link(tmp_path):
    _, table, _ = run(tmp_path, given_rows(), GIVEN)
    sizes = table["group"].value_counts()
    assert sorted(sizes[sizes > 1]) == [2, 3]
    assert table["group"][[0, 8, 12]].nunique() == 1
    assert table["group"][[1, 2]].nunique() == 1
    assert len(sizes) == len(table) - 3


def test_unseen_sets_have_a_name_and_a_split_of_their_own_but_neither_label_nor_fold(tmp_path):
    _, table, _ = run(tmp_path, given_rows(), GIVEN)
    unseen = table[table["label_key"] == "TISD1"]
    assert unseen["image_set"].tolist() == ["TISD1"]
    assert unseen["split"].tolist() == ["unseen"]
    assert unseen["label"].isna().all()
    assert unseen["fold"].isna().all()


@pytest.mark.parametrize("split", [GIVEN, MADE])
def test_only_train_and_valid_have_folds_and_groups_stay_whole_in_them(tmp_path, split):
    rows = given_rows() if split is GIVEN else made_rows()
    _, table, _ = run(tmp_path, rows, split)
    learn = table["split"].isin(["train", "valid"])
    assert table["fold"].notna().equals(learn)
    assert sorted(table["fold"].dropna().unique()) == [0, 1]
    assert (table[learn].groupby("group")["fold"].nunique() == 1).all()


def test_a_made_split_keeps_groups_whole_and_every_class_its_share(tmp_path):
    figures, table, output = run(tmp_path, made_rows(), MADE)
    known = table[table["image_set"] == "classes"]
    assert (known.groupby("group")["split"].nunique() == 1).all()
    assert known["split"][[0, 1, 4, 5]].nunique() == 1
    shares = pd.crosstab(known["label"], known["split"])
    assert (abs(shares - pd.Series({"train": 8, "valid": 4, "test": 4})) <= 2).all(axis=None)
    assert (figures["straddling_groups"], figures["made"]) == (0, True)
    assert len(pd.read_parquet(output / "straddling.parquet")) == 0
    assert not (output / "preview.jpg").exists()


def test_a_picture_outside_the_given_folders_is_named(tmp_path):
    rows = [*given_rows(), ["elsewhere/x.png", "0", 99, None]]
    with pytest.raises(BadInput, match=r"1 pictures, such as elsewhere/x\.png, are in no folder"):
        run(tmp_path, rows, GIVEN)


def test_an_exact_copy_in_another_given_split_is_listed_as_straddling(tmp_path):
    folder = hand_made(tmp_path / "paintings", given_rows())
    table = image_set.read(folder)
    copy = table.iloc[[1]].assign(
        path="valid/0/copy.png",
        status="rejected",
        image_id=None,
        file=None,
        duplicate_of=table["image_id"].iloc[1],
    )
    image_set.write(folder, pd.concat([table, copy], ignore_index=True))
    params = ClassesParams(labels=[0, 1], split=GIVEN, folds=None, seed=0)
    classes(params, {"paintings": folder}, tmp_path / "out", tmp_path / "scratch")
    listed = pd.read_parquet(tmp_path / "out" / "straddling.parquet").set_index("path")
    assert listed.loc["valid/0/copy.png", "split"] == "valid"
    assert listed.loc[table["path"].iloc[1], "split"] == "train"
    assert listed.loc["valid/0/copy.png", "group"] == listed.loc[table["path"].iloc[1], "group"]


def test_a_class_too_small_for_the_folds_is_named(tmp_path):
    with pytest.raises(BadInput, match="class 0 has 6 pictures in 4 groups, too few for the 7"):
        run(tmp_path, given_rows(), GIVEN, folds=7)


def encoded(seed, size=(80, 60)):
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def test_intake_prepares_good_files_and_keeps_a_row_with_a_reason_for_the_others(tmp_path):
    files = {
        "train/0/a.png": encoded(0),
        "train/0/again.png": encoded(0),
        "train/1/b.png": encoded(1, (40, 90)),
        "train/1/broken.png": encoded(2)[:200],
        "train/1/notes.txt": b"not a picture",
        "TISD1/c.png": encoded(3),
    }
    root = tmp_path / "raw"
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    listing = tmp_path / "listing"
    listing.mkdir()
    folders = {"0": ["train/0"], "1": ["train/1"], "TISD1": ["TISD1"]}
    list_raw(root, folders, None).to_parquet(listing / "inventory.parquet")
    params = IntakeParams(
        limits=Limits(), duplicates=Duplicates(), prepare=Preparation(size=48, color="gray")
    )
    output = tmp_path / "paintings"
    figures = intake(params, {"raw": listing, "files": root}, output, tmp_path / "scratch")

    assert figures == {"accepted": 3, "rejected": 3, "folders": {"0": 1, "1": 1, "TISD1": 1}}
    table = image_set.read(output).set_index("path")
    assert set(table.index) == set(files)
    reasons = table.loc[table["status"] == "rejected", "reason"]
    assert reasons["train/0/again.png"] == "exact duplicate of train/0/a.png"
    assert reasons["train/1/broken.png"].startswith("damaged or unsupported PNG")
    assert reasons["train/1/notes.txt"].startswith("not a picture")
    assert (table["status"] == "accepted").sum() == 3
    for path in ("train/0/a.png", "train/1/b.png", "TISD1/c.png"):
        with Image.open(output / table.loc[path, "file"]) as picture:
            assert (picture.size, picture.mode) == ((48, 48), "L")
    with Image.open(output / "preview.jpg") as preview:
        assert preview.format == "JPEG"
