import numpy as np
import pytest
import tiny_pipeline

from likeness.edit.start import (
    NO_NUMBERS,
    decode,
    denoised,
    embeddings,
    encode,
    from_seed,
    invert,
    moved,
    notes_of,
    predicted_noise,
    timesteps_of,
    words_of,
)
from likeness.errors import BadInput
from likeness.generate.sample import Denoising, Sampling, sample


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    from likeness.models.load import load_folder, on_device

    folder = tiny_pipeline.write(tmp_path_factory.mktemp("edit-start") / "model")
    return on_device(load_folder(folder, "float32"), "cpu")


@pytest.fixture(scope="module")
def pictures():
    """Smooth ones: the tiny VAE is not trained, but they are in the range of pictures."""
    ramp = np.linspace(0, 255, 16).astype(np.uint8)
    one = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(90)), axis=-1)
    return np.stack([one, one[::-1], 255 - one])


def _says(pipe, what):
    """The schedule of the pipeline, for a network that predicts ``what``."""
    from diffusers import DDIMScheduler

    return DDIMScheduler.from_config(pipe.scheduler.config, prediction_type=what)


@pytest.fixture
def denoiser(pipe, monkeypatch):
    """The best there is for latents of a normal distribution, and a little of the tiny network.

    A random network alone does not draw errors in, and its path is not that of a denoiser.
    """
    plain, alphas = pipe.unet.forward, pipe.scheduler.alphas_cumprod

    def said(x, timestep, **words):
        answer = plain(x, timestep, **words)
        normal = (1 - alphas[int(timestep)]).sqrt() * x
        return type(answer)(sample=normal + 0.2 * answer.sample)

    monkeypatch.setattr(pipe.unet, "forward", said)
    monkeypatch.setattr(pipe, "scheduler", _says(pipe, "epsilon"))
    return pipe


def _sampled(pipe, starts, prompts, steps):
    """Latents sampled from the starts at guidance 1."""
    import torch

    with torch.no_grad():
        x, words = torch.stack([start.noise for start in starts]), embeddings(pipe, prompts)
        for timestep in timesteps_of(pipe.scheduler, steps):
            x = denoised(pipe, x, timestep, words, 1.0)
    return x


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_steps_from_a_seed_make_the_sampled_picture_bit_for_bit(pipe, scale):
    import torch

    prompts, seeds = ["a red dog", "a cat"], [3, 4]
    sampling = Sampling(num_inference_steps=10, guidance_scale=scale, negative_prompt="beach")
    with torch.no_grad():
        x = torch.stack([from_seed(pipe, seed).noise for seed in seeds])
        words = words_of(pipe, prompts, "beach", scale)
        for timestep in timesteps_of(pipe.scheduler, 10):
            x = denoised(pipe, x, timestep, words, scale)
    np.testing.assert_array_equal(decode(pipe, x), sample(pipe, prompts, seeds, sampling))


def test_noise_is_of_the_models_number_format_and_of_the_side_asked_for(pipe):
    import torch

    pipe.unet.to(torch.bfloat16)
    try:
        noise = from_seed(pipe, 5, side=32).noise
    finally:
        pipe.unet.to(torch.float32)
    drawn = torch.randn(
        (1, 4, 16, 16), generator=torch.Generator().manual_seed(5), dtype=torch.bfloat16
    )
    assert noise.dtype == torch.float32
    assert torch.equal(noise, drawn[0].float())


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_move_down_is_the_schedulers_step_and_a_move_up_undoes_it(pipe, prediction):
    import torch
    from diffusers import DDIMInverseScheduler

    torch.manual_seed(0)
    scheduler = _says(pipe, prediction)
    timesteps = timesteps_of(scheduler, 20)
    assert timesteps[0] == 951
    assert timesteps[-1] == 1
    upward = DDIMInverseScheduler.from_config(scheduler.config)
    upward.set_timesteps(20)
    x, said = torch.randn(2, 3, 4, 8, 8).double().unbind()
    for level, below in zip(timesteps, [*timesteps[1:], None], strict=True):
        alpha = scheduler.alphas_cumprod[level]
        noise = said
        if prediction == "v_prediction":
            noise = alpha.sqrt() * said + (1 - alpha).sqrt() * x
        down = moved(scheduler, x, noise, level, below)
        torch.testing.assert_close(down, scheduler.step(said, level, x).prev_sample)
        torch.testing.assert_close(moved(scheduler, down, noise, below, level), x)
        if prediction == "epsilon":
            # It counts a step from where it begins.
            theirs = upward.step(said, level, down).prev_sample
            torch.testing.assert_close(theirs, x, rtol=1e-5, atol=1e-5)


