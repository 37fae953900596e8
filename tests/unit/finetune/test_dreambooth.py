import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from likeness.errors import BadInput
from likeness.finetune import dreambooth as module
from likeness.finetune.cache import cached_latents, conditions_of
from likeness.finetune.dreambooth import draw, dreambooth, loss_on_latents, snr_weights
from likeness.finetune.loop import generator_of
from likeness.finetune.recipe import DreamBoothRecipe, LoraSettings, checked_token

JUDGED = {
    "prompts": ["a photo of sks dog on beach", "a red sks dog"],
    "images_per_prompt": 1,
    "sampling": {"num_inference_steps": 10, "guidance_scale": 2.0},
}


def weights(pipe):
    parts = {"unet": pipe.unet, "text_encoder": pipe.text_encoder, "vae": pipe.vae}
    return {
        f"{k}.{n}": v.clone() for k, part in parts.items() for n, v in part.state_dict().items()
    }


def assert_same(a, b):
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert different == []


FULL = {
    "train_text_encoder": True,
    "gradient_accumulation_steps": 2,
    "ema": 0.9,
    "offset_noise": 0.1,
}
ADAPTERS = {"trains": LoraSettings(rank=2), "train_text_encoder": True}


@pytest.mark.parametrize("changes", [FULL, ADAPTERS], ids=["full", "lora"])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(
    tiny_pipe, pictures, recipe, tmp_path, monkeypatch, changes
):
    wanted = recipe(judged=JUDGED, **changes)
    seen = []

    def judge(made):
        seen.append(made)
        return {"identity": float(made.mean()) / 255, "obedience": None}

    whole = tiny_pipe()
    result = dreambooth(whole, *pictures, wanted, tmp_path / "whole", judge)
    assert len(seen) == 4  # the base model's, and after 3, 6 and 7 steps
    assert not np.array_equal(seen[0], seen[1])
    # It dies before the first checkpoint, right behind it, and while the second is judged.
    for die_at in (1, 3):
        monkeypatch.setattr(module, "loss_on_latents", dying(die_at))
        with pytest.raises(KeyboardInterrupt):
            dreambooth(tiny_pipe(), *pictures, wanted, tmp_path / "killed", judge)
    monkeypatch.setattr(module, "loss_on_latents", loss_on_latents)

    def dies(made):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dreambooth(tiny_pipe(), *pictures, wanted, tmp_path / "killed", dies)
    again, before = tiny_pipe(), len(seen)
    resumed = dreambooth(again, *pictures, wanted, tmp_path / "killed", judge)
    assert len(seen) - before == 2  # of the second checkpoint, which was not finished, and the last
    assert_same(weights(whole), weights(again))
    assert resumed.checkpoints.rows == result.checkpoints.rows
    assert resumed.step == result.step
    assert_same(saved(resumed.folder), saved(result.folder))


def dying(die_at):
    def losses(*arguments):
        loss_of = loss_on_latents(*arguments)

        def one(step, generator):
            if step == die_at:
                raise KeyboardInterrupt
            return loss_of(step, generator)

        return one

    return losses


def saved(folder):
    from safetensors.torch import load_file

    found = {}
    for file in folder.rglob("*.safetensors"):
        place = file.relative_to(folder)
        found |= {f"{place}/{name}": value for name, value in load_file(file).items()}
    return found


