"""Structure distance on tiny transformers, against their own arithmetic written out."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from likeness.errors import BadInput
from likeness.metrics import structure
from likeness.metrics.structure import open_keys, structure_distance

SIDE, PATCH, TOKENS = 16, 4, 17
MEAN, STD = 0.4, 0.25
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": PATCH,
}


def write(folder, kind):
    from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTModel

    torch.manual_seed(0)
    if kind == "vit":
        model = ViTModel(ViTConfig(**VISION, initializer_range=0.5))
        prepared = {"size": {"height": SIDE, "width": SIDE}, "resample": 2}
    else:
        text = {**VISION, "vocab_size": 9}
        del text["image_size"], text["patch_size"]
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=4))
        prepared = {"size": SIDE, "crop_size": SIDE, "resample": 3}
    model.save_pretrained(folder)
    prepared |= {"image_mean": [MEAN] * 3, "image_std": [STD] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(prepared))
    return folder


@pytest.fixture(scope="module", params=["vit", "clip"])
def encoder(request, tmp_path_factory):
    return open_keys(write(tmp_path_factory.mktemp(request.param), request.param), "cpu")


def pictures(count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Image.fromarray(p) for p in rng.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    ]


def by_hand(encoder, picture, scale):
    """Cosines of the last layer's keys: the input of its attention times the weights of its keys."""
    pixels = (np.asarray(picture, np.float32).transpose(2, 0, 1) * scale - MEAN) / STD
    seen = []
    layers = (
        encoder.network.layers
        if hasattr(encoder.network, "layers")
        else encoder.network.encoder.layers
    )
    norm = getattr(layers[-1], "layernorm_before", None) or layers[-1].layer_norm1
    handle = norm.register_forward_hook(lambda m, a, out: seen.append(out[0]))
    with torch.no_grad():
        encoder.network(pixel_values=torch.from_numpy(pixels)[None])
    handle.remove()
    weight, bias = (getattr(encoder.keys, name).detach() for name in ("weight", "bias"))
    keys = (seen[0] @ weight.T + bias).double().numpy()
    length = np.linalg.norm(keys, axis=1)
    return keys @ keys.T / np.outer(length, length)


@pytest.mark.parametrize(("protocol", "scale"), [("corrected", 1 / 255), ("original", 1.0)])
def test_it_is_the_mean_squared_difference_of_two_squares(encoder, protocol, scale):
    some = pictures(3)
    vectors = encoder.self_similarity(some, protocol).vectors
    assert vectors.shape == (3, TOKENS * (TOKENS - 1) // 2)
    squares = [by_hand(encoder, picture, scale) for picture in some]
    assert squares[0].shape == (TOKENS, TOKENS)
    wanted = [[np.mean((x - y) ** 2) for y in squares] for x in squares]
    for shift in range(3):
        found = structure_distance(vectors, np.roll(vectors, -shift, 0))
        assert found == pytest.approx([wanted[i][(i + shift) % 3] for i in range(3)], abs=1e-6)
    assert structure_distance(vectors[:2], vectors[1:]) == pytest.approx(
        [wanted[0][1], wanted[1][2]], rel=1e-3
    )


def test_a_picture_is_at_no_distance_from_itself_and_batches_do_not_matter(encoder):
    some = pictures(20)
    whole = encoder.self_similarity(some).vectors
    alone = encoder.self_similarity(some[18:19]).vectors
    assert np.all(structure_distance(whole, whole) == 0)
    assert alone[0] == pytest.approx(whole[18], abs=1e-6)
    assert structure_distance(whole[:9], whole[9:18]) == pytest.approx(
        structure_distance(whole[9:18], whole[:9])
    )
    assert not encoder.keys._forward_hooks


def test_pairs_are_taken_in_parts_and_a_source_of_many_is_read_once(encoder, tmp_path, monkeypatch):
    files = [tmp_path / f"{number}.png" for number in range(4)]
    for file, picture in zip(files, pictures(4), strict=True):
        picture.save(file)
    a, b = [files[0]] * 3 + [files[1]], [*files[1:], files[1]]
    whole = encoder.pairs(a, b).values
    rows = encoder.self_similarity(files).vectors
    assert whole == pytest.approx(structure_distance(rows[[0, 0, 0, 1]], rows[[1, 2, 3, 1]]))
    assert whole[3] == 0
    seen = []
    monkeypatch.setattr(structure, "PAIRS_AT_ONCE", 2)
    looked = encoder.self_similarity
    monkeypatch.setattr(
        encoder, "self_similarity", lambda some, how: seen.append(len(some)) or looked(some, how)
    )
    assert encoder.pairs(a, b).values == pytest.approx(whole)
    assert seen == [1, 2, 2, 2]


def test_a_file_that_is_no_picture_has_no_distance(encoder, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    found = encoder.self_similarity([broken, *pictures(1)])
    assert [bool(why) for why in found.reason] == [True, False]
    assert np.isnan(structure_distance(found.vectors, found.vectors)).tolist() == [True, False]
    assert encoder.self_similarity([broken]).vectors.shape == (1, TOKENS * (TOKENS - 1) // 2)


def test_passports_differ_by_protocol_and_name_the_weights(encoder):
    original, corrected = (encoder.passport(p) for p in ("original", "corrected"))
    assert original.passport_id != corrected.passport_id
    assert len(corrected.revision) == 64


def test_models_of_another_kind_are_refused(tmp_path):
    folder = write(tmp_path, "vit")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "resnet"}))
    with pytest.raises(BadInput, match="type resnet"):
        open_keys(folder, "cpu")
