"""The gates, each with what it must let through and what it must stop."""

import pandas as pd
import pytest
from PIL import Image

from assets_defs.checks import classifier, experiments, painters, world
from likeness.generate.asked import Asked
from likeness.generate.sample import Sampling
from likeness.generate.tasks import ImagesParams
from likeness.images import image_set
from likeness.models.registry import spec_of
from likeness.studies.schema import Painter
from resources.manifest import FileEntry, Manifest

GIVEN = {"train": ["train"], "valid": ["valid"]}


def painter(split=None):
    two = {label: {"name": "n", "folders": [f"train/{label}"]} for label in (0, 1)}
    return Painter.model_validate({"title": "t", "classes": two, "split": split or {}})


def by_name(results):
    return {result.check_name: result for result in results}


def write_classes(folder, splits, folds, groups):
    """A classes folder by hand: a picture per split, with its fold and its group."""
    table = image_set.frame(
        [
            {"image_id": str(i), "split": split, "fold": fold, "group": group}
            | {"image_set": "classes", "path": f"{split}/{i}.png", "status": "accepted"}
            for i, (split, fold, group) in enumerate(zip(splits, folds, groups, strict=True))
        ],
        {"image_set": "string", "path": "string", "fold": "Int64", "group": "Int64"},
    )
    image_set.write(folder, table)
    crossing = table[table.groupby("group")["split"].transform("nunique") > 1]
    crossing[["group", "path", "split"]].to_parquet(folder / "straddling.parquet")


def test_a_group_in_two_splits_stops_a_split_made_here_and_only_warns_of_a_given_one(tmp_path):
    write_classes(tmp_path, ["train", "valid", "train"], [0, 0, 1], [7, 7, 8])
    ours = by_name(painters.check_classes(tmp_path, painter()))
    assert not ours[painters.NO_LEAK].passed
    assert ours[painters.NO_LEAK].metadata["groups_in_two_splits"].value == 1
    assert ours[painters.GIVEN_LEAK].passed
    theirs = by_name(painters.check_classes(tmp_path, painter(GIVEN)))
    assert theirs[painters.NO_LEAK].passed
    warning = theirs[painters.GIVEN_LEAK]
    assert (warning.passed, warning.severity.value) == (False, "WARN")
    assert warning.metadata["pictures"].value == ["train: train/0.png", "valid: valid/1.png"]


@pytest.mark.parametrize("split", [None, GIVEN])
def test_a_group_in_two_folds_stops_any_split(tmp_path, split):
    write_classes(tmp_path, ["train", "train", "valid"], [0, 1, None], [7, 7, 8])
    result = by_name(painters.check_classes(tmp_path, painter(split)))[painters.NO_LEAK]
    assert not result.passed
    assert result.metadata["groups_in_two_folds"].value == 1


def test_whole_groups_pass(tmp_path):
    write_classes(tmp_path, ["train", "train", "valid"], [0, 0, 1], [7, 7, 8])
    assert all(result.passed for result in painters.check_classes(tmp_path, painter()))


def write_paintings(folder, counts, rejected=0, twins=()):
    rows = [
        {"label_key": key, "status": "accepted"} for key, n in counts.items() for _ in range(n)
    ] + [{"label_key": "0", "status": "rejected"}] * rejected
    image_set.write(folder, image_set.frame(rows, {"label_key": "string"}))
    columns = ["label_a", "label_b", "path_a", "path_b"]
    pd.DataFrame(twins, columns=columns).to_parquet(folder / "near_duplicates.parquet")


def test_a_class_with_too_few_pictures_stops_the_flow_and_is_named(tmp_path):
    write_paintings(tmp_path, {"0": 5, "1": 4, "TEST": 1})
    result = by_name(painters.check_paintings(tmp_path, painter()))[painters.ENOUGH]
    assert not result.passed
    assert result.metadata["too_few"].value == {"1": 4}
    write_paintings(tmp_path, {"0": 5})
    result = by_name(painters.check_paintings(tmp_path, painter()))[painters.ENOUGH]
    assert result.metadata["too_few"].value == {"1": 0}


