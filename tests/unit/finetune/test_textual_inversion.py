import numpy as np
import pytest
import short_words
import torch
from short_words import JUDGED

from likeness.errors import BadInput
from likeness.finetune import textual_inversion as module
from likeness.finetune.loop import generator_of
from likeness.finetune.textual_inversion import (
    draw_with_prompts,
    first_vectors,
    looked_up,
    loss_on_templates,
    textual_inversion,
    vocabulary_norm,
)
from likeness.models.learned_word import EMBEDS, Word, add_word, read_word, write_word


@pytest.fixture
def images(pictures):
    return pictures[0]


@pytest.fixture
def recipe():
    return short_words.recipe


def matrix(pipe):
    return pipe.text_encoder.get_input_embeddings().weight.detach()


def picture(pipe, prompt="a photo of <cézanne> on beach"):
    generator = torch.Generator().manual_seed(3)
    size = {"height": 16, "width": 16, "num_inference_steps": 4, "output_type": "np"}
    return pipe(prompt, generator=generator, **size).images


def stock(folder):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(folder)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def dying(die_at):
    def losses(*arguments):
        loss_of = loss_on_templates(*arguments)

        def one(step, generator):
            if step == die_at:
                raise KeyboardInterrupt
            return loss_of(step, generator)

        return one

    return losses


def test_a_killed_run_ends_with_the_vectors_of_one_that_was_not(
    tiny_pipe, images, recipe, tmp_path, monkeypatch
):
    wanted = recipe(judged=JUDGED, num_vectors=2, gradient_accumulation_steps=2, ema=0.9, flip=True)
    seen = []

    def judge(made):
        seen.append(made)
        return {"identity": float(made.mean()) / 255, "obedience": None}

    whole = tiny_pipe()
    result = textual_inversion(whole, images, wanted, tmp_path / "whole", judge)
    assert len(seen) == 4  # before the first step, and after 3, 6 and 7
    assert not np.array_equal(seen[0], seen[3])
    for die_at in (1, 3, 5):
        monkeypatch.setattr(module, "loss_on_templates", dying(die_at))
        with pytest.raises(KeyboardInterrupt):
            textual_inversion(tiny_pipe(), images, wanted, tmp_path / "killed", judge)
    monkeypatch.setattr(module, "loss_on_templates", loss_on_templates)

    def dies(made):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        textual_inversion(tiny_pipe(), images, wanted, tmp_path / "killed", dies)
    again = tiny_pipe()
    resumed = textual_inversion(again, images, wanted, tmp_path / "killed", judge)
    assert torch.equal(matrix(whole), matrix(again))
    assert resumed.checkpoints.rows == result.checkpoints.rows
    assert resumed.step == result.step
    files = [(one.folder / EMBEDS).read_bytes() for one in (result, resumed)]
    assert files[0] == files[1]


