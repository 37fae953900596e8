import numpy as np
import pytest
import tiny_pipeline

from likeness.edit.attention import EditedAttention, MapStore, controlled
from likeness.edit.change import Change, LocalBlend, PromptToPromptRecipe, plan
from likeness.edit.null_text import reconstruct
from likeness.edit.prompt_to_prompt import (
    MASK_ALL,
    MASK_NOTHING,
    _Branches,
    _Control,
    edit,
)
from likeness.edit.start import Start, decode, from_seed
from likeness.errors import BadInput
from likeness.generate.sample import sample_batch

SOURCE = "a photo of a dog on a beach"
SWAP, LONGER, REFINED = (
    "a photo of a cat on a beach",
    "a photo of a yak on a beach",
    "a red photo of a dog on a beach",
)
BLEND = LocalBlend(source=["dog"], target=["yak"])


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    from likeness.models.load import load_folder, on_device

    folder = tiny_pipeline.write(tmp_path_factory.mktemp("p2p") / "model")
    return on_device(load_folder(folder, "float32"), "cpu")


def recipe(**changes):
    fields = {"num_inference_steps": 10, "guidance_scale": 5.0}
    return PromptToPromptRecipe(**fields | changes)


OFF = {"cross_replace_steps": (0, 0), "self_replace_steps": (0, 0)}
ALL = {"cross_replace_steps": (0, 1), "self_replace_steps": (0, 1)}


class Watch:
    def needs(self, cross, queries):
        return cross or queries <= 16**2

    def edit(self, probabilities, cross):
        return probabilities


def plainly(pipe, prompts, seeds, asked):
    with controlled(pipe.unet, Watch()):
        return sample_batch(pipe, prompts, seeds, asked)


def edits(pipe, targets, asked, seed=7, source=SOURCE):
    start = from_seed(pipe, seed)
    return edit(pipe, [start] * len(targets), [source] * len(targets), targets, asked)


@pytest.mark.parametrize("guidance", [5.0, 1.0])
def test_switched_off_is_plain_sampling_bit_for_bit(pipe, guidance):
    asked = recipe(**OFF, guidance_scale=guidance, negative_prompt="red")
    made = edits(pipe, [SWAP, REFINED], asked)
    plain = plainly(pipe, [SOURCE, SWAP, REFINED], [7] * 3, asked)
    np.testing.assert_array_equal(made.source, plain[[0, 0]])
    np.testing.assert_array_equal(made.edited, plain[1:])
    assert made.notes == ["", ""]


def test_the_source_of_every_edit_is_the_plain_picture(pipe):
    changes = [
        SWAP,
        Change(target=LONGER, weights={"yak": -2, "beach": 3}, local_blend=BLEND),
        REFINED,
    ]
    made = edits(pipe, changes, recipe(**ALL))
    plain = plainly(pipe, [SOURCE, SWAP, LONGER, REFINED], [7] * 4, recipe())
    np.testing.assert_array_equal(made.source, plain[[0, 0, 0]])
    for edited, unled in zip(made.edited, plain[1:], strict=True):
        assert (edited != unled).any()


@pytest.mark.parametrize(
    "asked", [recipe(**ALL), recipe(), recipe(guidance_scale=1.0), recipe(**OFF)]
)
@pytest.mark.parametrize("alignment", ["swap", "refine"])
def test_identical_prompts_give_identical_pictures(pipe, asked, alignment):
    made = edits(pipe, [Change(target=SOURCE, alignment=alignment, weights={"dog": 1})], asked)
    np.testing.assert_array_equal(made.edited, made.source)


def test_weights_change_the_picture_and_one_does_not(pipe):
    for asked in (recipe(**ALL), recipe()):
        weighted = [Change(target=SOURCE, weights={"dog": weight}) for weight in (1, 4, -2)]
        made = edits(pipe, weighted, asked)
        same, more, less = made.edited
        np.testing.assert_array_equal(same, made.source[0])
        assert (more != same).any()
        assert (less != more).any()


