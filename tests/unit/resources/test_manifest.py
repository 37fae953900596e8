import hashlib
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from likeness.errors import BadInput
from resources.manifest import (
    FileEntry,
    Manifest,
    canonical_json,
    content_digest,
    describe_folder,
    fingerprint_of,
)

SHA = "a" * 64


def entry(path, sha=SHA):
    return FileEntry(path=path, bytes=1, sha256=sha)


def test_a_fingerprint_is_the_sha256_of_sorted_json():
    assert canonical_json({"b": [1, 0.5, None], "a": "é"}) == b'{"a":"\\u00e9","b":[1,0.5,null]}'
    assert fingerprint_of({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_a_fingerprint_does_not_depend_on_order_or_on_how_a_number_is_spelled():
    first = fingerprint_of({"a": 1, "b": {"c": 2.0, "d": (1, 2)}})
    assert first == fingerprint_of({"b": {"d": [1, 2], "c": 2}, "a": 1.0})
    assert fingerprint_of({"x": np.float64(0.1)}) == fingerprint_of({"x": 0.1})
    assert fingerprint_of({"x": -0.0}) == fingerprint_of({"x": 0})


@pytest.mark.parametrize("other", [{"x": True}, {"x": "1"}, {"x": [1]}, {"x": 1.0000001}, {"y": 1}])
def test_different_values_have_different_fingerprints(other):
    assert fingerprint_of(other) != fingerprint_of({"x": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": [value]})


@pytest.mark.parametrize("value", [{1: "a"}, {"x": {1, 2}}, {"x": object()}])
def test_what_json_does_not_know_is_refused(value):
    with pytest.raises(TypeError):
        canonical_json(value)


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_canonical_json_survives_reading_it_back(value):
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_the_content_digest_is_the_same_in_any_order_of_files():
    a, b, c = entry("a"), entry("b/c", "b" * 64), entry("é", "c" * 64)
    assert content_digest([a, b, c]) == content_digest([c, a, b])


def test_the_content_digest_changes_with_a_name_or_with_bytes():
    digests = {
        content_digest([entry("a"), entry("b")]),
        content_digest([entry("a"), entry("c")]),
        content_digest([entry("a"), entry("b", "b" * 64)]),
        content_digest([entry("a")]),
        # a name that imitates two lines is still one name
        content_digest([entry(f'a",\n"{SHA}')]),
    }
    assert len(digests) == 5


def test_a_folder_is_described_by_names_sizes_and_digests_alone(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder / "sub dir").mkdir(parents=True)
    for folder, order in (("one", ("b", "sub dir/ü 日.png")), ("two", ("sub dir/ü 日.png", "b"))):
        for name in order:
            (tmp_path / folder / name).write_bytes(name.encode())
    os.utime(tmp_path / "two" / "b", (1, 1))
    (tmp_path / "two" / "manifest.json").write_text("{}")
    (tmp_path / "one" / "empty folder").mkdir()
    found = describe_folder(tmp_path / "one")
    assert found == describe_folder(tmp_path / "two")
    assert found == [
        FileEntry(path="b", bytes=1, sha256=hashlib.sha256(b"b").hexdigest()),
        FileEntry(
            path="sub dir/ü 日.png",
            bytes=len("sub dir/ü 日.png".encode()),
            sha256=hashlib.sha256("sub dir/ü 日.png".encode()).hexdigest(),
        ),
    ]


def test_a_manifest_further_down_is_a_file_like_any_other(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "manifest.json").write_text("{}")
    assert [file.path for file in describe_folder(tmp_path)] == ["unet/manifest.json"]


def link_to_file(folder):
    (folder / "link").symlink_to(folder / "file")


def link_to_folder(folder):
    (folder / "link").symlink_to(folder.parent)


def broken_link(folder):
    (folder / "link").symlink_to("nowhere")


def pipe(folder):
    os.mkfifo(folder / "pipe")


def odd_name(folder):
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")


@pytest.mark.parametrize("spoil", [link_to_file, link_to_folder, broken_link, pipe, odd_name])
def test_a_folder_with_what_no_store_can_keep_is_refused(tmp_path, spoil):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "file").write_bytes(b"1")
    spoil(folder)
    with pytest.raises(BadInput):
        describe_folder(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="There is no folder"):
        describe_folder(tmp_path / "none")


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/passwd", "", ".", "a//b", "a/", "./a", "a\0b"]
)
def test_a_manifest_cannot_name_files_outside_its_folder(path):
    with pytest.raises(ValidationError):
        entry(path)
    with pytest.raises(ValidationError):
        Manifest(asset="a", fingerprint=SHA, content=SHA, files=[], location=path, created="now")


def test_the_total_size_is_the_sum_of_the_files():
    files = [FileEntry(path=str(n), bytes=n, sha256=SHA) for n in range(4)]
    manifest = Manifest(
        asset="a/b", fingerprint=SHA, content=SHA, files=files, location="x", created="now"
    )
    assert manifest.bytes_total == 6
