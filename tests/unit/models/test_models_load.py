import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from likeness.errors import BadInput
from likeness.models import checksums
from likeness.models.fetch import fetch
from likeness.models.load import dtype_on, load_pipeline
from likeness.models.local import export, local_folder, model_identity, pipeline_files
from likeness.models.registry import spec_of

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def mine(tiny, tmp_path, settings):
    """A model ``mine`` in a folder of its own, which a test may damage."""
    folder = tmp_path / "mine"
    shutil.copytree(tiny, folder)
    entry = {"source": "folder:mine", "architecture": "sd15", "resolution": 16}
    settings(mine=entry, wrong=entry | {"scaling_factor": 0.5})
    return folder


def test_a_fetched_model_makes_the_pictures_its_weights_decide(served, cache, known):
    with pytest.raises(BadInput, match="model 'tiny' is not on this machine: run likeness models"):
        load_pipeline("tiny", "cpu")
    fetch("tiny")
    served.close()
    pipe = load_pipeline("tiny", "cpu")
    assert type(pipe.scheduler).__name__ == "DDIMScheduler"
    assert pipe.safety_checker is None
    assert pipe.unet.dtype == pipe.text_encoder.dtype == torch.float32
    assert not any(part.training for part in (pipe.unet, pipe.vae, pipe.text_encoder))
    a, b, c = (picture(pipe, seed) for seed in (1, 1, 2))
    assert a.shape == (1, 16, 16, 3)
    assert (a == b).all()
    assert not (a == c).all()


def picture(pipe, seed):
    generator = torch.Generator().manual_seed(seed)
    size = {"height": 16, "width": 16, "num_inference_steps": 2, "output_type": "np"}
    return pipe("a red ball", generator=generator, **size).images


def test_a_model_without_its_weights_is_not_loaded(mine):
    (mine / UNET).unlink()
    with pytest.raises(BadInput, match=r"model_index\.json cannot be loaded"):
        load_pipeline("mine", "cpu")


@pytest.mark.parametrize("name", ["unet/model.bin", "last.CKPT", "vae/deep/a.pt", "b.pth", "c.pkl"])
def test_a_folder_with_a_pickle_is_refused_even_beside_safetensors(mine, name):
    load_pipeline("mine", "cpu")
    (mine / name).parent.mkdir(exist_ok=True)
    (mine / name).write_bytes(b"")
    with pytest.raises(BadInput, match=rf"{name} is a pickle, .* convert it to safetensors"):
        load_pipeline("mine", "cpu")


def test_a_snapshot_pinned_by_its_commit_may_hold_what_its_makers_published(served, cache, known):
    folder = fetch("tiny")
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"")
    assert load_pipeline("tiny", "cpu").unet is not None


def test_half_a_file_is_one_sentence(mine):
    (mine / UNET).write_bytes((mine / UNET).read_bytes()[:1000])
    with pytest.raises(BadInput, match=r"model_index\.json cannot be loaded"):
        load_pipeline("mine", "cpu")


def test_a_text_encoder_that_lacks_weights_is_not_made_up(mine):
    """transformers would draw them at random, others in every process."""
    file = mine / "text_encoder" / "model.safetensors"
    weights = load_file(file)
    lacking = {name: value for name, value in weights.items() if "final_layer_norm" not in name}
    save_file(lacking, file, {"format": "pt"})
    with pytest.raises(BadInput, match=r"text_encoder lacks 2 weights, such as .*final_layer_norm"):
        load_pipeline("mine", "cpu")
    narrow = {name: value[..., :1].clone() for name, value in weights.items()}
    save_file(narrow, file, {"format": "pt"})
    with pytest.raises(BadInput, match=r"text_encoder has misshapen \d+ weights, such as"):
        load_pipeline("mine", "cpu")


def test_a_tokenizer_without_words_is_not_made_up(mine):
    for name in ("vocab.json", "merges.txt", "tokenizer.json"):
        (mine / "tokenizer" / name).unlink(missing_ok=True)
    with pytest.raises(BadInput, match=r"tokenizer has none of vocab\.json and tokenizer\.json"):
        load_pipeline("mine", "cpu")


def test_damaged_weights_are_found_by_their_sums(mine):
    checksums.write_sums(mine)
    load_pipeline("mine", "cpu")
    damaged = bytearray((mine / UNET).read_bytes())
    damaged[-1] ^= 1
    (mine / UNET).write_bytes(damaged)
    with pytest.raises(BadInput, match=r"diffusion_pytorch_model\.safetensors is damaged"):
        load_pipeline("mine", "cpu")


def test_a_model_that_is_not_what_its_name_says_is_refused(mine):
    with pytest.raises(BadInput, match=r"'wrong' has scaling_factor 0\.18215 where 0\.5"):
        load_pipeline("wrong", "cpu")