@pytest.mark.parametrize("changes", [{}, {"num_vectors": 3, "ema": 0.5}, {"precision": "bfloat16"}])
def test_all_but_the_word_is_the_same_bit_for_bit(tiny_pipe, images, recipe, tmp_path, changes):
    pipe = tiny_pipe()
    parts = (pipe.unet, pipe.text_encoder, pipe.vae)
    before = [{n: v.clone() for n, v in part.state_dict().items()} for part in parts]
    processors, kernel = (
        dict(pipe.unet.attn_processors),
        pipe.text_encoder.config._attn_implementation,
    )
    wanted = recipe(**changes)
    result = textual_inversion(pipe, images, wanted, tmp_path)
    for part, old in zip(parts, before, strict=True):
        for name, value in part.state_dict().items():
            assert torch.equal(value[: len(old[name])], old[name])
    old = before[1]["embeddings.token_embedding.weight"]
    new = matrix(pipe)
    assert len(new) == len(old) + wanted.num_vectors
    start = old[pipe.tokenizer.convert_tokens_to_ids("dog</w>")]
    assert not any(torch.equal(row, start) for row in new[len(old) :])
    assert new.dtype == torch.float32
    assert not any(p.requires_grad for part in parts for p in part.parameters())
    assert pipe.unet.attn_processors == processors
    assert pipe.text_encoder.config._attn_implementation == kernel
    word = read_word(result.folder / EMBEDS)
    assert word.token == "<cézanne>"
    assert torch.equal(word.vectors, new[len(old) :])
    assert result.curve[-1]["norm"] > 0
    expected = old.norm(dim=1).mean()
    assert vocabulary_norm(pipe, word) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("token", "count"), [("<cézanne>", 1), ("<Cézanne>", 1), ("<cézanne>", 12)]
)
def test_stock_diffusers_makes_the_same_picture(
    tiny_model, tiny_pipe, images, recipe, tmp_path, token, count
):
    pipe = tiny_pipe()
    changes = {"placeholder_token": token, "num_vectors": count, "steps": 2}
    result = textual_inversion(pipe, images, recipe(**changes), tmp_path / token)
    prompt = f"a photo of {token} on beach"
    theirs = stock(tiny_model)
    theirs.load_textual_inversion(str(result.folder))
    assert np.array_equal(picture(theirs, prompt), picture(pipe, prompt))
    assert not np.array_equal(picture(pipe, prompt), picture(tiny_pipe(), prompt))
    ours = tiny_pipe()
    add_word(ours, read_word(result.folder / EMBEDS))
    assert np.array_equal(picture(ours, prompt), picture(pipe, prompt))
    words = pipe.tokenizer(pipe.maybe_convert_prompt(prompt, pipe.tokenizer))["input_ids"]
    own = [number for number in words if number > pipe.tokenizer.eos_token_id]
    assert own == list(range(len(matrix(pipe)) - count, len(matrix(pipe))))


def test_a_matrix_with_more_rows_than_words_keeps_them(tiny_pipe, images, recipe, tmp_path):
    pipe = tiny_pipe()
    known = len(pipe.tokenizer)
    pipe.text_encoder.resize_token_embeddings(known + 5)
    before = matrix(pipe).clone()
    textual_inversion(pipe, images, recipe(num_vectors=2), tmp_path)
    after = matrix(pipe)
    assert after.shape == before.shape
    moved = [row for row in range(known + 5) if not torch.equal(before[row], after[row])]
    assert moved == [known, known + 1]


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_first_row_is_the_loss_and_the_step_computed_by_hand(
    tiny_pipe, images, recipe, tmp_path, prediction
):
    """Against the public recipe: gradients in the whole matrix, all rows but the word's put back."""
    wanted = recipe(steps=1, num_vectors=2, flip=True, learning_rate=1e-3, initializer_token="red")
    pipe, plain = tiny_pipe(), tiny_pipe()
    for one in (pipe, plain):
        one.scheduler.register_to_config(prediction_type=prediction)
    result = textual_inversion(pipe, images, wanted, tmp_path)
    loss, vectors = by_hand(plain, images, wanted, prediction)
    assert result.curve[0]["loss"] == pytest.approx(loss, rel=1e-5)
    assert torch.allclose(matrix(pipe)[-2:], vectors, atol=1e-6)


def by_hand(pipe, images, recipe, prediction):
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=np.float64) ** 2
    kept = np.cumprod(1 - betas)
    tokens = ["<cézanne>", "<cézanne>_1"]
    pipe.tokenizer.add_tokens(tokens)
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
    weight = pipe.text_encoder.get_input_embeddings().weight
    weight.data[-2:] = weight.data[pipe.tokenizer.convert_tokens_to_ids("red</w>")]
    weight.requires_grad_(True)
    # scale_lr: 1e-3 times the batch of two
    optimizer = torch.optim.AdamW([weight], lr=2e-3, weight_decay=1e-2)
    every = np.concatenate([images, images[:, :, ::-1]])
    chance, total = generator_of(0, 0), 0.0
    for _ in range(2):
        one = every[int(torch.randint(len(every), (1,), generator=chance))]
        pixels = torch.tensor(one / 127.5 - 1, dtype=torch.float32).permute(2, 0, 1)[None]
        with torch.no_grad():
            posterior = pipe.vae.encode(pixels).latent_dist
        shape = posterior.mean.shape
        x = posterior.mean + posterior.std * torch.randn(shape, generator=chance)
        x = x * pipe.vae.config.scaling_factor
        t = int(torch.randint(1000, (1,), generator=chance))
        noise = torch.randn(shape, generator=chance)
        template = recipe.templates[int(torch.randint(3, (1,), generator=chance))]
        text = template.format(" ".join(tokens))
        words = pipe.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt")
        context = pipe.text_encoder(words.input_ids)[0]
        noisy = kept[t] ** 0.5 * x + (1 - kept[t]) ** 0.5 * noise
        answer = pipe.unet(noisy, t, encoder_hidden_states=context).sample
        target = noise
        if prediction == "v_prediction":
            target = kept[t] ** 0.5 * noise - (1 - kept[t]) ** 0.5 * x
        total = total + (answer - target).pow(2).mean() / 2
    total.backward()
    weight.grad[:-2] = 0
    optimizer.step()
    return float(total.detach()), weight.detach()[-2:]


