from itertools import combinations

import cv2
import numpy as np
import pytest

from likeness.world.canvas import Canvas
from likeness.world.description import Landscape, Light, Place, Season, Tree, words_of
from likeness.world.nature.places import EARTH, OUTDOOR, draw_landscape, random_landscape

PLACES = words_of(Place)


def drawn(landscape, seed=0, side=64):
    canvas = Canvas(side)
    draw_landscape(canvas, landscape, np.random.default_rng(seed))
    return canvas


def picture(landscape, seed=0, side=64):
    return drawn(landscape, seed, side).picture().astype(np.float64)


def distance(one, two):
    return np.abs(one - two).mean()


def look(landscape, seed):
    """Coarse colours of the rim, where no person stands."""
    small = cv2.resize(picture(landscape, seed), (8, 8), interpolation=cv2.INTER_AREA)
    rim = np.ones((8, 8), bool)
    rim[2:7, 2:6] = False
    return small[rim].ravel()


@pytest.mark.parametrize("place", PLACES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture(place):
    first, again, other = (picture(Landscape(place), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert distance(first, other) > 3


@pytest.mark.parametrize("place", PLACES)
def test_the_side_changes_nothing_but_the_size(place):
    small, large = picture(Landscape(place), 3), picture(Landscape(place), 3, 256)
    # edges may lie half a pixel apart: compare what is seen from farther away
    one, two = (cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in (small, large))
    assert distance(one, two) < 7


@pytest.mark.parametrize("place", PLACES)
def test_every_place_fills_the_background_and_belongs_to_nobody(place):
    canvas = drawn(Landscape(place))
    assert not canvas.owner.any()
    if place not in ("space", "moon"):
        assert (canvas.colour.sum(-1) == 0).mean() < 0.001


@pytest.mark.parametrize("place", PLACES)
def test_every_light_is_another_picture_and_night_the_darkest(place):
    by_light = {light: picture(Landscape(place, light), 5) for light in words_of(Light)}
    for one, two in combinations(by_light.values(), 2):
        assert distance(one, two) > (2 if place == "space" else 12)
    brightness = {light: shown.mean() for light, shown in by_light.items()}
    assert min(brightness, key=brightness.get) == "night"
    assert max(brightness, key=brightness.get) == "bright" or place == "space"
    sunset = by_light["sunset"]
    assert sunset[..., 0].mean() > sunset[..., 2].mean() * 1.3


@pytest.mark.parametrize("place", sorted(EARTH))
def test_every_season_is_another_picture(place):
    seasons = [picture(Landscape(place, season=season), 5) for season in words_of(Season)]
    for one, two in combinations(seasons, 2):
        assert distance(one, two) > 2


def test_every_tree_changes_one_side_of_the_picture():
    bare = picture(Landscape("desert"), 4)
    trees = [picture(Landscape("desert", tree=tree), 4) for tree in words_of(Tree)[1:]]
    for tree in trees:
        changed = (np.abs(tree - bare).sum(-1) > 30).mean(0)
        left, right = changed[:32].sum(), changed[32:].sum()
        assert max(left, right) > 2.5 * min(left, right)
    for one, two in combinations(trees, 2):
        assert distance(one, two) > 3


def test_a_red_sun_is_red_and_a_fantasy_has_other_colours():
    plain, red = (picture(Landscape("sea", "sunset", red_sun=sun), 2) for sun in (False, True))

    def reds(shown):
        return ((shown[..., 0] > 180) & (shown[..., 1] < 60) & (shown[..., 2] < 60)).mean()

    assert reds(red) > reds(plain) + 0.02
    assert distance(*(picture(Landscape("hill", fantasy=f), 2) for f in (False, True))) > 30


def test_rims_alone_tell_places_apart():
    """A place is nearest to its own middle over other seeds, nearly always, without any training."""
    seeds = range(6)
    looks = {place: [look(Landscape(place), s) for s in seeds] for place in PLACES[1:]}
    middles = {place: np.mean(values, 0) for place, values in looks.items()}
    right = 0
    for place in looks:
        fresh = look(Landscape(place), 99)
        right += min(middles, key=lambda name: np.abs(middles[name] - fresh).mean()) == place
    assert right >= 0.85 * len(looks)


def test_chance_never_asks_for_what_a_place_cannot_have():
    rng = np.random.default_rng(0)
    drawn_ones = [random_landscape(rng) for _ in range(800)]
    assert {landscape.place for landscape in drawn_ones} == set(PLACES)
    for one in drawn_ones:
        if one.place not in EARTH:
            assert (one.season, one.tree, one.red_sun, one.fantasy) == (
                "summer",
                "none",
                False,
                False,
            )
        if one.red_sun:
            assert one.light == "sunset"
    assert any(one.red_sun for one in drawn_ones)
    assert any(one.fantasy for one in drawn_ones)
    assert {one.tree for one in drawn_ones} == set(words_of(Tree))
    assert random_landscape(rng, "rome").place == "rome"
    assert EARTH < OUTDOOR < set(PLACES)
