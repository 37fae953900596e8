"""Batches are a pure function of seed, epoch and number, and show every picture its fair share."""

import numpy as np
import pytest

from likeness.classify.batches import (
    augmented,
    draw_order,
    random_crop,
    steps_of,
    training_batch,
)
from likeness.classify.recipe import Recipe

LABELS = np.repeat([0, 1, 2], [3, 10, 5])


def coordinates(height=40, width=50):
    """A picture whose pixel at (y, x) says so: channels y, x and a constant."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y, x, np.full_like(y, 7)], axis=2).astype(np.uint8)


def batch(seed, epoch, index, recipe):
    """As a training draws it, from fresh generators."""
    order = draw_order(LABELS, 24, True, np.random.default_rng([seed, epoch]))
    chosen = order[index * 8 : (index + 1) * 8]
    pictures = [coordinates() + np.uint8(k) for k in range(len(LABELS))]
    rng = np.random.default_rng([seed, epoch, index])
    return training_batch(pictures, LABELS, chosen, recipe, rng)


@pytest.mark.parametrize("architecture", ["tiles", "mobilenet"])
def test_a_batch_is_a_pure_function_of_seed_epoch_and_number(architecture):
    recipe = Recipe(architecture=architecture, input_size=32)
    pixels, labels = batch(1, 2, 0, recipe)
    # others drawn between two equal calls change nothing
    others = [batch(*which, recipe) for which in ((2, 2, 0), (1, 3, 0), (1, 2, 1))]
    again, again_labels = batch(1, 2, 0, recipe)
    np.testing.assert_array_equal(pixels, again)
    np.testing.assert_array_equal(labels, again_labels)
    assert all(not np.array_equal(pixels, other) for other, _ in others)


def test_balanced_drawing_gives_unequal_classes_equal_shares():
    order = draw_order(LABELS, 30, True, np.random.default_rng(0))
    assert np.bincount(LABELS[order]).tolist() == [10, 10, 10]
    # 31 slots do not divide by three: no class is more than one ahead
    uneven = draw_order(LABELS, 31, True, np.random.default_rng(0))
    assert sorted(np.bincount(LABELS[uneven])) == [10, 10, 11]


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("count", [2, 18, 30, 100])
def test_every_picture_of_a_class_is_drawn_before_any_is_drawn_again(balanced, count):
    order = draw_order(LABELS, count, balanced, np.random.default_rng(5))
    assert len(order) == count
    times = np.bincount(order, minlength=len(LABELS))
    kinds = [label == LABELS for label in np.unique(LABELS)] if balanced else [LABELS >= 0]
    assert all(np.ptp(times[kind]) <= 1 for kind in kinds)


def test_crops_lie_inside_the_picture_at_its_own_scale_and_reach_every_border():
    rng = np.random.default_rng(0)
    corners = set()
    for _ in range(300):
        crop = random_crop(coordinates(34, 35), 32, rng)
        assert crop.shape == (32, 32, 3)
        assert (np.diff(crop[..., 0].astype(int), axis=0) == 1).all()
        assert (np.diff(crop[..., 1].astype(int), axis=1) == 1).all()
        corners.add((int(crop[0, 0, 0]), int(crop[0, 0, 1])))
    assert corners == {(y, x) for y in range(3) for x in range(4)}


def test_a_crop_of_the_pictures_own_size_is_the_picture():
    picture = coordinates(32, 32)
    np.testing.assert_array_equal(random_crop(picture, 32, np.random.default_rng(0)), picture)


def test_augment_none_changes_no_pixel():
    picture = coordinates()
    found = augmented(picture, "none", np.random.default_rng(0))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, picture)


def test_flip_mirrors_left_right_half_of_the_time_and_does_nothing_else():
    picture, rng = coordinates(), np.random.default_rng(0)
    mirrored = 0
    for _ in range(200):
        found = augmented(picture, "flip", rng)
        is_mirrored = np.array_equal(found, picture[:, ::-1])
        assert is_mirrored or np.array_equal(found, picture)
        mirrored += is_mirrored
    # binomial(200, 1/2): six standard deviations
    assert 58 <= mirrored <= 142


def test_light_changes_contrast_and_brightness_within_its_bounds_and_the_order_of_no_two_pixels():
    ramp, rng = np.tile(np.arange(256, dtype=np.uint8), (2, 1)), np.random.default_rng(0)
    for _ in range(50):
        found = augmented(ramp, "flip_light", rng)[0]
        found = found if found[0] < found[-1] else found[::-1]
        gain = (found[255] - found[0]) / 255
        assert 0.85 <= gain <= 1.15
        np.testing.assert_allclose(np.diff(found), gain, atol=1e-3)
        assert -12 <= found[128] - 128 <= 12


def test_a_batch_pairs_every_picture_with_its_own_label():
    pictures = [np.full((32, 32, 1), 10 * k, np.uint8) for k in range(len(LABELS))]
    recipe = Recipe(input_size=32, augment="none")
    chosen = np.array([17, 0, 4, 4])
    pixels, labels = training_batch(pictures, LABELS, chosen, recipe, np.random.default_rng(0))
    assert (pixels.shape, pixels.dtype) == ((4, 32, 32, 1), np.float32)
    assert (pixels[:, 0, 0, 0] / 10).tolist() == chosen.tolist()
    assert labels.tolist() == [2, 0, 1, 1]


def test_an_epoch_without_asked_steps_looks_at_every_picture_once():
    assert steps_of(Recipe(batch_size=8), 17) == 3
    assert steps_of(Recipe(batch_size=8), 16) == 2
    assert steps_of(Recipe(batch_size=8, steps_per_epoch=5), 17) == 5
