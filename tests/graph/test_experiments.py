import json

import dagster as dg
import pandas as pd
import pytest
import small_tasks

from assets_defs import experiments
from assets_defs.steps import BASELINE, SPLIT_PEOPLE
from assets_defs.studies import registry
from likeness.errors import BadInput
from likeness.models import checksums
from resources import keys

KEY = "small_world__first_light"


@pytest.fixture
def artifacts(tmp_path):
    return small_tasks.artifacts(tmp_path / "state", "inline")


def test_a_model_made_before_the_study_named_another_is_to_be_made_again(artifacts, tmp_path):
    (tmp_path / "old").mkdir()
    reference = {"model": "sd15", "reference": "hub://x@y", "method": "base"}
    (tmp_path / "old" / "reference.json").write_text(json.dumps(reference))
    artifacts.adopt(artifacts.keep(BASELINE, KEY, tmp_path / "old", reference))
    context = dg.build_asset_context(partition_key=KEY)
    with pytest.raises(dg.Failure) as failure:
        experiments.made(context, config=experiments.SamplingForm(), artifacts=artifacts)
    assert failure.value.description.endswith(
        "was made from sd15 and the experiment says small now: materialise models/finetuned again"
    )


def test_a_damaged_model_of_the_package_is_not_referred_to(artifacts, tmp_path, monkeypatch):
    (tmp_path / "model" / "unet").mkdir(parents=True)
    (tmp_path / "model" / "model_index.json").write_text('{"unet": ["diffusers", "UNet"]}')
    (tmp_path / "model" / "unet" / "model.safetensors").write_bytes(b"whole")
    checksums.write_sums(tmp_path / "model")
    (tmp_path / "model" / "unet" / "model.safetensors").write_bytes(b"torn")
    (tmp_path / "models.yaml").write_text("small: {source: 'folder:model'}")
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "models.yaml"))
    context = dg.build_asset_context(partition_key="small")
    with pytest.raises(dg.Failure) as failure:
        experiments.base(context, artifacts=artifacts)
    assert "model.safetensors is damaged" in failure.value.description
    assert artifacts.find_current(keys.BASE_MODEL, "small") is None


@pytest.fixture
def taught(artifacts, tmp_path):
    """What an experiment would learn from, of splits with so many photos each; two are held back."""

    def ask(key, **counts):
        (tmp_path / "splits").mkdir()
        ids = [(split, f"{split}{n}") for split, count in counts.items() for n in range(count)]
        members = pd.DataFrame(ids, columns=["split", "image_id"], dtype="string")
        members.to_parquet(tmp_path / "splits" / "splits.parquet")
        photos = pd.DataFrame({"image_id": ["h0", "h1"], "held_back": True})
        photos.to_parquet(tmp_path / "splits" / "photos.parquet")
        kept = artifacts.keep(SPLIT_PEOPLE, "small_person", tmp_path / "splits", {}).manifest
        splits = kept.model_copy(update={"params": {"minimum": 4}})
        experiment = registry().experiments[key]
        recipe = experiment.method.recipe
        return experiments._finetune_params(artifacts, experiment, recipe, "x", {"splits": splits})

    return ask


TAUGHT = "time_machine__small_person__dreambooth__child_01"


def test_an_experiment_learns_from_its_split_whatever_the_others_lack(taught):
    params = taught(TAUGHT, child_01=4, child_02=3)
    assert params.trained_on == [f"child_01{n}" for n in range(4)]
    assert params.held_back == ["h0", "h1"]


@pytest.mark.parametrize("count", [0, 3])
def test_an_experiment_does_not_learn_from_too_few_photos(taught, count):
    sentence = (
        f"split 'child_01' of 'small_person' has {count} photos and the study wants at least 4"
    )
    with pytest.raises(BadInput, match=sentence):
        taught(TAUGHT, child_01=count, child_02=9)
