import fitted
import numpy as np
import pytest
from fitted import SOURCES, TARGETS
from pydantic import ValidationError
from safetensors.torch import load_file

from likeness.edit.fitting import Fitting, loss_on_pictures
from likeness.edit.hiper import HiPerRecipe, check_room, hiper, learn_tails
from likeness.edit.start import decode, embeddings, encode
from likeness.errors import BadInput
from likeness.finetune.cache import cached_latents
from likeness.finetune.loop import generator_of

FITTING = Fitting(learning_rate=0.02, steps=12, checkpoint_steps=5)


def recipe(**changes):
    fields = {"fitting": FITTING, "precision": "float32", "num_inference_steps": 10}
    return HiPerRecipe(**fields | changes)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    return fitted.loud(tmp_path_factory.mktemp("edit-hiper") / "model")


@pytest.fixture(scope="module")
def files(pipe, pictures, tmp_path_factory):
    return learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path_factory.mktemp("tails"))


def tails_of(files):
    import torch

    return torch.stack([load_file(file)["tail"] for file in files])


def test_fitting_lowers_the_error_on_each_picture(either, pictures, tmp_path):
    import torch

    many = Fitting(learning_rate=0.02, steps=40)
    tails = tails_of(learn_tails(either, pictures, SOURCES, recipe(fitting=many), tmp_path))
    with torch.no_grad():
        known, latents = embeddings(either, SOURCES), encode(either, pictures)
    before = fitted.reconstruction(either, latents, known)
    after = fitted.reconstruction(either, latents, torch.cat([known[:, :-5], tails], 1))
    assert (after < before).all()
    assert tails.shape == (3, 5, 16)


def test_the_first_step_is_adams_by_hand(either, pictures, tmp_path):
    """It moves each number by the learning rate against the sign of its gradient."""
    import torch

    one = recipe(fitting=Fitting(learning_rate=0.02, steps=1), seed=7)
    tails = tails_of(learn_tails(either, pictures, SOURCES, one, tmp_path))
    generator = torch.Generator().manual_seed(7 * 1_000_003)
    level = int(torch.randint(1000, (1,), generator=generator))
    fresh, noise = torch.randn((2, 4, 8, 8), generator=generator)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        posterior = either.vae.encode(x).latent_dist
        known = embeddings(either, SOURCES)
    x = either.vae.config.scaling_factor * (posterior.mean + posterior.std * fresh)
    kept = either.scheduler.alphas_cumprod[level]
    wanted = noise
    if either.scheduler.config.prediction_type == "v_prediction":
        wanted = kept.sqrt() * noise - (1 - kept).sqrt() * x
    tail = known[:, -5:].clone().requires_grad_(True)
    words = torch.cat([known[:, :-5], tail], 1)
    noisy = kept.sqrt() * x + (1 - kept).sqrt() * noise
    said = either.unet(noisy, level, encoder_hidden_states=words).sample
    (slope,) = torch.autograd.grad((said - wanted).square().flatten(1).mean(1).sum(), [tail])
    expected = known[:, -5:] - 0.02 * slope / (slope.abs() + 1e-8)
    clear = slope.abs() > 1e-6
    assert clear.float().mean() > 0.9
    torch.testing.assert_close(tails[clear], expected[clear], rtol=0, atol=1e-4)


def test_a_gradient_is_of_its_own_picture_alone(pipe, pictures, tmp_path):
    import torch

    latents = cached_latents(pipe.vae, pictures, False, tmp_path / "latents.safetensors")
    with torch.no_grad():
        known = embeddings(pipe, SOURCES)

    def slopes(rows, latents):
        words = known[rows].clone().requires_grad_(True)
        loss = loss_on_pictures(pipe, latents[rows], lambda: words)(0, generator_of(0, 0))["loss"]
        return torch.autograd.grad(loss, [words])[0]

    together = slopes([0, 1, 2], latents)
    assert (together.flatten(1).norm(dim=1) > 0).all()
    for i in range(3):
        torch.testing.assert_close(slopes([i], latents)[0], together[i], rtol=1e-3, atol=1e-8)
    loud = latents.clone()
    loud[1] *= 50
    others = slopes([0, 1, 2], loud)
    assert not torch.allclose(others[1], together[1], rtol=0.1)
    torch.testing.assert_close(others[[0, 2]], together[[0, 2]], rtol=1e-3, atol=1e-8)


