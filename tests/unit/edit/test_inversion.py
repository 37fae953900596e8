import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import tiny_pipeline
from PIL import Image
from pydantic import ValidationError

from likeness.edit import inversion
from likeness.edit.inversion import Inversion, InversionParams, invert_images, psnr, read_starts
from likeness.edit.null_text import NullText, reconstruct, with_null_text
from likeness.edit.start import decode, embeddings, encode, invert
from likeness.errors import BadInput
from likeness.generate.sample import Denoising
from likeness.images import image_set
from likeness.models.local import model_identity

PROMPTS = ["a red dog", "a cat"]
GUIDED = Denoising(num_inference_steps=10, guidance_scale=6.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edit-inversion")
    tiny_pipeline.write_settings(folder)
    return folder


@pytest.fixture(scope="module")
def pipe(models):
    from likeness.models.load import load_folder, on_device

    return on_device(load_folder(models / "model", "float32"), "cpu")


@pytest.fixture
def denoiser(pipe, monkeypatch):
    """The best there is for latents of a normal distribution, and some words of a tiny network.

    The words of random weights are lost in what they make of the latents; these are made louder.
    """
    import torch
    from diffusers import DDIMScheduler

    unet, alphas = copy.deepcopy(pipe.unet), pipe.scheduler.alphas_cumprod
    plain = unet.forward
    with torch.no_grad():
        for name, value in unet.named_parameters():
            if name.endswith(("attn2.to_v.weight", "attn2.to_out.0.weight")):
                value.mul_(5.5)

    def said(x, timestep, **words):
        answer = plain(x, timestep, **words)
        return type(answer)(sample=(1 - alphas[int(timestep)]).sqrt() * x + 0.1 * answer.sample)

    monkeypatch.setattr(unet, "forward", said)
    monkeypatch.setattr(pipe, "unet", unet)
    noise = DDIMScheduler.from_config(pipe.scheduler.config, prediction_type="epsilon")
    monkeypatch.setattr(pipe, "scheduler", noise)
    return pipe


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)


def _error(pipe, starts, goal):
    """Mean squared error of guided reconstructions, in grey levels."""
    return float(((reconstruct(pipe, starts, PROMPTS, GUIDED) - goal.astype(float)) ** 2).mean())


def test_null_text_brings_guided_sampling_back_to_the_picture(denoiser, pictures):
    starts = invert(denoiser, pictures[:2], PROMPTS, GUIDED)
    empty = embeddings(denoiser, [""])[0].expand(10, -1, -1)
    goal = decode(denoiser, encode(denoiser, pictures[:2]))
    unfitted = _error(denoiser, [replace(start, null_text=empty) for start in starts], goal)
    fitted = with_null_text(
        denoiser, starts, PROMPTS, NullText(guidance_scale=6, tolerance_growth=0)
    )
    assert fitted[0].null_text.shape == (10, 77, 16)
    assert _error(denoiser, fitted, goal) < unfitted / 2
    assert all(one.grad is None for one in denoiser.unet.parameters())


def test_a_picture_is_fitted_alike_in_any_company_and_stops_by_itself(denoiser, pictures):
    import torch

    starts = invert(denoiser, pictures[:2], PROMPTS, GUIDED)
    # Without words there is nothing to undo: the first comes nearer to its trajectory.
    prompts = ["", PROMPTS[1]]
    some = NullText(inner_steps=3, tolerance=1e-3)
    together = with_null_text(denoiser, starts, prompts, some)
    for start, prompt, both in zip(starts, prompts, together, strict=True):
        alone = with_null_text(denoiser, [start], [prompt], some)[0]
        torch.testing.assert_close(alone.null_text, both.null_text, rtol=0, atol=2e-3)


def test_what_is_within_the_tolerance_is_moved_by_one_step_of_adam(denoiser, pictures):
    import torch

    starts = invert(denoiser, pictures[:1], PROMPTS[:1], GUIDED)
    some = NullText(tolerance=1e9, learning_rate=0.01)
    null = with_null_text(denoiser, starts, PROMPTS[:1], some)[0].null_text
    path = torch.cat([embeddings(denoiser, [""]), null])
    # A first step of Adam is the learning rate in every direction (a little less where the
    # gradient is as small as its epsilon), which falls to a half in the end.
    for i in range(10):
        rate = 0.01 * (1 - i / 20)
        assert 0.8 * rate < float((path[i + 1] - path[i]).abs().max()) < 1.001 * rate


def test_null_text_wants_pictures_that_were_inverted_in_one_schedule(pipe, pictures):
    short, long = (
        invert(pipe, pictures[:1], [""], Denoising(num_inference_steps=steps))[0]
        for steps in (10, 20)
    )
    for starts in ([short, long], [short, replace(short, trajectory=None)]):
        with pytest.raises(BadInput, match="invert them all"):
            with_null_text(pipe, starts, ["", ""], NullText())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_inference_steps": 9}, "9 steps begin at timestep 889"),
        ({"num_inference_steps": 50, "substeps": 3}, "cannot be divided by 3 substeps"),
        ({"null_text": {"guidance_scale": 1}}, "greater than 1"),
    ],
)
def test_inversions_that_cannot_be_are_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Inversion(**changes)


def test_psnr_of_known_errors():
    black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)
    assert psnr(grey, black) == pytest.approx(20 * math.log10(5))
    assert psnr(black, grey) == psnr(grey, black)
    assert psnr(grey, grey) == math.inf


