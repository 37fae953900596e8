"""Rounds: what is learned from is never reported on."""

import numpy as np
import pandas as pd
import pytest

from likeness.classify.recipe import Recipe
from likeness.classify.rounds import rounds
from likeness.errors import BadInput

RECIPE = Recipe(inner_validation=0.25)


def table(**changed):
    """44 pictures of two classes in pairs (train, valid, test) and two of unseen sets."""
    n = 46
    split = ["train"] * 28 + ["valid"] * 12 + ["test"] * 4 + ["unseen"] * 2
    columns = {
        "image_id": [f"{k:03d}" for k in range(n)],
        "label": pd.array([k // 2 % 2 for k in range(44)] + [None, None], dtype="Int64"),
        "group": pd.array([k // 2 for k in range(n)], dtype="Int64"),
        "image_set": ["classes"] * 44 + ["TISD1", "TISD2"],
        "split": split,
        # groups of a class go round the folds; the test part and the unseen sets are in none
        "fold": pd.array([k // 4 % 5 for k in range(40)] + [None] * 6, dtype="Int64"),
    }
    return pd.DataFrame(columns | changed)


def test_a_split_learns_on_train_calibrates_on_valid_and_answers_for_the_rest_by_name():
    (one,) = rounds(table(), "split", RECIPE)
    assert one.name == "split"
    assert one.fit.tolist() == list(range(28))
    assert one.valid.tolist() == list(range(28, 40))
    assert {name: rows.tolist() for name, rows in one.report.items()} == {
        "valid": list(range(28, 40)),
        "test": list(range(40, 44)),
        "TISD1": [44],
        "TISD2": [45],
    }


def test_a_split_without_test_part_or_unseen_sets_answers_for_valid_alone():
    (one,) = rounds(table().iloc[:40].reset_index(drop=True), "split", RECIPE)
    assert list(one.report) == ["valid"]


def test_folds_answer_for_every_picture_of_train_and_valid_exactly_once():
    made = rounds(table(), "folds", RECIPE)
    assert [one.name for one in made] == [f"fold{k}" for k in range(5)]
    assert all(list(one.report) == ["folds"] for one in made)
    answered = np.concatenate([one.report["folds"] for one in made])
    assert sorted(answered) == list(range(40))
    for k, one in enumerate(made):
        assert (table()["fold"][one.report["folds"]] == k).all()


def test_no_fold_learns_or_calibrates_on_a_group_that_it_answers_for():
    for one in rounds(table(), "folds", RECIPE):
        fit, valid, report = (
            set(table()["group"][rows]) for rows in (one.fit, one.valid, one.report["folds"])
        )
        assert not fit & report
        assert not valid & report
        assert not fit & valid
        parts = np.concatenate([one.fit, one.valid, one.report["folds"]])
        assert sorted(parts) == list(range(40))


def test_a_fold_holds_out_the_asked_share_of_every_class_for_calibration():
    for one in rounds(table(), "folds", RECIPE):
        assert np.bincount(table()["label"][one.valid].astype(int)).tolist() == [4, 4]
        assert len(one.fit) == 24


@pytest.mark.parametrize(("gone", "part"), [("train", "training"), ("valid", "validation")])
def test_an_empty_part_is_named_in_a_sentence(gone, part):
    split = table()["split"].replace(gone, "test")
    with pytest.raises(
        BadInput, match=f"^the {part} part of 'split' has no picture of class 0, 1: add"
    ):
        rounds(table(split=split), "split", RECIPE)


def test_a_class_that_training_never_sees_is_named():
    kept = table()
    gone = kept[(kept["split"] != "train") | (kept["label"] != 1)].reset_index(drop=True)
    with pytest.raises(BadInput, match=r"^the training part of 'split' has no picture of class 1"):
        rounds(gone, "split", RECIPE)


def test_rounds_follow_the_pictures_not_the_order_of_their_rows():
    order = np.random.default_rng(0).permutation(46)
    shuffled = table().iloc[order].reset_index(drop=True)
    for mode in ("split", "folds"):
        for here, there in zip(
            rounds(table(), mode, RECIPE), rounds(shuffled, mode, RECIPE), strict=True
        ):
            for part in ("fit", "valid"):
                assert set(table()["image_id"][getattr(here, part)]) == set(
                    shuffled["image_id"][getattr(there, part)]
                )