def test_pictures_do_not_depend_on_what_shares_their_batch(pipe):
    jobs = [
        (from_seed(pipe, 3), SOURCE, Change(target=LONGER, local_blend=BLEND)),
        (from_seed(pipe, 3), "a cat", "a red cat"),
        (from_seed(pipe, 4), SOURCE, Change(target=REFINED, weights={"red": 3})),
    ]
    together = edit(pipe, *(list(part) for part in zip(*jobs, strict=True)), recipe())
    for k, job in enumerate(jobs):
        alone = edit(pipe, *([part] for part in job), recipe())
        for one, other in (
            (alone.edited[0], together.edited[k]),
            (alone.source[0], together.source[k]),
        ):
            assert np.abs(one.astype(int) - other).max() <= 1


def test_sources_that_are_shared_are_sampled_once(pipe):
    first, second = from_seed(pipe, 1), from_seed(pipe, 2)
    branches = _Branches.of(
        [first, second, first, first], ["a dog", "a dog", "a dog", "a cat"], ["a", "b", "c", "d"]
    )
    assert branches.source_of == [0, 1, 0, 2]
    assert branches.prompts == ["a dog", "a dog", "a cat", "a", "b", "c", "d"]
    assert [id(start) for start in branches.all_starts] == [
        id(start) for start in (first, second, first, first, second, first, first)
    ]


def test_processors_come_back_also_after_an_error(pipe):
    before = dict(pipe.unet.attn_processors)

    def stop():
        assert all(isinstance(one, EditedAttention) for one in pipe.unet.attn_processors.values())
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        edit(pipe, [from_seed(pipe, 0)], [SOURCE], [SWAP], recipe(), stop)
    edits(pipe, [SWAP], recipe())
    after = pipe.unet.attn_processors
    assert before.keys() == after.keys()
    assert all(after[name] is before[name] for name in before)


def control_of(pipe, sources, targets, asked):
    starts = [from_seed(pipe, k) for k in range(len(sources))]
    plans = [plan(pipe, *pair, asked) for pair in zip(sources, targets, strict=True)]
    return _Control(pipe, _Branches.of(starts, sources, targets), plans, asked)


@pytest.mark.parametrize("step", [0, 1, 2, 5, 6, 9])
def test_maps_are_handed_on_as_by_hand(pipe, step):
    import torch

    change = Change(
        target=LONGER, cross_replace_steps={"yak": (0.2, 0.3)}, weights={"yak": -1.5, "photo of": 2}
    )
    asked = recipe(cross_replace_steps=(0.1, 0.6), self_replace_steps=(0.5, 0.6))
    control = control_of(pipe, [SOURCE, "a cat"], [change, "a red cat"], asked)
    control.step, control.maps = step, MapStore()
    given = torch.rand(8, 2, 16, 77)
    # Rows: four unguided, two sources, two edits. Yak is of three tokens.
    expected, unweighted = given.clone(), given.clone()
    source, target = given[4].clone(), given[6].clone()
    for token in range(77):
        yak = token in (5, 6, 7)
        if not (step == 2 if yak else 1 <= step < 6):
            continue
        if yak:
            unweighted[6, ..., token] = source[..., 5] / 3
        elif token < 5:
            unweighted[6, ..., token] = source[..., token]
        else:
            unweighted[6, ..., token] = source[..., token - 2]
        weight = -1.5 if yak else 2 if token in (2, 3) else 1
        expected[6, ..., token] = unweighted[6, ..., token] * weight
    if 1 <= step < 6:
        # "red", the second word, is new.
        unweighted[7, ..., 0:2] = expected[7, ..., 0:2] = given[5, ..., 0:2]
        unweighted[7, ..., 3:] = expected[7, ..., 3:] = given[5, ..., 2:-1]
    torch.testing.assert_close(control.edit(given.clone(), cross=True), expected)
    torch.testing.assert_close(control.maps.mean(), unweighted[4:].mean(1))
    assert (target == given[6]).all()

    looked = torch.rand(8, 2, 16, 16)
    expected = looked.clone()
    if step == 5:
        expected[6:] = looked[4:6]
    assert torch.equal(control.edit(looked.clone(), cross=False), expected)


def test_self_attention_is_taken_in_coarse_layers_only(pipe):
    control = control_of(pipe, [SOURCE], [SWAP], recipe(self_replace_side=32))
    assert control.needs(cross=False, queries=32**2)
    assert not control.needs(cross=False, queries=32**2 + 1)
    assert control.needs(cross=True, queries=64**2)


