import numpy as np
import pytest
import tiny_pipeline
from pydantic import ValidationError

from likeness.edit.plug_and_play import DEFAULTS, Layers, PlugAndPlayRecipe, plug_and_play
from likeness.edit.start import decode, embeddings, encode, from_seed, invert
from likeness.errors import BadInput
from likeness.generate.sample import Sampling, sample

LAYERS = Layers(features=("up_blocks.0.resnets.0",), attention=("up_blocks.0.attentions.1",))
SOURCES, TARGETS = ["a photo of a dog", "a red cat"], ["a photo of a cat", "a dog on a beach"]


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    import torch

    from likeness.models.load import load_folder, on_device

    folder = tiny_pipeline.write(tmp_path_factory.mktemp("edit-pnp") / "model")
    pipe = on_device(load_folder(folder, "float32"), "cpu")
    # Random weights are small: larger ones let attention and features show in the pixels.
    with torch.no_grad():
        for name, value in pipe.unet.named_parameters():
            if "attn" in name or "resnets" in name:
                value.mul_(1.5)
    return pipe


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)


@pytest.fixture
def seeds(pipe):
    return [from_seed(pipe, seed) for seed in (3, 4)]


@pytest.fixture
def inverted(pipe, pictures):
    return invert(pipe, pictures, ["", "a red cat"], recipe())


def recipe(**changes):
    return PlugAndPlayRecipe(**{"num_inference_steps": 10, "layers": LAYERS} | changes)


def hooks(pipe):
    return sum(len(module._forward_hooks) for module in pipe.unet.modules())


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_without_injection_source_and_target_are_sampled_bit_for_bit(pipe, seeds, scale):
    some = recipe(
        feature_threshold=0, attention_threshold=0, guidance_scale=scale, negative_prompt="beach"
    )
    made = plug_and_play(pipe, seeds, SOURCES, TARGETS, some)
    sampling = Sampling(num_inference_steps=10, guidance_scale=scale)
    away = Sampling(num_inference_steps=10, guidance_scale=scale, negative_prompt="beach")
    np.testing.assert_array_equal(made.source, sample(pipe, SOURCES, [3, 4], sampling))
    np.testing.assert_array_equal(made.edited, sample(pipe, TARGETS, [3, 4], away))
    assert made.notes == ["", ""]


def test_without_injection_an_inverted_picture_is_sampled_from_its_noise(pipe, inverted, pictures):
    none = recipe(feature_threshold=0, attention_threshold=0)
    made = plug_and_play(pipe, inverted, SOURCES, TARGETS, none)
    plain = [type(start)(start.noise) for start in inverted]
    again = plug_and_play(pipe, plain, SOURCES, TARGETS, none)
    np.testing.assert_array_equal(made.edited, again.edited)
    np.testing.assert_array_equal(made.source, decode(pipe, encode(pipe, pictures)))


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_words_of_the_source_make_the_source(pipe, seeds, scale):
    made = plug_and_play(pipe, seeds, SOURCES, SOURCES, recipe(guidance_scale=scale))
    np.testing.assert_array_equal(made.edited, made.source)


@pytest.mark.parametrize("kind", ["feature_threshold", "attention_threshold"])
def test_each_threshold_changes_the_target_and_leaves_the_source(pipe, seeds, kind):
    none = recipe(feature_threshold=0, attention_threshold=0)
    without = plug_and_play(pipe, seeds, SOURCES, TARGETS, none)
    made = plug_and_play(pipe, seeds, SOURCES, TARGETS, none.model_copy(update={kind: 1.0}))
    np.testing.assert_array_equal(made.source, without.source)
    assert (made.edited != without.edited).any((1, 2, 3)).all()


def test_injection_is_that_of_an_independent_pass_over_all_rows(pipe, inverted):
    """Source, negative and target as rows of one batch; probabilities instead of queries and keys."""
    import torch

    some = recipe(feature_threshold=0.6, attention_threshold=0.3, guidance_scale=5.0)
    made = plug_and_play(pipe, inverted[1:], SOURCES[1:], TARGETS[1:], some)

    unet, step = pipe.unet, [0]
    conv = unet.get_submodule("up_blocks.0.resnets.0").conv2
    attn = unet.get_submodule("up_blocks.0.attentions.1.transformer_blocks.0").attn1

    class Shared:
        def __call__(self, attn, x, encoder_hidden_states=None, *args, **kwargs):
            q, k, v = (attn.head_to_batch_dim(f(x)) for f in (attn.to_q, attn.to_k, attn.to_v))
            p = attn.get_attention_scores(q, k).unflatten(0, (3, -1))
            if step[0] < 3:
                p = p[:1].expand_as(p)
            mixed = attn.batch_to_head_dim(torch.bmm(p.flatten(0, 1), v))
            return attn.to_out[1](attn.to_out[0](mixed))

    def first(module, args, out):
        return out[:1].expand_as(out) if step[0] < 6 else out

    before, handle = attn.processor, conv.register_forward_hook(first)
    attn.set_processor(Shared())
    try:
        path = inverted[1].trajectory
        x = path[-1:]
        words = embeddings(pipe, [SOURCES[1], "", TARGETS[1]])
        with torch.no_grad():
            for i in range(10):
                t = 901 - 100 * i
                step[0] = i
                at = torch.cat([path[10 - i][None], x, x])
                said = unet(at, t, encoder_hidden_states=words).sample
                noise = said[1:2] + 5.0 * (said[2:] - said[1:2])
                x = pipe.scheduler.step(noise, t, x).prev_sample
            again = decode(pipe, x)
    finally:
        handle.remove()
        attn.set_processor(before)
    assert np.abs(again.astype(int) - made.edited).max() <= 1