def test_a_picture_is_learned_alike_in_any_company(pipe, pictures, files, tmp_path):
    import torch

    together = tails_of(files)
    for i in range(3):
        alone = learn_tails(pipe, pictures[[i]], [SOURCES[i]], recipe(), tmp_path)
        torch.testing.assert_close(tails_of(alone)[0], together[i], rtol=0, atol=1e-5)
    turned = learn_tails(pipe, pictures[::-1], SOURCES[::-1], recipe(), tmp_path)
    torch.testing.assert_close(tails_of(turned).flip(0), together, rtol=0, atol=1e-5)


def test_steep_losses_do_not_tie_pictures_together(pipe, pictures, tmp_path, monkeypatch):
    """One gradient norm over all pictures, if it were clipped, would."""
    import torch

    from likeness.edit import fitting

    def steep(*arguments):
        loss_of = loss_on_pictures(*arguments)
        return lambda *now: {"loss": 1e5 * loss_of(*now)["loss"]}

    monkeypatch.setattr(fitting, "loss_on_pictures", steep)
    together = learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path / "together")
    alone = learn_tails(pipe, pictures[:1], SOURCES[:1], recipe(), tmp_path / "alone")
    torch.testing.assert_close(tails_of(alone)[0], tails_of(together)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_killed_run_ends_with_the_tails_of_one_that_was_not(
    pipe, pictures, tmp_path, monkeypatch, precision
):
    some = recipe(precision=precision)
    whole = learn_tails(pipe, pictures, SOURCES, some, tmp_path / "whole")
    for step in (3, 7):
        with monkeypatch.context() as patch:
            fitted.dies_at(step, "HiPer", patch)
            with pytest.raises(KeyboardInterrupt):
                learn_tails(pipe, pictures, SOURCES, some, tmp_path / "killed")
    again = learn_tails(pipe, pictures, SOURCES, some, tmp_path / "killed")
    for one, other in zip(whole, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_other_pictures_prompts_and_recipes_share_a_scratch(pipe, pictures, files):
    scratch = files[0].parent
    other = learn_tails(pipe, pictures, TARGETS, recipe(), scratch)
    short = learn_tails(pipe, pictures, SOURCES, recipe(tokens=2), scratch)
    assert len({*files, *other, *short}) == 9
    assert tails_of(short).shape == (3, 2, 16)


def test_no_network_changes(pipe, pictures, starts, tmp_path):
    before = fitted.state(pipe)
    processors = dict(pipe.unet.attn_processors)
    learned = learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path)
    hiper(pipe, starts, learned, TARGETS, recipe())
    assert fitted.same(before, fitted.state(pipe))
    assert pipe.unet.attn_processors == processors
    assert all(value.grad is None for value in pipe.unet.parameters())


def test_in_learning_all_but_the_tail_is_the_source_bit_for_bit(
    pipe, pictures, tmp_path, monkeypatch
):
    import torch

    with torch.no_grad():
        known = embeddings(pipe, SOURCES)
    heard = fitted.heard(pipe, monkeypatch)
    learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path)
    assert len(heard) == 12
    assert torch.equal(heard[0], known)
    assert all(torch.equal(words[:, :-5], known[:, :-5]) for words in heard)
    assert not torch.equal(heard[-1][:, -5:], known[:, -5:])


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_target_is_bit_for_bit_itself_in_front_of_the_scaled_tail(
    pipe, starts, files, monkeypatch, scale
):
    import torch

    with torch.no_grad():
        known, away = embeddings(pipe, TARGETS), embeddings(pipe, ["beach"])
    heard = fitted.heard(pipe, monkeypatch)
    some = recipe(strengths=(0.0, 0.8, 1.0), guidance_scale=scale, negative_prompt="beach")
    hiper(pipe, starts, files, TARGETS, some)
    assert len(heard) == 10
    rows = heard[0]
    if scale > 1:
        rows, without = rows[9:], rows[:9]
        torch.testing.assert_close(without, away.expand_as(without))
    assert torch.equal(rows[:, :-5], known[:, :-5].repeat(3, 1, 1))
    ends = tails_of(files)
    zero, middle, whole = rows[:, -5:].split(3)
    assert (zero == 0).all()
    assert torch.equal(middle, 0.8 * ends)
    assert torch.equal(whole, ends)


