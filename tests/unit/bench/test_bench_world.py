"""The small world's own pairs: one thing differs, and nothing else, in pictures, keys and words."""

from dataclasses import replace

import numpy as np
import pytest

from likeness.bench.changes import CHANGES, WORN, removed, shirt
from likeness.bench.pairs import KINDS
from likeness.bench.prompts import changed_words
from likeness.bench.sources import WorldBench
from likeness.bench.world import world_pairs
from likeness.world.description import Description, Identity, Landscape, Person, Spot, as_record
from likeness.world.grammar import vocabulary
from likeness.world.picture import draw
from likeness.world.sample import held_out_in
from likeness.world.tokenizer import unknown_words, write_tokenizer

PER_KIND, SIDE = 3, 64
FIELDS = {
    "pose": {"things.0.pose"},
    "state": {"things.0.state"},
    "thing_kind": {"things.0.kind"},
    "thing_colour": {"things.0.colour"},
    "shirt": {"person.shirt"},
    "place": {"landscape.place"},
    "style": {"style"},
    "glasses": {"person.glasses"},
    "hat": {"person.hat"},
    "scarf": {"person.scarf"},
}


@pytest.fixture(scope="module")
def pairs():
    return list(world_pairs(WorldBench(pairs=8 * PER_KIND), SIDE))


def leaves(value, path=""):
    """Every value of a description by its path."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for name, one in items for k, v in leaves(one, f"{path}.{name}").items()}
    return {path.removeprefix("."): value}


def test_every_kind_is_there_as_often(pairs):
    assert tuple(CHANGES) == KINDS
    assert [pair.kind for pair in pairs] == list(KINDS) * PER_KIND


def test_one_field_of_the_description_differs(pairs):
    for pair in pairs:
        one, other = (leaves(as_record(it)) for it in (pair.edit.before, pair.edit.after))
        differing = {name for name in one if one[name] != other[name]}
        if pair.edit.attribute == "hair_colour":
            assert differing
            assert all(name.startswith("person.identity.traits") for name in differing)
        else:
            assert differing == FIELDS[pair.edit.attribute]


def test_outside_of_the_mask_nothing_changes_and_inside_something_does(pairs):
    for pair in pairs:
        changed = (pair.before != pair.after).any(axis=2)
        if pair.mask is None:
            assert pair.kind == "style"
            continue
        assert pair.mask.shape == (SIDE, SIDE)
        assert not changed[~pair.mask].any()
        assert changed[pair.mask].mean() > 0.3
        assert 0 < pair.mask.mean() < 1


def test_a_mask_is_the_thing_before_and_after_and_little_more(pairs):
    for pair in pairs:
        if pair.kind not in ("pose", "state", "replace"):
            continue
        drawn = [draw(it, SIDE) for it in (pair.edit.before, pair.edit.after)]
        things = drawn[0].foreground | drawn[1].foreground
        assert pair.mask[things].all()
        # what a thing throws its shadow on
        assert (pair.mask & ~things).mean() < 0.12


def test_of_a_new_place_the_subject_stays_but_for_its_edge(pairs):
    from scipy.ndimage import binary_erosion

    for pair in pairs:
        if pair.kind == "background":
            subject = draw(pair.edit.before, SIDE).foreground
            assert (pair.mask | subject).all()
            inside = binary_erosion(subject, np.ones((3, 3)))
            # a slit between two parts of a subject shows what is behind
            assert pair.mask[inside].mean() < 0.01


def test_the_answer_key_differs_in_what_is_asked(pairs):
    for pair in pairs:
        assert set(pair.was) == set(pair.asked) == {pair.edit.attribute}
        assert pair.was != pair.asked
        assert not set(pair.asked) & set(pair.kept)
        assert len(pair.kept) >= 5


def test_prompts_differ_in_one_run_of_words_and_say_what_is_asked(pairs):
    for pair in pairs:
        runs = changed_words(pair.source_prompt, pair.target_prompt)
        assert len(runs) == 1
        source, target = runs[0]
        if pair.kind in ("add", "remove"):
            more, fewer = (target, source) if pair.kind == "add" else (source, target)
            assert not fewer
            said = {"hat": ("hat", "cap")}.get(pair.edit.attribute, (pair.edit.attribute,))
            assert more[-1] in said
        else:
            assert len(source) <= 6
            assert len(target) <= 6


def test_every_word_is_known(pairs, tmp_path):
    from transformers import CLIPTokenizer

    write_tokenizer(vocabulary(), tmp_path)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path)
    for pair in pairs:
        for prompt in (pair.source_prompt, pair.target_prompt):
            assert unknown_words(tokenizer, prompt) == []


def test_no_combination_that_is_held_out_is_shown(pairs):
    assert not any(held_out_in(it) for p in pairs for it in (p.edit.before, p.edit.after))


def test_no_two_pairs_are_the_same(pairs):
    shown = {(p.before.tobytes(), p.after.tobytes()) for p in pairs}
    assert len(shown) == len(pairs)
    assert len({p.before.tobytes() for p in pairs}) == len(pairs)


def test_fewer_pairs_are_the_first_ones_and_the_same_every_time(pairs):
    again = list(world_pairs(WorldBench(pairs=10), SIDE))
    for first, one in zip(pairs[:10], again, strict=True):
        assert first.before.tobytes() == one.before.tobytes()
        assert first.after.tobytes() == one.after.tobytes()
        assert (first.source_prompt, first.target_prompt) == (one.source_prompt, one.target_prompt)


def test_another_seed_has_other_pairs(pairs):
    other = next(world_pairs(WorldBench(pairs=8, seed=1), SIDE))
    assert other.before.tobytes() != pairs[0].before.tobytes()


def test_a_larger_side_shows_the_same_pair(pairs):
    large = next(world_pairs(WorldBench(pairs=8), 2 * SIDE))
    assert large.edit == pairs[0].edit
    assert large.source_prompt == pairs[0].source_prompt
    assert large.before.shape == (2 * SIDE, 2 * SIDE, 3)


@pytest.fixture
def somebody():
    who = Identity("edits-test", "male", (0.0,) * 18)
    person = Person(who, 30.0, "portrait", Spot(0.5, 0.6, 0.4), "short", glasses=True)
    return Description(Landscape("beach"), person=person)


def test_only_what_is_worn_can_be_taken_off(somebody):
    rng = np.random.default_rng(0)
    found = {name: removed(name)(somebody, rng) for name in WORN}
    assert found["hat"] is None
    assert found["scarf"] is None
    assert not found["glasses"].after.person.glasses


def test_no_edit_begins_with_a_picture_in_which_a_change_would_spill(somebody):
    rng = np.random.default_rng(0)
    assert shirt(somebody, rng) is not None
    for more in ({"style": "oil painting"}, {"blurred": True}, {"colourful": True}):
        assert shirt(replace(somebody, **more), rng) is None
    hidden = replace(somebody, person=replace(somebody.person, hidden="away"))
    assert shirt(hidden, rng) is None
