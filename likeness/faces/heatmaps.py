"""Boxes as heat maps and back: each thing is a peak at its middle, with its size told there."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

LARGEST_OVERLAP = 0.4  # intersection over union of two boxes of which both stay


@dataclass(frozen=True)
class Marks:
    """M boxes over a batch of pictures: which picture, which heat map, where (fractions)."""

    picture: torch.Tensor  # M int64
    label: torch.Tensor  # M int64, the heat map
    boxes: torch.Tensor  # M x 4 float32: left, top, right, bottom

    def cells(self, grid: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Row and column of the cell each middle falls into."""
        middle = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2 * grid
        column, row = middle.floor().long().clamp(0, grid - 1).unbind(1)
        return row, column

    def shapes(self, grid: int) -> torch.Tensor:
        """M x 4: the middle within its cell (x, y in 0..1), log of width and height in cells."""
        row, column = self.cells(grid)
        middle = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2 * grid
        size = ((self.boxes[:, 2:] - self.boxes[:, :2]) * grid).clamp_min(0.1).log()
        return torch.cat([middle - torch.stack([column, row], 1), size], 1)

    def heat(self, pictures: int, labels: int, grid: int) -> torch.Tensor:
        """pictures x labels x grid x grid: 1 at each middle, falling off with the box's size."""
        row, column = self.cells(grid)
        size = (self.boxes[:, 2:] - self.boxes[:, :2]) * grid
        spread = (size / 6).clamp_min(0.4)
        line = torch.arange(grid)
        across = ((line - column[:, None]) / spread[:, :1]) ** 2
        down = ((line - row[:, None]) / spread[:, 1:]) ** 2
        peaks = torch.exp(-(across[:, None, :] + down[:, :, None]) / 2).flatten(1)
        flat = torch.zeros(pictures * labels, grid * grid)
        row_of = (self.picture * labels + self.label)[:, None].expand(-1, grid * grid)
        flat.scatter_reduce_(0, row_of, peaks, "amax")
        return flat.view(pictures, labels, grid, grid)


def focal_loss(
    logits: torch.Tensor, heat: torch.Tensor, counted: torch.Tensor | None = None
) -> torch.Tensor:
    """Penalty-reduced focal loss of heat maps, per peak; cells with ``counted`` 0 do not matter."""
    logits = logits.float()
    chance = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    peak = (heat == 1).float()
    found = peak * (1 - chance) ** 2 * -chance.log()
    empty = (1 - peak) * (1 - heat) ** 4 * chance**2 * -(1 - chance).log()
    loss = found + empty
    if counted is not None:
        loss, peak = loss * counted, peak * counted
    return loss.sum() / peak.sum().clamp_min(1)


def at_cells(maps: torch.Tensor, marks: Marks) -> torch.Tensor:
    """B x C x G x G -> M x C: what is said in the cells of the marks."""
    row, column = marks.cells(maps.shape[-1])
    return maps[marks.picture, :, row, column].float()


@dataclass(frozen=True)
class Peaks:
    """What was found in a batch; ``where`` are B, label, row, column indices of each."""

    where: torch.Tensor  # M x 4 int64
    score: torch.Tensor  # M


def peaks_of(logits: torch.Tensor, least: float) -> Peaks:
    """Cells of B x L x H x W that exceed their eight neighbours and ``least`` (0..1)."""
    score = logits.float().sigmoid()
    top = (score == F.max_pool2d(score, 3, 1, 1)) & (score >= least)
    where = top.nonzero()
    return Peaks(where, score[tuple(where.T)])


def boxes_of(shapes: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
    """M x 4 as of ``Marks.shapes`` at their cells -> boxes in cells: left, top, right, bottom."""
    middle = shapes[:, :2] + torch.stack([column, row], 1)
    half = shapes[:, 2:].clamp(-3, 6).exp() / 2
    return torch.cat([middle - half, middle + half], 1)


def overlap(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of every box of A x 4 with every one of B x 4."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clamp_min(0).prod(2)
    areas = [(x[:, 2:] - x[:, :2]).clamp_min(0).prod(1) for x in (a, b)]
    return common / (areas[0][:, None] + areas[1][None] - common).clamp_min(1e-9)


def best_of(boxes: torch.Tensor, score: torch.Tensor) -> list[int]:
    """Indices, best first, of boxes none of which overlaps a better one too much."""
    common = overlap(boxes, boxes)
    kept: list[int] = []
    for i in score.argsort(descending=True, stable=True).tolist():
        if all(common[i, j] <= LARGEST_OVERLAP for j in kept):
            kept.append(i)
    return kept
