"""A raw folder as a table: whose folder a file is in, and which group its owner put it in."""

import hashlib
import unicodedata

import pandas as pd
import pytest

from likeness.errors import BadInput
from likeness.images.given import Given
from likeness.images.raw import list_raw

FOLDERS = {"0": ["train/0", "valid/0"], "1": ["train/1"], "TISD1": ["TISD1"]}


@pytest.fixture
def root(tmp_path):
    for name in ("train/0/a.png", "train/0/deep/b.png", "valid/0/c.png", "TISD1/d.png", "e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def metadata(root, text):
    (root / "metadata.csv").write_text(text)


def test_every_file_has_the_class_or_test_set_whose_folder_it_is_in(root):
    table = list_raw(root, FOLDERS, None).set_index("path")
    assert table["label_key"].to_dict() == {
        "TISD1/d.png": "TISD1",
        "train/0/a.png": "0",
        "train/0/deep/b.png": "0",
        "valid/0/c.png": "0",
    }
    assert table.loc["valid/0/c.png", "sha256"] == hashlib.sha256(b"valid/0/c.png").hexdigest()
    assert table["given_group"].isna().all()


def test_folders_that_are_not_there_add_nothing_but_all_missing_is_refused(root):
    assert len(list_raw(root, {"0": ["train/0"], "7": ["nowhere"]}, None)) == 2
    with pytest.raises(BadInput, match=f"^none of here, there is in {root}") as caught:
        list_raw(root, {"0": ["here"], "1": ["there"]}, None)
    assert "is this the right raw folder" in str(caught.value)


def test_a_root_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match=r"no folder .*nowhere"):
        list_raw(tmp_path / "nowhere", FOLDERS, None)


def test_the_owners_groups_come_from_metadata_by_path(root):
    metadata(root, "file,motif\nvalid/0/c.png,7\ntrain/0/a.png,7\ntrain/0/deep/b.png,\nx.png,1\n")
    groups = list_raw(root, FOLDERS, "motif").set_index("path")["given_group"]
    # a group is a name: 7 stays "7"; an empty cell and a file that is not listed have none
    assert groups.dropna().to_dict() == {"train/0/a.png": "7", "valid/0/c.png": "7"}


def test_a_group_column_without_metadata_says_what_is_missing(root):
    with pytest.raises(BadInput, match=r"group_column is 'motif' but there is no .*metadata\.csv"):
        list_raw(root, FOLDERS, "motif")


@pytest.mark.parametrize(
    ("header", "lacking"), [("path,motif", "file"), ("file", "motif"), ("name", "file and motif")]
)
def test_a_column_that_metadata_does_not_have_is_named(root, header, lacking):
    metadata(root, f"{header}\n")
    with pytest.raises(BadInput, match=rf"metadata\.csv has no column {lacking}"):
        list_raw(root, FOLDERS, "motif")


def test_paths_are_read_in_any_spelling_and_what_fits_no_file_is_told(root, caplog):
    """macOS takes accents apart, Windows turns slashes."""
    (root / "train" / "0" / unicodedata.normalize("NFD", "Chêne.png")).write_bytes(b"d")
    lines = ["file,motif", "train\\0\\a.png,oak", "./train/0/Chêne.png,oak", "gone.png,oak"]
    (root / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    with caplog.at_level("WARNING", "likeness"):
        table = list_raw(root, FOLDERS, "motif")
    assert (table["given_group"] == "oak").sum() == 2
    assert "groups 1 files that are not here, such as gone.png" in caplog.text


def test_a_file_in_two_groups_is_refused(root):
    metadata(root, "file,motif\ntrain/0/a.png,first\ntrain/0/a.png,second\n")
    with pytest.raises(BadInput, match=r"puts train/0/a\.png into first and into second: choose"):
        list_raw(root, FOLDERS, "motif")
    metadata(root, "file,motif\ntrain/0/a.png,first\ntrain/0/a.png, first\n")
    assert list_raw(root, FOLDERS, "motif")["given_group"].notna().sum() == 1


def test_the_listing_survives_parquet(root, tmp_path):
    table = list_raw(root, FOLDERS, None)
    table.to_parquet(tmp_path / "inventory.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "inventory.parquet"), table)


def test_a_given_split_goes_by_folders_never_by_beginnings_of_names():
    given = Given(train=["train"], valid=["valid", "more/valid"], test=["test"])
    paths = {
        "train/0/26.jpeg": "train",
        "valid/0/67.jpeg": "valid",
        "more/valid/1/a.png": "valid",
        "test/x.png": "test",
        "training/0/26.jpeg": "",
        "0/train/26.jpeg": "",
        "train": "",
    }
    assert {path: given.split_of(path) for path in paths} == paths
