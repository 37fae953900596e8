import fitted
import numpy as np
import pytest
from fitted import SOURCES, TARGETS
from pydantic import ValidationError
from safetensors.torch import load_file

from likeness.edit import fitting
from likeness.edit.fitting import Fitting
from likeness.edit.imagic import ImagicRecipe, imagic, learn_imagic, words_between
from likeness.edit.start import decode, embeddings, encode
from likeness.errors import BadInput

WORDS = Fitting(learning_rate=0.02, steps=12, checkpoint_steps=5)
NETWORK = Fitting(learning_rate=1e-3, steps=9, checkpoint_steps=4)


def recipe(**changes):
    fields = {
        "embedding": WORDS,
        "unet": NETWORK,
        "precision": "float32",
        "num_inference_steps": 10,
        "strengths": (0.0, 0.5, 1.0),
    }
    return ImagicRecipe(**fields | changes)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory):
    return fitted.loud(tmp_path_factory.mktemp("edit-imagic") / "model")


@pytest.fixture(scope="module")
def files(pipe, pictures, tmp_path_factory):
    return learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path_factory.mktemp("imagic"))


def network_of(pipe, file):
    """A pipeline with the network of a file."""
    import copy

    own = copy.copy(pipe)
    own.unet = copy.deepcopy(pipe.unet)
    held = load_file(file)
    own.unet.load_state_dict({k[5:]: v for k, v in held.items() if k.startswith("unet.")})
    return own


def test_both_fittings_lower_the_error_on_each_picture(either, pictures, tmp_path):
    import torch

    some = recipe(
        embedding=Fitting(learning_rate=0.02, steps=30), unet=Fitting(learning_rate=1e-3, steps=20)
    )
    pictures, targets = pictures[:2], TARGETS[:2]
    learned = learn_imagic(either, pictures, targets, some, tmp_path)
    latents = encode(either, pictures)
    with torch.no_grad():
        first = embeddings(either, targets)
    words = torch.stack([load_file(file)["words"] for file in learned])
    before = fitted.reconstruction(either, latents, first)
    between = fitted.reconstruction(either, latents, words)
    assert (between < before).all()
    for i, file in enumerate(learned):
        own = network_of(either, file)
        after = fitted.reconstruction(own, latents[[i]], words[[i]])
        assert after < between[i]


def test_the_networks_are_fitted_around_learned_words_that_stay(
    pipe, pictures, tmp_path, monkeypatch
):
    import torch

    with torch.no_grad():
        first = embeddings(pipe, TARGETS)
    heard = fitted.heard(pipe, monkeypatch)
    learned = learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    assert len(heard) == 12 + 3 * 9
    assert torch.equal(heard[0], first)
    for i, file in enumerate(learned):
        words = load_file(file)["words"]
        # Every position of a prompt is learned.
        assert (words != first[i]).any(1).all()
        for one in heard[12 + 9 * i : 21 + 9 * i]:
            assert torch.equal(one[0], words)


