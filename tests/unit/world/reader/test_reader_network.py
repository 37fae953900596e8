import math

import numpy as np
import pytest
import torch

from likeness.faces.blocks import measure_statistics
from likeness.faces.heatmaps import Marks
from likeness.world.reader.network import (
    AGES,
    GRID,
    NOT_SAID,
    ReaderNetwork,
    age_loss,
    attribute_loss,
    box_loss,
    group_of,
    years,
)
from likeness.world.reader.read import Reader

ATTRIBUTES = {"glasses": ("no", "yes"), "place": ("room", "sea", "mars")}
KINDS = ("ball", "dog", "person", "face")


def reader():
    torch.manual_seed(0)
    network = ReaderNetwork({k: len(v) for k, v in ATTRIBUTES.items()}, 4, (4, 8, 8, 8), 8)
    torch.nn.init.normal_(network.boxes[1].weight, std=0.5)
    torch.nn.init.zeros_(network.boxes[1].bias)
    measure_statistics(network, [torch.randn(16, 3, 64, 64)])
    return Reader(network, {"attributes": ATTRIBUTES, "kinds": KINDS})


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)


def test_nothing_depends_on_the_batch(pictures):
    r = reader()
    together = r.read(pictures)
    for i in range(5):
        alone = r.read(pictures[i : i + 1])
        np.testing.assert_allclose(together.age[i], alone.age[0], atol=1e-3)
        for name in ATTRIBUTES:
            np.testing.assert_allclose(
                together.probabilities[name][i], alone.probabilities[name][0], atol=1e-4
            )
        assert len(together.objects[i]) == len(alone.objects[0])


def test_a_larger_picture_reads_the_same(pictures):
    r = reader()
    large = pictures.repeat(3, 1).repeat(3, 2)
    one, other = r.read(pictures), r.read(large)
    np.testing.assert_allclose(one.age, other.age, atol=1e-3)
    assert len(one.objects[0]) > 0
    for a, b in zip(one.objects[0], other.objects[0], strict=True):
        assert a.kind == b.kind
        np.testing.assert_allclose(np.array(a.box) * 3, b.box, rtol=1e-3, atol=1e-2)


def test_no_pictures_no_readings():
    assert len(reader().read(np.zeros((0, 64, 64, 3), np.uint8))) == 0


def test_what_is_not_said_has_no_gradient():
    logits = torch.zeros(3, 4, requires_grad=True)
    attribute_loss(logits, torch.tensor([1, NOT_SAID, 2])).backward()
    assert (logits.grad[1] == 0).all()
    assert (logits.grad[0] != 0).all()
    age = torch.zeros(2, len(AGES), requires_grad=True)
    age_loss(age, torch.tensor([math.nan, 33.0])).backward()
    assert (age.grad[0] == 0).all()
    assert age.grad[1].abs().sum() > 0


def test_nothing_said_at_all_costs_nothing():
    logits = torch.randn(3, 4, requires_grad=True)
    loss = attribute_loss(logits, torch.full((3,), NOT_SAID))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()
    assert float(age_loss(torch.randn(2, len(AGES)), torch.full((2,), math.nan))) == 0


def test_attribute_loss_by_hand():
    # two of four pictures say it: the mean cross entropy, times the root of a half
    loss = attribute_loss(torch.zeros(4, 3), torch.tensor([0, NOT_SAID, 2, NOT_SAID]))
    assert math.isclose(float(loss), math.log(3) * math.sqrt(0.5), rel_tol=1e-5)


def test_age_is_an_expectation():
    logits = torch.full((1, len(AGES)), -30.0)
    logits[0, 6] = logits[0, 7] = 0.0
    assert float(years(logits)) == pytest.approx(32.5, abs=1e-3)
    # the best answer to 32.5 years says two bins by halves
    assert float(age_loss(logits, torch.tensor([32.5]))) == pytest.approx(math.log(2), abs=1e-3)


def test_boxes_come_back_through_the_heads():
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.2, 0.0, 0.9, 1.0], [0.4, 0.1, 0.7, 0.4]])
    marks = Marks(torch.zeros(3, dtype=torch.int64), torch.tensor([1, 2, 3]), boxes)
    assert group_of(marks.label, 4).tolist() == [0, 1, 2]
    maps = torch.full((1, 4 + 12, GRID, GRID), -12.0)
    row, column = marks.cells(GRID)
    for i, label in enumerate(marks.label.tolist()):
        maps[0, label, row[i], column[i]] = 12
        first = 4 + 4 * i
        maps[0, first : first + 4, row[i], column[i]] = marks.shapes(GRID)[i]
    assert float(box_loss(maps, marks, 4)) < 1e-3
    found = {f.kind: f.box for f in reader()._objects(maps, 100, 200)[0]}
    for kind, box in zip(("dog", "person", "face"), boxes, strict=True):
        expected = box * torch.tensor([100, 200, 100, 200])
        np.testing.assert_allclose(found[kind], expected, atol=1e-2)
