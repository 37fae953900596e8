"""A guidance for each picture: what stock pipelines paint above 1, and what lies below."""

import numpy as np
import pytest
import tiny_pipeline

from likeness.generate.guided import sample_guided
from likeness.generate.sample import Denoising, sample_batch
from likeness.models.load import load_folder, on_device

STEPS = 10
PROMPTS, SEEDS = ["a dog", "a red cat", "a dog on a beach"], [5, 6, 7]


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    folder = tiny_pipeline.write(tmp_path_factory.mktemp("guided") / "model")
    return on_device(load_folder(folder, "float32"), "cpu")


def guided(pipe, scales, prompts=PROMPTS, seeds=SEEDS, negative=""):
    sampling = Denoising(num_inference_steps=STEPS, negative_prompt=negative)
    return sample_guided(pipe, prompts, seeds, sampling, scales)


@pytest.mark.parametrize(("scale", "negative"), [(1.0, ""), (3.5, ""), (3.5, "a cat")])
def test_one_guidance_for_all_is_what_the_stock_pipeline_paints(pipe, scale, negative):
    sampling = Denoising(num_inference_steps=STEPS, guidance_scale=scale, negative_prompt=negative)
    stock = sample_batch(pipe, PROMPTS, SEEDS, sampling)
    mine = guided(pipe, [scale] * 3, negative=negative)
    # without guidance, the stock pipeline takes half a batch: sums may be rounded otherwise
    assert np.abs(mine.astype(int) - stock).max() <= 1
    assert stock.std() > 1


def test_a_picture_depends_on_its_own_guidance_alone(pipe):
    scales = [0.25, 0.75, 8.0]
    together = guided(pipe, scales)
    for number, scale in enumerate(scales):
        alone = guided(pipe, [scale], [PROMPTS[number]], [SEEDS[number]])
        assert np.abs(alone[0].astype(int) - together[number]).max() <= 1
    others = guided(pipe, [0.3, 0.7, 8.0])
    assert (together != others).reshape(3, -1).any(1).tolist() == [True, True, False]


def test_without_any_guidance_the_prompt_has_no_say(pipe):
    one, other = (guided(pipe, [0.0], [prompt], [3]) for prompt in PROMPTS[:2])
    np.testing.assert_array_equal(one, other)
    asked = (guided(pipe, [1.0], [prompt], [3]) for prompt in PROMPTS[:2])
    assert not np.array_equal(*asked)