def test_a_tail_that_learned_nothing_makes_the_sampled_picture(pipe, pictures, starts, tmp_path):
    """At strength 1, with the source as the target: the same embeddings as of plain sampling."""
    from likeness.generate.sample import Sampling, sample

    idle = recipe(fitting=Fitting(learning_rate=1e-30, steps=1), strengths=(1.0,))
    learned = learn_tails(pipe, pictures, SOURCES, idle, tmp_path)
    made = hiper(pipe, starts, learned, SOURCES, idle)[0]
    sampling = Sampling(num_inference_steps=10, guidance_scale=7.5)
    np.testing.assert_array_equal(made.edited, sample(pipe, SOURCES, [3, 4, 5], sampling))
    assert np.abs(made.source.astype(int) - decode(pipe, encode(pipe, pictures))).max() <= 1
    assert made.notes == [""] * 3


def test_strengths_and_pictures_are_made_alike_in_any_company(pipe, starts, files):
    strengths = (0.0, 0.5, 1.0)
    count = []
    together = hiper(
        pipe, starts, files, TARGETS, recipe(strengths=strengths), lambda: count.append(1)
    )
    assert len(count) == 10
    assert len(together) == 3
    for strength, made in zip(strengths, together, strict=True):
        some = recipe(strengths=(strength,))
        for i in range(3):
            alone = hiper(pipe, [starts[i]], [files[i]], [TARGETS[i]], some)[0]
            assert np.abs(alone.edited[0].astype(int) - made.edited[i]).max() <= 1
            assert np.abs(alone.source[0].astype(int) - made.source[i]).max() <= 1
    assert (together[0].edited != together[2].edited).any()


def test_what_is_wrong_with_a_picture_is_its_note(pipe, starts, files):
    strange = ["a purple cat", *TARGETS[1:]]
    made = hiper(pipe, starts, files, strange, recipe())[0]
    assert made.notes == ["unknown words: purple", "", ""]


def test_a_prompt_that_leaves_no_room_is_refused(pipe, pictures, starts, files, tmp_path):
    fits, long = "dog " * 70, "dog " * 71
    check_room(pipe, fits, 5)
    sentence = (
        r"takes 73 positions and a tail of 5 leaves 72, which would cut 'dog': shorten it, or "
    )
    with pytest.raises(BadInput, match=sentence):
        learn_tails(pipe, pictures, [fits, long, fits], recipe(), tmp_path)
    with pytest.raises(BadInput, match=sentence):
        hiper(pipe, starts, files, [long, *TARGETS[1:]], recipe())


def test_files_that_do_not_fit_are_refused(pipe, starts, files, tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(BadInput, match="a tail of 5 tokens and 3 are asked for"):
        hiper(pipe, starts, files, TARGETS, recipe(tokens=3))
    save_file(load_file(files[0]), tmp_path / "plain.safetensors")
    with pytest.raises(BadInput, match="was not learned by hiper"):
        hiper(pipe, starts[:1], [tmp_path / "plain.safetensors"], TARGETS[:1], recipe())
    (tmp_path / "torn.safetensors").write_bytes(files[0].read_bytes()[:50])
    with pytest.raises(BadInput, match="cannot be read as safetensors"):
        hiper(pipe, starts[:1], [tmp_path / "torn.safetensors"], TARGETS[:1], recipe())


def test_models_that_cannot_learn_are_refused(pipe, pictures, starts, files, tmp_path, monkeypatch):
    import torch

    with pytest.raises(BadInput, match="no picture"):
        learn_tails(pipe, pictures[:0], [], recipe(), tmp_path)
    pipe.unet.to(torch.bfloat16)
    try:
        with pytest.raises(BadInput, match=r"is in torch.bfloat16 .* load it as float32"):
            learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path)
    finally:
        pipe.unet.to(torch.float32)
    monkeypatch.setattr(pipe, "text_encoder_2", object(), raising=False)
    with pytest.raises(BadInput, match="one text encoder"):
        learn_tails(pipe, pictures, SOURCES, recipe(), tmp_path)
    with pytest.raises(BadInput, match="one text encoder"):
        hiper(pipe, starts, files, TARGETS, recipe())


@pytest.mark.parametrize(
    "fields",
    [{"tokens": 0}, {"tokens": 76}, {"strengths": ()}, {"strengths": (-0.1,)}, {"unknown": 1}],
)
def test_a_recipe_that_cannot_work_is_refused(fields):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        recipe(**fields)


def test_a_recipe_is_read_back_as_it_was_written():
    some = recipe(strengths=(0.1, 1.0))
    assert HiPerRecipe.model_validate_json(some.model_dump_json()) == some
    usual = HiPerRecipe()
    assert (usual.tokens, usual.strengths, usual.fitting.learning_rate) == (5, (0.8,), 5e-3)
    assert (usual.num_inference_steps, usual.guidance_scale) == (50, 7.5)