def test_an_inverted_source_is_kept_exactly(pipe):
    import torch

    torch.manual_seed(5)
    path = torch.randn(11, 4, 8, 8)
    inverted = Start(path[-1], path)
    made = edit(pipe, [inverted] * 2, [SOURCE] * 2, [SOURCE, SWAP], recipe(**ALL))
    expected = decode(pipe, path[:1])
    np.testing.assert_array_equal(made.source[0], expected[0])
    np.testing.assert_array_equal(made.source[1], expected[0])
    # Only the source is put back: an edit goes its own way from the same noise.
    free = edit(pipe, [Start(path[-1])], [SOURCE], [SOURCE], recipe(**OFF))
    unled = edit(pipe, [inverted], [SOURCE], [SOURCE], recipe(**OFF))
    np.testing.assert_array_equal(unled.edited, free.edited)


def test_null_texts_are_what_guidance_leads_away_from(pipe):
    import torch

    with torch.no_grad():
        named, _ = pipe.encode_prompt(["a red cat"], "cpu", 1, False)
    start = from_seed(pipe, 7)
    constant = Start(start.noise, null_text=named.expand(10, -1, -1))
    made = edit(pipe, [constant], [SOURCE], [SWAP], recipe())
    negative = edit(pipe, [start], [SOURCE], [SWAP], recipe(negative_prompt="a red cat"))
    np.testing.assert_array_equal(made.edited, negative.edited)
    np.testing.assert_array_equal(made.source, negative.source)


def test_each_step_has_its_own_null_text(pipe):
    import torch

    torch.manual_seed(6)
    start = Start(torch.randn(4, 8, 8), null_text=torch.randn(10, 77, 16))
    asked = recipe(**OFF)
    made = edit(pipe, [start], [SOURCE], [SWAP], asked)
    x = start.noise[None]
    with torch.no_grad():
        words, _ = pipe.encode_prompt([SWAP], "cpu", 1, False)
        pipe.scheduler.set_timesteps(10)
        for step, timestep in enumerate(pipe.scheduler.timesteps):
            free = pipe.unet(x, timestep, encoder_hidden_states=start.null_text[step][None]).sample
            told = pipe.unet(x, timestep, encoder_hidden_states=words).sample
            x = pipe.scheduler.step(free + 5.0 * (told - free), timestep, x).prev_sample
    assert np.abs(decode(pipe, x)[0].astype(int) - made.edited[0]).max() <= 1


def test_a_null_text_brings_the_source_back_by_itself(pipe):
    """The trajectory that came with it says how many steps there are, and nothing more."""
    import torch

    torch.manual_seed(7)
    path, null = torch.randn(11, 4, 8, 8), torch.randn(10, 77, 16)
    inverted = Start(path[-1], path, null)
    made = edit(pipe, [inverted] * 2, [SOURCE] * 2, [SOURCE, SWAP], recipe(**ALL))
    again = reconstruct(pipe, [inverted], [SOURCE], recipe())[0].astype(int)
    for row in (*made.source, made.edited[0]):
        assert np.abs(row - again).max() <= 1
    assert np.abs(decode(pipe, path[:1])[0] - again).max() > 1


def blended(pipe, targets, step, heat):
    """What a control makes of random latents, and these; all words but one see nothing."""
    import torch

    control = control_of(pipe, [SOURCE] * len(targets), targets, recipe())
    control.maps, control.step = MapStore(), step
    maps = torch.zeros(2 * len(targets), 1, 16, 77)
    for row, token, place, value in heat:
        maps[row, 0, place, token] = value
    control.maps.add(maps)
    latents = torch.randn(2 * len(targets), 4, 8, 8)
    return control, latents, control.after(latents)


def test_a_local_blend_leaves_all_else_to_the_source_exactly(pipe):
    import torch

    change = Change(target=LONGER, local_blend=BLEND)
    # "dog" is token 5, "yak" 5 to 7; places 0 and 15 are opposite corners of 4 x 4.
    heat = [(0, 5, 0, 1.0), (2, 6, 15, 1.0), (2, 3, 12, 9.0)]
    control, before, after = blended(pipe, [change, SWAP], 2, heat)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[:4, :4] = inside[4:, 4:] = True
    assert torch.equal(after[2][:, inside], before[2][:, inside])
    assert torch.equal(after[2][:, ~inside], before[0][:, ~inside])
    for row in (0, 1, 3):
        assert torch.equal(after[row], before[row])
    assert control.note(0) == control.note(1) == ""
    assert control.step == 3


