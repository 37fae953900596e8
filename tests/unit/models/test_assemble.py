import json
import shutil

import numpy as np
import pytest
import torch

from likeness.errors import BadInput
from likeness.models.assemble import LORA, Reference, assemble, load_finetuned, read_reference
from likeness.models.load import load_pipeline
from likeness.models.local import model_identity


@pytest.fixture
def mine(tiny, settings):
    """A model ``mine``, and how to make a fine-tuned one from it."""
    settings(mine={"source": f"folder:{tiny}", "architecture": "sd15", "resolution": 16})
    return tiny


def fine_tune(folder, parts):
    """Write a folder with these parts of ``mine``, each with other weights; their pipeline."""
    pipe = load_pipeline("mine", "cpu")
    torch.manual_seed(7)
    for part in parts:
        network = getattr(pipe, part)
        for parameter in network.parameters():
            parameter.data.add_(0.05 * torch.randn_like(parameter))
        network.save_pretrained(folder / part)
    write_reference(folder)
    return pipe


def write_reference(folder, reference=None):
    note = Reference(
        model="mine",
        reference=reference or model_identity("mine"),
        method="dreambooth",
        step=3,
    )
    (folder / "base.json").write_text(note.model_dump_json())


def picture(pipe):
    generator = torch.Generator().manual_seed(3)
    size = {"height": 16, "width": 16, "num_inference_steps": 3, "output_type": "np"}
    return pipe("a red ball", generator=generator, **size).images


@pytest.mark.parametrize("parts", [("unet",), ("unet", "text_encoder")])
def test_stock_diffusers_loads_what_is_put_together(mine, tmp_path, parts):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    trained = fine_tune(tmp_path / "changed", parts)
    assemble(tmp_path / "changed", mine, tmp_path / "whole")
    stock = StableDiffusionPipeline.from_pretrained(tmp_path / "whole")
    stock.scheduler = DDIMScheduler.from_config(stock.scheduler.config)
    expected = picture(trained)
    assert np.array_equal(picture(stock), expected)
    assert not np.array_equal(picture(load_pipeline("mine", "cpu")), expected)
    ours = load_finetuned(tmp_path / "changed", "cpu")
    assert np.array_equal(picture(ours), expected)
    assert not any(p.requires_grad for p in ours.unet.parameters())
    weights = list((tmp_path / "whole").rglob("*.safetensors"))
    assert len(weights) == 3
    assert not any(path.is_symlink() for path in weights)  # it needs nothing else


def test_what_an_experiment_taught_is_written_out_by_its_name(mine, tmp_path, monkeypatch):
    from diffusers import StableDiffusionPipeline
    from small_tasks import artifacts
    from typer.testing import CliRunner

    import pipelines.definitions
    from pipelines.models_cli import app
    from resources.manifest import Work

    ours = artifacts(tmp_path, "inline")
    monkeypatch.setattr(pipelines.definitions, "artifacts_of", lambda settings: ours)
    words = ["export-experiment", "life__sks", str(tmp_path / "there" / "whole")]
    nothing = CliRunner().invoke(app, words)
    assert (nothing.exit_code, "materialise it first" in nothing.output) == (2, True)
    assert not (tmp_path / "there").exists()
    trained = fine_tune(tmp_path / "changed", ["unet"])
    work = Work(asset="models/finetuned", fingerprint="0" * 64, code_version="1")
    made = ours.store.publish(tmp_path / "changed", work)
    ours.store.set_ref("models/finetuned", "life__sks", made, False, 1.0)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    stock = StableDiffusionPipeline.from_pretrained(words[-1])
    assert torch.equal(stock.unet.conv_in.weight, trained.unet.conv_in.weight)


def test_weights_of_a_variant_get_plain_names(mine, tmp_path):
    from diffusers import StableDiffusionPipeline

    half = tmp_path / "half"
    shutil.copytree(mine, half)
    for file in half.rglob("*.safetensors"):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    fine_tune(tmp_path / "changed", ["unet"])
    assemble(tmp_path / "changed", half, tmp_path / "whole")
    StableDiffusionPipeline.from_pretrained(tmp_path / "whole")
    index = json.loads((tmp_path / "whole" / "model_index.json").read_text())
    assert index["safety_checker"] == [None, None]


def test_a_base_model_without_a_folder_gets_its_parts_in_memory(mine, tmp_path, monkeypatch):
    from likeness.models import assemble as module

    trained = fine_tune(tmp_path, ["unet"])
    (tmp_path / "base.json").write_text(
        json.dumps(
            {"model": "sd15-random", "reference": "random://sd15@0", "method": "x", "step": 1}
        )
    )
    # As large as the published one: a small pipeline stands for what is built.
    monkeypatch.setattr(module, "load_pipeline", lambda *args: load_pipeline("mine", "cpu"))
    assert np.array_equal(picture(load_finetuned(tmp_path, "cpu")), picture(trained))


def test_adapters_lie_beside_the_components_of_the_base(mine, tmp_path):
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / LORA).write_bytes(b"adapters")
    assemble(changed, mine, tmp_path / "whole")
    assert (tmp_path / "whole" / LORA).read_bytes() == b"adapters"
    whole = {p.name for p in (tmp_path / "whole").iterdir()}
    parts = {"unet", "vae", "text_encoder", "tokenizer", "scheduler", "model_index.json"}
    assert whole == parts | {LORA}


def test_mistakes_are_one_sentence(mine, tmp_path):
    with pytest.raises(BadInput, match="holds no fine-tuned component: make the model again"):
        assemble(tmp_path, mine, tmp_path / "whole")
    with pytest.raises(BadInput, match=r"base\.json does not say which base model"):
        read_reference(tmp_path)
    write_reference(tmp_path, "content://another")
    with pytest.raises(BadInput, match="was made from content://another: make the model again"):
        load_finetuned(tmp_path, "cpu")
    write_reference(tmp_path)
    with pytest.raises(BadInput, match="holds no fine-tuned component"):
        load_finetuned(tmp_path, "cpu")
    (tmp_path / "there").mkdir()
    with pytest.raises(BadInput, match="there exists already"):
        assemble(mine, mine, tmp_path / "there")