def test_two_batches_of_two_see_what_one_of_four_sees():
    latents = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 2, 4, 4)
    four = draw_with_prompts(latents, 5, 4, 1000, generator_of(1, 2))
    chance = generator_of(1, 2)
    twos = [draw_with_prompts(latents, 5, 2, 1000, chance) for _ in range(2)]
    for column in range(3):
        both = torch.cat([two[0][column] for two in twos])
        assert torch.equal(four[0][column], both)
    assert torch.equal(four[1], torch.cat([two[1] for two in twos]))
    many = draw_with_prompts(latents, 5, 400, 1000, generator_of(1, 2))[1]
    assert sorted(set(many.tolist())) == [0, 1, 2, 3, 4]


def test_gradients_reach_the_word_alone():
    embedding = torch.nn.Embedding(6, 3)
    vectors = torch.nn.Embedding(2, 3)
    numbers = torch.tensor([[0, 4, 5, 3], [5, 1, 1, 4]])
    known = embedding(numbers).detach()
    embedding.requires_grad_(False)
    with looked_up(embedding, 4, vectors):
        answer = embedding(numbers)
    assert torch.equal(answer[0, 1], vectors.weight[0])
    assert torch.equal(answer[1, 0], vectors.weight[1])
    assert torch.equal(answer[1, 1:3], known[1, 1:3])
    (answer * torch.arange(1.0, 9.0).view(2, 4, 1)).sum().backward()
    assert vectors.weight.grad[:, 0].tolist() == [2 + 8, 3 + 5]
    assert torch.equal(embedding(numbers), known)


def test_it_learns(tiny_pipe, images, recipe, tmp_path):
    """A fixed draw: the loss of the same pictures, noise and sentences falls."""
    wanted = recipe(steps=60, learning_rate=2e-2, batch=4, checkpoint_steps=60, scale_lr=False)
    pipe = tiny_pipe()
    losses = [row["loss"] for row in textual_inversion(pipe, images, wanted, tmp_path).curve]
    latents = module.cached_latents(pipe.vae, images, False, tmp_path / "latents.safetensors")
    found = []
    ids = [len(matrix(pipe)) - 1]
    prompts = module.readable_prompts(pipe, wanted.sentences, ids)
    learned = matrix(pipe)[-1:].clone()
    for start in (first_vectors(pipe, wanted), learned):
        vectors = torch.nn.Embedding.from_pretrained(start)
        loss_of = loss_on_templates(
            pipe, latents, prompts, vectors, wanted.model_copy(update={"batch": 200})
        )
        embedding = pipe.text_encoder.get_input_embeddings()
        with torch.no_grad(), looked_up(embedding, ids[0], vectors):
            found.append(float(loss_of(0, generator_of(5, 0))["loss"]))
    assert len(losses) == 60
    assert found[1] < found[0]


@pytest.mark.parametrize(
    ("text", "count", "parts"),
    [
        ("dog", 1, [["dog"]]),
        ("dog", 2, [["dog"], ["dog"]]),
        ("red dog", 1, [["red", "dog"]]),
        ("red dog", 2, [["red"], ["dog"]]),
        ("red dog", 3, [["red"], ["red"], ["dog"]]),
        ("a red dog on beach", 2, [["a", "red", "dog"], ["on", "beach"]]),
    ],
)
def test_an_initializer_of_several_words_is_spread(tiny_pipe, recipe, text, count, parts):
    pipe = tiny_pipe()
    found = first_vectors(pipe, recipe(initializer_token=text, num_vectors=count))
    for row, words in zip(found, parts, strict=True):
        ids = pipe.tokenizer.convert_tokens_to_ids([f"{word}</w>" for word in words])
        assert torch.allclose(row, matrix(pipe)[ids].mean(0), atol=1e-7)