def test_a_local_blend_waits_for_its_start(pipe):
    import torch

    change = Change(target=LONGER, local_blend=BLEND)
    _, before, after = blended(pipe, [change], 1, [(0, 5, 0, 1.0)])
    assert torch.equal(after, before)


def test_a_local_blend_that_is_all_or_nothing_says_so(pipe):
    change = Change(target=LONGER, local_blend=BLEND)
    everywhere = [(0, 5, place, 1.0) for place in range(16)]
    assert blended(pipe, [change], 9, everywhere)[0].note(0) == MASK_ALL
    control, before, after = blended(pipe, [change], 9, [])
    assert control.note(0) == MASK_NOTHING
    assert (after[1] == before[0]).all()


def test_what_cannot_be_done_stops_all_edits_before_any_step(pipe):
    def refuse():
        raise AssertionError("a step was made")

    with pytest.raises(BadInput, match=r"'dog' is not among the words of .*cat"):
        edit(
            pipe,
            [from_seed(pipe, 0)] * 2,
            [SOURCE] * 2,
            [SWAP, Change(target=SWAP, weights={"dog": 2})],
            recipe(),
            refuse,
        )


def test_an_inversion_in_other_steps_is_refused(pipe):
    import torch

    path = torch.zeros(26, 4, 8, 8)
    sentence = "inverted in 25 steps and is to be edited in 10: invert it in as many"
    for start in (Start(path[0], path), Start(path[0], null_text=torch.zeros(25, 77, 16))):
        with pytest.raises(BadInput, match=sentence):
            edit(pipe, [start], [SOURCE], [SWAP], recipe())


def test_a_picture_without_numbers_is_noted(pipe):
    import torch

    broken = Start(torch.full((4, 8, 8), torch.nan))
    made = edit(pipe, [broken, from_seed(pipe, 0)], [SOURCE] * 2, [SWAP] * 2, recipe())
    assert made.notes == ["black: the model's values are no finite numbers", ""]
    assert not made.edited[0].any()
    assert made.edited[1].any()


def test_models_of_two_encoders_get_what_they_need(pipe):
    """Stable Diffusion XL also takes pooled embeddings, and edits its maps just so."""
    import torch
    from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    torch.manual_seed(0)
    unet = dict(pipe.unet.config) | {
        "cross_attention_dim": 32,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 16 + 6 * 4,
    }
    text = dict(pipe.text_encoder.config.to_dict()) | {"projection_dim": 16}
    xl = StableDiffusionXLPipeline(
        vae=pipe.vae,
        text_encoder=pipe.text_encoder,
        text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**text)),
        tokenizer=pipe.tokenizer,
        tokenizer_2=pipe.tokenizer,
        unet=UNet2DConditionModel.from_config(unet),
        scheduler=pipe.scheduler,
        add_watermarker=False,
    )
    off = recipe(**OFF)
    made = edits(xl, [SWAP, REFINED], off)
    plain = plainly(xl, [SOURCE, SWAP, REFINED], [7] * 3, off)
    np.testing.assert_array_equal(np.stack([made.source[0], *made.edited]), plain)
    # of nothing they take zeros, and not an empty prompt: as the pipeline by itself
    seeds = [torch.Generator().manual_seed(7) for _ in range(3)]
    asked = off.model_dump(include={"num_inference_steps", "guidance_scale"})
    with controlled(xl.unet, Watch()):
        stock = xl([SOURCE, SWAP, REFINED], generator=seeds, output_type="np", **asked).images
    np.testing.assert_array_equal(plain, (stock * 255).round().astype(np.uint8))
    led = edits(xl, [SOURCE, Change(target=LONGER, local_blend=BLEND)], recipe())
    np.testing.assert_array_equal(led.edited[0], led.source[0])
    assert (led.edited[1] != led.source[1]).any()


def test_half_precision_holds_the_same_law(pipe, tmp_path):
    import torch

    from likeness.models.load import load_folder, on_device

    pipe.save_pretrained(tmp_path)
    half = on_device(load_folder(tmp_path, "bfloat16"), "cpu")
    assert half.unet.dtype == torch.bfloat16
    made = edits(half, [SOURCE, Change(target=LONGER, local_blend=BLEND)], recipe())
    np.testing.assert_array_equal(made.edited[0], made.source[0])
    assert made.edited[1].any()
