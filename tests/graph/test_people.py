"""The gates of the people graph, with tables written by hand, and where its assets stand."""

import dagster as dg
import pandas as pd
import pytest

from assets_defs import scores as scores_of
from assets_defs.checks import people
from assets_defs.studies import experiments_of_subject, registry
from likeness.images import image_set
from likeness.metrics import tables
from likeness.metrics.images import COLUMNS
from likeness.people.splits import PeopleSplit, SplitRecipe
from pipelines.definitions import defs
from pipelines.driver import plan

GRAPH = defs.resolve_asset_graph()
RECIPE = SplitRecipe(
    splits=(PeopleSplit(name="pure", verified=True), PeopleSplit(name="mixed", verified=False)),
    minimum=2,
)


def by_name(results):
    return {result.check_name: result for result in results}


def write_photos(folder, *rows):
    """A row per (path, status, reason, age, why there is no age)."""
    columns = ("path", "status", "reason", "age", "age_reason")
    own = {"path": "string", "age": "Float64", "age_reason": "string"}
    table = image_set.frame([dict(zip(columns, row, strict=True)) for row in rows], own)
    image_set.write(folder, table)
    return by_name(people.check_photos(folder))


GOOD = ("a.jpg", "accepted", None, 3, None)
BAD = ("b.jpg", "rejected", "not readable", None, None)
AGELESS = ("c.jpg", "accepted", None, None, "no date")


def test_photos_with_ages_pass_and_rejected_ones_are_counted_by_reason(tmp_path):
    found = write_photos(tmp_path, GOOD, BAD, BAD)
    assert all(result.passed for result in found.values())
    assert found[people.ANY].metadata["accepted"].value == 1
    assert found[people.ANY].metadata["rejected"].value == {"not readable": 2}


def test_a_folder_without_a_photo_stops_the_flow(tmp_path):
    result = write_photos(tmp_path, BAD)[people.ANY]
    assert (result.passed, result.severity.value) == (False, "ERROR")


def test_photos_without_an_age_are_a_warning_and_listed_with_their_reason(tmp_path):
    found = write_photos(tmp_path, GOOD, AGELESS)
    assert found[people.ANY].passed
    result = found[people.AGES]
    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.metadata["list"].value == {"c.jpg": "no date"}


PAIRS = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d"), ("d", "f")]


def write_splits(folder, members, held=(), verified="abcd", share=0.5, pairs=PAIRS):
    """Splits of the photos a to f and of a file that was no photo; what the gates say.

    Of the pairs of photos, ``pairs`` verify, and a to d were taken for the person's.
    """
    every = [(a, b, float((a, b) in pairs)) for a in "abcdef" for b in "abcdef" if a < b]
    told = pd.DataFrame(every, columns=["image_a", "image_b", "value"])
    told.loc[told["image_b"] == "f", "value"] = told["value"].where(told["value"] == 1)
    told.to_parquet(folder / "pairs.parquet", index=False)
    person = pd.DataFrame({"image_id": list("abcdef"), "verified": [i in "abcd" for i in "abcdef"]})
    person.astype({"verified": "boolean"}).to_parquet(folder / "verified.parquet", index=False)
    rows = [{"image_id": i, "held_back": i in held, "verified": i in verified} for i in "abcdef"]
    rows.append({"image_id": None, "held_back": None, "verified": None})
    types = {"image_id": "string", "held_back": "boolean", "verified": "boolean"}
    pd.DataFrame(rows).astype(types).to_parquet(folder / "photos.parquet", index=False)
    pairs = [(split, i) for split, ids in members.items() for i in ids]
    table = pd.DataFrame(pairs, columns=["split", "image_id"]).astype("string")
    table.to_parquet(folder / "splits.parquet", index=False)
    return by_name(people.check_splits(folder, RECIPE, folder, share))


def test_whole_splits_pass(tmp_path):
    found = write_splits(tmp_path, {"pure": "ab", "mixed": "abc"}, held="d")
    assert all(result.passed for result in found.values())