def test_velocity_is_turned_into_noise(pipe, monkeypatch):
    import torch

    x, words = from_seed(pipe, 0).noise[None], embeddings(pipe, ["a dog"])
    found = {}
    for what in ("epsilon", "v_prediction"):
        monkeypatch.setattr(pipe, "scheduler", _says(pipe, what))
        with torch.no_grad():
            found[what] = predicted_noise(pipe, x, 501, words)
    alpha = float(pipe.scheduler.alphas_cumprod[501])
    expected = alpha**0.5 * found["epsilon"] + (1 - alpha) ** 0.5 * x
    torch.testing.assert_close(found["v_prediction"], expected)


def test_with_noise_that_does_not_depend_on_the_latents_inversion_is_exact(
    pipe, pictures, monkeypatch
):
    import torch

    plain = pipe.unet.forward
    fixed = from_seed(pipe, 9).noise

    def said(x, timestep, **words):
        answer = plain(x, timestep, **words)
        return type(answer)(sample=fixed.expand_as(x) * (1 + int(timestep) / 1000))

    monkeypatch.setattr(pipe.unet, "forward", said)
    monkeypatch.setattr(pipe, "scheduler", _says(pipe, "epsilon"))
    starts = invert(pipe, pictures, [""] * 3, Denoising(num_inference_steps=20))
    again = _sampled(pipe, starts, [""] * 3, 20)
    torch.testing.assert_close(again, encode(pipe, pictures), rtol=1e-4, atol=1e-4)


def test_the_more_steps_the_nearer_to_the_encoded_picture(denoiser, pictures):
    prompts = ["a dog", "", "a red cat"]
    goal = encode(denoiser, pictures)
    errors = {}
    for steps in (10, 25, 100):
        starts = invert(denoiser, pictures, prompts, Denoising(num_inference_steps=steps))
        again = _sampled(denoiser, starts, prompts, steps)
        errors[steps] = float((again - goal).square().mean())
    assert errors[100] < errors[25] / 4
    assert errors[25] < errors[10] / 2


def test_trajectories_lie_on_the_schedule_whatever_the_substeps(denoiser, pictures):
    import torch

    def inverted(substeps):
        steps = []
        starts = invert(
            denoiser,
            pictures,
            ["a dog"] * 3,
            Denoising(num_inference_steps=10),
            substeps,
            lambda: steps.append(1),
        )
        assert len(steps) == 1 + 9 * substeps
        for start in starts:
            assert start.trajectory.shape == (11, 4, 8, 8)
            assert start.trajectory.dtype == torch.float32
            assert torch.equal(start.trajectory[-1], start.noise)
            assert start.null_text is None
        return torch.stack([start.noise for start in starts])

    coarse, fine, finest = inverted(1), inverted(5), inverted(20)
    assert (fine - finest).abs().max() < (coarse - finest).abs().max() / 2


def test_a_picture_is_inverted_alike_in_any_company(pipe, pictures):
    import torch

    prompts = ["a dog", "", "a red cat"]
    together = invert(pipe, pictures, prompts, Denoising(num_inference_steps=10))
    for i, start in enumerate(together):
        alone = invert(pipe, pictures[[i]], [prompts[i]], Denoising(num_inference_steps=10))[0]
        torch.testing.assert_close(alone.trajectory, start.trajectory, rtol=1e-4, atol=1e-4)


def test_substeps_that_do_not_divide_a_step_are_refused(pipe, pictures):
    sentence = "50 timesteps lie between two steps and cannot be divided by 3 substeps"
    with pytest.raises(BadInput, match=sentence):
        invert(pipe, pictures, [""] * 3, Denoising(num_inference_steps=20), substeps=3)


def test_a_model_with_two_text_encoders_is_refused(pipe, monkeypatch):
    monkeypatch.setattr(pipe, "text_encoder_2", object(), raising=False)
    with pytest.raises(BadInput, match="one text encoder"):
        embeddings(pipe, ["a dog"])


def test_notes_say_what_is_no_number_and_what_is_not_read(pipe):
    import torch

    latents = torch.zeros(3, 4, 8, 8)
    latents[1, 0, 0, 0] = torch.nan
    found = notes_of(pipe, latents, ["a dog", "a dog", "a purple dog"])
    assert found == ["", NO_NUMBERS, "unknown words: purple"]
    assert decode(pipe, latents)[1].max() == 0