def test_a_picture_is_learned_alike_in_any_company(pipe, pictures, tmp_path):
    import torch

    # At the published rate: rounding decides the sign of a gradient near zero, and Adam's steps are
    # as long there as anywhere.
    some = recipe(
        embedding=Fitting(learning_rate=2e-3, steps=12), unet=Fitting(learning_rate=1e-6, steps=1)
    )
    together = learn_imagic(pipe, pictures, TARGETS, some, tmp_path / "together")
    for i in range(3):
        alone = learn_imagic(pipe, pictures[[i]], [TARGETS[i]], some, tmp_path / "alone")
        held = [load_file(file)["words"] for file in (alone[0], together[i])]
        torch.testing.assert_close(*held, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("step", "what"), [(3, "Imagic, embedding"), (7, "Imagic, embedding"), (6, "Imagic, UNet")]
)
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(
    pipe, pictures, files, tmp_path, monkeypatch, step, what
):
    before = fitted.state(pipe)
    with monkeypatch.context() as patch:
        fitted.dies_at(step, what, patch)
        with pytest.raises(KeyboardInterrupt):
            learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    assert fitted.same(before, fitted.state(pipe))
    again = learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    for one, other in zip(files, again, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def test_pictures_that_are_done_are_not_learned_again(pipe, pictures, tmp_path, monkeypatch):
    plain, fitted_to = fitting.train, []

    def train(module, loss_of, plan, scratch, what):
        fitted_to.append(what)
        if len(fitted_to) == 4:
            raise KeyboardInterrupt
        return plain(module, loss_of, plan, scratch, what)

    monkeypatch.setattr(fitting, "train", train)
    with pytest.raises(KeyboardInterrupt):
        learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    one, network = "Imagic, embedding", "Imagic, UNet"
    assert fitted_to == [one, network, network, network, one, network]
    # Checkpoints of networks are large: none is left.
    assert len(list(tmp_path.glob("*/checkpoint"))) == 1


def test_the_base_stays_what_it_is(pipe, pictures, starts, tmp_path):
    before, network = fitted.state(pipe), pipe.unet
    processors, config = dict(network.attn_processors), dict(pipe.config)
    learned = learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    imagic(pipe, starts, learned, TARGETS, recipe())
    assert fitted.same(before, fitted.state(pipe))
    assert pipe.unet is network
    assert network.attn_processors == processors
    assert dict(pipe.config) == config
    assert not any(value.requires_grad for value in network.parameters())
    assert all(value.grad is None for value in network.parameters())
    for file in learned:
        held = load_file(file)
        assert any(not np.array_equal(held[name], before[name]) for name in held if name in before)


def test_the_base_stays_what_it_is_after_an_error_in_an_edit(pipe, starts, files):
    def fail():
        raise KeyboardInterrupt

    before, network = fitted.state(pipe), pipe.unet
    with pytest.raises(KeyboardInterrupt):
        imagic(pipe, starts, files, TARGETS, recipe(), fail)
    assert pipe.unet is network
    assert fitted.same(before, fitted.state(pipe))


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_ends_of_the_line_are_exact(pipe, files, scale):
    import torch

    some = recipe(strengths=(0.0, 0.25, 1.0), guidance_scale=scale, negative_prompt="beach")
    learned = load_file(files[0])["words"]
    with torch.no_grad():
        target, away = embeddings(pipe, [TARGETS[0], "beach"])
        words = words_between(pipe, learned, TARGETS[0], some)
    assert len(words) == (6 if scale > 1 else 3)
    first, quarter, last = words[-3:]
    assert torch.equal(first, learned)
    assert torch.equal(last, target)
    torch.testing.assert_close(quarter, 0.25 * target + 0.75 * learned)
    for one in words[:-3]:
        torch.testing.assert_close(one, away)


def test_at_the_target_it_is_plain_sampling_by_the_learned_network(pipe, pictures, starts, files):
    from likeness.generate.sample import Sampling, sample

    made = imagic(pipe, starts, files, TARGETS, recipe(strengths=(1.0,)))[0]
    sampling = Sampling(num_inference_steps=10, guidance_scale=7.5)
    for i, file in enumerate(files):
        plain = sample(network_of(pipe, file), [TARGETS[i]], [3 + i], sampling)
        np.testing.assert_array_equal(made.edited[[i]], plain)
    assert np.abs(made.source.astype(int) - decode(pipe, encode(pipe, pictures))).max() <= 1
    assert made.notes == [""] * 3


def test_strengths_and_pictures_are_made_alike_in_any_company(pipe, starts, files):
    count = []
    together = imagic(pipe, starts, files, TARGETS, recipe(), lambda: count.append(1))
    assert len(count) == 30
    assert len(together) == 3
    for strength, made in zip((0.0, 0.5, 1.0), together, strict=True):
        some = recipe(strengths=(strength,))
        for i in range(3):
            alone = imagic(pipe, [starts[i]], [files[i]], [TARGETS[i]], some)[0]
            assert np.abs(alone.edited[0].astype(int) - made.edited[i]).max() <= 1
    assert (together[0].edited != together[2].edited).any()


def test_files_that_do_not_fit_are_refused(pipe, starts, files):
    with pytest.raises(BadInput, match="learned for 'a photo of a cat' and not for 'a red cat'"):
        imagic(pipe, starts, files, SOURCES[1:] + SOURCES[:1], recipe())


def test_models_that_cannot_learn_are_refused(pipe, pictures, starts, files, tmp_path, monkeypatch):
    monkeypatch.setattr(pipe, "text_encoder_2", object(), raising=False)
    with pytest.raises(BadInput, match="one text encoder"):
        learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    with pytest.raises(BadInput, match="one text encoder"):
        imagic(pipe, starts, files, TARGETS, recipe())


def test_no_memory_is_one_sentence(pipe, pictures, tmp_path, monkeypatch):
    import torch

    plain = fitting.train

    def train(network, loss_of, plan, scratch, what):
        if what == "Imagic, UNet":
            raise torch.OutOfMemoryError
        return plain(network, loss_of, plan, scratch, what)

    monkeypatch.setattr(fitting, "train", train)
    before = fitted.state(pipe)
    with pytest.raises(BadInput, match=r"fitting the UNet .* take HiPer"):
        learn_imagic(pipe, pictures, TARGETS, recipe(), tmp_path)
    assert fitted.same(before, fitted.state(pipe))


@pytest.mark.parametrize("fields", [{"strengths": ()}, {"strengths": (2.1,)}, {"unknown": 1}])
def test_a_recipe_that_cannot_work_is_refused(fields):
    with pytest.raises(ValidationError, match=next(iter(fields))):
        recipe(**fields)


def test_a_recipe_is_read_back_as_it_was_written():
    some = recipe(strengths=(0.1, 1.0))
    assert ImagicRecipe.model_validate_json(some.model_dump_json()) == some
    usual = ImagicRecipe()
    assert (usual.embedding.learning_rate, usual.embedding.steps) == (2e-3, 1000)
    assert (usual.unet.learning_rate, usual.unet.steps) == (5e-7, 1500)
    assert (usual.num_inference_steps, usual.guidance_scale) == (50, 7.5)
