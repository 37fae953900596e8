import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from likeness.world.description import Description, Landscape, Spot, Thing, hair_colour
from likeness.world.grammar import caption, vocabulary
from likeness.world.names import people_names
from likeness.world.sample import UNSEEN, Mixture, base_identity, describe, held_out_in
from likeness.world.tokenizer import unknown_words
from likeness.world.words import RARE

PAGES = [describe("grammar-test", i, Mixture()) for i in range(300)]


def texts(description, count=40):
    return [caption(description, np.random.default_rng(i)) for i in range(count)]


def test_a_caption_is_the_same_for_the_same_seed():
    for page in PAGES[:50]:
        one, two = (caption(page, np.random.default_rng(7)) for _ in range(2))
        assert (one.text, one.said) == (two.text, two.said)


def test_a_caption_claims_only_what_is_so():
    for page in PAGES:
        said = caption(page, np.random.default_rng(3), full=True).said
        land, person = page.landscape, page.person
        for key in ("place", "light", "season", "tree"):
            assert said.get(key, getattr(land, key)) == getattr(land, key)
        if person is not None:
            low, high = said.get("age", (0, 91))
            assert low <= person.age <= high
            assert said.get("sex", person.identity.sex) == person.identity.sex
            assert said.get("hair_colour", hair_colour(person)) == hair_colour(person)
            for key in ("expression", "facing", "hat", "shirt", "role", "hair_length", "hidden"):
                assert said.get(key, getattr(person, key)) == getattr(person, key)
        if page.things:
            kinds = {thing.kind for thing in page.things}
            assert said["thing_kind"] in kinds


SAYS = {
    "hair_length": ("long", "short", "bald"),
    "glasses": ("glasses",),
    "beard": ("beard", "bearded"),
    "scarf": ("scarf",),
    "pose": ("standing", "sitting", "jumping", "sleeping", "flying", "wings"),
    "state": ("open", "closed", "old", "sport", "sports"),
}


def test_what_is_claimed_is_said():
    for page in PAGES:
        for one in texts(page, 6):
            words = one.text.replace(",", " ").split()
            for claim, said in SAYS.items():
                assert claim not in one.said or set(said) & set(words), (claim, one.text)
            for claim in ("shirt", "thing_colour", "tree", "painter"):
                assert claim not in one.said or one.said[claim] in words, (claim, one.text)
            kind = one.said.get("thing_kind")
            assert kind is None or kind in words or f"{kind}s" in words or "boxes" in words
            assert "  " not in one.text
            assert " ," not in one.text


def test_pencils_and_painters_claim_no_colours():
    for page in PAGES:
        if page.style == "drawing" or page.painter is not None:
            for one in texts(page, 5):
                assert not {"shirt", "hair_colour", "thing_colour"} & set(one.said)


def test_every_word_of_every_caption_is_in_the_vocabulary():
    known = set(vocabulary())
    for page in PAGES:
        for one in texts(page, 4):
            words = one.text.replace(",", " ").lower().split()
            assert {w for w in words if not w.isdigit()} <= known, one.text


def test_phrases_are_dropped_and_reordered():
    page = next(p for p in PAGES if p.person and p.person.scarf and p.person.role is None)
    said = Counter(key for one in texts(page, 200) for key in one.said)
    assert 0 < said["scarf"] < 200
    assert len({one.text for one in texts(page, 200)}) > 100


def test_a_name_alone_claims_neither_age_nor_sex():
    page = next(p for p in PAGES if p.person and p.person.identity.name)
    name = page.person.identity.name
    alone = [one for one in texts(page, 200) if f"{name} as" not in one.text]
    assert alone
    assert all("age" not in one.said for one in alone)


def test_a_car_by_hand():
    car = Thing("car", Spot(0.5, 0.6, 0.5), colour="yellow", state="sport")
    page = Description(Landscape("manhattan"), things=(car,))
    one = caption(page, np.random.default_rng(0), full=True)
    assert "yellow car" in one.text
    assert one.said["thing_colour"] == "yellow"
    assert one.said["state"] == "sport"
    assert one.said["place"] == "manhattan"


