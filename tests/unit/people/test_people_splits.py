"""A person's splits: who is in which, why others are not, and what is held back to judge by."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from likeness.errors import BadInput
from likeness.people.splits import (
    AgeClass,
    PeopleSplit,
    SplitRecipe,
    child_and_adult,
    sizes,
    split_photos,
)


def people(rows):
    """Tables of photos and of verification from (path, age, verified, group, reason)."""
    photos = pd.DataFrame(
        [
            {
                "path": path,
                "image_id": None if reason else f"id-{path}",
                "file": None if reason else f"images/{path}.png",
                "width": None if reason else 100,
                "age": age,
                "age_reason": "nobody knows" if age is None else None,
                "group": None if reason else group,
                "status": "rejected" if reason else "accepted",
                "reason": reason,
            }
            for path, age, _, group, reason in rows
        ]
    ).astype({"age": "Float64", "group": "Int64", "reason": "string", "age_reason": "string"})
    verified = pd.DataFrame(
        [
            {"image_id": f"id-{path}", "verified": one, "reason": None if one else "a stranger"}
            for path, _, one, _, reason in rows
            if not reason
        ]
    ).astype({"verified": "boolean", "reason": "string"})
    return photos, verified


HAND_MADE = [
    ("a", 3.0, True, 0, None),
    ("b", 14.99, False, 1, None),
    ("c", 15.0, True, 2, None),
    ("d", 36.0, False, 3, None),
    ("e", None, True, 4, None),
    ("f", 5.0, True, 5, "empty file"),
    ("g", 22.0, True, 6, None),
]


def many(n=60, seed=3):
    rng = np.random.default_rng(seed)
    ages = np.round(rng.uniform(0, 36, n), 1)
    return [(f"{k:03d}", float(ages[k]), bool(rng.random() < 0.7), k, None) for k in range(n)]


def ids_of(splits):
    return {name: set(rows["image_id"]) for name, rows in splits.members.groupby("split")}


def test_the_six_splits_by_hand():
    splits = split_photos(*people(HAND_MADE), SplitRecipe())
    assert ids_of(splits) == {
        "child_01": {"id-a"},
        "child_02": {"id-a", "id-b"},
        "adult_01": {"id-c", "id-g"},
        "adult_02": {"id-c", "id-d", "id-g"},
        "all_01": {"id-a", "id-c", "id-g"},
        "all_02": {"id-a", "id-b", "id-c", "id-d", "id-g"},
    }
    assert sizes(splits.members, SplitRecipe()) == {
        "child_01": 1,
        "child_02": 2,
        "adult_01": 2,
        "adult_02": 3,
        "all_01": 3,
        "all_02": 5,
    }
    classes = splits.photos.set_index("path")["age_class"]
    assert classes.fillna("-").tolist() == [
        "child",
        "child",
        "young",
        "today",
        "-",
        "child",
        "adult",
    ]


def test_every_photo_that_a_split_lacks_has_its_reason_there():
    splits = split_photos(*people(HAND_MADE), SplitRecipe())
    out = splits.left_out.set_index(["split", "path"])["reason"]
    assert out["child_01"].to_dict() == {
        "b": "a stranger",
        "e": "no age: nobody knows",
        "f": "empty file",
    }
    assert out["adult_01"].to_dict() == {"d": "a stranger", "e": "no age: nobody knows"}
    assert out["all_02"].to_dict() == {"e": "no age: nobody knows", "f": "empty file"}
    why = splits.photos.set_index("path")["left_out_because"]
    assert why[["a", "c", "g"]].isna().all()
    assert why[["b", "e", "f"]].tolist() == ["a stranger", "no age: nobody knows", "empty file"]


@pytest.mark.parametrize("limit", [8, 15, 30])
def test_laws_of_the_six_splits(limit):
    photos, verified = people([*HAND_MADE, *many()])
    parts = ids_of(split_photos(photos, verified, SplitRecipe(splits=child_and_adult(limit))))
    for number in ("01", "02"):
        child, adult = parts[f"child_{number}"], parts[f"adult_{number}"]
        assert child | adult == parts[f"all_{number}"]
        assert not child & adult
    for name in ("child", "adult", "all"):
        assert parts[f"{name}_01"] <= parts[f"{name}_02"]


def test_held_back_photos_are_verified_spread_over_the_ages_and_in_no_split():
    recipe = SplitRecipe(held_back=6, seed=4)
    splits = split_photos(*people(many()), recipe)
    table = splits.photos
    held = table[table["held_back"]]
    assert len(held) == 6
    assert held["verified"].all()
    assert not set(held["image_id"]) & set(splits.members["image_id"])
    # one from each sixth of the verified photos, by age
    order = table[table["verified"]].sort_values(["age", "image_id"])["held_back"].to_numpy()
    assert [int(part.sum()) for part in np.array_split(order, 6)] == [1] * 6
    reasons = splits.left_out[splits.left_out["image_id"].isin(held["image_id"])]["reason"]
    assert set(reasons) == {"held back for judging"}
    other = split_photos(*people(many()), recipe.model_copy(update={"seed": 5})).photos
    assert (other["held_back"] != table["held_back"]).any()


def test_a_photo_with_a_near_duplicate_is_never_held_back():
    rows = [(path, age, True, k // 2, None) for k, (path, age, *_) in enumerate(many(20))]
    with pytest.raises(BadInput, match="but only 0 verified ones"):
        split_photos(*people(rows), SplitRecipe(held_back=1))
    rows[7] = (*rows[7][:3], 99, None)
    # now two are alone: this one, and the one that it was like
    held = split_photos(*people(rows), SplitRecipe(held_back=2)).photos
    assert held.loc[held["held_back"], "path"].tolist() == ["006", "007"]


def test_of_near_duplicates_one_feeds_models_a_verified_one_before_a_larger_one():
    rows = [
        ("a", 20.0, True, 0, None),
        ("b", 20.0, True, 0, None),
        ("c", 20.0, False, 0, None),
        ("d", 21.0, True, 1, None),
    ]
    photos, verified = people(rows)
    photos["width"] = [80, 100, 120, 64]
    splits = split_photos(photos, verified, SplitRecipe())
    assert ids_of(splits)["all_02"] == {"id-b", "id-d"}
    out = splits.left_out.set_index(["split", "path"])["reason"]
    assert out["all_02", "a"] == out["all_02", "c"] == "near duplicate of b"
    told = splits.photos.set_index("path")["left_out_because"]
    assert told["a"] == "near duplicate of b"
    assert pd.isna(told["b"])


def test_the_order_of_the_photos_does_not_matter():
    photos, verified = people([*HAND_MADE, *many()])
    recipe = SplitRecipe(held_back=5)
    order = np.random.default_rng(0).permutation(len(photos))
    one = split_photos(photos, verified, recipe)
    two = split_photos(photos.iloc[order].reset_index(drop=True), verified.iloc[::-1], recipe)
    assert one.members.equals(two.members)
    keys = ["split", "path"]
    assert one.left_out.sort_values(keys, ignore_index=True).equals(
        two.left_out.sort_values(keys, ignore_index=True)
    )


def test_a_photo_that_nobody_verified_is_no_verified_one():
    photos, verified = people(HAND_MADE)
    splits = split_photos(photos, verified.iloc[1:], SplitRecipe())
    assert "child_01" not in ids_of(splits)
    out = splits.left_out.set_index(["split", "path"])["reason"]
    assert out["child_01", "a"] == "was not verified"


def test_photos_of_which_none_can_be_used_are_refused():
    rows = [("a", None, True, 0, None), ("b", None, True, 1, None), ("c", 3.0, True, 2, "broken")]
    with pytest.raises(BadInput, match=r"none of the 3 photos .* no age: nobody knows"):
        split_photos(*people(rows), SplitRecipe())


def test_recipes_that_contradict_themselves_are_refused():
    with pytest.raises(ValidationError, match="before it begins"):
        AgeClass(name="child", from_age=5, to_age=5)
    with pytest.raises(ValidationError, match="'b' begins before 'a' ends"):
        SplitRecipe(age_classes=(AgeClass(name="a", to_age=9), AgeClass(name="b", from_age=8)))
    with pytest.raises(ValidationError, match="one is there twice"):
        SplitRecipe(splits=(PeopleSplit(name="a", verified=True),) * 2)
