import numpy as np
import pytest
import torch
from torch import nn

from likeness.errors import BadInput
from likeness.faces.blocks import measure_statistics, save_weights
from likeness.faces.detector import Detector, detector_loss
from likeness.faces.embedding import Embedding
from likeness.faces.heatmaps import Marks
from likeness.faces.small import Detection, SmallFace, distances


class Bright(nn.Module):
    """A detector that finds the middle of a white square, and knows nothing else."""

    def forward(self, x):
        light = nn.functional.avg_pool2d(x.mean(1, keepdim=True), 4)
        bright = light > 0
        maps = torch.zeros(len(x), 9, *light.shape[2:])
        maps[:, :1] = -10
        for n, _, row, column in bright.nonzero()[:0].tolist():
            maps[n, 0, row, column] = 0
        for n in range(len(x)):
            cells = bright[n, 0].nonzero().float()
            if len(cells):
                row, column = cells.mean(0).add(0.5).floor().long().tolist()
                height, width = (cells.amax(0) - cells.amin(0) + 1).log().tolist()
                middle = cells.mean(0).add(0.5)
                maps[n, 0, row, column] = 5
                maps[n, 1, row, column] = middle[1] - column
                maps[n, 2, row, column] = middle[0] - row
                maps[n, 3, row, column], maps[n, 4, row, column] = width, height
                maps[n, 5:, row, column] = torch.tensor([-0.25, 0.0, 0.25, 0.0])
        return maps


def face(seed=0):
    torch.manual_seed(seed)
    detector, embedding = Detector(8, 8), Embedding()
    nn.init.normal_(detector.head[1].weight, std=2.0)
    nn.init.zeros_(detector.head[1].bias)
    x = torch.randn(8, 3, 64, 64)
    measure_statistics(detector, [x])
    measure_statistics(embedding, [torch.randn(8, 3, 48, 48)])
    return SmallFace(detector, embedding, {"threshold": 0.4, "least_score": 0.3})


def square(side, left, top, right, bottom, height=None):
    picture = np.zeros((1, height or side, side, 3), np.uint8)
    picture[:, top:bottom, left:right] = 255
    return picture


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)


def test_nothing_depends_on_the_batch(pictures):
    small = face()
    together, alone = (
        small.detect(pictures),
        [small.detect(pictures[i : i + 1])[0] for i in range(5)],
    )
    assert sum(map(len, together)) > 0
    for many, one in zip(together, alone, strict=True):
        np.testing.assert_allclose([d.box for d in many], [d.box for d in one], atol=1e-3)
    boxes = [[Detection((10, 12, 40, 50), 0.9, ((20, 25), (30, 25)))]] * 5
    vectors = small.embed(pictures, boxes).vectors
    for i in range(5):
        alone_vector = small.embed(pictures[i : i + 1], boxes[:1]).vectors[0]
        np.testing.assert_allclose(vectors[i], alone_vector, atol=1e-4)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_boxes_grow_with_the_picture(times):
    small = face()
    small.detector = Bright()
    picture = square(64, 16, 20, 48, 52).repeat(times, 1).repeat(times, 2)
    (found,) = small.detect(picture)
    np.testing.assert_allclose(np.array(found[0].box) / times, (16, 20, 48, 52), atol=1e-3)
    np.testing.assert_allclose(np.array(found[0].eyes) / times, ((24, 36), (40, 36)), atol=1e-3)


def test_pictures_need_not_be_square():
    small = face()
    small.detector = Bright()
    (found,) = small.detect(square(60, 8, 4, 24, 20, height=36))
    np.testing.assert_allclose(found[0].box, (8, 4, 24, 20), atol=1e-3)


def test_one_face_at_two_scales_is_one_face():
    small = face()
    small.detector = Bright()
    # 24 of 128 px: seen at 64 and at 128
    assert len(small.detect(square(128, 48, 48, 72, 72))[0]) == 1


def test_size_of_the_picture_hardly_moves_the_vector(pictures):
    small = face()
    smooth = torch.nn.functional.interpolate(
        torch.from_numpy(pictures[:1, ::8, ::8].copy()).permute(0, 3, 1, 2).float(),
        256,
        mode="bicubic",
    ).clamp(0, 255)
    large = smooth.permute(0, 2, 3, 1).numpy().astype(np.uint8)
    little = (
        nn.functional.interpolate(smooth, 64, mode="area")
        .permute(0, 2, 3, 1)
        .numpy()
        .astype(np.uint8)
    )

    def vector(picture, times):
        box = tuple(float(v * times) for v in (16, 14, 44, 54))
        return small.embed(picture, [[Detection(box, 1.0, ((0, 0), (0, 0)))]]).vectors

    assert distances(vector(large, 4), vector(little, 1))[0, 0] < 0.02


def test_without_a_face_that_is_large_enough_there_is_no_vector(pictures):
    small = face()
    tiny = Detection((0, 0, 4, 5), 0.9, ((1, 1), (3, 1)))
    good = Detection((10, 10, 40, 40), 0.5, ((20, 20), (30, 20)))
    embedded = small.embed(pictures[:3], [[], [tiny], [tiny, good]])
    assert embedded.status == ("no_face", "no_face", "ok")
    assert np.isnan(embedded.vectors).any(1).tolist() == [True, True, False]
    assert np.isnan(distances(embedded.vectors[:2], embedded.vectors)).all()


def test_distances_are_symmetric_and_sure_of_a_face_itself(pictures):
    small = face()
    box = [[Detection((10, 10, 40, 40), 0.5, ((20, 20), (30, 20)))]] * 2
    a, b = small.embed(pictures[:2], box).vectors
    found = distances(np.array([a, b]), np.array([a, b, -a]))
    assert found[0, 0] < 1e-5
    assert found[0, 1] == pytest.approx(found[1, 0], abs=1e-6)
    assert found[0, 2] == pytest.approx(2, abs=1e-5)


def test_kept_and_loaded_again(tmp_path, pictures):
    torch.manual_seed(3)
    detector, embedding = Detector(), Embedding()
    config = {"threshold": 0.4, "least_score": 0.01}
    save_weights(tmp_path, {"detector": detector, "embedding": embedding}, config)
    from likeness.models.checksums import write_sums

    write_sums(tmp_path)
    loaded = SmallFace.load(tmp_path)
    x = torch.randn(1, 3, 48, 48)
    torch.testing.assert_close(loaded.embedding(x), embedding.eval()(x), atol=5e-3, rtol=0)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadInput, match="damaged"):
        SmallFace.load(tmp_path)


def test_wrong_pictures_are_refused():
    with pytest.raises(BadInput, match="uint8"):
        face().detect(np.zeros((1, 64, 64, 3), np.float32))


def test_detector_loss_falls_to_nothing_at_the_truth():
    boxes = torch.tensor([[0.2, 0.2, 0.6, 0.7]])
    marks = Marks(torch.tensor([0]), torch.tensor([0]), boxes)
    eyes = torch.tensor([[0.3, 0.4, 0.5, 0.4]])
    maps = torch.full((1, 9, 16, 16), -12.0)
    (row,), (column,) = marks.cells(16)
    maps[0, 0, row, column] = 12
    maps[0, 1:5, row, column] = marks.shapes(16)[0]
    size = torch.tensor([0.4, 0.5])
    towards = (eyes.view(2, 2) - torch.tensor([0.4, 0.45])) / size
    maps[0, 5:, row, column] = towards.flatten()
    loss = detector_loss(maps, marks, eyes, torch.ones(1, 1, 16, 16))["loss"]
    assert float(loss) < 1e-3