def test_a_split_with_too_few_photos_is_a_warning_also_an_empty_one(tmp_path):
    for members, counts in (
        ({"pure": "a", "mixed": "abc"}, {"pure": 1, "mixed": 3}),
        ({"mixed": "abc"}, {"pure": 0, "mixed": 3}),
    ):
        result = write_splits(tmp_path, members)[people.ENOUGH]
        assert (result.passed, result.severity.value) == (False, "WARN")
        assert result.metadata["photos"].value == counts
        assert result.metadata["too_small"].value == {"pure": counts["pure"]}
        assert result.metadata["minimum"].value == 2


def test_a_photo_twice_in_a_split_stops_the_flow_and_in_two_splits_does_not(tmp_path):
    found = write_splits(tmp_path, {"pure": "ab", "mixed": "aba"})
    assert not found[people.COPIES].passed
    assert found[people.COPIES].severity.value == "ERROR"
    assert list(found[people.COPIES].metadata["image_ids"].value) == ["a"]
    assert write_splits(tmp_path, {"pure": "ab", "mixed": "ab"})[people.COPIES].passed


def test_a_photo_held_back_in_any_split_stops_the_flow(tmp_path):
    result = write_splits(tmp_path, {"pure": "ab", "mixed": "abc"}, held="c")[people.COPIES]
    assert not result.passed
    assert list(result.metadata["image_ids"].value) == ["c"]


def test_a_stranger_stops_the_flow_in_a_split_of_verified_photos_and_elsewhere_warns(tmp_path):
    found = write_splits(tmp_path, {"pure": "abe", "mixed": "ab"})
    assert not found[people.STRANGERS].passed
    assert found[people.STRANGERS].severity.value == "ERROR"
    assert list(found[people.STRANGERS].metadata["image_ids"].value) == ["e"]
    found = write_splits(tmp_path, {"pure": "ab", "mixed": "abef"})
    assert found[people.STRANGERS].passed
    warning = found[people.UNVERIFIED]
    assert (warning.passed, warning.severity.value) == (False, "WARN")
    assert list(warning.metadata["image_ids"].value) == ["e", "f"]


def test_a_stranger_is_found_whatever_the_splits_say_of_it(tmp_path):
    # e verifies with nobody and f with one of four, and both are said to be verified
    found = write_splits(tmp_path, {"pure": "abef", "mixed": "ab"}, verified="abcdef")
    assert list(found[people.STRANGERS].metadata["image_ids"].value) == ["e", "f"]
    # one of four is enough for a quarter, and none is not
    found = write_splits(tmp_path, {"pure": "abef"}, verified="abcdef", share=0.25)
    assert list(found[people.STRANGERS].metadata["image_ids"].value) == ["e"]
    # all but one of three others, where every one is asked for
    pairs = [pair for pair in PAIRS if pair != ("c", "d")]
    for share, strangers in ((2 / 3, []), (1, ["c", "d"])):
        found = write_splits(tmp_path, {"pure": "abcd"}, share=share, pairs=pairs)
        assert list(found[people.STRANGERS].metadata["image_ids"].value) == strangers


def test_photos_with_several_faces_are_a_warning_by_the_path_their_owner_knows(tmp_path):
    def check(counts):
        rows = [{"image_id": i, "path": f"{i}.jpg", "status": "accepted"} for i in counts]
        image_set.write(tmp_path, image_set.frame(rows, {"path": "string"}))
        faces = [
            {"image_id": i, "status": "ok" if count else "no_face"}
            for i, count in counts.items()
            for _ in range(max(count, 1))
        ]
        pd.DataFrame(faces).to_parquet(tmp_path / "faces.parquet", index=False)
        (result,) = people.check_faces(tmp_path, tmp_path)
        return result

    result = check({"a": 1, "b": 2, "c": 0, "d": 3})
    assert (result.check_name, result.passed) == (people.SEVERAL, False)
    assert result.severity.value == "WARN"
    assert list(result.metadata["faces"].value.items()) == [("d.jpg", 3), ("b.jpg", 2)]
    assert check({"a": 1, "c": 0}).passed


def check_pairs(folder, *rows):
    columns = ("metric", "value", "status")
    table = pd.DataFrame(rows, columns=columns)
    tables.typed(table, tables.PAIR_COLUMNS).to_parquet(folder / "pairs.parquet", index=False)
    return scores_of.check_pairs(folder)


