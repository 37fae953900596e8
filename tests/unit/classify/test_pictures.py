"""Pictures reach a network in the mode, size and order it asks for."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from likeness.classify.pictures import all_views, load
from likeness.classify.recipe import Recipe
from likeness.errors import BadInput

RECIPES = {
    name: Recipe(architecture=name, input_size=32) for name in ("tiles", "probe", "mobilenet")
}


@pytest.fixture
def folder(tmp_path):
    """A wide red picture, a gray one, and a black one that is too low for a tile of 32."""
    Image.new("RGB", (64, 40), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("L", (32, 32), 90).save(tmp_path / "gray.png")
    Image.new("L", (50, 31), 0).save(tmp_path / "low.png")
    return tmp_path


def loaded(folder, architecture, *files):
    return load(folder, pd.DataFrame({"file": files}), RECIPES[architecture])


def test_tiles_and_probe_see_one_channel_of_luma_at_native_size(folder):
    for architecture in ("tiles", "probe"):
        red, gray = loaded(folder, architecture, "red.png", "gray.png")
        assert (red.shape, red.dtype) == ((40, 64, 1), np.uint8)
        # ITU-R 601: 0.299 of full red
        assert (red == 76).all()
        assert gray.shape == (32, 32, 1)
        assert (gray == 90).all()


def test_published_networks_see_three_channels_resized_to_their_input(folder):
    red, gray = loaded(folder, "mobilenet", "red.png", "gray.png")
    assert red.shape == gray.shape == (32, 32, 3)
    assert (red == [255, 0, 0]).all()
    assert (gray == 90).all()


def test_pictures_come_in_the_order_of_the_table(folder):
    names = ["gray.png", "red.png"] * 10
    values = [int(picture[0, 0, 0]) for picture in loaded(folder, "tiles", *names)]
    assert values == [90, 76] * 10


def test_a_picture_smaller_than_a_tile_is_named_with_its_size(folder):
    with pytest.raises(BadInput, match=r"^low\.png is 50x31 and .* squares of 32"):
        loaded(folder, "tiles", "red.png", "low.png")
    # the others have use for it
    assert loaded(folder, "mobilenet", "low.png")[0].shape == (32, 32, 3)
    assert loaded(folder, "probe", "low.png")[0].shape == (31, 50, 1)


def test_views_of_many_pictures_know_whose_they_are():
    pictures = [np.full((40, 64, 1), 1, np.uint8), np.full((32, 32, 1), 2, np.uint8)]
    seen, owner = all_views(pictures, RECIPES["tiles"], 0.0)
    # 64 = 2 tiles wide; 40 needs two rows of 32 to be covered
    assert seen.shape == (5, 32, 32, 1)
    assert owner.tolist() == [0, 0, 0, 0, 1]
    assert (seen[:, 0, 0, 0] == owner + 1).all()


def test_whole_pictures_are_their_own_only_view():
    pictures = [np.full((32, 32, 3), k, np.uint8) for k in range(3)]
    seen, owner = all_views(pictures, RECIPES["mobilenet"], 0.25)
    np.testing.assert_array_equal(seen, pictures)
    assert owner.tolist() == [0, 1, 2]
