"""Tiles: cover everything, evenly, at native scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import BadInput
from likeness.images.tiles import cut, positions


def test_tiles_by_hand():
    assert positions(100, 100, 100, 0.5) == [(0, 0)]
    assert positions(4, 8, 4, 0.0) == [(0, 0), (0, 4)]
    assert positions(4, 8, 4, 0.5) == [(0, 0), (0, 2), (0, 4)]
    # 5 px to go in steps of at most 4: two steps, and the last tile is flush with the border
    assert positions(4, 9, 4, 0.0) == [(0, 0), (0, 2), (0, 5)]
    assert positions(6, 6, 4, 0.25) == [(0, 0), (0, 2), (2, 0), (2, 2)]


def test_512_px_in_squares_of_128_with_a_quarter_overlap_are_25_tiles():
    # (512 - 128) / 96 = 4 steps: 5 x 5
    corners = positions(512, 512, 128, 0.25)
    assert len(corners) == 25
    assert {x for _, x in corners} == {0, 96, 192, 288, 384}


def test_rounding_of_the_overlap_costs_no_tile():
    assert len(positions(100, 200, 100, 0.9)) == 11


@given(
    side=st.integers(1, 40),
    more=st.tuples(st.integers(0, 90), st.integers(0, 90)),
    overlap=st.floats(0, 0.9),
)
def test_every_pixel_is_covered_and_neighbours_overlap_as_asked(side, more, overlap):
    height, width = side + more[0], side + more[1]
    corners = positions(height, width, side, overlap)
    covered = np.zeros((height, width), bool)
    for y, x in corners:
        assert 0 <= y <= height - side
        assert 0 <= x <= width - side
        covered[y : y + side, x : x + side] = True
    assert covered.all()
    assert len(set(corners)) == len(corners)
    for values in ({y for y, _ in corners}, {x for _, x in corners}):
        gaps = np.diff(sorted(values))
        if len(gaps):
            assert gaps.max() <= np.ceil(max(1, side * (1 - overlap)) - 1e-6)
            assert np.ptp(gaps) <= 1


@pytest.mark.parametrize("shape", [(30, 41), (30, 41, 3)])
def test_tiles_are_slices_of_the_picture(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    tiles = cut(picture, 16, 0.3)
    corners = positions(30, 41, 16, 0.3)
    assert tiles.shape == (len(corners), 16, 16, *shape[2:])
    assert tiles.dtype == np.uint8
    for tile, (y, x) in zip(tiles, corners, strict=True):
        assert np.array_equal(tile, picture[y : y + 16, x : x + 16])


def test_a_picture_smaller_than_a_tile_is_refused_in_words():
    with pytest.raises(BadInput, match="100x60 px cannot be cut into squares of 64 px"):
        cut(np.zeros((60, 100)), 64, 0.5)