def test_more_than_a_tenth_of_unreadable_files_is_a_warning(tmp_path):
    for rejected, passed in ((2, True), (3, False)):
        write_paintings(tmp_path, {"0": 9, "1": 9}, rejected)
        found = by_name(painters.check_paintings(tmp_path, painter()))
        assert found[painters.ENOUGH].passed
        assert (found[painters.READABLE].passed, found[painters.READABLE].severity.value) == (
            passed,
            "WARN",
        )


def test_pictures_that_look_alike_in_two_classes_are_listed(tmp_path):
    twins = [("0", "1", "a.png", "b.png"), ("0", "0", "c.png", "d.png")]
    write_paintings(tmp_path, {"0": 9, "1": 9}, twins=twins)
    result = by_name(painters.check_paintings(tmp_path, painter()))[painters.NEAR]
    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.metadata["list"].value == ["a.png ~ b.png"]


def test_pictures_that_look_like_what_they_were_rebuilt_from_are_not_listed(tmp_path):
    read = {"name": "n", "folders": ["a"]}
    tests = {"M": read, "U": {"name": "u", "rebuilt": {"of": "M", "model": "small"}}}
    rebuilt = Painter.model_validate({"title": "t", "classes": {0: read, 1: read}, "tests": tests})
    twins = [("M", "U", "a.png", "b.png"), ("U", "M", "b.png", "a.png")]
    for pairs, wanted in ((twins, []), ([*twins, ("0", "U", "c.png", "b.png")], ["c.png ~ b.png"])):
        write_paintings(tmp_path, {"0": 9, "1": 9}, twins=pairs)
        result = by_name(painters.check_paintings(tmp_path, rebuilt))[painters.NEAR]
        assert list(result.metadata["list"].value) == wanted
        assert result.passed == (not wanted)


def write_verdicts(folder, rows):
    columns = ["image_set", "truth", "predicted", "probabilities"]
    table = pd.DataFrame(rows, columns=columns).astype({"truth": "Int64"})
    table.to_parquet(folder / "verdicts.parquet")


def test_verdicts_without_one_whole_probability_per_class_stop_the_flow(tmp_path):
    good = ("valid", 0, 0, [0.75, 0.25])
    for bad, passed in (
        (("new", None, 1, [0.5, 0.5]), True),
        (("new", None, 1, [0.5, 0.6]), False),
        (("new", None, 1, [float("nan"), 1.0]), False),
    ):
        write_verdicts(tmp_path, [good, bad])
        found = by_name(classifier.check_verdicts(tmp_path, painter()))
        assert found[classifier.PROBABILITIES].passed is passed
    write_verdicts(tmp_path, [("valid", 0, 0, [0.5, 0.25, 0.25])])
    found = by_name(classifier.check_verdicts(tmp_path, painter()))
    assert not found[classifier.PROBABILITIES].passed


def test_a_judge_that_names_the_largest_class_or_little_better_is_warned_of(tmp_path):
    right, wrong = ("valid", 0, 0, [1.0, 0.0]), ("valid", 1, 0, [1.0, 0.0])
    other = ("valid", 1, 1, [0.0, 1.0])
    unseen = ("NEW", 1, 1, [0.0, 1.0])
    for rows, passed in (
        ([right] * 60 + [wrong] * 40 + [unseen] * 1000, False),
        ([right] * 60 + [other] * 40, True),
        # all right, but so few that chance could do it
        ([right] * 2 + [other], False),
    ):
        write_verdicts(tmp_path, rows)
        result = by_name(classifier.check_verdicts(tmp_path, painter()))[classifier.BASELINE]
        assert result.passed is passed
        assert result.severity.value == "WARN"


SHOTS = ImagesParams(
    model="small",
    identity="content://x",
    dtype="float32",
    resolution=64,
    asked=[Asked(prompt="a", seeds=[0]), Asked(prompt="b", seeds=[1])],
    sampling=Sampling(),
)


