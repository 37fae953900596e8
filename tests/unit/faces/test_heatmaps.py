import torch

from likeness.faces.heatmaps import (
    Marks,
    at_cells,
    best_of,
    boxes_of,
    focal_loss,
    overlap,
    peaks_of,
)

BOXES = torch.tensor([[0.1, 0.2, 0.4, 0.8], [0.55, 0.5, 0.95, 0.7], [0.0, 0.0, 0.06, 0.08]])
MARKS = Marks(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), BOXES)
GRID = 16


def test_boxes_come_back_from_their_heat_maps():
    heat = MARKS.heat(2, 2, GRID)
    peaks = peaks_of(torch.logit(heat.clamp(1e-6, 1 - 1e-6)), 0.99)
    assert peaks.where[:, :2].tolist() == [[0, 0], [0, 1], [1, 1]]
    row, column = peaks.where[:, 2], peaks.where[:, 3]
    again = boxes_of(MARKS.shapes(GRID), row, column) / GRID
    torch.testing.assert_close(again, BOXES, atol=1e-5, rtol=0)


def test_heat_is_one_at_the_middle_and_the_larger_of_two():
    twice = Marks(torch.tensor([0, 0]), torch.tensor([0, 0]), BOXES[:2])
    heat = twice.heat(1, 1, GRID)[0, 0]
    assert heat[8, 4] == 1  # middle 0.25, 0.5
    assert heat[9, 12] == 1  # middle 0.75, 0.6
    apart = [Marks(torch.tensor([0]), torch.tensor([0]), BOXES[i : i + 1]) for i in (0, 1)]
    torch.testing.assert_close(heat, torch.maximum(*(m.heat(1, 1, GRID)[0, 0] for m in apart)))


def test_values_are_read_at_the_cells():
    maps = torch.arange(2 * 3 * GRID * GRID).float().view(2, 3, GRID, GRID)
    assert at_cells(maps, MARKS)[1].tolist() == maps[0, :, 9, 12].tolist()


def test_focal_loss_by_hand():
    logits = torch.tensor([[[[0.0, 0.0]]]])
    heat = torch.tensor([[[[1.0, 0.5]]]])
    # peak: (1/2)^2 ln 2; beside it: (1/2)^4 (1/2)^2 ln 2
    expected = (0.25 + 0.0625 * 0.25) * torch.tensor(2.0).log()
    torch.testing.assert_close(focal_loss(logits, heat), expected)


def test_cells_that_do_not_count_have_no_gradient():
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    counted = torch.tensor([[[[1.0, 0.0], [1.0, 1.0]]]])
    focal_loss(logits, torch.zeros(1, 1, 2, 2), counted).backward()
    assert logits.grad[0, 0, 0, 1] == 0
    assert (logits.grad[0, 0, 1] > 0).all()


def test_overlap_and_doubles():
    boxes = torch.tensor([[0.0, 0, 2, 2], [1.0, 0, 3, 2], [0.0, 0, 2, 1.9], [5.0, 5, 6, 6]])
    torch.testing.assert_close(overlap(boxes[:1], boxes[1:2]), torch.tensor([[1 / 3]]))
    assert best_of(boxes, torch.tensor([0.5, 0.4, 0.9, 0.1])) == [2, 1, 3]