def test_a_process_killed_by_the_system_is_resumed_to_the_same_weights(
    tiny_model, tiny_pipe, pictures, recipe, tmp_path
):
    wanted = recipe(train_text_encoder=True, snr_gamma=5.0)
    np.savez(tmp_path / "pictures.npz", images=pictures[0], of_class=pictures[1])
    script = Path(__file__).with_name("killed_training.py")
    arguments = [
        tiny_model,
        tmp_path / "killed",
        wanted.model_dump_json(),
        tmp_path / "pictures.npz",
    ]
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments), "5"], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    whole, again = tiny_pipe(), tiny_pipe()
    dreambooth(whole, *pictures, wanted, tmp_path / "whole")
    curve = dreambooth(again, *pictures, wanted, tmp_path / "killed").curve
    assert_same(weights(whole), weights(again))
    assert [row["step"] for row in curve] == list(range(1, 8))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_first_row_is_the_loss_computed_by_hand(
    tiny_pipe, pictures, recipe, tmp_path, prediction
):
    wanted = recipe(steps=1, snr_gamma=5.0, offset_noise=0.1, prior_loss_weight=0.7, flip=True)
    pipe = tiny_pipe()
    pipe.scheduler.register_to_config(prediction_type=prediction)
    expected = by_hand(pipe, *pictures, prediction)
    row = dreambooth(pipe, *pictures, wanted, tmp_path).curve[0]
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-5)


def by_hand(pipe, images, of_class, prediction):
    """Pair by pair, each picture through the VAE by itself, in the words of the paper."""
    chance = generator_of(0, 0)
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=np.float64) ** 2
    kept = np.cumprod(1 - betas)
    sums = {"instance": 0.0, "prior": 0.0}
    for _ in range(2):
        for name, some, prompt in (
            ("instance", images, "a photo of sks dog"),
            ("prior", of_class, "a photo of a dog"),
        ):
            every = np.concatenate([some, some[:, :, ::-1]])
            one = every[int(torch.randint(len(every), (1,), generator=chance))]
            pixels = torch.tensor(one / 127.5 - 1, dtype=torch.float32).permute(2, 0, 1)[None]
            with torch.no_grad():
                posterior = pipe.vae.encode(pixels).latent_dist
                shape = posterior.mean.shape
                x = posterior.mean + posterior.std * torch.randn(shape, generator=chance)
                x = x * pipe.vae.config.scaling_factor
                t = int(torch.randint(1000, (1,), generator=chance))
                noise = torch.randn(shape, generator=chance)
                noise = noise + 0.1 * torch.randn((*shape[:2], 1, 1), generator=chance)
                signal = kept[t]
                noisy = signal**0.5 * x + (1 - signal) ** 0.5 * noise
                words = pipe.encode_prompt(prompt, "cpu", 1, False)[0]
                answer = pipe.unet(noisy, t, encoder_hidden_states=words).sample
            snr = signal / (1 - signal)
            target = noise
            weight = min(snr, 5.0) / snr
            if prediction == "v_prediction":
                target = signal**0.5 * noise - (1 - signal) ** 0.5 * x
                weight = min(snr, 5.0) / (snr + 1)
            error = float((answer - target).pow(2).mean())
            sums[name] += error * (weight if name == "instance" else 1.0) / 2
    return sums | {"loss": sums["instance"] + 0.7 * sums["prior"]}


def test_two_batches_of_two_are_one_of_four(tiny_pipe, pictures, recipe, tmp_path):
    one, two = tiny_pipe(), tiny_pipe()
    fields = {"steps": 2, "learning_rate": 1e-4, "snr_gamma": 5.0, "train_text_encoder": True}
    a = dreambooth(one, *pictures, recipe(batch=4, **fields), tmp_path / "one")
    parts = recipe(batch=2, gradient_accumulation_steps=2, **fields)
    b = dreambooth(two, *pictures, parts, tmp_path / "two")
    assert b.curve[0]["loss"] == pytest.approx(a.curve[0]["loss"], abs=1e-6)
    assert gradient_difference(tiny_pipe(), pictures, recipe) < 1e-6


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_activations_computed_twice_teach_the_same(
    tiny_pipe, pictures, recipe, tmp_path, precision
):
    kept, again = tiny_pipe(), tiny_pipe()
    fields = {"precision": precision, "train_text_encoder": True}
    dreambooth(kept, *pictures, recipe(**fields), tmp_path / "kept")
    twice = recipe(gradient_checkpointing=True, **fields)
    runs = []
    again.unet.register_forward_hook(lambda *_: runs.append(again.unet.is_gradient_checkpointing))
    dreambooth(again, *pictures, twice, tmp_path / "again")
    assert_same(weights(kept), weights(again))
    assert all(runs)
    assert not again.unet.is_gradient_checkpointing