def check_made(folder, *pictures):
    """The verdicts on pictures given as (prompt, seed, size, colours of its left and right half)."""
    (folder / "images").mkdir(exist_ok=True)
    rows = []
    for prompt, seed, size, left, right in pictures:
        picture = Image.new("RGB", size, left)
        picture.paste(right, (0, 0, size[0] // 2, size[1]))
        picture.save(folder / "images" / f"{seed}.png")
        rows.append({"file": f"images/{seed}.png", "prompt": prompt, "seed": seed})
    image_set.write(folder, image_set.frame(rows))
    return by_name(experiments.check_images(folder, SHOTS))


A, B = ("a", 0, (64, 64), "red", "blue"), ("b", 1, (64, 64), "gray", "black")


def test_whole_pictures_pass(tmp_path):
    assert all(result.passed for result in check_made(tmp_path, A, B).values())


@pytest.mark.parametrize("pictures", [[A], [A, B, ("b", 2, (64, 64), "red", "blue")], [A, A]])
def test_a_picture_too_few_or_too_many_or_twice_stops_the_flow(tmp_path, pictures):
    result = check_made(tmp_path, *pictures)[experiments.COUNT]
    assert (result.passed, result.severity.value) == (False, "ERROR")
    assert result.metadata["pictures"].value == len(pictures)


def test_a_picture_of_another_size_stops_the_flow_and_is_named(tmp_path):
    result = check_made(tmp_path, A, ("b", 1, (64, 56), "red", "blue"))[experiments.SIZE]
    assert (result.passed, result.severity.value) == (False, "ERROR")
    assert result.metadata["list"].value == ["images/1.png: 64 x 56"]


def test_a_picture_that_cannot_be_read_stops_the_flow_and_is_named(tmp_path):
    check_made(tmp_path, A, B)
    (tmp_path / "images" / "1.png").write_bytes(b"no picture at all, only words")
    result = by_name(experiments.check_images(tmp_path, SHOTS))[experiments.READABLE]
    assert (result.passed, result.severity.value) == (False, "ERROR")
    assert result.metadata["list"].value[0].startswith("images/1.png: ")


def test_a_picture_of_one_colour_is_a_warning(tmp_path):
    found = check_made(tmp_path, A, ("b", 1, (64, 64), "black", "black"))
    result = found.pop(experiments.FLAT)
    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.metadata["list"].value == ["images/1.png"]
    assert all(other.passed for other in found.values())


def test_a_model_with_a_network_without_safetensors_stops_the_flow(tmp_path):
    def check(folder, model):
        (result,) = experiments.check_base(folder, spec_of(model))
        assert result.severity.value == "ERROR"
        return result.metadata["without_safetensors"].value

    for part in ("unet", "vae", "text_encoder"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").touch()
    assert check(tmp_path, "small") == []
    assert check(tmp_path, "sdxl") == ["text_encoder_2"]
    (tmp_path / "vae" / "model.safetensors").rename(tmp_path / "vae" / "model.bin")
    assert check(tmp_path, "small") == ["vae"]
    assert check(None, "sd15-random") == []


def files_of(**sizes):
    """A manifest that lists files with these sizes; ``__`` stands for the dot."""
    entries = [
        FileEntry(path=name.replace("__", "."), bytes=size, sha256="0" * 64)
        for name, size in sizes.items()
    ]
    return Manifest.model_construct(files=tuple(entries))


@pytest.mark.parametrize(
    ("sizes", "safe", "fits"),
    [
        ({"model__safetensors": 15_000_000, "config__json": 10}, True, True),
        ({"model__safetensors": 15_200_000}, True, False),
        ({"model__safetensors": 5, "optimizer__pt": 5}, False, True),
        ({"config__json": 10}, False, True),
    ],
)
def test_a_model_ships_with_safetensors_alone_and_in_files_that_fit(sizes, safe, fits):
    results = by_name(world.check_model(files_of(**sizes)))
    assert results[world.SAFE].passed == safe
    assert results[world.SMALL].passed == fits