def test_scores_are_within_bounds_and_missing_ones_have_a_status(tmp_path):
    good = [("ssim", -0.2, "ok"), ("verification", 1.0, "ok"), ("verification", None, "no_face")]
    assert check_pairs(tmp_path, *good).passed
    for bad in (
        ("ssim", 1.2, "ok"),
        ("verification", -0.5, "ok"),
        ("verification", None, "ok"),
        ("verification", 1.0, "no_face"),
        # bounds that nobody knows hold nothing
        ("another", 0.5, "ok"),
    ):
        assert not check_pairs(tmp_path, *good, bad).passed


def check_copies(folder, copied):
    """Of two pictures, with the nearest photo of each; whether each is a copy, or nobody knows."""
    rows = [{"image_id": i, "file": f"images/{i}.png", "status": "accepted"} for i in "xy"]
    image_set.write(folder, image_set.frame(rows))
    near = {"x": ("t1", 0.75), "y": ("t2", 0.5)}
    scores = [
        {"metric": metric, "image_id": i, "photo_id": near[i][0], "value": value}
        for i, copy in copied.items()
        for metric, value in (("nearest_photo", near[i][1]), ("copied", copy))
    ]
    table = tables.typed(pd.DataFrame(scores), COLUMNS)
    table.to_parquet(folder / "scores.parquet", index=False)
    return scores_of.check_copies(folder, folder)


def test_a_picture_that_copies_a_photo_is_a_warning_with_the_photo_and_the_nearest_comes_first(
    tmp_path,
):
    result = check_copies(tmp_path, {"y": 1, "x": 1})
    assert (result.passed, result.severity.value) == (False, "WARN")
    listed = result.metadata["list"].value
    assert list(listed.items()) == [
        ("images/x.png", "photo t1, SSIM 0.750"),
        ("images/y.png", "photo t2, SSIM 0.500"),
    ]
    assert result.metadata["pictures"].value == 2
    result = check_copies(tmp_path, {"x": 0, "y": 1})
    assert list(result.metadata["list"].value) == ["images/y.png"]
    for copied in ({"x": 0, "y": 0}, {"x": None, "y": None}, {}):
        assert check_copies(tmp_path, copied).passed


def test_the_checks_are_on_their_assets_and_block_or_warn_as_they_say():
    blocking = {
        key.name: GRAPH.get(key).blocking
        for key in GRAPH.asset_check_keys
        if key.asset_key.path[0] == "people"
    }
    assert blocking == {
        people.ANY: True,
        people.AGES: False,
        people.SEVERAL: False,
        people.ENOUGH: False,
        people.COPIES: True,
        people.STRANGERS: True,
        people.UNVERIFIED: False,
    }


def test_people_are_a_group_with_a_partition_for_each_of_them():
    assets = {node.key.path[1]: node for node in GRAPH.asset_nodes if node.group_name == "people"}
    assert set(assets) == {"raw_photos", "photos", "faces", "variety", "verification", "splits"}
    for node in assets.values():
        assert node.partitions_def.get_partition_keys() == sorted(registry().subjects)
    before = {name: {key.path[1] for key in node.parent_keys} for name, node in assets.items()}
    assert before == {
        "raw_photos": set(),
        "photos": {"raw_photos"},
        "faces": {"photos"},
        "variety": {"photos"},
        "verification": {"photos", "faces"},
        "splits": {"photos", "verification"},
    }


def test_a_person_is_upstream_of_the_experiments_about_it_and_of_no_other():
    mapping = experiments_of_subject().downstream_partition_keys_by_upstream_partition_key
    pairs = {(key, subject) for subject, found in mapping.items() for key in found}
    about = {(key, one.subject) for key, one in registry().experiments.items() if one.subject}
    assert pairs == about
    assert set(mapping) == set(registry().subjects)


@pytest.mark.parametrize("asset", ["models/finetuned", "scores/pairs"])
def test_experiments_stand_on_the_photos_faces_and_splits_of_their_person(asset):
    parents = {key.to_user_string() for key in GRAPH.get(dg.AssetKey(asset.split("/"))).parent_keys}
    assert {"people/photos", "people/faces", "people/splits"} <= parents


def test_people_are_run_before_the_experiments_about_them():
    jobs = plan("time_machine")
    assert jobs[:2] == [("models_job", "small"), ("people_job", "small_person")]
    assert [job for job, _ in jobs[2:]] == ["experiments_job"] * 7 + ["report_job"]
