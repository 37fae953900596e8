from dataclasses import replace

import pytest

from likeness.world.description import TRAITS, Description, Identity, Landscape, Person, Spot, Thing
from likeness.world.reader.truth import ATTRIBUTES, age_of, boxes_of, truth_of

WHOLE = (0.0, 0.0, 1.0, 1.0)
SPOT = Spot(0.5, 0.5, 0.4)


class Page:
    def __init__(self, description, things=()):
        self.description = description
        self.face = self.person = WHOLE if description.person else None
        self.things = things


def who(**traits):
    return Identity("x-1", "female", tuple(traits.get(name, 0.0) for name in TRAITS))


PERSON = Person(who(hair_dark=0.9), 30.0, "portrait", SPOT, "short", shirt="red")


def read(person=PERSON, place="sea", **more):
    return truth_of(Page(Description(Landscape(place), person=person, **more)))


def test_every_truth_is_a_word_of_its_attribute():
    for name, value in read().items():
        assert value is None or value in ATTRIBUTES[name]


def test_a_plain_portrait_is_said_completely():
    truth = read()
    assert truth["sex"] == "female"
    assert truth["hair_colour"] == "black"
    assert truth["shirt"] == "red"
    assert truth["painter"] == truth["role"] == truth["relation"] == "none"
    assert truth["glasses"] == "no"


@pytest.mark.parametrize(
    ("change", "unseen"),
    [
        ({"hidden": "away"}, ("expression", "glasses", "beard", "facing", "sex")),
        ({"role": "doctor"}, ("shirt", "hat", "scarf")),
        ({"role": "astronaut"}, ("hair_colour", "shirt")),
        ({"hair_length": "bald"}, ("hair_colour",)),
        ({"framing": "full"}, ("expression", "glasses", "beard", "facing", "hat", "hair_length")),
        ({"age": 1.0}, ("sex", "hair_colour", "hair_length")),
        ({"identity": who(hair_dark=0.32)}, ("hair_colour",)),  # between black and brown
        ({"age": 53.0}, ("hair_colour",)),  # half gray
    ],
)
def test_what_cannot_be_seen_is_no_truth(change, unseen):
    truth = read(replace(PERSON, **change))
    assert [truth[name] for name in unseen] == [None] * len(unseen)


def test_full_figures_keep_what_shows():
    truth = read(replace(PERSON, framing="full"))
    assert [truth[n] for n in ("sex", "hair_colour", "shirt", "role")] == [
        "female",
        "black",
        "red",
        "none",
    ]
    assert age_of(Page(Description(Landscape("sea"), person=PERSON))) == 30.0
    full = replace(PERSON, framing="full")
    assert age_of(Page(Description(Landscape("sea"), person=full))) is None


def test_seasons_and_trees_are_outdoors_on_earth():
    assert read(place="sea")["season"] == "summer"
    assert read(place="kitchen")["season"] is None
    assert read(place="moon")["tree"] is None


def test_a_painters_hand_hides_the_place():
    truth = truth_of(Page(Description(Landscape("sea"), "oil painting", painter="cezanne")))
    assert truth["place"] is None
    assert truth["painter"] == "cezanne"
    assert truth["kind"] == "landscape"
    assert truth["relation"] is None


def test_things_beside_each_other_leave_open_which_is_meant():
    dog, ball = Thing("dog", SPOT, "brown", "sitting"), Thing("ball", SPOT, "red")
    land = Landscape("room")
    both = (WHOLE, WHOLE)
    beside = truth_of(Page(Description(land, things=(dog, ball), relation="next to"), both))
    assert (beside["relation"], beside["thing_kind"]) == ("next to", None)
    above = truth_of(Page(Description(land, things=(dog, ball), relation="on"), both))
    assert (above["thing_kind"], above["thing_colour"], above["pose"]) == (
        "dog",
        "brown",
        "sitting",
    )
    held = truth_of(
        Page(Description(land, person=PERSON, things=(ball,), relation="holding"), (WHOLE,))
    )
    assert (held["thing_kind"], held["relation"]) == ("ball", "holding")
    hidden = Page(Description(land, things=(dog,)), (None,))
    assert truth_of(hidden)["thing_kind"] is None
    assert boxes_of(hidden) == []