@pytest.mark.parametrize("kind", ["seeds", "inverted"])
def test_a_picture_is_edited_alike_in_any_company(pipe, kind, request):
    starts = request.getfixturevalue(kind)
    together = plug_and_play(pipe, starts, SOURCES, TARGETS, recipe())
    for i, start in enumerate(starts):
        alone = plug_and_play(pipe, [start], [SOURCES[i]], [TARGETS[i]], recipe())
        for one, all_of_them in ((alone.edited, together.edited), (alone.source, together.source)):
            assert np.abs(one[0].astype(int) - all_of_them[i]).max() <= 1


def test_steps_are_counted_and_hooks_are_gone_afterwards(pipe, seeds):
    count = []
    plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(), lambda: count.append(hooks(pipe)))
    assert len(count) == 10
    assert min(count) == 3
    assert hooks(pipe) == 0


def test_hooks_are_gone_after_an_error(pipe, seeds):
    def fail():
        assert hooks(pipe) == 3
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(), fail)
    assert hooks(pipe) == 0
    again = plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(feature_threshold=0.5))
    assert again.notes == ["", ""]


def test_layers_that_are_not_there_are_answered_with_those_that_are(pipe, seeds):
    absent = LAYERS.model_copy(update={"features": ("up_blocks.3.resnets.1",)})
    sentence = (
        "^layer up_blocks.3.resnets.1 is no layer of features in this model: say "
        "up_blocks.0.resnets.0, up_blocks.0.resnets.1, up_blocks.1.resnets.0, "
        "up_blocks.1.resnets.1$"
    )
    with pytest.raises(BadInput, match=sentence):
        plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(layers=absent))
    other = LAYERS.model_copy(update={"attention": ("up_blocks.0.resnets.0",)})
    with pytest.raises(BadInput, match=r"no layer of attention .* up_blocks.0.attentions.0, "):
        plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(layers=other))


def test_a_shape_without_usual_layers_must_be_told_some(pipe, seeds):
    with pytest.raises(BadInput, match="say layers; it has up_blocks"):
        plug_and_play(pipe, seeds, SOURCES, TARGETS, recipe(layers=None))


def test_a_schedule_other_than_the_inversions_is_refused(pipe, inverted):
    with pytest.raises(BadInput, match="inverted in 10 steps and is to be edited in 20"):
        plug_and_play(pipe, inverted, SOURCES, TARGETS, recipe(num_inference_steps=20))


def test_seeds_and_inverted_pictures_do_not_mix(pipe, seeds, inverted):
    with pytest.raises(ValueError, match="1 of 2 starts have a trajectory"):
        plug_and_play(pipe, [seeds[0], inverted[1]], SOURCES, TARGETS, recipe())


@pytest.mark.parametrize("field", ["feature_threshold", "attention_threshold"])
def test_thresholds_are_shares(field):
    with pytest.raises(ValidationError, match=field):
        recipe(**{field: 1.1})


def test_the_usual_layers_are_those_of_the_real_shapes():
    import torch
    from diffusers import UNet2DConditionModel

    from likeness.edit.plug_and_play import _modules, _published
    from likeness.models.configs import UNET
    from likeness.world.learn.architecture import new_unet

    with torch.device("meta"):
        large, small = UNet2DConditionModel(**UNET["sd15"]), new_unet()
    # As published: one convolution; queries and keys of eight layers.
    kinds = [kind for kind, _ in _modules(large, _published(large))]
    assert kinds == ["features"] + ["attention"] * 16
    assert large.get_submodule("up_blocks.1.resnets.1").conv2.out_channels == 1280
    assert [kind for kind, _ in _modules(small, _published(small))].count("attention") == 8
    assert len(DEFAULTS) == 2
