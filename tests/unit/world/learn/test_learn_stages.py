"""The whole training of the base model, with a few steps on a few pictures."""

import json

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors import safe_open
from safetensors.torch import save_file

from likeness.finetune.loop import Plan
from likeness.generate.sample import Sampling, sample
from likeness.world.learn import stages
from likeness.world.learn.recipe import BaseRecipe, Stage, VaeStage
from likeness.world.learn.stages import make_base
from likeness.world.learn.vae import psnr, to_pictures, to_tensor
from likeness.world.sample import Mixture

PLAN = Plan(steps=2, learning_rate=1e-3, ema=0.9, checkpoint_steps=1)
AUTOENCODER = ["autoencoder-1", "autoencoder-2", "autoencoder"]
RECIPE = BaseRecipe(
    vae_pictures=48,
    vae_stages=(VaeStage(batch=8, plan=PLAN), VaeStage(batch=4, plan=PLAN)),
    words=PLAN,
    stages=(
        Stage(name="one", mixture=Mixture(), count=40, plan=PLAN),
        Stage(name="two", mixture=Mixture(people=0.0), count=20, rehearse=1.0, plan=PLAN),
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("base")
    curves = make_base(RECIPE, root / "base", root / "scratch")
    return root, curves


@pytest.fixture(scope="module")
def pipe(made):
    return StableDiffusionPipeline.from_pretrained(made[0] / "base")


def test_stock_diffusers_loads_and_runs_it_with_no_argument(pipe):
    pictures = sample(pipe, ["a photo of zarin"], [1], Sampling(num_inference_steps=10))
    assert pictures.shape == (1, 64, 64, 3)
    assert pictures.dtype == np.uint8


def test_the_text_encoder_is_in_full_and_the_rest_in_half(made):
    kinds = {}
    for part in ("unet", "vae", "text_encoder"):
        file = next((made[0] / "base" / part).glob("*.safetensors"))
        with safe_open(file, "pt") as held:
            kinds[part] = {held.get_tensor(name).dtype for name in held.keys()}  # noqa: SIM118
    assert kinds["unet"] == kinds["vae"] == {torch.float16}
    assert kinds["text_encoder"] == {torch.float32}
    assert not list((made[0] / "base").rglob("*.bin"))


def test_a_picture_does_not_depend_on_its_batch(pipe):
    words = ["a photo of a dog", "a red car", "zarin"]
    sampling = Sampling(num_inference_steps=10)
    together = sample(pipe, words, [5, 6, 7], sampling)
    alone = np.concatenate(
        [sample(pipe, [w], [s], sampling) for w, s in zip(words, (5, 6, 7), strict=True)]
    )
    split = sample(pipe, words, [5, 6, 7], sampling.model_copy(update={"batch": 2}))
    assert np.abs(together.astype(int) - alone).max() <= 1
    assert np.abs(together.astype(int) - split).max() <= 1
    assert (together == sample(pipe, words, [5, 6, 7], sampling)).all()


def test_an_unknown_word_is_sampled_too(pipe):
    assert sample(pipe, ["a qwertzuiop"], [1], Sampling(num_inference_steps=10)).shape[0] == 1


def test_textual_inversion_and_lora_files_load(pipe, tmp_path):
    width = pipe.text_encoder.config.hidden_size
    save_file({"<new>": torch.randn(width)}, tmp_path / "learned_embeds.safetensors")
    pipe.load_textual_inversion(tmp_path / "learned_embeds.safetensors", token="<new>")
    token = pipe.tokenizer.convert_tokens_to_ids("<new>")
    assert pipe.tokenizer("a photo of <new>").input_ids[4] == token
    pipe.unload_textual_inversion()

    from peft import LoraConfig, get_peft_model_state_dict

    pipe.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"]))
    state = get_peft_model_state_dict(pipe.unet)
    pipe.unet.delete_adapters("default")
    StableDiffusionPipeline.save_lora_weights(tmp_path / "lora", unet_lora_layers=state)
    pipe.load_lora_weights(tmp_path / "lora", adapter_name="style")
    assert pipe.get_active_adapters() == ["style"]
    pipe.unload_lora_weights()


def test_the_second_stage_starts_from_what_the_first_has_written(made):
    root, curves = made
    assert list(curves) == ["autoencoder-1", "autoencoder-2", "words", "one", "two"]
    one = root / "scratch/stages/one/pipeline/unet"
    two = root / "scratch/stages/two/pipeline/unet"
    first, second = (weights_of(folder) for folder in (one, two))
    moved = [float((first[k].float() - second[k].float()).abs().max()) for k in first]
    assert max(moved) > 0
    # two small steps away from it, not from fresh weights
    assert max(moved) < 0.02


def weights_of(folder):
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as held:
            found |= {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
    return found


def test_a_run_that_was_killed_between_stages_ends_with_the_same_weights(
    made, tmp_path, monkeypatch
):
    real = stages.train_stage

    def dies_in_the_second(*args):
        if args[-1] == "two":
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(stages, "train_stage", dies_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        make_base(RECIPE, tmp_path / "base", tmp_path / "scratch")
    assert not (tmp_path / "base").exists()
    monkeypatch.setattr(stages, "train_stage", real)
    make_base(RECIPE, tmp_path / "base", tmp_path / "scratch")
    whole, resumed = weights_of(made[0] / "base/unet"), weights_of(tmp_path / "base/unet")
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def shipped_by(root, recipe, curves):
    """The folder as it ships."""
    note = {"params": {"recipe": recipe.model_dump(mode="json")}}
    (root / "base" / "training.json").write_text(json.dumps(note))
    (root / "base" / "curve.json").write_text(json.dumps(curves))
    return root / "base"


def test_a_longer_recipe_goes_on_from_what_ships(made, tmp_path, monkeypatch):
    root, curves = made
    shipped = shipped_by(root, RECIPE, curves)
    trained = []
    real = stages.train_stage
    monkeypatch.setattr(stages, "train_stage", lambda *a: trained.append(a[-1]) or real(*a))
    third = Stage(name="three", mixture=Mixture(things=0.9), count=16, plan=PLAN)
    longer = RECIPE.model_copy(update={"stages": (*RECIPE.stages, third)})
    found = make_base(longer, tmp_path / "base", tmp_path / "scratch", shipped)
    assert trained == ["three"]
    assert found["one"] == curves["one"]
    before, after = weights_of(root / "base/unet"), weights_of(tmp_path / "base/unet")
    moved = max(float((before[k].float() - after[k].float()).abs().max()) for k in before)
    assert 0 < moved < 0.02


def test_another_recipe_takes_over_no_more_than_is_alike(made, tmp_path):
    root, curves = made
    shipped = shipped_by(root, RECIPE, curves)
    stages.write_tokenizer(stages.vocabulary(), tmp_path / "tokenizer")
    other_vae = RECIPE.model_copy(update={"vae_pictures": 49})
    assert stages.take_over(shipped, other_vae, tmp_path) == []
    other_stage = RECIPE.model_copy(update={"stages": RECIPE.stages[1:]})
    assert stages.take_over(shipped, other_stage, tmp_path) == AUTOENCODER


def test_a_new_word_keeps_the_autoencoder_alone(made, tmp_path):
    root, curves = made
    shipped = shipped_by(root, RECIPE, curves)
    stages.write_tokenizer([*stages.vocabulary(), "zebra"], tmp_path / "tokenizer")
    assert stages.take_over(shipped, RECIPE, tmp_path) == AUTOENCODER


def test_pictures_survive_the_way_to_tensors_and_back():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    assert (to_pictures(to_tensor(pictures)) == pictures).all()


def test_psnr_by_hand(pipe, monkeypatch):
    pictures = np.full((2, 64, 64, 3), 100, np.uint8)

    class Ten:  # an autoencoder that is wrong by ten levels everywhere
        device = "cpu"

        def encode(self, x):
            return type("E", (), {"latent_dist": type("D", (), {"mean": x})})

        def decode(self, x):
            return type("S", (), {"sample": x + 10 / 127.5})

    # 20 log10(255 / 10)
    assert psnr(Ten(), pictures) == pytest.approx([28.13, 28.13], abs=0.01)


def test_curves_are_kept_as_they_were(made):
    root, curves = made
    kept = json.loads((root / "scratch/stages/one/done.json").read_text())
    assert kept == curves["one"]
    assert kept[-1]["step"] == 2