def gradient_difference(pipe, pictures, recipe):
    """Largest difference between the gradients of one batch of four and two of two."""
    pipe.unet.requires_grad_(True)
    sets = [cached(pipe, some) for some in pictures]
    conditions = conditions_of(pipe, ["a photo of sks dog", "a photo of a dog"], False)
    gradients = []
    for batch, parts in ((4, 1), (2, 2)):
        loss_of = loss_on_latents(pipe, sets, conditions, recipe(batch=batch))
        generator = generator_of(0, 0)
        for _ in range(parts):
            (loss_of(0, generator)["loss"] / parts).backward()
        gradients.append([p.grad.clone() for p in pipe.unet.parameters()])
        pipe.unet.zero_grad()
    return max(float((a - b).abs().max()) for a, b in zip(*gradients, strict=True))


def cached(pipe, some):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return cached_latents(pipe.vae, some, False, Path(folder) / "latents.safetensors")


def test_a_prior_of_weight_nothing_is_no_prior(tiny_pipe, pictures, recipe, tmp_path):
    with_pictures, without = tiny_pipe(), tiny_pipe()
    wanted = recipe(prior_loss_weight=0, num_class_images=0)
    curve = dreambooth(with_pictures, *pictures, wanted, tmp_path / "with").curve
    dreambooth(without, pictures[0], None, wanted, tmp_path / "without")
    assert_same(weights(with_pictures), weights(without))
    assert "prior" not in curve[0]


@pytest.mark.parametrize("trained", [False, True])
def test_what_is_frozen_is_the_same_bit_for_bit(tiny_pipe, pictures, recipe, tmp_path, trained):
    pipe = tiny_pipe()
    before = weights(pipe)
    wanted = recipe(train_text_encoder=trained, precision="bfloat16")
    result = dreambooth(pipe, *pictures, wanted, tmp_path)
    after = weights(pipe)
    moved = {n.split(".")[0] for n in before if not torch.equal(before[n], after[n])}
    assert moved == ({"unet", "text_encoder"} if trained else {"unet"})
    assert {p.name for p in result.folder.iterdir()} == moved
    assert all(value.dtype == torch.float32 for name, value in after.items() if "unet" in name)


def test_it_learns_the_subject(tiny_pipe, pictures, recipe, tmp_path):
    wanted = recipe(steps=50, learning_rate=1e-2, prior_loss_weight=0, checkpoint_steps=50)
    curve = dreambooth(tiny_pipe(), pictures[0], None, wanted, tmp_path).curve
    losses = [row["loss"] for row in curve]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_latents_are_mean_and_deviation_of_the_posterior_and_kept(tiny_pipe, pictures, tmp_path):
    pipe, file = tiny_pipe(), tmp_path / "latents.safetensors"
    found = cached_latents(pipe.vae, pictures[0], True, file)
    assert found.shape == (6, 8, 8, 8)
    mirrored = np.ascontiguousarray(pictures[0][1:2, :, ::-1])
    pixels = torch.from_numpy(mirrored).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        posterior = pipe.vae.encode(pixels).latent_dist
    both = torch.cat([posterior.mean, posterior.std], 1)[0] * pipe.vae.config.scaling_factor
    assert torch.allclose(found[4], both, atol=1e-6)
    assert torch.equal(cached_latents(None, pictures[0], True, file), found)
    other = cached_latents(pipe.vae, pictures[1], False, file)  # of other pictures: made anew
    assert other.shape[0] == 4