@pytest.fixture
def photos(tmp_path, pictures):
    """Two good pictures, of which one is not square, a broken one and one rejected before."""
    folder = tmp_path / "photos"
    (folder / "images").mkdir(parents=True)
    wide = np.concatenate([pictures[1][:, :4], pictures[1], pictures[1][:, :4]], axis=1)
    Image.fromarray(pictures[0]).save(folder / "images" / "a.png")
    Image.fromarray(wide).save(folder / "images" / "b.png")
    (folder / "images" / "c.png").write_bytes(b"no picture")
    rows = [
        {"image_id": name * 16, "file": f"images/{name}.png", "prompt": prompt, "status": status}
        for name, prompt, status in (
            ("a", "a red dog", "accepted"),
            ("b", None, "accepted"),
            ("c", None, "accepted"),
            ("d", None, "rejected"),
        )
    ]
    image_set.write(folder, image_set.frame(rows))
    return folder


@pytest.fixture
def call(models, photos, tmp_path, monkeypatch):
    """Calls ``invert_images`` with these changes; its table, its folder and its summary."""
    monkeypatch.setenv("LIKENESS_MODELS", str(models / "models.yaml"))

    def make(name, scratch=None, recipe=None, **changes):
        params = {
            "model": "tiny",
            "identity": model_identity("tiny"),
            "resolution": 16,
            "recipe": recipe or Inversion(num_inference_steps=10),
        }
        output = tmp_path / name
        output.mkdir()
        scratch = scratch or tmp_path / f"{name}-scratch"
        params = InversionParams(**params | changes)
        summary = invert_images(params, {"images": photos}, output, scratch)
        return image_set.read(output), output, summary

    return make


def test_inverted_pictures_are_those_of_their_prompts_with_their_ratios(call, pipe, pictures):
    import torch

    table, folder, summary = call("one", prompts={"b" * 16: "a purple cat"})
    assert list(table["image_id"].str[0]) == ["a", "b", "c"]
    assert list(table["status"]) == ["accepted", "accepted", "rejected"]
    assert list(table["prompt"]) == ["a red dog", "a purple cat", ""]
    assert table["not_read"][1] == "unknown words: purple"
    assert table["reason"][2]
    assert table["file"].isna().tolist() == [False, False, True]

    prompts = ["a red dog", "a purple cat"]
    direct = invert(pipe, pictures[:2], prompts, GUIDED)
    held = read_starts(folder)
    assert set(held) == {"a" * 16, "b" * 16}
    for start, read in zip(direct, held.values(), strict=True):
        assert torch.equal(read.noise, read.trajectory[-1])
        torch.testing.assert_close(read.trajectory, start.trajectory, rtol=1e-4, atol=1e-4)
        assert read.null_text is None

    from skimage.metrics import peak_signal_noise_ratio

    seen = decode(pipe, encode(pipe, pictures[:2]))
    for i in range(2):
        ratio = peak_signal_noise_ratio(pictures[i], seen[i])
        assert table["vae_psnr"][i] == pytest.approx(ratio, abs=0.1)
    again = reconstruct(pipe, direct, prompts, GUIDED)
    ratios = [peak_signal_noise_ratio(seen[i], again[i]) for i in range(2)]
    assert list(table["reconstruction_psnr"][:2]) == pytest.approx(ratios, abs=0.3)
    assert summary["images"] == 3
    assert summary["rejected"] == 1
    assert summary["reconstruction_psnr"] == pytest.approx(np.mean(ratios), abs=0.3)
    with Image.open(folder / "preview.jpg") as sheet:
        assert sheet.width > sheet.height


def test_a_killed_run_goes_on_behind_the_last_picture(call, tmp_path, monkeypatch):
    _, whole, _ = call("whole", batch=1)
    scratch = tmp_path / "scratch"
    plain, calls = inversion.invert, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(*args)

    monkeypatch.setattr(inversion, "invert", killed)
    with pytest.raises(KeyboardInterrupt):
        call("half", scratch, batch=1)
    call("rest", scratch, batch=1)
    assert len(calls) == 3
    for file in sorted(path for path in whole.rglob("*") if path.is_file()):
        assert file.read_bytes() == (tmp_path / "rest" / file.relative_to(whole)).read_bytes()


def test_null_text_is_kept_beside_the_trajectory(call):
    from safetensors.torch import load_file

    recipe = Inversion(
        num_inference_steps=10,
        null_text=NullText(inner_steps=1),
        substeps=2,
    )
    table, folder, _ = call("fitted", recipe=recipe)
    held = load_file(folder / table["inverted"][0])
    assert {name: (str(value.dtype), value.shape) for name, value in held.items()} == {
        "trajectory": ("torch.float32", (11, 4, 8, 8)),
        "null_text": ("torch.float32", (10, 77, 16)),
    }
    start = read_starts(folder)["a" * 16]
    assert str(start.null_text.dtype) == str(start.noise.dtype) == "torch.float32"


def test_latents_that_are_no_numbers_make_a_rejected_row(call, monkeypatch):
    plain = inversion.invert

    def broken(*args):
        starts = plain(*args)
        starts[1].trajectory[3, 0, 0, 0] = math.nan
        return starts

    monkeypatch.setattr(inversion, "invert", broken)
    table, folder, _ = call("broken")
    assert list(table["status"]) == ["accepted", "rejected", "rejected"]
    assert table["reason"][1] == inversion.NO_NUMBERS
    assert list(read_starts(folder)) == ["a" * 16]


def test_a_prompt_of_no_picture_is_refused(call):
    with pytest.raises(BadInput, match="prompts name nobody, which is no accepted image"):
        call("nobody", prompts={"nobody": "a dog"})


def test_a_model_that_has_changed_is_refused(call):
    with pytest.raises(BadInput, match="materialise models/base again"):
        call("changed", identity="another")
