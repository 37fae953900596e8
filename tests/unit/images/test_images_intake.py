"""Raw files become an image set: once each, with their class, and the same bytes every time."""

import hashlib
import itertools
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.images import image_set, intake
from likeness.images.decode import Limits, Undecodable
from likeness.images.intake import Duplicates, take_in
from likeness.images.inventory import take_inventory


def blobs(seed, size=(64, 48)):
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def encoded(image, format="PNG", **options):
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def put(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def listing(root, folders=("0", "1")):
    table = take_inventory(root, list(folders))
    table["label_key"] = table["folder"]
    return table


def run(root, output, table=None, transform=lambda image: image):
    table = listing(root) if table is None else table
    return take_in(root, table, Limits(), Duplicates(), transform, output).set_index("path")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    put(folder, {f"{k % 2}/{k}.png": encoded(blobs(k)) for k in range(6)})
    return folder


def test_an_accepted_picture_is_the_transformed_one_lossless_under_its_id(root, tmp_path):
    table = run(root, tmp_path / "out", transform=lambda image: image.resize((40, 30)).convert("L"))
    assert list(table["status"]) == ["accepted"] * 6
    for path, row in table.iterrows():
        data = (root / path).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["image_id"] == row["sha256"][:16]
        assert row["file"] == f"images/{row['image_id']}.png"
        assert (row["width"], row["height"]) == (40, 30)
        expected = Image.open(BytesIO(data)).resize((40, 30)).convert("L")
        with Image.open(tmp_path / "out" / row["file"]) as stored:
            assert np.array_equal(np.asarray(stored), np.asarray(expected))
    assert table["image_id"].is_unique
    written = image_set.read(tmp_path / "out").set_index("path")
    pd.testing.assert_frame_equal(written, table, check_dtype=False)


def test_rows_keep_the_order_and_the_further_columns_of_the_inventory(root, tmp_path):
    table = listing(root).iloc[::-1].reset_index(drop=True)
    table["given_group"] = pd.Series([3, 1, None, 1, 5, 9], dtype="Int64")
    found = run(root, tmp_path / "out", table)
    assert list(found.index) == list(table["path"])
    assert list(found["given_group"].fillna(-1)) == [3, 1, -1, 1, 5, 9]
    assert list(found["label_key"]) == list(table["folder"])
    columns = list(image_set.read(tmp_path / "out").columns)
    assert columns[: len(image_set.COLUMNS)] == list(image_set.COLUMNS)


def test_an_exact_duplicate_in_its_class_is_rejected_in_favour_of_the_first(root, tmp_path):
    data = encoded(blobs(0))
    put(root, {"0/z/copy.png": data, "0/zz.png": data})
    table = run(root, tmp_path / "out")
    for name in ("0/z/copy.png", "0/zz.png"):
        row = table.loc[name]
        assert row["status"] == "rejected"
        assert row["reason"] == "exact duplicate of 0/0.png"
        assert row["duplicate_of"] == table.loc["0/0.png", "image_id"]
        assert pd.isna(row["image_id"])
        assert pd.isna(row["group"])
    assert table.loc["0/0.png", "status"] == "accepted"


def test_the_same_file_in_two_classes_is_rejected_in_both(root, tmp_path):
    put(root, {"1/other.png": encoded(blobs(0))})
    table = run(root, tmp_path / "out")
    for name, other in (("0/0.png", "1/other.png"), ("1/other.png", "0/0.png")):
        row = table.loc[name]
        assert row["status"] == "rejected"
        assert row["reason"].startswith("contradictory label")
        assert name in row["reason"]
        assert other in row["reason"]
        assert pd.isna(row["duplicate_of"])
    assert len(list((tmp_path / "out/images").iterdir())) == 5


def test_bad_files_are_rows_with_the_reason_also_for_their_copies(root, tmp_path):
    broken = encoded(blobs(9))[:-200]
    put(root, {"0/a.png": broken, "0/b.png": broken, "0/c.txt": b"some text", "0/d.png": b""})
    table = run(root, tmp_path / "out")
    assert table.loc["0/a.png", "reason"].startswith("damaged or unsupported PNG")
    assert table.loc["0/b.png", "reason"] == table.loc["0/a.png", "reason"]
    assert table.loc["0/c.txt", "reason"].startswith("not a picture")
    assert table.loc["0/d.png", "reason"] == "empty file"
    assert (table["status"] == "accepted").sum() == 6
    assert table.loc[table["status"] == "accepted", "reason"].isna().all()


def test_a_file_that_changed_or_went_since_the_inventory_stops_the_intake(root, tmp_path):
    table = listing(root)
    put(root, {"0/0.png": encoded(blobs(77))})
    with pytest.raises(BadInput, match=r"0/0\.png was changed after it was listed"):
        run(root, tmp_path / "out", table)
    (root / "0/0.png").unlink()
    with pytest.raises(BadInput, match=r"0/0\.png cannot be read any more"):
        run(root, tmp_path / "again", table)


def test_a_class_keeps_a_picture_that_also_lies_in_an_unseen_set(root, tmp_path):
    put(root, {"1/twice.png": encoded(blobs(60)), "NEW/twice.png": encoded(blobs(60))})
    table = run(root, tmp_path / "out", listing(root, ("0", "1", "NEW")))
    assert table.loc["1/twice.png", "status"] == "accepted"
    assert table.loc["NEW/twice.png", "reason"] == "exact duplicate of 1/twice.png"


def test_a_transform_may_refuse_a_picture(root, tmp_path):
    def refuse(image):
        if image.size == (50, 50):
            raise Undecodable("no square pictures")
        return image

    put(root, {"0/square.png": encoded(blobs(8, (50, 50)))})
    table = run(root, tmp_path / "out", transform=refuse)
    assert table.loc["0/square.png", "reason"] == "no square pictures"


def test_near_duplicates_stay_share_a_group_and_are_listed(root, tmp_path):
    put(root, {"1/jpeg.jpg": encoded(blobs(0), "JPEG", quality=60)})
    put(root, {"1/small.png": encoded(blobs(0).resize((40, 40)))})
    table = run(root, tmp_path / "out")
    assert set(table["status"]) == {"accepted"}
    assert table.loc[["0/0.png", "1/jpeg.jpg", "1/small.png"], "group"].nunique() == 1
    assert table["group"].nunique() == 6
    near = pd.read_parquet(tmp_path / "out/near_duplicates.parquet")
    names = [tuple(pair) for pair in near[["path_a", "path_b"]].to_numpy()]
    assert names == [
        ("0/0.png", "1/jpeg.jpg"),
        ("0/0.png", "1/small.png"),
        ("1/jpeg.jpg", "1/small.png"),
    ]
    assert near["label_a"].tolist() == ["0", "0", "1"]
    assert near["image_a"].tolist()[0] == table.loc["0/0.png", "image_id"]
    assert near["image_b"].tolist()[1] == table.loc["1/small.png", "image_id"]
    assert near["distance"].between(0, 10).all()
    assert near["correlation"].between(0.75, 1).all()


def test_twins_are_found_although_the_transform_makes_them_unlike(root, tmp_path):
    picture = blobs(50)
    put(root, {"0/a.png": encoded(picture), "1/b.jpg": encoded(picture, "JPEG", quality=90)})
    seeds = itertools.count(100)
    rows = run(root, tmp_path / "out", transform=lambda _: blobs(next(seeds)))
    assert rows.loc["0/a.png", "group"] == rows.loc["1/b.jpg", "group"]


def test_without_near_duplicates_the_table_is_there_and_empty(root, tmp_path):
    table = run(root, tmp_path / "out")
    near = pd.read_parquet(tmp_path / "out/near_duplicates.parquet")
    assert len(near) == 0
    assert "correlation" in near.columns
    assert list(table["group"]) == list(range(6))


def test_flat_pictures_are_accepted_without_a_hash_and_alone(root, tmp_path):
    for k in range(4):
        put(root, {f"0/flat{k}.png": encoded(Image.new("RGB", (64, 64), (200 + k,) * 3))})
    table = run(root, tmp_path / "out")
    flat = table[table.index.str.contains("flat")]
    assert set(flat["status"]) == {"accepted"}
    assert flat["perceptual_hash"].isna().all()
    assert table["group"].is_unique


def test_two_runs_are_the_same_to_the_byte_whatever_the_number_of_threads(
    root, tmp_path, monkeypatch
):
    put(root, {"1/jpeg.jpg": encoded(blobs(0), "JPEG"), "1/copy.png": encoded(blobs(1))})
    put(root, {"0/broken.gif": b"GIF89a broken"})
    contents = []
    for workers in (1, 6):
        monkeypatch.setattr(intake, "WORKERS", workers)
        output = tmp_path / str(workers)
        run(root, output)
        contents.append(
            {path.relative_to(output): path.read_bytes() for path in output.rglob("*.*")}
        )
    assert contents[0] == contents[1]
    assert len(contents[0]) == 7 + 2


def test_metadata_of_the_raw_file_does_not_reach_the_stored_one(root, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    put(root, {"0/x.jpg": encoded(blobs(50), "JPEG", exif=exif, comment=b"a secret place")})
    row = run(root, tmp_path / "out").loc["0/x.jpg"]
    assert b"secret" in (root / "0/x.jpg").read_bytes()
    assert b"secret" not in (tmp_path / "out" / row["file"]).read_bytes()


def test_nothing_accepted_is_one_sentence_with_root_counts_and_the_usual_reason(tmp_path):
    put(tmp_path, {"0/a": b"", "0/b": b"", "0/c": b"some text"})
    with pytest.raises(BadInput) as caught:
        run(tmp_path, tmp_path / "out")
    text = str(caught.value)
    assert f"None of the 3 files below {tmp_path}" in text
    assert "(2 times) because: empty file" in text


def test_no_files_at_all_is_bad_input_too(tmp_path):
    with pytest.raises(BadInput, match="There is no file to take in"):
        run(tmp_path, tmp_path / "out")


def test_files_of_a_label_may_lie_elsewhere_and_keep_how_they_were_made(root, tmp_path):
    other = tmp_path / "other"
    # the same path as a file of the root, and another picture
    put(other, {"0/0.png": encoded(blobs(90)), "7/a.png": encoded(blobs(2))})
    ours = listing(root)
    theirs = listing(other, ("0", "7")).assign(label_key="7", guidance_scale=[0.25, 8.0])
    both = pd.concat([ours, theirs], ignore_index=True)
    output = tmp_path / "out"
    table = take_in(root, both, Limits(), Duplicates(), lambda image: image, output, {"7": other})
    assert "root" not in table
    found = table[table["label_key"] == "7"]
    assert found["guidance_scale"].tolist() == [0.25, 8.0]
    assert table["guidance_scale"].isna().sum() == 6
    # one picture is the same as one of the root's, in another class
    assert found["status"].tolist() == ["accepted", "rejected"]
    assert "contradictory label" in found["reason"].iloc[1]
    kept = output / found["file"].iloc[0]
    assert Image.open(kept).tobytes() == Image.open(other / "0/0.png").tobytes()
