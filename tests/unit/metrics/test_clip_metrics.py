"""CLIP and what is made of its vectors, on a tiny model in the real format."""

import json
import math
from itertools import combinations

import numpy as np
import pytest
import torch
from PIL import Image

from likeness.errors import BadInput
from likeness.metrics import encoders
from likeness.metrics.clip import open_clip_folder
from likeness.metrics.clip_score import clip_score, cosines, texts_for
from likeness.metrics.directional import directional_similarity
from likeness.metrics.features import of_pictures
from likeness.metrics.textual_inversion import (
    editability,
    mean_over_prompts,
    reconstruction,
    reconstruction_bound,
    without_placeholder,
)

WORDS = ("a", "photo", "of", "dog", "cat", "red", "on", "beach")
TEXTS = ["a photo of dog", "red cat on a beach", "a photo of dog"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from transformers import CLIPTokenizer

    from likeness.world.learn.clip import build, save
    from likeness.world.tokenizer import write_tokenizer

    place = tmp_path_factory.mktemp("clip")
    write_tokenizer(WORDS, place / "words")
    tokenizer = CLIPTokenizer.from_pretrained(place / "words")
    torch.manual_seed(0)
    save(build(tokenizer, hidden=48, projection=8), tokenizer, place / "model")
    return place / "model"


@pytest.fixture(scope="module")
def encoder(folder):
    return open_clip_folder(folder, "cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pictures of several sizes, one file that is none."""
    place = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    sizes = [(64, 64), (100, 80), (70, 130), (64, 64), (64, 64)]
    for number, (width, height) in enumerate(sizes):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    (place / "3.png").write_bytes(b"no picture")
    return [place / f"{number}.png" for number in range(len(sizes))]


def copy(folder, place, without=(), **texts):
    place.mkdir(parents=True)
    for file in folder.iterdir():
        if file.name not in without:
            (place / file.name).write_bytes(file.read_bytes())
    for name, text in texts.items():
        (place / f"{name}.json").write_text(json.dumps(text))
    return place


def test_vectors_are_those_of_the_stock_classes(folder, encoder, files):
    from transformers import CLIPModel, CLIPProcessor

    model, processor = (kind.from_pretrained(folder) for kind in (CLIPModel, CLIPProcessor))
    images, texts = encoder.embed_images(files), encoder.embed_texts(TEXTS)
    for place in (0, 1, 2, 4):
        given = processor(
            text=TEXTS, images=[Image.open(files[place])], return_tensors="pt", padding=True
        )
        with torch.no_grad():
            wanted = model(**given).logits_per_image[0] / model.logit_scale.exp()
        assert cosines(images.vectors[[place]], texts.vectors)[0] == pytest.approx(
            wanted.numpy(), abs=1e-5
        )
    assert images.vectors.dtype == texts.vectors.dtype == np.float32


def test_neither_batches_nor_neighbours_change_a_vector(encoder, files):
    whole = encoder.embed_images(files * 3).vectors
    alone = encoder.embed_images([files[2]]).vectors
    assert alone[0] == pytest.approx(whole[2], abs=1e-5)
    assert whole[:5][[0, 1, 2, 4]] == pytest.approx(whole[10:][[0, 1, 2, 4]], abs=1e-5)
    together = encoder.embed_texts([*TEXTS, "a red red red red dog on a red beach"]).vectors
    assert together[1] == pytest.approx(encoder.embed_texts(TEXTS[1:2]).vectors[0], abs=1e-5)
    assert np.array_equal(together[0], together[2])


@pytest.mark.parametrize("at_once", [1, 2, 4, 99])
def test_every_row_keeps_its_place_over_batches(files, at_once):
    def size(picture):
        return np.array(picture.size, np.float32)

    found = of_pictures([*files, *files], size, lambda batch: 2 * batch, 2, "sizes", at_once)
    wanted = [(128, 128), (200, 160), (140, 260), (math.nan, math.nan), (128, 128)] * 2
    assert found.vectors == pytest.approx(np.array(wanted), nan_ok=True)
    assert [place for place, why in enumerate(found.reason) if why] == [3, 8]


def test_opened_pictures_and_files_are_the_same(encoder, files):
    opened = encoder.embed_images([Image.open(files[1])]).vectors
    assert np.array_equal(opened, encoder.embed_images([files[1]]).vectors)


def test_a_file_that_is_no_picture_is_a_row_with_a_reason(encoder, files):
    found = encoder.embed_images(files)
    assert [bool(why) for why in found.reason] == [False, False, False, True, False]
    assert "not a picture" in found.reason[3]
    assert np.isnan(found.vectors).any(axis=1).tolist() == [False, False, False, True, False]
    nothing = encoder.embed_images([files[3]])
    assert nothing.vectors.shape == (1, 8)
    assert encoder.embed_images([]).vectors.shape == (0, 8)
    assert encoder.embed_texts([]).vectors.shape == (0, 8)
    score = clip_score(found.vectors, encoder.embed_texts(["a dog"] * 5).vectors)
    assert np.isnan(score).tolist() == [False, False, False, True, False]


def test_a_cut_text_says_what_was_not_read(encoder):
    long = " ".join(["red"] * 75 + ["dog", "cat"])
    found = encoder.embed_texts([" ".join(["red"] * 75), long])
    assert found.reason == ("", "cut at 77 tokens, not read: dog cat")
    assert found.vectors[0] == pytest.approx(found.vectors[1], abs=1e-5)


def test_the_passport_follows_the_weights_not_the_place(folder, encoder, tmp_path):
    moved = open_clip_folder(copy(folder, tmp_path / folder.name), "cpu")
    said = encoder.passport("clip_score", "clamped")
    assert moved.passport("clip_score", "clamped") == said
    assert said.model == "model"
    assert "centre crop {'height': 64, 'width': 64}" in said.preprocessing
    assert encoder.passport("clip_score", "hessel").passport_id != said.passport_id


def test_old_files_of_the_hub_are_read_from_its_snapshots_alone(folder, encoder, files, tmp_path):
    from safetensors.torch import load_file

    old = {"size": 64, "crop_size": 64, "image_mean": [0.5] * 3, "image_std": [0.27] * 3}
    place = copy(
        folder,
        tmp_path / "snapshots" / ("0" * 40),
        without=("model.safetensors", "processor_config.json", "preprocessor_config.json"),
        preprocessor_config=old | {"resample": 3, "do_resize": True, "do_center_crop": True},
    )
    torch.save(load_file(folder / "model.safetensors"), place / "pytorch_model.bin")
    again = open_clip_folder(place, "cpu")
    good = [files[i] for i in (0, 1, 2)]
    assert np.array_equal(again.embed_images(good).vectors, encoder.embed_images(good).vectors)
    assert np.array_equal(again.embed_texts(TEXTS).vectors, encoder.embed_texts(TEXTS).vectors)
    place.rename(tmp_path / "mine")
    with pytest.raises(BadInput, match=r"pytorch_model\.bin is a pickle"):
        open_clip_folder(tmp_path / "mine", "cpu")


def test_short_side_then_centre(encoder):
    # 128 x 64: halved it would be 64 x 32, so nothing is resized and the middle 64 columns remain
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    middle = Image.fromarray(pixels[:, 32:96])
    wide, alone = encoder.embed_images([Image.fromarray(pixels), middle]).vectors
    assert wide == pytest.approx(alone, abs=1e-5)


def test_weights_that_are_missing_are_not_drawn_at_random(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    place = copy(folder, tmp_path / "holes")
    tensors = load_file(place / "model.safetensors")
    del tensors["visual_projection.weight"]
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInput, match=r"lacks 1 weights, such as visual_projection.weight"):
        open_clip_folder(place, "cpu")


def test_encoders_that_are_not_there_are_named(folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput, match="there is no encoder 'no-clip'"):
        open_clip_folder("no-clip")
    with pytest.raises(BadInput, match="there is no encoder"):
        open_clip_folder(tmp_path / "no/where")
    with pytest.raises(BadInput, match=r"some/clip could not be fetched from the hub"):
        open_clip_folder("some/clip")
    with pytest.raises(BadInput, match=r"no model\.safetensors"):
        open_clip_folder(copy(folder, tmp_path / "bare", without=("model.safetensors",)))
    words = ("tokenizer.json", "vocab.json")
    with pytest.raises(BadInput, match=r"no tokenizer\.json"):
        open_clip_folder(copy(folder, tmp_path / "mute", without=words), "cpu")
    monkeypatch.setitem(encoders.KNOWN, "small-clip", str(tmp_path / "weights"))
    with pytest.raises(BadInput, match="run make world"):
        open_clip_folder()


def test_a_model_in_the_hubs_cache_is_found_without_asking(folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = "a" * 40
    (tmp_path / "models--some--clip" / "snapshots").mkdir(parents=True)
    copy(folder, tmp_path / "models--some--clip" / "snapshots" / commit)
    found = open_clip_folder(f"some/clip@{commit}", "cpu")
    assert found.passport("clip_score", "clamped").model == "some/clip"


def test_scores_by_hand():
    images = np.array([[3.0, 4], [1, 0], [-1, 0], [0, 0]], np.float32)
    texts = np.array([[0.0, 2], [5, 0], [1, 1], [1, 0]], np.float32)
    assert clip_score(images, texts) == pytest.approx([0.8, 1, 0, math.nan], nan_ok=True)
    assert clip_score(images, texts, "hessel")[:3] == pytest.approx([2.0, 2.5, 0])
    assert cosines(images[:3], texts[:2]) == pytest.approx(np.array([[0.8, 0.6], [0, 1], [0, -1]]))
    assert texts_for(["a dog"], "hessel") == ["A photo depicts a dog"]
    assert texts_for(["a dog"], "clamped") == ["a dog"]
    with pytest.raises(BadInput, match="row by row"):
        clip_score(images, texts[:2])


def rows(seed, n=4, d=6):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_directional_by_hand():
    # from (1, 0) to (0, 1) is the direction (-1, 1); from (1, 0) to (-1, 0) is (-2, 0)
    east, north, west = np.array([[1.0, 0]]), np.array([[0, 1.0]]), np.array([[-1.0, 0]])
    turned = directional_similarity(east, 5 * north, 2 * east, west)
    assert turned.values == pytest.approx([math.sqrt(0.5)])
    assert turned.loss == pytest.approx([1 - math.sqrt(0.5)])
    assert turned.reasons == ("",)


def test_equal_changes_agree_and_opposite_ones_do_not():
    before, after = rows(0), rows(1)
    same = directional_similarity(before, after, before, after)
    back = directional_similarity(before, after, after, before)
    assert same.values == pytest.approx(np.ones(4))
    assert same.loss == pytest.approx(np.zeros(4), abs=1e-12)
    assert back.values == pytest.approx(-np.ones(4))


def test_the_length_of_features_and_the_order_of_the_two_changes_do_not_matter():
    a, b, c, d = (rows(seed) for seed in range(4))
    found = directional_similarity(a, b, c, d).values
    assert directional_similarity(3 * a, 0.1 * b, c, 7 * d).values == pytest.approx(found, abs=1e-6)
    assert directional_similarity(c, d, a, b).values == pytest.approx(found)
    assert directional_similarity(b, a, d, c).values == pytest.approx(found)


def test_no_change_has_no_direction_and_says_so():
    before, after, texts = rows(0), rows(1), rows(2)
    after[0] = before[0] * (1 + 1e-6)
    after[3] = np.nan
    other = rows(3)
    other[1], other[0] = texts[1], texts[0]
    found = directional_similarity(before, after, texts, other)
    assert np.isnan(found.values).tolist() == [True, True, False, True]
    assert found.reasons == (
        "the text did not change",
        "the text did not change",
        "",
        "a picture or a text has no features",
    )


def test_the_same_picture_in_another_batch_did_not_change(encoder, files):
    one = encoder.embed_images([files[0]]).vectors
    other = encoder.embed_images(files[:3]).vectors[:1]
    texts = encoder.embed_texts(["a dog", "a cat"]).vectors
    found = directional_similarity(one, other, texts[:1], texts[1:])
    assert (found.values.tolist(), found.reasons) == ([0.0], ("",))
    assert found.loss.tolist() == [1.0]


def test_reconstruction_is_the_mean_over_all_pairs():
    real, made = rows(0, 4), rows(1, 7)
    wanted = [r @ m / math.sqrt(float(r @ r) * float(m @ m)) for r in real for m in made]
    found = reconstruction(real, made)
    assert found.mean.value == pytest.approx(np.mean(wanted), abs=1e-6)
    assert found.mean.n == 28
    assert found.mean.low < found.mean.value < found.mean.high
    made[0] = np.nan
    assert reconstruction(real, made).left_out == 4


def test_the_bound_is_the_mean_over_all_ways_to_halve():
    real = rows(0, 6)
    matrix = cosines(real, real)
    halvings = [
        matrix[np.ix_(half, [i for i in range(6) if i not in half])].mean()
        for half in combinations(range(6), 3)
    ]
    assert reconstruction_bound(real).mean.value == pytest.approx(np.mean(halvings))


def test_editability_has_both_readings_and_they_differ_by_a_length():
    made, text = rows(0, 64) + 1, rows(1, 1)[0]
    found = editability(made, text)
    directions = made / np.linalg.norm(made, axis=1, keepdims=True)
    mean = directions.mean(axis=0)
    word = text / np.linalg.norm(text)
    assert found.mean_of_cosines.mean.value == pytest.approx(float(mean @ word), abs=1e-6)
    assert found.cosine_of_mean == pytest.approx(
        float(mean @ word) / np.linalg.norm(mean), abs=1e-6
    )
    gaps = np.vstack([made, np.full((2, 6), np.nan)])
    assert editability(gaps, text).cosine_of_mean == pytest.approx(found.cosine_of_mean)
    assert editability(gaps, text).mean_of_cosines.left_out == 2
    assert math.isnan(editability(gaps[64:], text).cosine_of_mean)


def test_each_prompt_counts_once_and_the_interval_is_over_the_pictures_of_each():
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.2, 0.01, 50), rng.normal(0.6, 0.01, 10)
    found = mean_over_prompts([low, np.append(high, np.nan)])
    assert found.value == pytest.approx((low.mean() + high.mean()) / 2)
    assert found.n == 60
    # prompts are apart by 0.4; drawn anew, they would make an interval as wide
    half = 1.96 * np.sqrt(low.var() / 50 + high.var() / 10) / 2
    assert found.high - found.low == pytest.approx(2 * half, rel=0.15)
    one = mean_over_prompts([low])
    assert one.value == pytest.approx(low.mean())
    assert math.isnan(mean_over_prompts([low, high[:2]]).low)
    assert math.isnan(mean_over_prompts([np.array([np.nan])]).value)


def test_the_prompt_without_the_learned_word():
    assert without_placeholder("A photo of * on the moon", "*") == "A photo of on the moon"
    assert without_placeholder("painting in the style of <Cezanne>", "<Cezanne>") == (
        "painting in the style of"
    )
    assert without_placeholder("cezannes and cezanne, by cezanne", "cezanne") == "cezannes and , by"
