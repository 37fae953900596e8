from dataclasses import fields
from functools import cache
from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from likeness.world import description, hands
from likeness.world.painters import hand_of, paint_landscape, painter_names, repaint
from likeness.world.scenes import KINDS

SETS = {"base": 32, "unseen_by_base": 6, "unseen_by_all": 4}
NAMES = [name for which in SETS for name in painter_names(which)]


@cache
def painted(name, seed=1, kind="mountain"):
    return paint_landscape(name, kind, 64, np.random.default_rng(seed)).astype(np.float64)


def look(name, seed):
    """Mean colours of a grid of 4 x 4 parts."""
    return painted(name, seed).reshape(4, 16, 4, 16, 3).mean((1, 3)).ravel()


def test_there_are_as_many_painters_as_agreed_and_each_has_a_name_of_its_own():
    assert {which: len(painter_names(which)) for which in SETS} == SETS
    assert len(set(NAMES)) == sum(SETS.values())
    assert painter_names("base")[0] == "cezanne"
    assert painter_names("unseen_by_base")[0] == "master"


def test_no_name_is_a_word_of_the_vocabulary():
    words = {w for kind in vars(description).values() for w in get_args(kind) if isinstance(w, str)}
    words |= set(description.TRAITS) | {f.name for f in fields(description.Person)} | set(KINDS)
    assert len(words) > 100
    assert not words & set(NAMES)
    assert all(name.isalpha() and name.islower() for name in NAMES)


def test_the_master_is_the_master_and_cezanne_a_neighbour():
    master, near = hands.master(), hand_of("cezanne")
    assert hand_of("master") == master
    gaps = {
        name: np.abs(np.array(hand_of(name).palette) - master.palette).mean()
        for name in NAMES
        if name != "master"
    }
    assert min(gaps, key=gaps.get) == "cezanne"
    assert gaps["cezanne"] > 6
    assert near.direction != master.direction


def test_hands_differ_in_pairs():
    means = {
        name: np.mean([painted(name, seed).mean((0, 1)) for seed in (1, 2)], 0) for name in NAMES
    }
    tones = {name: np.mean([look(name, seed) for seed in (1, 2)], 0) for name in NAMES}
    for one, two in combinations(NAMES, 2):
        apart = np.abs(means[one] - means[two]).max() > 4
        assert apart or np.abs(tones[one] - tones[two]).mean() > 12, (one, two)


def test_a_new_landscape_is_nearest_to_those_of_its_own_painter():
    middles = {name: np.mean([look(name, seed) for seed in (1, 2, 3)], 0) for name in NAMES}
    right = 0
    for name in NAMES:
        fresh = look(name, 4)
        right += min(middles, key=lambda other: np.abs(middles[other] - fresh).mean()) == name
    assert right >= 0.85 * len(NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_landscape_follows_from_its_seed(kind):
    name = NAMES[5]
    first = paint_landscape(name, kind, 64, np.random.default_rng(8))
    assert first.dtype == np.uint8
    assert np.array_equal(first, paint_landscape(name, kind, 64, np.random.default_rng(8)))
    assert not np.array_equal(first, paint_landscape(name, kind, 64, np.random.default_rng(9)))


def test_repainting_keeps_the_motif_and_takes_the_colours():
    x = np.linspace(-1, 1, 64)
    disk = (x[None] ** 2 + x[:, None] ** 2 < 0.4)[..., None]
    picture = np.where(disk, (225, 180, 150), (70, 90, 130)).astype(np.uint8)
    shown = {name: repaint(picture, hand_of(name), np.random.default_rng(1)) for name in NAMES}
    for name, one in shown.items():
        gray = one.astype(float).mean(-1)
        assert np.corrcoef(gray.ravel(), disk.ravel())[0, 1] > 0.75, name
        palette = np.mean(hand_of(name).palette, 0)
        before = np.ptp(picture.mean((0, 1)) - palette)
        assert np.ptp(one.mean((0, 1)) - palette) < before + 12, name
    again = repaint(picture, hand_of("master"), np.random.default_rng(1))
    assert np.array_equal(shown["master"], again)
