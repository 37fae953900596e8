"""Near duplicates are found where they are, and only there."""

import hashlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from likeness.digests import sha256_file
from likeness.images.hashing import (
    confirm,
    groups,
    near_duplicate_pairs,
    perceptual_hash,
    thumbnail,
)
from likeness.images.intake import Duplicates

CEZANNE = Path(__file__).parents[4] / "shared/data/cezanne"


def blobs(seed, side=128):
    """Smooth random shapes, different for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def near(images, settings=None):
    settings = settings or Duplicates()
    pairs = near_duplicate_pairs(
        [perceptual_hash(image) for image in images], settings.max_distance
    )
    thumbnails = np.stack([thumbnail(image) for image in images])
    return [(i, j) for i, j, *_ in confirm(pairs, thumbnails, settings.min_correlation)]


def test_the_sha256_is_that_of_the_bytes(tmp_path):
    data = np.random.default_rng(0).bytes(1_000_000)
    (tmp_path / "a").write_bytes(data)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_thumbnail_holds_the_means_of_a_grid():
    values = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    means = values.reshape(32, 2, 32, 3).mean(axis=(1, 3))
    assert abs(thumbnail(Image.fromarray(values)) - means).max() <= 1  # rounded once per axis


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 2**64 - 1), st.integers(0, 15)), max_size=12),
    st.integers(0, 32),
)
def test_pairs_agree_with_counting_bits_one_by_one(numbers, limit):
    hashes = [None if number is None else f"{number:016x}" for number in numbers]
    expected = [
        (i, j, (numbers[i] ^ numbers[j]).bit_count())
        for i, j in combinations(range(len(numbers)), 2)
        if numbers[i] is not None and numbers[j] is not None
    ]
    found = near_duplicate_pairs(hashes, limit)
    assert found == [pair for pair in expected if pair[2] <= limit]


def test_pairs_that_straddle_blocks_of_the_table_are_found(monkeypatch):
    numbers = [int(n) for n in np.random.default_rng(0).integers(0, 2**63, 300)]
    numbers[299], numbers[150], numbers[151] = numbers[0] ^ 1, numbers[3] ^ 6, numbers[3] ^ 6
    hashes = [f"{n:016x}" for n in numbers]
    whole = near_duplicate_pairs(hashes, 8)
    assert {(0, 299, 1), (3, 150, 2), (3, 151, 2), (150, 151, 0)} <= set(whole)
    monkeypatch.setattr("likeness.images.hashing.BLOCK", 2000)
    assert near_duplicate_pairs(hashes, 8) == whole


def test_a_correlation_is_pearsons(monkeypatch):
    thumbnails = np.stack([thumbnail(blobs(seed)) for seed in range(6)])
    pairs = [(i, j, 0) for i, j in combinations(range(6), 2)]
    monkeypatch.setattr("likeness.images.hashing.PAIRS_AT_ONCE", 4)
    expected = np.corrcoef(thumbnails.reshape(6, -1).astype(float))
    for i, j, _, correlation in confirm(pairs, thumbnails, -1):
        assert correlation == pytest.approx(expected[i, j], abs=1e-5)
    kept = [(i, j) for i, j, *_ in confirm(pairs, thumbnails, 0.05)]
    assert kept == [(i, j) for i, j, _ in pairs if expected[i, j] >= 0.05]


def test_a_copy_that_was_resized_compressed_and_brightened_is_near(tmp_path):
    picture = blobs(1)
    picture.resize((70, 90)).point(lambda v: 30 + v * 0.8).save(tmp_path / "copy.jpg", quality=40)
    with Image.open(tmp_path / "copy.jpg") as copy:
        assert near([picture, blobs(2), copy]) == [(0, 2)]


def test_a_picture_and_its_negative_or_mirror_are_not_near():
    picture = blobs(1)
    negative = picture.point(lambda v: 255 - v)
    mirror = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert near([picture, negative, mirror]) == []


def test_blank_pages_are_near_to_nothing():
    rng = np.random.default_rng(0)
    pages = [Image.new("RGB", (128, 128), (level,) * 3) for level in (0, 250, 255, 255)]
    for _ in range(4):
        grain = rng.normal(245, 6, (128, 128)).clip(0, 255).astype(np.uint8)
        pages.append(Image.fromarray(grain).convert("RGB"))
    assert [perceptual_hash(page) for page in pages] == [None] * 8
    assert near(pages) == []
    same = np.stack([thumbnail(page) for page in pages])
    assert confirm([(2, 3, 0), (4, 5, 0)], same, 0.1) == []


def test_pages_with_a_few_different_strokes_are_not_near():
    pages = []
    for seed in range(12):
        page = Image.new("RGB", (128, 128), "white")
        points = np.random.default_rng(seed).integers(0, 128, 8).tolist()
        ImageDraw.Draw(page).line(points, fill="black", width=6)
        pages.append(page)
    assert near(pages) == []


def test_groups_are_the_connected_components_named_by_their_smallest_member():
    assert groups(0, []) == []
    assert groups(3, []) == [0, 1, 2]
    assert groups(7, [(5, 6), (1, 3), (3, 5)]) == [0, 1, 2, 1, 4, 1, 1]


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=12),
        )
    )
)
def test_groups_agree_with_joining_until_nothing_changes(case):
    count, pairs = case
    labels = list(range(count))
    for _ in range(count):
        for i, j in pairs:
            labels[i] = labels[j] = min(labels[i], labels[j])
    assert groups(count, pairs) == labels


@pytest.mark.skipif(not CEZANNE.is_dir(), reason=f"the real paintings are not here ({CEZANNE})")
def test_the_defaults_find_the_planted_copy_among_the_paintings_and_little_else():
    names = sorted(
        path.relative_to(CEZANNE).as_posix()
        for split in ("train", "valid")
        for path in (CEZANNE / split / "0").glob("*.jpeg")
    )
    assert len(names) == 84
    images = []
    for name in names:
        with Image.open(CEZANNE / name) as image:
            images.append(image.convert("RGB"))
    found = {(names[i], names[j]) for i, j in near(images)}
    assert ("train/0/26.jpeg", "valid/0/67.jpeg") in found
    # checked by eye: each of the others is the same motif, painted or photographed twice
    assert found == {
        ("train/0/26.jpeg", "valid/0/67.jpeg"),
        ("train/0/11.jpeg", "train/0/82.jpeg"),
        ("train/0/13.jpeg", "train/0/6.jpeg"),
        ("train/0/17.jpeg", "train/0/62.jpeg"),
        ("train/0/20.jpeg", "train/0/21.jpeg"),
        ("train/0/3.jpeg", "train/0/61.jpeg"),
        ("train/0/63.jpeg", "train/0/7.jpeg"),
    }
