"""The inventory sees every file once, follows nothing out of the root, and explains refusals."""

import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from likeness.errors import BadInput
from likeness.images.inventory import missing_folders, take_inventory


def put(path, data=b"data"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def reasons(table):
    return dict(zip(table["path"], table["reason"], strict=True))


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_nested_files_are_listed_by_path_with_size_and_sha256(root):
    for name in ("b/2.jpg", "b/deep/er/1.jpg", "a/z.png", "a/Ü ñ.png", "c/not_asked.jpg"):
        put(root / name, name.encode())
    table = take_inventory(root, ["b", "a"])
    assert list(table["path"]) == ["a/z.png", "a/Ü ñ.png", "b/2.jpg", "b/deep/er/1.jpg"]
    assert list(table["folder"]) == ["a", "a", "b", "b"]
    assert set(table["status"]) == {"found"}
    assert table["reason"].isna().all()
    for row in table.itertuples():
        assert row.bytes == len(row.path.encode())
        assert row.sha256 == hashlib.sha256(row.path.encode()).hexdigest()


def test_two_inventories_are_equal(root):
    for k in range(40):
        put(root / f"a/{k % 7}/{k}", bytes([k]))
    first = take_inventory(root, ["a"])
    assert len(first) == 40
    assert first.equals(take_inventory(root, ["a"]))


def test_names_are_kept_exactly_also_when_unicode_knows_two_spellings(root):
    put(root / "a/e\u0301.jpg")
    put(root / "a/\u00e9.jpg")
    assert set(take_inventory(root, ["a"])["path"]) == {"a/e\u0301.jpg", "a/\u00e9.jpg"}


def test_a_file_counts_once_for_the_deepest_of_the_given_folders(root):
    put(root / "train/0/x")
    put(root / "train/y")
    for folders in (["train", "train/0"], ["train/0", "train", "train/0/", "./train"]):
        table = take_inventory(root, folders)
        assert list(table["path"]) == ["train/0/x", "train/y"]
        assert list(table["folder"]) == ["train/0", "train"]


def test_clutter_is_ignored_quietly(root):
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "__MACOSX/1.jpg",
        ".git/config",
        "._1.jpg",
        "sub/.hidden",
    ):
        put(root / "a" / name)
    put(root / "a/1.jpg")
    assert list(take_inventory(root, ["a"])["path"]) == ["a/1.jpg"]


def test_links_that_leave_the_root_are_refused_and_the_others_followed(root, tmp_path):
    put(root / "a/real.jpg", b"inside")
    put(tmp_path / "secret", b"outside")
    put(tmp_path / "root-2/secret", b"outside, with a name that begins like the root")
    (root / "a/inside.jpg").symlink_to("real.jpg")
    (root / "a/outside.jpg").symlink_to(tmp_path / "secret")
    (root / "a/beside.jpg").symlink_to("../../root-2/secret")
    (root / "a/outside_folder").symlink_to(tmp_path)
    (root / "a/circle").symlink_to(root)
    (root / "a/loop.jpg").symlink_to("loop.jpg")
    (root / "a/dangling.jpg").symlink_to("gone.jpg")
    table = take_inventory(root, ["a"])
    assert reasons(table[table["status"] == "rejected"]) == {
        "a/beside.jpg": "link that leaves the root folder",
        "a/circle": "link to a folder, which is not followed",
        "a/dangling.jpg": "cannot be read: No such file or directory",
        "a/loop.jpg": "cannot be read: Too many levels of symbolic links",
        "a/outside.jpg": "link that leaves the root folder",
        "a/outside_folder": "link that leaves the root folder",
    }
    found = table[table["status"] == "found"]
    assert list(found["path"]) == ["a/inside.jpg", "a/real.jpg"]
    assert set(found["sha256"]) == {hashlib.sha256(b"inside").hexdigest()}
    assert table.loc[table["status"] == "rejected", "sha256"].isna().all()


def test_a_given_folder_that_is_a_link_out_of_the_root_is_one_refused_row(root, tmp_path):
    put(tmp_path / "elsewhere/1.jpg")
    (root / "a").symlink_to(tmp_path / "elsewhere")
    assert reasons(take_inventory(root, ["a"])) == {"a": "link that leaves the root folder"}


def test_a_root_that_is_itself_a_link_is_fine(root, tmp_path):
    put(root / "a/1.jpg")
    (tmp_path / "link").symlink_to(root)
    assert list(take_inventory(tmp_path / "link", ["a"])["status"]) == ["found"]


def test_empty_files_pipes_and_sockets_are_rejected(root):
    put(root / "a/empty.jpg", b"")
    os.mkfifo(root / "a/pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root / "a")  # the path of a socket must be short
        server.bind("socket")
        os.chdir(here)
        assert reasons(take_inventory(root, ["a"])) == {
            "a/empty.jpg": "empty file",
            "a/pipe": "not a regular file",
            "a/socket": "not a regular file",
        }


def test_names_that_are_not_utf8_are_rejected_in_readable_form(root):
    (root / "a").mkdir()
    Path(os.fsdecode(os.fsencode(root / "a") + b"/caf\xe9.jpg")).write_bytes(b"data")
    table = take_inventory(root, ["a"])
    assert reasons(table) == {r"a/caf\xe9.jpg": "name is not valid UTF-8; rename the file"}
    table.to_parquet(root / "written.parquet")


@pytest.fixture
def readable_by_others():
    """A folder that another user may enter, since the superuser may read everything."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_files_and_folders_without_permission_are_rejected_with_the_reason(readable_by_others):
    root = readable_by_others
    put(root / "a/locked.jpg").chmod(0)
    put(root / "a/closed/1.jpg")
    put(root / "a/open.jpg")
    (root / "a/closed").chmod(0)
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)
    try:
        table = take_inventory(root, ["a"])
    finally:
        if superuser:
            os.seteuid(0)
        (root / "a/closed").chmod(0o755)
    rejected = reasons(table[table["status"] == "rejected"])
    assert rejected == {
        "a/closed": "folder cannot be read: Permission denied",
        "a/locked.jpg": "cannot be read: Permission denied",
    }
    assert list(table.loc[table["status"] == "found", "path"]) == ["a/open.jpg"]


def test_folders_that_are_not_there_are_named_and_contribute_nothing(root):
    put(root / "a/1.jpg")
    put(root / "file")
    folders = ["a", "b", "c/d", "file"]
    assert missing_folders(root, folders) == ["b", "c/d", "file"]
    assert list(take_inventory(root, folders)["path"]) == ["a/1.jpg"]
    assert list(take_inventory(root, ["b"]).columns) == list(take_inventory(root, ["a"]).columns)


@pytest.mark.parametrize("folder", ["..", "../other", "a/../../other", "/etc"])
def test_folders_that_lead_out_of_the_root_are_bad_input(root, folder):
    for function in (take_inventory, missing_folders):
        with pytest.raises(BadInput, match="leads out of"):
            function(root, ["a", folder])


def test_dots_that_stay_inside_are_fine(root):
    put(root / "a..b/1.jpg")
    assert list(take_inventory(root, ["x/../a..b"])["folder"]) == ["x/../a..b"]


def test_a_missing_root_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="There is no folder"):
        take_inventory(tmp_path / "no", ["a"])
    with pytest.raises(BadInput, match="There is no folder"):
        take_inventory(put(tmp_path / "file"), ["a"])
