"""LPIPS with random weights against the formula written out, layer by layer and place by place."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional as F

from likeness.errors import BadInput
from likeness.metrics import lpips as module
from likeness.metrics.features import paired_squared_distances, squared_distances
from likeness.metrics.lpips import BACKBONES, Lpips, open_lpips, vector_length

ALEX = [(0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False)]
VGG = [(0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)]


def tensors_of(backbone, seed=0):
    """Random weights under the published names; heads are not negative."""
    torch.manual_seed(seed)
    network = module._network(backbone)
    found = {f"features.{name}": value.detach() for name, value in network.state_dict().items()}
    for number, width in enumerate(BACKBONES[backbone].widths):
        found[f"lin{number}.model.1.weight"] = torch.rand(1, width, 1, 1)
    return found


def write(folder, tensors, backbone="alex"):
    folder.mkdir(exist_ok=True)
    save_file(
        {name: value.contiguous() for name, value in tensors.items()}, folder / "model.safetensors"
    )
    (folder / "config.json").write_text(json.dumps({"backbone": backbone}))
    return folder


def alex_features(x, w):
    """The layers of the published network, by their own stride, padding and pooling."""
    for number, stride, padding, pooled in ALEX:
        x = F.max_pool2d(x, 3, 2) if pooled else x
        weight, bias = w[f"features.{number}.weight"], w[f"features.{number}.bias"]
        x = F.relu(F.conv2d(x, weight, bias, stride, padding))
        yield x


def vgg_features(x, w):
    for block, numbers in enumerate(VGG):
        x = F.max_pool2d(x, 2, 2) if block else x
        for number in numbers:
            weight, bias = w[f"features.{number}.weight"], w[f"features.{number}.bias"]
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
        yield x


def squeeze_features(x, w):
    """SqueezeNet 1.1 by hand: where it pools, a last place may lie half outside."""

    def convolved(name, x, stride=1, padding=0):
        return F.relu(
            F.conv2d(x, w[f"features.{name}.weight"], w[f"features.{name}.bias"], stride, padding)
        )

    x = convolved("0", x, stride=2)
    yield x
    for number in (3, 4, 6, 7, 9, 10, 11, 12):
        if number in (3, 6, 9):
            rest = -(x.shape[2] - 3) % 2
            x = F.max_pool2d(F.pad(x, (0, rest, 0, rest)), 3, 2)
        x = convolved(f"{number}.squeeze", x)
        wide = [
            convolved(f"{number}.expand1x1", x),
            convolved(f"{number}.expand3x3", x, padding=1),
        ]
        x = torch.cat(wide, 1)
        if number not in (3, 6):
            yield x


def direct(one, other, w, features):
    """Zhang et al., eq. 1, on two pictures of H x W x 3 uint8."""
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
    x, y = (
        (torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].double() / 255 * 2 - 1 - shift)
        / scale
        for p in (one, other)
    )
    w = {name: value.double() for name, value in w.items()}
    total = 0.0
    for number, (f, g) in enumerate(zip(features(x, w), features(y, w), strict=True)):
        f, g = (v / (v.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for v in (f, g))
        weighted = F.conv2d((f - g) ** 2, w[f"lin{number}.model.1.weight"])
        total += float(weighted.mean())
    return total


def pictures(count, side=64, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return [Image.fromarray(c).resize((side, side), Image.Resampling.BICUBIC) for c in coarse]


@pytest.fixture(scope="module")
def weights():
    return tensors_of("alex")


@pytest.fixture(scope="module")
def measure(weights, tmp_path_factory):
    return open_lpips(write(tmp_path_factory.mktemp("lpips") / "alex", weights), "cpu")


@pytest.mark.parametrize("side", [64, 75])
def test_alex_is_the_formula_written_out(measure, weights, side):
    some = pictures(4, side)
    vectors = measure.embed(some, side).vectors
    assert vectors.shape == (4, vector_length("alex", side))
    wanted = [direct(some[0], other, weights, alex_features) for other in some]
    assert paired_squared_distances(vectors[[0] * 4], vectors) == pytest.approx(
        wanted, rel=1e-4, abs=1e-7
    )
    assert squared_distances(vectors[:1], vectors)[0] == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    assert min(wanted[1:]) > 1e-3


def test_vgg_is_the_formula_written_out():
    w = tensors_of("vgg")
    network = module._network("vgg").eval()
    network.load_state_dict({name: w[f"features.{name}"] for name in network.state_dict()})
    heads = [w[f"lin{number}.model.1.weight"].flatten() for number in range(5)]
    some = pictures(2)
    vectors = Lpips(network, heads, "vgg", "").embed(some, 64).vectors
    assert vectors.shape[1] == vector_length("vgg", 64)
    wanted = direct(*some, w, vgg_features)
    assert paired_squared_distances(vectors[:1], vectors[1:])[0] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("side", [64, 75])
def test_squeeze_is_the_formula_written_out(tmp_path, side):
    w = tensors_of("squeeze")
    measure = open_lpips(write(tmp_path / "squeeze", w, "squeeze"), "cpu")
    some = pictures(2, side)
    vectors = measure.embed(some, side).vectors
    assert vectors.shape[1] == vector_length("squeeze", side)
    wanted = direct(*some, w, squeeze_features)
    assert paired_squared_distances(vectors[:1], vectors[1:])[0] == pytest.approx(wanted, rel=1e-4)


def test_lengths_are_those_of_the_published_networks():
    # 64 x 63^2 + 192 x 31^2 + (384 + 256 + 256) x 15^2
    assert vector_length("alex", 256) == 254016 + 184512 + 201600
    assert vector_length("vgg", 256) == 256**2 * (64 + 128 / 4 + 256 / 16 + 512 / 64 + 512 / 256)


def test_a_picture_is_itself_and_the_order_of_two_does_not_matter(measure):
    some = pictures(5)
    matrix = measure.matrix(some, 64)
    assert np.all(np.diag(matrix) == 0)
    assert np.array_equal(matrix, matrix.T)
    found = measure.pairs(some, some[::-1], 64)
    assert found.values[2] == 0
    assert found.values == pytest.approx(found.values[::-1], rel=1e-5)
    assert found.values == pytest.approx(np.diag(matrix[:, ::-1]), abs=1e-5)


def test_neither_other_pictures_nor_memory_change_a_distance(measure, monkeypatch):
    some = pictures(5)
    whole, pairs = measure.matrix(some, 64), measure.pairs(some[:4], some[1:], 64)
    monkeypatch.setattr(module, "BYTES", 4 * 4 * vector_length("alex", 64))
    assert measure._room(64) == 4
    assert measure.matrix(some, 64) == pytest.approx(whole, abs=1e-5)
    assert measure.pairs(some[:4], some[1:], 64).values == pytest.approx(pairs.values, rel=1e-4)


def test_more_noise_is_further(measure):
    clean = np.asarray(pictures(1)[0], float)
    noise = np.random.default_rng(1).normal(size=clean.shape)
    noisy = [
        Image.fromarray(np.clip(clean + level * noise, 0, 255).astype(np.uint8))
        for level in (0, 5, 20, 60)
    ]
    vectors = measure.embed(noisy, 64).vectors
    assert np.all(np.diff(squared_distances(vectors[:1], vectors)[0]) > 0)


def test_larger_pictures_are_made_smaller_and_smaller_ones_have_no_value(measure, tmp_path):
    some, (small,) = pictures(2, 96), pictures(1, 40)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    found = measure.pairs([some[0], small, broken], [some[1]] * 3, 64)
    assert found.reasons[0] == ""
    assert found.reasons[1] == "40 x 40 px would be enlarged to 64 px"
    assert "not a picture" in found.reasons[2]
    assert np.isnan(found.values).tolist() == [False, True, True]
    matrix = measure.matrix([*some, small], 64)
    assert np.isnan(matrix[2]).all()
    assert np.isnan(matrix[:, 2]).all()
    assert not np.isnan(matrix[:2, :2]).any()
    with pytest.raises(BadInput, match="at least 64 px, not 32"):
        measure.embed(some, 32)
    with pytest.raises(BadInput, match="2 and 1 pictures"):
        measure.pairs(some, some[:1], 64)


def test_the_passport_knows_weights_and_side(measure, weights, tmp_path):
    copy = open_lpips(write(tmp_path / "copy", weights), "cpu")
    other = open_lpips(write(tmp_path / "other", tensors_of("alex", 1)), "cpu")
    assert copy.passport(64) == measure.passport(64)
    assert len({m.passport(s).passport_id for m in (measure, other) for s in (64, 128)}) == 4


def test_weights_that_are_missing_or_wrong_are_named(weights, tmp_path):
    with pytest.raises(BadInput, match=r"nowhere/model.safetensors is missing"):
        open_lpips(tmp_path / "nowhere")
    lost = {name: value for name, value in weights.items() if name != "features.8.bias"}
    with pytest.raises(BadInput, match=r"needs features.8.bias of shape \(256,\)"):
        open_lpips(write(tmp_path / "a", lost))
    wrong = weights | {"lin1.model.1.weight": torch.rand(1, 7, 1, 1)}
    with pytest.raises(BadInput, match=r"needs lin1\.model\.1\.weight"):
        open_lpips(write(tmp_path / "b", wrong))
    negative = weights | {"lin2.model.1.weight": -torch.rand(1, 384, 1, 1)}
    with pytest.raises(BadInput, match=r"lin2\.model\.1\.weight has negative weights"):
        open_lpips(write(tmp_path / "c", negative))
    with pytest.raises(BadInput, match="must be alex, vgg or squeeze, not resnet"):
        open_lpips(write(tmp_path / "d", weights, "resnet"))
