"""The person's photos: planted strangers stay out, the person's own stay in, order is nothing."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.people.same_person import SamePersonRecipe, same_person

THRESHOLD = 0.4
SHARES = (0.3, 0.5, 0.8, 1.0)
quick = settings(max_examples=40, deadline=None)


def ids(n):
    return [f"{k:04x}" for k in range(n)]


def matrix(n, pairs, faceless=()):
    """Distances in which just ``pairs`` verify."""
    found = np.full((n, n), 0.9)
    np.fill_diagonal(found, 0.0)
    for i, j in pairs:
        found[i, j] = found[j, i] = 0.1
    found[list(faceless)] = np.nan
    found[:, list(faceless)] = np.nan
    return found


def random_matrix(seed, n=14):
    """Somebody's photos among those of others, some without a face."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.1, 0.9)
    own = rng.random(n) < 0.6
    likely = np.where(own[:, None] & own, 0.8, 0.15) * chance
    pairs = [(i, j) for i, j in combinations(range(n), 2) if rng.random() < likely[i, j]]
    return matrix(n, pairs, np.flatnonzero(rng.random(n) < 0.1))


def verified(found, share=0.5, names=None):
    table = same_person(names or ids(len(found)), found, THRESHOLD, SamePersonRecipe(share=share))
    return table.set_index("image_id")


def test_planted_strangers_and_photos_without_a_face_are_left_out_with_their_reasons():
    # ten of the person, all alike but for one pair; two alike strangers, of whom one is mistaken
    # for the person once; one photo without a face
    pairs = [pair for pair in combinations(range(10), 2) if pair != (2, 7)]
    found = matrix(13, [*pairs, (10, 11), (3, 10)], faceless=[12])
    table = verified(found)
    assert table["verified"].tolist() == [True] * 10 + [False] * 3
    assert table["reason"].tolist()[10:] == [
        "verifies with 1 of 10 of the person's photos, 50 % are needed",
        "verifies with 0 of 10 of the person's photos, 50 % are needed",
        "no face was found",
    ]
    assert table["reason"][:10].isna().all()
    assert table["verifies_with"].tolist()[:4] == [9, 9, 8, 9]
    assert (table["of"][:10] == 9).all()


def test_one_failing_pair_breaks_a_clique_but_not_the_persons_set():
    found = matrix(6, [pair for pair in combinations(range(6), 2) if pair != (1, 4)])
    assert verified(found, 0.5)["verified"].all()
    strict = verified(found, 1.0)
    # of the two that fail together, the one with the larger id
    assert strict["verified"].tolist() == [True, True, True, True, False, True]
    assert (
        strict["reason"].iloc[4] == "verifies with 4 of 5 of the person's photos, 100 % are needed"
    )


def test_who_went_early_because_of_strangers_comes_back():
    # 0..4 all alike; 5 verifies with just three of them, and 6..10 are strangers to all
    found = matrix(11, [*combinations(range(5), 2), (5, 0), (5, 1), (5, 2)])
    assert verified(found, 0.6)["verified"].tolist() == [True] * 6 + [False] * 5


def test_distances_at_the_threshold_verify_and_a_photo_alone_proves_nothing():
    found = np.array([[0, THRESHOLD, 0.5], [THRESHOLD, 0, 0.5], [0.5, 0.5, 0]])
    assert verified(found)["verified"].tolist() == [True, True, False]
    alone = verified(matrix(3, []))
    assert not alone["verified"].any()
    assert alone["reason"].str.startswith("there are no photos that verify").all()
    assert verified(np.full((2, 2), np.nan))["reason"].tolist() == ["no face was found"] * 2
    assert len(verified(np.zeros((0, 0)))) == 0


@quick
@given(st.integers(0, 10_000), st.sampled_from(SHARES))
def test_permuting_the_photos_permutes_the_answer(seed, share):
    found = random_matrix(seed)
    order = np.random.default_rng(seed).permutation(len(found))
    names = ids(len(found))
    shuffled = verified(found[np.ix_(order, order)], share, [names[k] for k in order])
    assert shuffled.loc[names].equals(verified(found, share))


@quick
@given(st.integers(0, 10_000), st.sampled_from(SHARES))
def test_in_the_set_everybody_verifies_with_enough_and_nobody_who_may_be_in_it_is_out(seed, share):
    found = random_matrix(seed)
    inside = verified(found, share)["verified"].to_numpy(bool)
    alike = (found <= THRESHOLD) & ~np.eye(len(found), dtype=bool)

    def holds(members):
        members = list(members)
        return all(alike[i, members].sum() >= share * (len(members) - 1) - 1e-9 for i in members)

    assert holds(np.flatnonzero(inside))
    if inside.any():
        assert inside.sum() >= 2
        for one in np.flatnonzero(~inside & ~np.isnan(found.diagonal())):
            assert not holds([*np.flatnonzero(inside), one])


@quick
@given(st.integers(0, 10_000), st.sampled_from(SHARES), st.booleans())
def test_a_stranger_changes_nothing_about_the_set(seed, share, faceless):
    found = random_matrix(seed)
    n = len(found)
    larger = np.full((n + 1, n + 1), 0.9)
    larger[:n, :n] = found
    larger[np.isnan(larger.diagonal())] = np.nan
    larger[:, np.isnan(larger.diagonal())] = np.nan
    larger[n, n] = 0.0
    if faceless:
        larger[n] = larger[:, n] = np.nan
    before, after = verified(found, share), verified(larger, share)
    assert after.iloc[:n].equals(before)
    assert not after["verified"].iloc[n]


@quick
@given(st.integers(0, 3_000))
def test_most_of_a_planted_person_is_found(seed):
    rng = np.random.default_rng(seed)
    own = rng.permutation(30) < 20
    likely = np.where(own[:, None] & own, 0.85, 0.1)
    pairs = [(i, j) for i, j in combinations(range(30), 2) if rng.random() < likely[i, j]]
    found = verified(matrix(30, pairs))["verified"].to_numpy(bool)
    assert (found & own).sum() >= 19
    assert (found & ~own).sum() <= 1


def test_wrong_shapes_and_lopsided_matrices_are_errors():
    with pytest.raises(ValueError, match="need 3 x 3 distances"):
        verified(np.zeros((2, 2)), names=ids(3))
    lopsided = matrix(3, [(0, 1)])
    lopsided[0, 1] = 0.3
    with pytest.raises(ValueError, match="differ"):
        verified(lopsided)