def test_number_formats():
    assert dtype_on(spec_of("sd15"), "cuda:1") == "float16"
    assert dtype_on(spec_of("small"), "cuda") == "float32"
    assert dtype_on(spec_of("sd15"), "cpu") == "float32"


def test_a_folder_is_known_by_its_bytes(mine):
    before = model_identity("mine")
    sums = {name: checksums.sha256_of(mine / name) for name in pipeline_files(mine)}
    assert before == f"content://{checksums.digest(sums)}"
    (mine / "vae" / "config.json").write_text("{}")
    assert model_identity("mine") != before
    (mine / "model_index.json").unlink()
    with pytest.raises(BadInput, match=r"no model_index\.json in .*mine"):
        model_identity("mine")


def test_identities_without_any_file_and_without_torch():
    code = (
        "import sys; from likeness.models.local import model_identity as i\n"
        "print(i('sdxl'), i('sd15'), i('sd2-random')); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        f"hub://stabilityai/stable-diffusion-xl-base-1.0@{spec_of('sdxl').revision}#fp16",
        f"hub://stable-diffusion-v1-5/stable-diffusion-v1-5@{spec_of('sd15').revision}",
        "random://sd2@0",
    ]


def test_a_snapshot_without_one_of_its_files_is_not_here(served, cache, known):
    folder = fetch("tiny")
    assert local_folder(spec_of("tiny")) == folder
    (folder / "vae" / "config.json").unlink()
    assert local_folder(spec_of("tiny")) is None


def test_an_export_is_whole_and_loads_by_itself(served, cache, known, tmp_path):
    from diffusers import StableDiffusionPipeline

    fetch("tiny")
    target = tmp_path / "out" / "model"
    export("tiny", target)
    assert not any(path.is_symlink() for path in target.rglob("*"))
    stock = StableDiffusionPipeline.from_pretrained(target)
    ours = load_pipeline("tiny", "cpu")
    assert (picture(stock, 3) == picture(ours, 3)).all()
    assert os.listdir(target.parent) == ["model"]
    with pytest.raises(BadInput, match="exists already"):
        export("tiny", target)


def test_an_export_has_plain_names_whatever_the_variant(served, cache, settings, tiny, tmp_path):
    folder = tmp_path / "half"
    shutil.copytree(tiny, folder)
    for file in folder.rglob("*.safetensors"):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    served.repositories["some/half"] = folder
    entry = {"source": "some/half", "architecture": "sd15", "resolution": 16, "variant": "fp16"}
    settings(half=entry)
    fetch("half")
    assert load_pipeline("half", "cpu") is not None
    export("half", tmp_path / "plain")
    assert (tmp_path / "plain" / UNET).read_bytes() == (tiny / UNET).read_bytes()


def test_a_failed_export_leaves_nothing(mine, tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("likeness.models.local.shutil.copyfile", fail)
    with pytest.raises(OSError, match="disk full"):
        export("mine", tmp_path / "out" / "model")
    assert os.listdir(tmp_path / "out") == []


def test_an_exported_index_asks_for_nothing_that_was_left_out(mine, tmp_path):
    export("mine", tmp_path / "copy")
    index = json.loads((tmp_path / "copy" / "model_index.json").read_text())
    assert index["safety_checker"] == index["feature_extractor"] == [None, None]
    assert index["unet"] == ["diffusers", "UNet2DConditionModel"]


def test_what_no_pipeline_reads_changes_no_identity(mine):
    before = model_identity("mine")
    (mine / "safety_checker").mkdir()
    for name in ("README.md", "curve.json", "unet/old.bin", "safety_checker/model.safetensors"):
        (mine / name).write_text("new")
    assert model_identity("mine") == before
    (mine / "tokenizer" / "merges.txt").write_text("#version: 0.2\na b\n")
    assert model_identity("mine") != before


def test_a_folder_with_a_broken_index_is_one_sentence(mine):
    (mine / "model_index.json").write_text("{")
    with pytest.raises(BadInput, match=r"model_index\.json cannot be read: restore the model"):
        model_identity("mine")


def test_an_exported_folder_has_no_pickles_and_sums_of_its_own(mine, tmp_path):
    export("mine", tmp_path / "unlisted")
    assert not (tmp_path / "unlisted" / checksums.SUMS).exists()
    (mine / "README.md").write_text("a card")
    checksums.write_sums(mine)
    export("mine", tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob("*.bin"))
    checksums.verify(tmp_path / "copy")
    assert UNET in (tmp_path / "copy" / checksums.SUMS).read_text()


def test_a_batch_is_decoded_one_by_one_and_float32_is_whole(mine):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    assert load_pipeline("mine", "cpu").vae.use_slicing
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
