import json

import dagster as dg
import pytest
import small_tasks

from assets_defs import experiments, keys
from assets_defs.steps import BASELINE
from likeness.models import checksums

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
