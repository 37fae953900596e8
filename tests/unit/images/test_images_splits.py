"""Splits: shares kept, groups whole, nothing depending on row order."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from likeness.errors import BadInput
from likeness.images.splits import Made, hold_out, make_folds, make_split, straddling


def table(seed, classes=4, spanning=True):
    """Ids, labels and groups of a few hundred pictures; some groups span two classes."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), rng.integers(30, 90, classes))
    ids = np.array([f"{n:016x}" for n in rng.permutation(len(labels)) * 7919])
    groups = np.array([f"group {n:010d}" for n in range(len(labels))])
    for _ in range(20):
        pool = np.arange(len(labels)) if spanning else np.flatnonzero(labels == rng.choice(classes))
        groups[rng.choice(pool, rng.integers(2, 5), replace=False)] = (
            f"share {rng.integers(1e9):010d}"
        )
    return ids, labels, groups


seeds = st.integers(0, 10_000)
quick = settings(max_examples=25, deadline=None)


@quick
@given(seeds, st.sampled_from([Made(), Made(valid=0.2, test=0), Made(valid=8, test=4)]))
def test_no_group_straddles_and_every_class_is_everywhere(seed, made):
    ids, labels, groups = table(seed)
    split = make_split(ids, labels, groups, made, seed)
    assert straddling(split, groups) == []
    expected = {"train", "valid", "test"} if made.test else {"train", "valid"}
    for label in np.unique(labels):
        assert set(split[labels == label]) == expected


@quick
@given(seeds, st.sampled_from(["split", "folds", "hold_out"]))
def test_the_order_of_rows_and_the_names_of_groups_do_not_matter(seed, what):
    ids, labels, groups = table(seed)

    def run(i, lab, g):
        if what == "split":
            return make_split(i, lab, g, Made(valid=0.2, test=0.1), 5)
        return make_folds(i, lab, g, 4, 5) if what == "folds" else hold_out(i, lab, g, 0.2, 5)

    order = np.random.default_rng(seed).permutation(len(ids))
    renamed = np.unique(groups[order], return_inverse=True)[1] * -3
    again = run(ids[order], labels[order], renamed)
    assert np.array_equal(run(ids, labels, groups)[order], again)


@quick
@given(seeds)
def test_fractions_are_met_to_a_picture_or_two_in_every_class(seed):
    ids, labels, groups = table(seed)
    split = make_split(ids, labels, groups, Made(valid=0.2, test=0.1), seed)
    for label in np.unique(labels):
        size = (labels == label).sum()
        assert abs((split[labels == label] == "valid").sum() - 0.2 * size) <= 2
        assert abs((split[labels == label] == "test").sum() - 0.1 * size) <= 2


def test_counts_are_exact_where_groups_allow():
    # the sizes and the split of the Cezanne study
    labels = np.repeat([0, 1, 2, 3, 4], [89, 68, 88, 93, 94])
    ids = [f"{n:04d}" for n in range(len(labels))]
    groups = np.arange(len(labels))
    groups[[3, 4, 5, 100, 101]] = 3  # one painting photographed five times, and copied
    split = make_split(ids, labels, groups, Made(valid=15, test=5), seed=1)
    for label, size in enumerate([89, 68, 88, 93, 94]):
        found = Counter(split[labels == label].tolist())
        assert found == {"valid": 15, "test": 5, "train": size - 20}


@quick
@given(seeds, st.integers(2, 6))
def test_folds_share_out_every_class_evenly_and_keep_groups_whole(seed, k):
    ids, labels, groups = table(seed)
    fold = make_folds(ids, labels, groups, k, seed)
    assert straddling(fold, groups) == []
    for label in np.unique(labels):
        sizes = np.bincount(fold[labels == label], minlength=k)
        assert len(sizes) == k
        assert np.ptp(sizes) <= 3
    assert np.ptp(np.bincount(fold)) <= 4


def test_leftovers_of_the_classes_do_not_pile_up_in_one_fold():
    # six classes of 11 in 5 folds: 66 pictures, so folds of 13 and 14
    labels = np.repeat(np.arange(6), 11)
    ids = [f"{n:03d}" for n in range(66)]
    fold = make_folds(ids, labels, ids, 5, seed=0)
    assert sorted(np.bincount(fold)) == [13, 13, 13, 13, 14]


@quick
@given(seeds)
def test_the_held_out_part_is_group_safe_and_stratified(seed):
    ids, labels, groups = table(seed)
    held = hold_out(ids, labels, groups, 0.2, seed)
    assert held.dtype == bool
    assert straddling(held, groups) == []
    for label in np.unique(labels):
        assert abs(held[labels == label].sum() - 0.2 * (labels == label).sum()) <= 2


@quick
@given(seeds)
def test_the_smallest_possible_classes_are_still_everywhere(seed):
    rng = np.random.default_rng(seed)
    # per class exactly three groups, of very unequal size
    labels, groups = [], []
    for label in range(3):
        for number in range(3):
            members = rng.integers(1, 12)
            labels += [label] * members
            groups += [f"{label}-{number}"] * members
    ids = [f"{n:03d}" for n in range(len(labels))]
    split = make_split(ids, labels, groups, Made(valid=0.1, test=0.1), seed)
    for label in range(3):
        assert set(split[np.array(labels) == label]) == {"train", "valid", "test"}


def test_the_seed_decides():
    ids, labels, groups = table(0)
    first = make_split(ids, labels, groups, Made(), 1)
    assert np.array_equal(first, make_split(ids, labels, groups, Made(), 1))
    assert (first != make_split(ids, labels, groups, Made(), 2)).mean() > 0.1


def test_columns_of_a_filtered_table_are_read_by_row_and_not_by_index():
    ids, labels, groups = table(1)
    rows = pd.DataFrame({"i": ids, "l": labels, "g": groups}).iloc[::-2]
    split = make_split(rows["i"], rows["l"], rows["g"], Made(), 1)
    plain = make_split(ids[::-2], labels[::-2], groups[::-2], Made(), 1)
    assert np.array_equal(split, plain)
    assert straddling(pd.Series(split, index=rows.index), rows["g"]) == []


def test_straddling_groups_are_found_with_their_rows():
    found = straddling(["train", "valid", "train", "train", "test"], ["a", "a", "b", "b", "a"])
    assert [(group, rows) for group, rows in found] == [("a", [0, 1, 4])]


def test_a_class_too_small_is_named_with_its_count():
    labels = [0] * 30 + [7] * 20
    ids = [f"{n:02d}" for n in range(50)]
    with pytest.raises(BadInput, match="class 7 has 20 pictures in 20 groups"):
        make_split(ids, labels, ids, Made(valid=15, test=5), 0)
    groups = ids[:30] + ["x"] * 12 + ["y"] * 8
    with pytest.raises(BadInput, match="class 7 has 20 pictures in 2 groups"):
        make_folds(ids, labels, groups, 3, 0)


@pytest.mark.parametrize(
    "wrong", [{"valid": 0.6, "test": 0.4}, {"valid": 2.5}, {"valid": 0}, {"train": 3}]
)
def test_sizes_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        Made(**wrong)
