"""The real paintings: every file is taken in, the straddling pair is found, a network learns."""

from pathlib import Path

import pandas as pd
import pytest

from likeness.classify.params import TrainParams, VerdictParams
from likeness.classify.recipe import Recipe
from likeness.classify.tasks import judge, train
from likeness.images import image_set
from likeness.images.inventory import missing_folders
from likeness.images.raw import list_raw
from likeness.images.tasks import ClassesParams, IntakeParams, classes, intake
from likeness.studies.load import load_registry

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "cezanne"
NAMES = {0: "authentic", 1: "replica", 3: "generated"}

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the real paintings are not here ({DATA})"
)


@pytest.fixture(scope="module")
def paintings(tmp_path_factory):
    """Originals, replicas and class 3, taken in as the shipped study does: folder and figures."""
    work, painter = tmp_path_factory.mktemp("paintings"), load_registry().painters["cezanne"]
    folders = {str(label): painter.classes[label].folders for label in NAMES}
    (work / "raw").mkdir()
    list_raw(DATA, folders, painter.group_column).to_parquet(work / "raw" / "inventory.parquet")
    params = IntakeParams(
        limits=painter.limits, duplicates=painter.duplicates, prepare=painter.prepare
    )
    inputs = {"raw": work / "raw", "files": DATA}
    return work / "set", intake(params, inputs, work / "set", work / "scratch")


@pytest.fixture(scope="module")
def classified(paintings, tmp_path_factory):
    """The same with the split that came with the data."""
    work, painter = tmp_path_factory.mktemp("classes"), load_registry().painters["cezanne"]
    params = ClassesParams(
        labels=list(NAMES), split=painter.split, folds=painter.folds, seed=painter.seed
    )
    return work, classes(params, {"paintings": paintings[0]}, work, work / "scratch")


def test_the_study_of_the_word_finds_all_its_folders():
    painter = load_registry().painters["cezanne_painted"]
    folders = [folder for pictures in painter.sets.values() for folder in pictures.folders]
    assert len(folders) == 3 * 2 + 1
    assert missing_folders(DATA, folders) == []


def test_every_file_is_taken_in(paintings):
    files = {str(label): 0 for label in NAMES}
    for path in DATA.glob("*/*/*"):
        if path.parent.parent.name in ("train", "valid") and path.parent.name in files:
            files[path.parent.name] += 1
    assert paintings[1] == {"accepted": sum(files.values()), "rejected": 0, "folders": files}


def test_the_painting_in_both_parts_of_the_given_split_is_found(classified):
    folder, figures = classified
    crossing = pd.read_parquet(folder / "straddling.parquet")
    assert figures["straddling_groups"] == crossing["group"].nunique() >= 1
    group = crossing.loc[crossing["path"].str.startswith("train/0/26."), "group"].item()
    same = crossing[crossing["group"] == group]
    assert sorted(zip(same["path"].str.rsplit(".").str[0], same["split"], strict=True)) == [
        ("train/0/26", "train"),
        ("valid/0/67", "valid"),
    ]


def test_seconds_of_training_tell_originals_from_generated_pictures(
    paintings, classified, tmp_path
):
    table = image_set.read(classified[0])
    table = table[table["label"].isin([0, 3])]
    # what straddles the split would be remembered, not recognised
    crossing = pd.read_parquet(classified[0] / "straddling.parquet")
    table = table[~table["group"].isin(crossing["group"]) | (table["split"] == "valid")]
    inputs = {"paintings": paintings[0], "classes": tmp_path / "classes"}
    image_set.write(inputs["classes"], table)
    recipe = Recipe(input_size=64, tile_overlap=0, epochs=2, steps_per_epoch=20, batch_size=32)
    params = TrainParams(recipe=recipe, rounds="split", labels=[0, 3])
    model, verdicts = tmp_path / "model", tmp_path / "verdicts"
    model.mkdir()
    verdicts.mkdir()
    train(params, inputs, model, tmp_path / "scratch")
    figures = judge(
        VerdictParams(names=NAMES), inputs | {"network": model}, verdicts, tmp_path / "scratch"
    )
    assert figures["n/valid"] == (table["split"] == "valid").sum() == 30
    # a coin gets 21 of 30 or more right once in fifty times
    assert figures["accuracy/valid"] >= 0.7