def test_names_are_many_distinct_and_no_other_words():
    names = people_names()
    assert len(names) == len(set(names)) == 320
    pages = [describe("nobody", i, Mixture(named=0.0)) for i in range(400)]
    others = {word for page in pages for one in texts(page, 2) for word in one.text.split()}
    assert not set(names) & others
    assert set(names) <= set(vocabulary())


def test_a_name_is_one_person_for_life():
    assert base_identity(5) == base_identity(5)
    assert base_identity(5).name == people_names()[5]
    assert base_identity(5).traits != base_identity(6).traits


def test_sources_share_no_picture():
    one = {describe("one", i, Mixture()).seed for i in range(200)}
    two = {describe("two", i, Mixture()).seed for i in range(200)}
    assert not one & two


def test_held_out_combinations_occur_only_where_they_may():
    for allowed in ((), ("unseen_by_base",), UNSEEN):
        pages = [describe("free", i, Mixture(unseen=allowed)) for i in range(500)]
        found = set().union(*(held_out_in(page) for page in pages))
        assert found == set(allowed)


def test_a_combination_is_of_one_set_at_most_and_each_set_is_a_small_part():
    pages = [describe("free", i, Mixture(unseen=UNSEEN)) for i in range(800)]
    for name in UNSEEN:
        share = np.mean([name in held_out_in(page) for page in pages])
        assert 0.02 < share < 0.2


def test_what_every_picture_has_is_no_combination():
    day = Description(Landscape("manhattan"))
    assert held_out_in(day) == set()
    for place in ("desert", "space", "city"):
        person = replace(next(p.person for p in PAGES if p.person), role=None, hat="none")
        assert held_out_in(Description(Landscape(place), person=person)) == set()


def test_what_is_held_out_depends_on_the_combination_alone():
    lands = Mixture(people=0, things=0, painted=0, unseen=UNSEEN)
    held = next(d for i in range(900) if held_out_in(d := describe("free", i, lands)))
    assert held_out_in(replace(held, seed=1, style="watercolor")) == held_out_in(held)


def test_every_word_of_the_vocabulary_is_said_somewhere():
    said = set()
    mixture = Mixture(people=0.25, things=0.65, unseen=UNSEEN)
    for i in range(8000):
        page = describe("vocabulary", i, mixture)
        said |= set(re.findall("[a-z]+", caption(page, np.random.default_rng(i)).text.lower()))
    unsaid = set(vocabulary()) - said - set(RARE) - set(people_names())
    assert unsaid == set()


@pytest.mark.parametrize(
    ("share", "kind"),
    [({"people": 1.0, "things": 0.0}, "person"), ({"people": 0.0, "things": 1.0}, "thing")],
)
def test_a_mixture_gives_what_it_says(share, kind):
    assert {describe("m", i, Mixture(**share)).kind for i in range(50)} == {kind}


def test_unknown_words_needs_no_case(tmp_path):
    from transformers import CLIPTokenizer

    from likeness.world.tokenizer import write_tokenizer

    write_tokenizer(["dog"], tmp_path)
    assert unknown_words(CLIPTokenizer.from_pretrained(tmp_path), "DOG Cat") == ["cat"]


def test_full_captions_say_half_as_much_again():
    people = Mixture(people=1.0, things=0.0, related=0.0, named=1.0)
    pages = [describe("said", index, people) for index in range(200)]
    said = {
        full: [caption(page, np.random.default_rng(i), full).said for i, page in enumerate(pages)]
        for full in (False, True)
    }
    # whoever has a name is called by it, and how much of them is seen is never left out
    assert all({"name", "framing"} <= set(one) for one in said[True])
    assert sum(map(len, said[True])) > 1.5 * sum(map(len, said[False]))


def test_things_before_a_wall_are_as_many_as_are_asked_for():
    shown = Mixture(people=0.0, things=1.0, plain=0.6)
    places = [describe("walls", i, shown).landscape.place for i in range(300)]
    assert 0.5 < places.count("studio") / 300 < 0.75