def test_draws_are_fresh_and_their_latents_have_the_spread_of_the_posterior():
    mean, deviation = torch.full((1, 1, 4, 4), 3.0), torch.full((1, 1, 4, 4), 0.5)
    sets = [torch.cat([mean, deviation], 1)]
    x, noise, t = draw(sets, 500, 1000, 0.0, generator_of(1, 2))
    assert x.shape == noise.shape == (500, 1, 4, 4)
    assert x.mean() == pytest.approx(3.0, abs=0.02)
    assert x.std() == pytest.approx(0.5, abs=0.01)
    assert noise.std() == pytest.approx(1.0, abs=0.02)
    assert (t.min() < 20, t.max() > 980) == (True, True)
    shifted = draw(sets, 500, 1000, 0.5, generator_of(1, 2))[1].mean((1, 2, 3))
    assert shifted.std() == pytest.approx((1 / 16 + 0.25) ** 0.5, abs=0.05)


def test_min_snr_weights_by_hand():
    kept = torch.tensor([0.9, 0.5, 0.1])  # SNR 9, 1, 1/9
    assert torch.allclose(snr_weights(kept, 5.0, "epsilon"), torch.tensor([5 / 9, 1.0, 1.0]))
    expected = torch.tensor([0.5, 0.5, 0.1])
    assert torch.allclose(snr_weights(kept, 5.0, "v_prediction"), expected)
    assert snr_weights(kept, None, "epsilon").tolist() == [1.0, 1.0, 1.0]


def test_what_cannot_be_trained_is_one_sentence(tiny_pipe, pictures, recipe, tmp_path, monkeypatch):
    pipe, wanted = tiny_pipe(), recipe()
    with pytest.raises(BadInput, match="no class pictures: make some, or set prior_loss_weight"):
        dreambooth(pipe, pictures[0], None, wanted, tmp_path)
    with pytest.raises(BadInput, match="no picture to train on"):
        dreambooth(pipe, pictures[0][:0], pictures[1], wanted, tmp_path)
    with pytest.raises(BadInput, match=r"class pictures are \(8, 8, 3\)"):
        dreambooth(pipe, pictures[0], pictures[1][:, :8, :8], wanted, tmp_path)

    def too_much(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(pipe.unet, "forward", too_much)
    with pytest.raises(BadInput, match=r"batch of 2 .* lower batch and raise gradient_"):
        dreambooth(pipe, *pictures, wanted, tmp_path)
    pipe.text_encoder_2 = None
    with pytest.raises(BadInput, match="one text encoder: choose sd15"):
        dreambooth(pipe, *pictures, wanted, tmp_path)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"instance_prompt": "a photo of sks"}, "lacks 'dog' of the class prompt"),
        ({"instance_prompt": "A photo of a dog."}, "has no word beyond the class prompt"),
        ({"num_class_images": 0}, "prior_loss_weight needs class pictures"),
    ],
)
def test_a_recipe_that_cannot_work_says_why(recipe, fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe(**fields)


def test_a_recipe_is_read_back_as_it_was_written(recipe):
    wanted = recipe(trains=LoraSettings(rank=8), judged=JUDGED)
    assert DreamBoothRecipe.model_validate_json(wanted.model_dump_json()) == wanted
    assert wanted.without_token("A photo of sks dog, smiling") == "A photo of dog, smiling"


def test_tokens_are_checked_by_the_tokenizer(tiny_pipe, recipe, tmp_path):
    from transformers import CLIPTokenizer

    from likeness.world.tokenizer import write_tokenizer

    tokenizer = tiny_pipe().tokenizer
    pieces = checked_token(tokenizer, recipe())
    assert pieces == ["'sks' is read as 3 pieces, which other words share"]
    known = checked_token(tokenizer, recipe(instance_prompt="a photo of red dog"))
    assert known == ["'red' is a word the model knows well: what it means will bleed in"]
    write_tokenizer(("a", "photo", "of", "dog", "red", "sks"), tmp_path)
    whole = CLIPTokenizer.from_pretrained(tmp_path)
    assert checked_token(whole, recipe()) == []
    assert checked_token(whole, recipe(instance_prompt="a red photo of sks dog")) == []
    # behind the last position that is read
    long = " ".join(["a photo of dog"] * 30) + " sks"
    with pytest.raises(BadInput, match="read as the same tokens"):
        checked_token(whole, recipe(instance_prompt=long))
