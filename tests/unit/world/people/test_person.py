"""Laws of the drawn person: one picture at any side, a face where it is said to be."""

from dataclasses import replace

import numpy as np
import pytest

from likeness.world.canvas import Canvas
from likeness.world.description import (
    TRAITS,
    Expression,
    Facing,
    Framing,
    HairLength,
    Hat,
    Person,
    Role,
    Spot,
    hair_colour,
    words_of,
)
from likeness.world.people.ageing import draw_chance, look_of
from likeness.world.people.identities import identity
from likeness.world.people.layout import random_person
from likeness.world.people.palette import skin_colour
from likeness.world.people.person import Figure, draw_person

SPOTS = {"portrait": Spot(0.5, 0.5, 0.55), "half": Spot(0.5, 0.3, 0.3), "full": Spot(0.5, 0.5, 0.8)}


def person(index: int = 2, age: float = 30, framing: Framing = "portrait", **more) -> Person:
    more = {"spot": SPOTS[framing], "hair_length": "short"} | more
    return Person(identity("test", index), age, framing, **more)


def drawn(who: Person, side: int = 64, seed: int = 4, **more) -> tuple[Canvas, Figure]:
    canvas = Canvas(side)
    canvas.pen().box(0, 0, 1, 1, (90, 120, 200))
    figure = draw_person(canvas, who, 1, np.random.default_rng(seed), **more)
    return canvas, figure


def changed_pixels(one: np.ndarray, two: np.ndarray, levels: int = 25) -> int:
    return int((np.abs(one - two).max(-1) > levels).sum())


def faces(seed: int, count: int) -> list[Person]:
    rng = np.random.default_rng(seed)
    framings = words_of(Framing)
    return [random_person(identity("rand", i), rng, framings[i % 3]) for i in range(count)]


@pytest.mark.parametrize("who", faces(1, 12))
def test_the_same_seed_gives_the_same_pixels(who):
    one, two = drawn(who), drawn(who)
    assert np.array_equal(one[0].picture(), two[0].picture())
    assert one[1] == two[1]
    assert not np.array_equal(one[0].picture(), drawn(who, seed=5)[0].picture())


@pytest.mark.parametrize("who", faces(2, 12))
def test_the_picture_is_the_same_at_any_side(who):
    (small, figure), (large, same) = drawn(who, 64), drawn(who, 256)
    assert figure == same
    shrunk = large.picture().reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(shrunk - small.picture()).mean() < 2.5


@pytest.mark.parametrize("who", faces(3, 40))
def test_the_face_lies_inside_and_belongs_to_the_person(who):
    canvas, figure = drawn(who, 128)
    if who.hidden != "no":
        assert figure.face is None
        assert figure.eyes is None
        return
    left, top, right, bottom = figure.face
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    # Nearly square, and never larger than the head.
    assert bottom - top <= 1.15 * figure.unit
    box = canvas.owners()[
        round(top * 128) : round(bottom * 128), round(left * 128) : round(right * 128)
    ]
    assert (box == 1).mean() > 0.75
    (ax, ay), (bx, by) = figure.eyes
    assert ax < bx
    assert abs(ay - by) < 0.3 * figure.unit
    assert figure.mouth[1] > max(ay, by)


def test_skin_is_seen_on_the_cheek():
    who = person(age=25)
    canvas, figure = drawn(who, 256)
    left, top, right, bottom = (round(v * 256) for v in figure.face)
    pixels = canvas.picture()[top:bottom, left:right].reshape(-1, 3).astype(float)
    near = np.abs(pixels - skin_colour(who)).max(1) < 12
    assert near.mean() > 0.3


@pytest.mark.parametrize(
    "trait", [t for t in TRAITS if t not in ("hair_dark", "hair_red", "hair_wave")]
)
def test_every_trait_changes_the_face(trait):
    who = person(age=35)
    at = TRAITS.index(trait)

    def face(value: float) -> np.ndarray:
        traits = list(who.identity.traits)
        traits[at] = value
        changed = replace(who, identity=replace(who.identity, traits=tuple(traits)))
        canvas, figure = drawn(changed)
        left, top, right, bottom = (round(v * 64) for v in drawn(who)[1].face)
        assert figure.face is not None
        return canvas.picture()[top - 3 : bottom + 3, left:right].astype(float)

    # The skin's warmth is a slight change of very many pixels.
    assert changed_pixels(face(-0.9), face(0.9), 10) >= 8


