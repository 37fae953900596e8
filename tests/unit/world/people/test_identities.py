"""People drawn by chance stay the same, differ from each other, and carry the right labels."""

from collections import Counter

import numpy as np
import pytest

from likeness.world.description import TRAITS, Identity, Person, Spot, hair_colour
from likeness.world.people.identities import aps_labels, identity


def _person(sex: str, age: float, **traits: float) -> Person:
    who = Identity("x", sex, tuple(traits.get(name, -0.5) for name in TRAITS))
    return Person(who, age, "portrait", Spot(0.5, 0.5, 0.5), "short")


def test_an_identity_is_the_same_every_time_and_its_own_in_every_group():
    assert identity("base", 7) == identity("base", 7)
    assert identity("base", 7).key == "base-0007"
    assert identity("base", 7).traits != identity("reader", 7).traits


def test_traits_are_spread_evenly():
    traits = np.array([identity("spread", i).traits for i in range(600)])
    assert np.abs(traits).max() <= 1
    even = [i for i, name in enumerate(TRAITS) if name not in ("hair_dark", "hair_red")]
    # The deviation of an even spread over -1..1 is 1 / sqrt(3).
    assert traits[:, even].std(0) == pytest.approx(3**-0.5, abs=0.05)


def test_sexes_are_even_and_every_hair_colour_is_common():
    people = [identity("hair", i) for i in range(600)]
    assert 0.44 < np.mean([who.sex == "male" for who in people]) < 0.56
    words = Counter(
        hair_colour(Person(who, 25, "portrait", Spot(0.5, 0.5, 0.5), "short")) for who in people
    )
    assert set(words) == {"black", "brown", "blonde", "red"}
    assert min(words.values()) > 60


def test_labels_by_hand():
    old = _person("male", 40, nose_point=0.2, lips=0.9)
    assert aps_labels(old) == {
        "Young": -1,
        "Male": 1,
        "High_Cheekbones": -1,
        "Pointy_Nose": 1,
        "Narrow_Eyes": -1,
        "Double_Chin": -1,
        "Big_Lips": 1,
        "Big_Nose": -1,
    }
    assert aps_labels(_person("female", 39.9))["Young"] == 1
