import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_pipeline
import torch
from PIL import Image

from likeness.errors import BadInput
from likeness.finetune import ti_tasks
from likeness.finetune.ti_recipe import Crops, TextualInversionRecipe
from likeness.finetune.ti_tasks import WordParams, learn_word, likeness_judge, squares
from likeness.images import image_set
from likeness.models.assemble import assemble, load_finetuned, read_reference
from likeness.models.learned_word import EMBEDS
from likeness.models.local import model_identity

JUDGED = {
    "prompts": ["a photo of <Cézanne>", "a red <Cézanne>"],
    "images_per_prompt": 2,
    "sampling": {"num_inference_steps": 10},
}


def make_recipe(**changes):
    fields = {
        "placeholder_token": "<Cézanne>",
        "initializer_token": "red dog",
        "templates": ["a photo of {}", "a good {}"],
        "learning_rate": 1e-2,
        "steps": 5,
        "batch": 2,
        "precision": "float32",
        "checkpoint_steps": 2,
    }
    return TextualInversionRecipe(**fields | changes)


class Encoder:
    """Pictures are (1, brightness, 0), texts (1, words, 0)."""

    def embed_images(self, pictures):
        rows = [[1, np.asarray(one).mean() / 255, 0] for one in pictures]
        return SimpleNamespace(vectors=np.float32(rows))

    def embed_texts(self, texts):
        self.texts = texts
        return SimpleNamespace(vectors=np.float32([[1, len(text.split()), 0] for text in texts]))


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "images-of-someone"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(3):
        file = f"images/{number}.png"
        picture = rng.integers(0, 256, (24 + 4 * number, 20, 3), np.uint8)
        Image.fromarray(picture).save(folder / file)
        rows.append({"image_id": f"p{number}", "file": file, "status": "accepted"})
    image_set.write(folder, image_set.frame(rows))
    return folder


@pytest.fixture
def learn(tiny_model, images, tmp_path, monkeypatch):
    """Calls ``learn_word`` with these changes of the recipe; its folder and its summary."""
    (tmp_path / "models.yaml").write_text(tiny_pipeline.settings(tiny_model))
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "models.yaml"))

    def call(name, fields=None, **changes):
        fields = {
            "model": "tiny",
            "identity": model_identity("tiny"),
            "resolution": 16,
            "trained_on": ["p2", "p0"],
        } | (fields or {})
        params = WordParams(**fields, recipe=make_recipe(**changes))
        output = tmp_path / name
        output.mkdir()
        return output, learn_word(params, {"images": images}, output, tmp_path / f"{name}-scratch")

    return call


def picture(pipe):
    generator = torch.Generator().manual_seed(3)
    size = {"height": 16, "width": 16, "num_inference_steps": 4, "output_type": "np"}
    return pipe("a photo of <Cézanne> on beach", generator=generator, **size).images


def test_a_word_is_written_and_loaded_by_us_and_by_stock_diffusers(
    learn, tiny_model, tiny_pipe, tmp_path
):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    # The word is the name of the folders too.
    output, summary = learn("<Cézanne>")
    again, _ = learn("again")
    assert (output / EMBEDS).read_bytes() == (again / EMBEDS).read_bytes()
    names = {EMBEDS, "base.json", "curve.json", "checkpoints.parquet", "curve.png"}
    assert {path.name for path in output.iterdir()} == names
    reference = read_reference(output)
    assert (reference.model, reference.method, reference.step) == ("tiny", "textual_inversion", 5)
    ours = picture(load_finetuned(output, "cpu"))
    assert not np.array_equal(ours, picture(tiny_pipe()))
    assemble(output, tiny_model, tmp_path / "whole")
    stock = StableDiffusionPipeline.from_pretrained(tmp_path / "whole")
    stock.load_textual_inversion(str(tmp_path / "whole"))
    stock.scheduler = DDIMScheduler.from_config(stock.scheduler.config)
    assert np.array_equal(picture(stock), ours)
    assert (summary["token"], summary["vectors"], summary["best_step"]) == ("<Cézanne>", 1, 5)
    assert summary["images"] == 2
    assert summary["vocabulary_norm"] > 0
    assert summary["not_known"] == [
        "'a good <Cézanne>': unknown words: good",
        "initializer_token 'red dog' is read as 2 tokens, of which 1 vectors are means",
    ]
    curve = json.loads((output / "curve.json").read_text())
    assert curve["curve"][-1]["norm"] == pytest.approx(summary["norm"], rel=0.2)


def test_the_best_checkpoint_is_what_is_written(learn, monkeypatch):
    from likeness.metrics import clip

    asked = []

    def opened(source):
        asked.append(source)
        return Encoder()

    monkeypatch.setattr(clip, "open_clip_folder", opened)
    seen = iter([0.1, 0.5, 0.9, 0.3])

    def judges(encoder, images, texts):
        assert isinstance(encoder, Encoder)
        assert images.shape == (2, 16, 16, 3)
        return lambda made: {"identity": next(seen), "obedience": 0.5}

    monkeypatch.setattr(ti_tasks, "likeness_judge", judges)
    output, summary = learn("judged", {"clip": "some-clip"}, judged=JUDGED)
    assert asked == ["some-clip"]
    assert (summary["best_step"], summary["identity"]) == (4, 0.9)
    table = pd.read_parquet(output / "checkpoints.parquet")
    assert table["published"].tolist() == [False, False, True, False]
    assert (output / "preview.jpg").is_file()


