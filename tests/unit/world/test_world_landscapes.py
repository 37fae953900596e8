from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import mannwhitneyu

from likeness.world.hands import errant, master, other
from likeness.world.landscapes import CLASSES, generated, paint, paint_class
from likeness.world.scenes import KINDS, draw_scene
from likeness.world.tasks import PaintJob, PaintParams
from likeness.world.tasks import paint as paint_sets

PICTURES = 40


@cache
def pictures(name):
    return [paint_class(name, index, 64, seed=3) for index in range(PICTURES)]


def grey(picture):
    return np.asarray(picture.convert("L"), np.float64)


def thumbnail(picture, size=16):
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX), np.float64).ravel()


def likeness(one, two):
    return np.corrcoef(thumbnail(one), thumbnail(two))[0, 1]


def separability(one, two):
    """The area under the ROC curve of one number as a classifier, whichever side is which."""
    area = mannwhitneyu(one, two).statistic / (len(one) * len(two))
    return max(area, 1 - area)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("side", [64, 101])
def test_the_same_arguments_give_the_same_bytes_and_other_seeds_other_pictures(name, side):
    picture = paint_class(name, 2, side, seed=1)
    assert picture.mode == "RGB"
    assert picture.size == (side, side)
    assert picture.tobytes() == paint_class(name, 2, side, seed=1).tobytes()
    assert picture.tobytes() != paint_class(name, 2, side, seed=2).tobytes()
    assert picture.tobytes() != paint_class(name, 3, side, seed=1).tobytes()


def test_a_scene_follows_from_its_seed_and_all_kinds_occur():
    scenes = [draw_scene(np.random.default_rng(seed)) for seed in range(40)]
    assert scenes[7] == draw_scene(np.random.default_rng(7))
    assert {scene.kind for scene in scenes} == set(KINDS)


def test_one_hand_paints_one_scene_differently_with_another_seed_but_recognisably():
    scene = draw_scene(np.random.default_rng(5))
    first, second = (paint(scene, master(), 96, seed) for seed in (1, 2))
    assert first.tobytes() != second.tobytes()
    assert likeness(first, second) > 0.85


def test_a_replica_repeats_the_composition_of_its_own_original_only():
    same = [likeness(pictures("master")[i], pictures("replica")[i]) for i in range(12)]
    foreign = [
        likeness(pictures("master")[i], pictures("replica")[j])
        for i in range(12)
        for j in range(12)
        if i != j
    ]
    assert np.mean(same) > 0.8
    assert np.mean(same) > np.mean(foreign) + 0.25


@pytest.mark.parametrize("name", CLASSES)
def test_a_picture_is_the_same_picture_at_another_side(name):
    large, small = paint_class(name, 4, 512, seed=1), paint_class(name, 4, 128, seed=1)
    reduced = large.resize((128, 128), Image.Resampling.BOX)
    assert np.corrcoef(thumbnail(reduced, 32), thumbnail(small, 32))[0, 1] > 0.9


@pytest.mark.parametrize(
    "number",
    [
        lambda picture: grey(picture).mean(),
        lambda picture: grey(picture).std(),
        lambda picture: np.asarray(picture)[..., 0].mean(),
        lambda picture: np.asarray(picture)[..., 1].mean(),
        lambda picture: np.asarray(picture)[..., 2].mean(),
    ],
    ids=["brightness", "contrast", "red", "green", "blue"],
)
def test_no_single_global_number_tells_two_classes_apart(number):
    values = {name: [number(picture) for picture in pictures(name)] for name in CLASSES}
    areas = {(a, b): separability(values[a], values[b]) for a, b in combinations(CLASSES, 2)}
    assert max(areas.values()) < 0.8, areas


def test_generated_pictures_are_told_from_the_master_by_their_fine_texture():
    def fine(picture):
        pixels = grey(picture)
        return np.abs(np.diff(pixels, axis=1)).mean() / pixels.std()

    values = {name: [fine(p) for p in pictures(name)] for name in ("master", "smooth")}
    assert separability(values["master"], values["smooth"]) > 0.9
    assert generated("smooth", 64, 1).tobytes() != generated("loose", 64, 1).tobytes()


def test_a_copyist_errs_around_the_master_and_other_painters_differ_by_far_more():
    def distance(hand):
        return abs(np.log(hand.stroke_length / master().stroke_length))

    copyists = [distance(errant(np.random.default_rng(seed))) for seed in range(30)]
    strangers = [other(np.random.default_rng(seed)) for seed in range(30)]
    assert 0.05 < np.mean(copyists) < np.mean([distance(hand) for hand in strangers]) / 2
    assert len({hand.name for hand in strangers}) >= 4


def test_an_original_and_its_replica_are_one_group(tmp_path):
    sets = [
        PaintJob(key=key, hand=hand, count=2, first=3)
        for key, hand in (("0", "master"), ("1", "replica"), ("4", "others"))
    ]
    paint_sets(PaintParams(sets=sets, side=64), {}, tmp_path, tmp_path / "scratch")
    listed = pd.read_parquet(tmp_path / "inventory.parquet").set_index("path")["given_group"]
    assert listed["0/00003.png"] == listed["1/00003.png"] != listed["0/00004.png"]
    assert listed["4/00003.png"] is None or pd.isna(listed["4/00003.png"])