def test_words_of_others_are_read(tiny_pipe, tmp_path):
    from safetensors.torch import save_file

    pipe = tiny_pipe()
    vectors = torch.randn(2, 16)
    save_file({"emb_params": vectors.half()}, tmp_path / "monet.safetensors")
    word = read_word(tmp_path / "monet.safetensors")
    assert word.token == "monet"
    ids = add_word(pipe, word)
    assert torch.equal(matrix(pipe)[ids], vectors.half().float())
    save_file({"<Cézanne>": vectors[0]}, tmp_path / "one.safetensors")
    assert read_word(tmp_path / "one.safetensors").vectors.shape == (1, 16)
    assert read_word(tmp_path / "one.safetensors", "<other>").token == "<other>"
    write_word(Word("<Cézanne>", vectors), tmp_path / "a.safetensors")
    write_word(Word("<Cézanne>", vectors), tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_files_that_hold_no_word_are_one_sentence(tmp_path):
    from safetensors.torch import save_file

    torch.save({"<x>": torch.zeros(1, 16)}, tmp_path / "learned_embeds.bin")
    with pytest.raises(BadInput, match=r"is a pickle, .* convert it to safetensors by a tool"):
        read_word(tmp_path / "learned_embeds.bin")
    (tmp_path / "learned_embeds.bin").rename(tmp_path / "renamed.safetensors")
    with pytest.raises(BadInput, match="cannot be read as safetensors"):
        read_word(tmp_path / "renamed.safetensors")
    two = {"clip_g": torch.zeros(1, 20), "clip_l": torch.zeros(1, 16)}
    save_file(two, tmp_path / "sdxl.safetensors")
    with pytest.raises(BadInput, match=r"2 tensors \(clip_g, clip_l\) where one is expected"):
        read_word(tmp_path / "sdxl.safetensors")
    save_file({"<x>": torch.zeros(1, 2, 3)}, tmp_path / "cube.safetensors")
    with pytest.raises(BadInput, match="no list of vectors"):
        read_word(tmp_path / "cube.safetensors")


@pytest.mark.parametrize("token", ["dog", "Dog", "<known>", "<Known>"])
def test_a_word_that_is_known_cannot_be_learned(tiny_pipe, images, recipe, tmp_path, token):
    pipe = tiny_pipe()
    add_word(pipe, Word("<known>", torch.zeros(1, 16)))
    with pytest.raises(BadInput, match=f"'{token}' is a word of the model already"):
        textual_inversion(pipe, images, recipe(placeholder_token=token), tmp_path)


def test_what_cannot_be_learned_is_one_sentence(tiny_pipe, images, recipe, tmp_path, monkeypatch):
    pipe = tiny_pipe()
    with pytest.raises(BadInput, match="no picture to learn from"):
        textual_inversion(pipe, images[:0], recipe(), tmp_path)
    with pytest.raises(BadInput, match="vectors of 8 numbers and the model's have 16"):
        add_word(pipe, Word("<x>", torch.zeros(1, 8)))
    with pytest.raises(BadInput, match="write '<monet>'"):
        add_word(pipe, Word("<Monet>", torch.zeros(2, 16)))
    long = " ".join(["photo"] * 73) + " {}"
    with pytest.raises(BadInput, match="too long to be read to the end of the word: shorten it"):
        textual_inversion(tiny_pipe(), images, recipe(templates=[long], num_vectors=3), tmp_path)

    def too_much(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(pipe.unet, "forward", too_much)
    with pytest.raises(BadInput, match=r"batch of 2 .* lower batch and raise gradient_"):
        textual_inversion(pipe, images, recipe(), tmp_path)
    pipe.text_encoder_2 = None
    with pytest.raises(BadInput, match="one text encoder: choose sd15"):
        textual_inversion(pipe, images, recipe(placeholder_token="<y>"), tmp_path)
