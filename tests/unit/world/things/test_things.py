from itertools import combinations

import numpy as np
import pytest

from likeness.world.canvas import Canvas
from likeness.world.description import ANIMALS, KINDS, Spot, Thing
from likeness.world.paint import PAINT
from likeness.world.things.thing import (
    anchor,
    colours_of,
    draw_thing,
    natural_colour,
    poses_of,
    random_thing,
    states_of,
)

MIDDLE = Spot(0.5, 0.5, 0.6)
VARIANTS = [
    Thing(kind, MIDDLE, pose=pose, state=state)
    for kind in KINDS
    for pose in poses_of(kind) or (None,)
    for state in states_of(kind) or (None,)
]


def drawn(thing, side=64, seed=3):
    canvas = Canvas(side)
    canvas.pen().box(0, 0, 1, 1, (120, 160, 190))
    draw_thing(canvas, thing, 2, np.random.default_rng(seed))
    return canvas


def mask(thing, side=64, seed=3):
    return drawn(thing, side, seed).owners() == 2


def name(thing):
    return f"{thing.kind}-{thing.pose}-{thing.state}"


@pytest.mark.parametrize("thing", VARIANTS, ids=name)
def test_the_same_seed_gives_the_same_picture_at_any_side(thing):
    small, again, large = drawn(thing), drawn(thing), drawn(thing, 256)
    np.testing.assert_array_equal(small.picture(), again.picture())
    shrunk = large.picture().reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(shrunk - small.picture()).mean() < 6.0


@pytest.mark.parametrize("thing", VARIANTS, ids=name)
def test_a_thing_fills_its_own_box(thing):
    y, x = np.nonzero(mask(thing, 128))
    assert abs(x.mean() / 128 - 0.5) < 0.15 * 0.6
    assert abs(y.mean() / 128 - 0.5) < 0.36 * 0.6
    assert np.abs(x / 128 - 0.5).max() <= 0.8 * 0.6
    assert np.abs(y / 128 - 0.5).max() <= 0.65 * 0.6
    assert (x.max() - x.min()) / 128 > 0.5 * 0.6


@pytest.mark.parametrize("thing", VARIANTS, ids=name)
def test_a_mirrored_thing_is_the_mirror_image(thing):
    turned = Thing(thing.kind, thing.spot, pose=thing.pose, state=thing.state, mirror=True)
    straight = mask(thing, 128)
    assert (mask(turned, 128) != straight[:, ::-1]).sum() < 0.06 * straight.sum() + 8
    for (x, y), (u, v) in zip(anchor(thing).values(), anchor(turned).values(), strict=True):
        assert x + u == pytest.approx(1.0)
        assert y == v


@pytest.mark.parametrize("kind", [k for k in KINDS if poses_of(k) or states_of(k)])
def test_poses_and_states_look_different(kind):
    variants = [drawn(thing) for thing in VARIANTS if thing.kind == kind]
    for one, other in combinations(variants, 2):
        either = (one.owners() == 2) | (other.owners() == 2)
        far = np.abs(one.picture().astype(float) - other.picture()).max(-1) > 30
        assert far[either].mean() > 0.3


def test_kinds_look_different():
    pictures = {k: drawn(Thing(k, MIDDLE), 32).picture().astype(float) for k in KINDS}
    for one, other in combinations(KINDS, 2):
        assert np.abs(pictures[one] - pictures[other]).mean() > 2.5, (one, other)


@pytest.mark.parametrize("kind", [k for k in KINDS if colours_of(k)])
def test_what_is_most_seen_of_a_thing_is_near_the_colour_said_of_it(kind):
    words = colours_of(kind)
    seen = []
    for word in words:
        canvas = drawn(Thing(kind, MIDDLE, colour=word))
        pixels = canvas.picture()[canvas.owners() == 2].astype(float)
        near = [np.abs(pixels - PAINT[w]).max(-1) < 45 for w in words]
        seen.append([n.mean() for n in near])
    shares = np.array(seen)
    for row, word in enumerate(words):  # each word's colour is at its most in its own picture
        assert shares[:, row].argmax() == row, word
        assert shares[row, row] > 0.06, word


@pytest.mark.parametrize("kind", KINDS)
def test_free_layout_keeps_most_of_a_thing_in_the_picture(kind):
    rng = np.random.default_rng(0)
    places = []
    for _ in range(12):
        thing = random_thing(kind, rng)
        assert 0.3 <= thing.spot.size <= 0.75
        assert thing.colour is None or thing.colour in colours_of(kind)
        assert (thing.pose is None) == (kind not in ANIMALS)
        half = Spot(0.5, 0.5, thing.spot.size / 2)
        whole = mask(
            Thing(kind, half, thing.colour, thing.pose, thing.state, thing.mirror), 128
        ).sum()
        assert mask(thing).sum() > 0.85 * whole
        places.append((thing.spot.x, thing.spot.y))
    assert np.std(places, axis=0).min() > 0.02


def test_a_layout_is_fixed_by_its_seed():
    one, other = (random_thing("dog", np.random.default_rng(5)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("thing", VARIANTS, ids=name)
def test_anchors_lie_on_the_thing(thing):
    canvas = drawn(thing, 128)
    y, x = np.nonzero(canvas.owners() == 2)
    places = anchor(thing)
    assert set(places) == {"back", "top", "grip"}
    for point in places.values():
        assert np.hypot(x / 128 - point[0], y / 128 - point[1]).min() < 0.08


def test_anchors_scale_and_move_with_the_spot():
    box = Thing("box", Spot(0.25, 0.5, 0.4), state="closed")
    x, y = anchor(box)["top"]
    assert (x, y) == pytest.approx((0.25 + 0.04 * 0.4, 0.5 - 0.23 * 0.4))


def test_a_shadow_darkens_the_ground_and_belongs_to_it():
    canvas = drawn(Thing("ball", MIDDLE, colour="red"), 64)
    picture, owners = canvas.picture(), canvas.owners()
    ground = picture[owners == 0].astype(float).sum(-1)
    assert (ground < 0.85 * (120 + 160 + 190)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_natural_colours_are_colours_and_vary(kind):
    rng = np.random.default_rng(1)
    some = np.array([natural_colour(kind, rng) for _ in range(8)])
    assert some.min() >= 0
    assert some.max() <= 255
    assert len(np.unique(some, axis=0)) == 8
