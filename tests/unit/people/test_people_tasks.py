"""From a painted album to the photos and splits of a study, against what is true of the album."""

import csv
import hashlib

import pandas as pd
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.inventory import take_inventory
from likeness.people.splits import SplitRecipe
from likeness.people.tasks import PhotosParams, paint_album, split_people, take_photos
from likeness.world.album import AlbumParams


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    summary = paint_album(AlbumParams(photos=40, held_out=2), {}, folder, folder)
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as text:
        return folder, {row["file"]: row for row in csv.DictReader(text)}, summary


@pytest.fixture(scope="module")
def photos(album, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    summary = take(album[0], album[0] / "files", folder)
    return folder, image_set.read(folder).set_index("path"), summary


def take(raw, files, output, **params):
    return take_photos(PhotosParams(**params), {"raw": raw, "files": files}, output, output)


def raw_folder(tmp_path, sizes, metadata="file,age\n0.png,3\n"):
    files = tmp_path / "files"
    files.mkdir()
    for k, size in enumerate(sizes):
        Image.effect_noise(size, 60).convert("RGB").resize(size).save(files / f"{k}.png")
    (files / "metadata.csv").write_text(metadata)
    listing = tmp_path / "raw"
    listing.mkdir()
    take_inventory(files, ["."]).to_parquet(listing / "inventory.parquet")
    return listing, files


def test_the_album_says_who_it_is_of_and_lists_its_files(album):
    folder, truth, summary = album
    assert summary["files"] == len(truth)
    assert summary["person"] == "unseen_by_base-0000"
    assert summary["with_a_face"] == sum(row["usable"] == "True" for row in truth.values())
    listing = pd.read_parquet(folder / "inventory.parquet")
    # hidden files are none of ours, the metadata are
    assert set(listing["path"]) == set(truth) - {".DS_Store"} | {"metadata.csv"}


def test_every_file_is_a_row_and_each_good_photo_has_its_true_age(album, photos):
    _, truth, _ = album
    folder, table, summary = photos
    assert set(table.index) == set(truth) - {".DS_Store"}
    good = table[table["status"] == "accepted"]
    kinds = pd.Series({path: row["kind"] for path, row in truth.items()})
    assert set(table.index[table["status"] == "rejected"]) == set(
        kinds.index[kinds.isin(["no photo", "exact duplicate"])]
    ) - {".DS_Store"}
    known = good["age"].dropna()
    assert [float(truth[path]["age"]) for path in known.index] == known.tolist()
    forgotten = good[good["age"].isna()]
    assert forgotten["age_reason"].tolist() == [
        "neither the metadata nor EXIF give an age or a date"
    ]
    assert summary["without_age"] == 1
    assert summary["accepted"] == len(good) == 43
    twin = good.loc["best of/for the wall.jpg", "group"]
    assert (good["group"] == twin).sum() == 2
    for row in good.itertuples():
        with Image.open(folder / row.file) as picture:
            assert picture.mode == "RGB"
            assert picture.size == (row.width, row.width)


def test_squares_are_cut_from_the_middle_reduced_if_large_and_never_enlarged(tmp_path):
    listing, files = raw_folder(tmp_path, [(300, 200), (80, 100)])
    take(listing, files, tmp_path / "out", max_side=128)
    table = image_set.read(tmp_path / "out").set_index("path")
    assert table["width"].to_dict() == {"0.png": 128, "1.png": 80}
    with (
        Image.open(files / "1.png") as raw,
        Image.open(tmp_path / "out" / table.loc["1.png", "file"]) as cut,
    ):
        assert raw.crop((0, 10, 80, 90)).tobytes() == cut.tobytes()


def test_the_kept_one_of_two_copies_has_the_age_noted_for_the_other(tmp_path):
    listing, files = raw_folder(tmp_path, [(64, 64)])
    (files / "z.png").write_bytes((files / "0.png").read_bytes())
    (files / "metadata.csv").write_text("file,age\nz.png,7\n")
    take_inventory(files, ["."]).to_parquet(listing / "inventory.parquet")
    take(listing, files, tmp_path / "out")
    kept = image_set.read(tmp_path / "out").set_index("path").loc["0.png"]
    assert (kept["status"], kept["age"], kept["age_from"]) == ("accepted", 7, "metadata age")
    assert pd.isna(kept["age_reason"])


def test_metadata_changed_after_the_listing_are_refused(tmp_path):
    listing, files = raw_folder(tmp_path, [(64, 64)])
    (files / "metadata.csv").write_text("file,age\n0.png,4\n")
    with pytest.raises(BadInput, match=r"metadata\.csv was changed after it was listed"):
        take(listing, files, tmp_path / "out")


def test_the_album_is_split_as_its_truth_would_split_it(album, photos, tmp_path):
    _, truth, _ = album
    folder, table, _ = photos
    good = table[table["status"] == "accepted"]
    mine = [
        truth[path]["usable"] == "True" and truth[path]["person"].startswith("unseen")
        for path in good.index
    ]
    verified = pd.DataFrame(
        {
            "image_id": good["image_id"],
            "verified": mine,
            "reason": [None if m else "no" for m in mine],
        }
    )
    verified.astype({"reason": "string"}).to_parquet(tmp_path / "verified.parquet", index=False)
    inputs = {"photos": folder, "verification": tmp_path}
    summary = split_people(SplitRecipe(minimum=9, held_back=3), inputs, tmp_path / "out", tmp_path)

    known = good["age"].notna()
    # three are held back, and the smaller print of one photo gives way to the larger
    assert summary["splits"]["all_02"] == known.sum() - 3 - 1
    ours = sum(m and k for m, k in zip(mine, known, strict=True))
    assert summary["splits"]["all_01"] == ours - 3 - 1
    assert "child_01" in summary["too_small"]
    assert sum(summary["age_classes"].values()) == known.sum()
    members = pd.read_parquet(tmp_path / "out/splits.parquet")
    assert members.columns.tolist() == ["split", "image_id", "file", "age", "age_class"]
    assert all((folder / file).exists() for file in members["file"])
    assert (members.loc[members["split"].str.startswith("child"), "age"] < 15).all()
    assert len(pd.read_parquet(tmp_path / "out/photos.parquet")) == len(table)
    with Image.open(tmp_path / "out/preview.jpg") as preview:
        assert preview.format == "JPEG"
    again = split_people(SplitRecipe(minimum=9, held_back=3), inputs, tmp_path / "two", tmp_path)
    assert again == summary
    for name in ("splits.parquet", "photos.parquet", "left_out.parquet", "preview.jpg"):
        one, two = ((tmp_path / o / name).read_bytes() for o in ("out", "two"))
        assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest()
