import numpy as np
import pytest
import tiny_pipeline
from pydantic import ValidationError

from likeness.generate import sample as sampler
from likeness.generate.sample import Sampling, sample, sample_batch


@pytest.mark.parametrize("steps", [10, 20, 25, 30, 50, 100, 125, 200, 250, 500])
def test_schedules_that_begin_in_noise_are_taken(steps):
    from likeness.world.learn.architecture import new_scheduler

    assert Sampling(num_inference_steps=steps).num_inference_steps == steps
    scheduler = new_scheduler()
    scheduler.set_timesteps(steps)
    assert scheduler.timesteps[0] == (steps - 1) * (1000 // steps) + 1 >= 900


@pytest.mark.parametrize(("steps", "first"), [(1, 1), (9, 889), (300, 898), (400, 799)])
def test_schedules_that_begin_in_the_middle_are_refused_with_good_ones(steps, first):
    sentence = f"{steps} steps begin at timestep {first} of 1000, .* take 10, 20, 25, 50, 100"
    with pytest.raises(ValidationError, match=sentence):
        Sampling(num_inference_steps=steps)


@pytest.mark.parametrize("steps", [0, 501])
def test_numbers_of_steps_have_bounds(steps):
    with pytest.raises(ValidationError, match="num_inference_steps"):
        Sampling(num_inference_steps=steps)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    from likeness.models.load import load_folder, on_device

    folder = tiny_pipeline.write(tmp_path_factory.mktemp("sampling") / "model")
    return on_device(load_folder(folder, "float32"), "cpu")


PROMPTS = ["a dog", "a photo of a red cat on a beach", "a dog", "a red", "a cat on a red beach"]
SEEDS = [3, 3, 4, 2**31, 0]
GUIDED = Sampling(
    num_inference_steps=10, guidance_scale=4.0, negative_prompt="a beach", batch=len(SEEDS)
)


@pytest.mark.parametrize("guidance_scale", [4.0, 1.0])
def test_a_picture_alone_is_the_picture_in_a_batch(pipe, monkeypatch, guidance_scale):
    sampling = GUIDED.model_copy(update={"guidance_scale": guidance_scale})
    alone = [sample_batch(pipe, [p], [s], sampling)[0] for p, s in zip(PROMPTS, SEEDS, strict=True)]
    for size in (2, 3, len(SEEDS)):
        together = sample(pipe, PROMPTS, SEEDS, sampling.model_copy(update={"batch": size}))
        assert together.shape == (len(SEEDS), 16, 16, 3)
        gray_levels = np.abs(together.astype(int) - np.stack(alone))
        assert gray_levels.max() <= 1
    # before they are rounded to gray levels, in 0..1
    monkeypatch.setattr(sampler, "as_bytes", lambda pictures: pictures)
    exact = np.stack(
        [sample_batch(pipe, [p], [s], sampling)[0] for p, s in zip(PROMPTS, SEEDS, strict=True)]
    )
    together = sample_batch(pipe, PROMPTS, SEEDS, sampling)
    assert np.abs(together - exact).max() <= 1e-3
    # and they are five different pictures, of which one in another's place would be seen
    others = [np.abs(a - b).max() for n, a in enumerate(exact) for b in exact[:n]]
    assert min(others) > 0.02