def test_resemblance_and_obedience_by_hand():
    encoder = Encoder()
    wanted = make_recipe(judged=JUDGED)
    real = np.stack([np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)])
    texts = [wanted.without_token(p) for p in JUDGED["prompts"] for _ in range(2)]
    judge = likeness_judge(encoder, real, texts)
    assert encoder.texts == ["a photo of"] * 2 + ["a red"] * 2
    made = np.stack([real[0], real[1], real[1], real[0]])
    # (1, 1) and (1, 0) against themselves and each other; against (1, 3) and (1, 2)
    across = 2**-0.5
    assert judge(made)["identity"] == pytest.approx((1 + across) / 2)
    cosines = [4 / 20**0.5, 1 / 10**0.5, 1 / 5**0.5, 3 / 10**0.5]
    assert judge(made)["obedience"] == pytest.approx(np.mean(cosines))


THEN = {
    "instance_prompt": "a photo of <Cézanne>",
    "class_prompt": "a photo",
    "prior_loss_weight": 0,
    "learning_rate": 1e-3,
    "steps": 4,
    "batch": 2,
    "precision": "float32",
    "checkpoint_steps": 2,
}


def test_the_network_is_taught_under_the_word_which_stays_as_it_was_learned(
    learn, tiny_model, tmp_path, monkeypatch
):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    from likeness.metrics import clip

    monkeypatch.setattr(clip, "open_clip_folder", lambda source: Encoder())
    alone, _ = learn("alone")
    then = THEN | {"judged": {**JUDGED, "prompts": ["a photo of <Cézanne>"]}}
    output, summary = learn("both", {"clip": "some-clip"}, then=then)
    assert (output / EMBEDS).read_bytes() == (alone / EMBEDS).read_bytes()
    assert summary["network_steps"] == 4
    assert summary["network_best_step"] in (2, 4)
    assert {path.name for path in (output / "network").iterdir()} >= {"curve.json", "preview.jpg"}
    assert not (output / "text_encoder").exists()
    ours = load_finetuned(output, "cpu")
    assert not np.array_equal(picture(ours), picture(load_finetuned(alone, "cpu")))
    # what stock diffusers makes of it
    assemble(output, tiny_model, tmp_path / "whole")
    stock = StableDiffusionPipeline.from_pretrained(tmp_path / "whole")
    stock.load_textual_inversion(str(tmp_path / "whole"))
    stock.scheduler = DDIMScheduler.from_config(stock.scheduler.config)
    assert np.array_equal(picture(stock), picture(ours))


def test_several_vectors_are_all_said_to_the_network(learn, monkeypatch):
    said = []
    real = ti_tasks.dreambooth

    def heard(pipe, images, prior, recipe, *rest):
        said.append(pipe.tokenizer.tokenize(recipe.instance_prompt))
        return real(pipe, images, prior, recipe, *rest)

    monkeypatch.setattr(ti_tasks, "dreambooth", heard)
    fields = {"placeholder_token": "<word>", "num_vectors": 3, "initializer_token": "dog"}
    learn("three", **fields, then=THEN | {"instance_prompt": "a photo of <word>"})
    assert said[0][-3:] == ["<word>", "<word>_1", "<word>_2"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train_text_encoder": True}, "would move the word"),
        ({"instance_prompt": "a photo of sks"}, "the prompt 'a photo of sks' of then has no <Cé"),
        ({"judged": {"prompts": ["a photo"]}}, "the prompt 'a photo' of then has no <Cézanne>"),
    ],
)
def test_a_network_that_would_lose_the_word_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_recipe(then=THEN | changes)


def test_squares_of_the_middle_and_at_random(images):
    file = images / "images" / "2.png"  # 20 x 32
    whole = np.asarray(Image.open(file))
    assert np.array_equal(squares([file], 20, None, 0)[0], whole[6:26])
    found = squares([file, file], 20, Crops(count=8), 1)
    assert found.shape == (16, 20, 20, 3)
    tops = [next(t for t in range(13) if np.array_equal(one, whole[t : t + 20])) for one in found]
    assert len(set(tops[:8])) > 2
    assert tops[:8] != tops[8:]
    assert np.array_equal(squares([file], 20, Crops(count=8), 1), found[:8])
    assert not np.array_equal(squares([file], 20, Crops(count=8), 2), found[:8])
    (part,) = squares([file], 16, Crops(count=1, share=0.8), 3)
    places = [(top, left) for top in range(17) for left in range(5)]
    assert any(np.array_equal(part, whole[y : y + 16, x : x + 16]) for y, x in places)


def test_mistakes_are_one_sentence(learn):
    with pytest.raises(BadInput, match="no longer content://old: materialise models/base"):
        learn("a", {"identity": "content://old"})
    with pytest.raises(BadInput, match="1 of 2 pictures are no accepted ones of the set, other"):
        learn("b", {"trained_on": ["p1", "other"]})
