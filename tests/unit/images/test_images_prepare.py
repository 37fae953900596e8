"""Preparation: sizes, luma and antialiasing, and what must not change at all."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from likeness.images.equalize import MEAN, STD
from likeness.images.prepare import Preparation, centre_square, prepare


def noise(height, width, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_a_picture_of_the_asked_size_keeps_every_bit():
    image = noise(64, 64)
    for resize in ("stretch", "crop"):
        same = prepare(image, Preparation(size=64, resize=resize, color="color"))
        assert np.array_equal(np.asarray(same), np.asarray(image))


def test_an_equal_channel_picture_turns_gray_without_loss():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(np.stack([levels] * 3, axis=-1))
    assert np.array_equal(np.asarray(prepare(image, Preparation(size=16))), levels)


@pytest.mark.parametrize(("channel", "weight"), [(0, 0.299), (1, 0.587), (2, 0.114)])
def test_gray_is_itu_r_601_luma(channel, weight):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[..., channel] = 200
    gray = prepare(Image.fromarray(pixels), Preparation(size=None))
    assert gray.mode == "L"
    assert np.asarray(gray)[0, 0] == round(200 * weight)


def test_stretch_keeps_the_borders_and_crop_the_centre():
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = 255  # the centre square is white, the sides are black
    image = Image.fromarray(pixels)
    stretched = np.asarray(prepare(image, Preparation(size=40, resize="stretch")))
    cropped = np.asarray(prepare(image, Preparation(size=40, resize="crop")))
    assert stretched.shape == cropped.shape == (40, 40)
    assert stretched[:, 0].max() == 0
    assert stretched[:, 20].min() == 255
    assert cropped.min() == 255


def test_native_size_is_kept_and_crop_still_squares():
    assert prepare(noise(50, 70), Preparation(size=None)).size == (70, 50)
    assert prepare(noise(50, 71), Preparation(size=None, resize="crop")).size == (50, 50)
    assert np.array_equal(
        np.asarray(centre_square(noise(50, 71))), np.asarray(noise(50, 71))[:, 10:60]
    )


@pytest.mark.parametrize("side", [128, 1000])
def test_stripes_finer_than_the_new_size_become_an_even_gray(side):
    # without antialiasing, taking every 4th or 31st column would show pure black and white stripes
    columns = np.tile(np.array([0, 255], np.uint8), side // 2)
    image = Image.fromarray(np.broadcast_to(columns, (side, side)).copy()).convert("RGB")
    small = np.asarray(prepare(image, Preparation(size=32)), float)
    assert np.abs(small - 127.5)[:, 2:-2].max() < 1  # the border has half a filter only


@pytest.mark.parametrize(("color", "mode"), [("gray", "L"), ("color", "RGB")])
def test_a_flattened_picture_has_the_common_mean_and_contrast_in_every_channel(color, mode):
    image = Image.fromarray(np.asarray(noise(90, 60)) // np.array([1, 2, 8], np.uint8))
    flat = prepare(image, Preparation(size=64, color=color, equalize="spectrum"))
    assert flat.mode == mode
    pixels = np.asarray(flat, float).reshape(64 * 64, -1) / 255
    assert np.allclose(pixels.mean(0), MEAN, atol=0.01)
    assert np.allclose(pixels.std(0), STD, atol=0.01)


def test_recompress_keeps_size_and_mode():
    for color, mode in (("gray", "L"), ("color", "RGB")):
        washed = prepare(noise(51, 33), Preparation(size=None, color=color, equalize="recompress"))
        assert (washed.size, washed.mode) == ((33, 51), mode)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"resize": "pad"}, {"colour": "gray"}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        Preparation(**wrong)