@pytest.mark.parametrize(
    ("young", "old"), [(1, 4), (6, 10), (12, 17), (20, 28), (30, 38), (50, 58), (70, 82)]
)
def test_years_are_seen(young, old):
    one, two = drawn(person(age=young))[0].picture(), drawn(person(age=old))[0].picture()
    assert np.abs(one.astype(float) - two).mean() > 0.35


def test_wrinkles_and_wear_only_grow():
    looks = [look_of(person(age=a), draw_chance(np.random.default_rng(0))) for a in range(0, 91, 5)]
    for name in ("wear", "wrinkles", "frail", "ear"):
        values = [getattr(look, name) for look in looks]
        assert values == sorted(values)
    eyes = [look.eye_ry for look in looks]
    assert eyes == sorted(eyes, reverse=True)


def test_old_hair_is_gray():
    who = person(age=75, hair_length="long")
    assert hair_colour(who) == "gray"
    canvas, figure = drawn(who, 128)
    x, y = (figure.face[0] + figure.face[2]) / 2, figure.face[1] - 0.1 * figure.unit
    r, g, b = canvas.picture()[round(y * 128), round(x * 128)].astype(int)
    assert max(r, g, b) - min(r, g, b) < 25
    assert r > 140


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("expression", Expression),
        ("facing", Facing),
        ("hair_length", HairLength),
        ("hat", Hat),
        ("role", Role),
    ],
)
def test_every_value_is_drawn_differently(field, kind):
    pictures = [
        drawn(person(**{field: value}))[0].picture().astype(float) for value in words_of(kind)
    ]
    for i, one in enumerate(pictures):
        for two in pictures[:i]:
            assert changed_pixels(one, two) > 45


def test_looking_right_is_the_mirror_image_of_looking_left():
    left = drawn(person(facing="left"))[0].owners()
    right = drawn(person(facing="right"))[0].owners()
    assert (left[:, ::-1] == right).mean() > 0.97


def test_a_beard_is_for_grown_men():
    girl = replace(person(age=10), beard=True)
    clean = drawn(replace(girl, beard=False))[0].picture()
    assert np.array_equal(drawn(girl)[0].picture(), clean)


def test_riding_bends_the_legs_and_keeps_the_seat():
    who = person(framing="full")
    (stands, a), (rides, b) = drawn(who), drawn(who, riding=True)
    assert a.seat == b.seat
    rows = [np.flatnonzero((c.owners() == 1).any(1)).max() for c in (stands, rides)]
    assert rows[1] < rows[0]
    columns = [np.ptp(np.flatnonzero((c.owners() == 1)[45:].any(0))) for c in (stands, rides)]
    assert columns[1] > columns[0]


def test_a_whole_figure_is_as_tall_as_said():
    rows = np.flatnonzero((drawn(person(framing="full"), 128)[0].owners() == 1).any(1))
    assert np.ptp(rows) / 128 == pytest.approx(0.8, abs=0.05)


def test_random_people_keep_to_natural_limits():
    rng = np.random.default_rng(9)
    crowd = [random_person(identity("crowd", i), rng, "portrait") for i in range(800)]
    assert not any(p.beard and (p.age < 18 or p.identity.sex == "female") for p in crowd)
    assert not any(p.role and (p.age < 16 or p.hat != "none" or p.scarf) for p in crowd)
    assert 0.01 < np.mean([p.hidden != "no" for p in crowd]) < 0.06
    adults = [p for p in crowd if p.age > 16]
    assert 0.1 < np.mean([p.role is not None for p in adults]) < 0.2
    for p in crowd:
        half = 0.42 * p.spot.size
        outside = max(half - p.spot.x, p.spot.x + half - 1, 0) / (2 * half)
        below = max(p.spot.y + p.spot.size / 2 - 1, p.spot.size / 2 - p.spot.y, 0) / p.spot.size
        assert (1 - outside) * (1 - below) > 0.85
