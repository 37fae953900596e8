"""``small-reader``: one residual network with a head per attribute, one for age, one for boxes."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from likeness.faces.blocks import ConvNorm, Residual
from likeness.faces.heatmaps import Marks, at_cells, focal_loss

SIDE = 64
GRID = 16  # of the heat maps
AGES = tuple(range(0, 91, 5))  # years at which the age head has its bins
SHAPES = 4  # middle x, y, log width, log height; of things, persons and faces apart
NOT_SAID = -1
WIDTHS = (32, 64, 128, 160)


@dataclass(frozen=True)
class Answers:
    """What the network says about a batch."""

    logits: dict[str, torch.Tensor]  # per attribute B x values
    age: torch.Tensor  # B x 19 logits
    maps: torch.Tensor  # B x (kinds + 12) x 16 x 16


class ReaderNetwork(nn.Module):
    """Each attribute looks where it wants (attention over 8 x 8 cells) and knows the whole."""

    def __init__(
        self,
        attributes: dict[str, int],
        kinds: int,
        widths: tuple[int, int, int, int] = WIDTHS,
        hidden: int = 192,
    ) -> None:
        super().__init__()
        a, b, c, e = widths
        self.near = nn.Sequential(
            ConvNorm(3, a, 2), Residual(a, a), Residual(a, b, 2), Residual(b, b)
        )
        self.deep = nn.Sequential(Residual(b, c, 2), Residual(c, c), Residual(c, e))
        self.whole = nn.Linear(2 * e, hidden)
        self.look = nn.Conv2d(e, len(attributes) + 1, 1)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(e + hidden, count) for name, count in attributes.items()}
        )
        self.age = nn.Linear(e + hidden, len(AGES))
        self.back = nn.Conv2d(e, b, 1)
        self.boxes = nn.Sequential(ConvNorm(b, b), nn.Conv2d(b, kinds + 3 * SHAPES, 1))
        nn.init.constant_(self.boxes[1].bias[:kinds], -5.0)  # type: ignore[index]

    def forward(self, x: torch.Tensor) -> Answers:
        """B x 3 x 64 x 64 in -1..1."""
        near = self.near(x)
        deep = self.deep(near)
        whole = F.relu(self.whole(torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1)))
        weight = self.look(deep).flatten(2).softmax(2)
        seen = torch.einsum("bqc,bec->bqe", weight, deep.flatten(2).to(weight.dtype))
        views = torch.cat([seen, whole[:, None].expand(-1, seen.shape[1], -1)], 2)
        logits = {
            name: head(views[:, i]).float() for i, (name, head) in enumerate(self.heads.items())
        }
        back = F.interpolate(self.back(deep), scale_factor=2.0, mode="nearest")
        return Answers(logits, self.age(views[:, -1]).float(), self.boxes(F.relu(near + back)))


def years(age: torch.Tensor) -> torch.Tensor:
    """B x 19 logits -> B: the expected age."""
    return age.softmax(1) @ torch.tensor(AGES, dtype=torch.float32)


def attribute_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross entropy over the pictures where the truth (B int64) is not ``NOT_SAID``.

    The mean is weighed by the root of the share of those: rare attributes count less, but not by
    how rare they are.
    """
    said = truth != NOT_SAID
    total = F.cross_entropy(logits, truth, ignore_index=NOT_SAID, reduction="sum")
    return total / (said.sum().clamp_min(1) * len(truth)) ** 0.5


def age_loss(age: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Against truth in years (B, NaN: not said), shared between the two bins beside it."""
    said = torch.isfinite(truth)
    place = truth.nan_to_num(0).clamp(AGES[0], AGES[-1]) / 5
    low = place.floor().long().clamp_max(len(AGES) - 2)
    part = place - low
    chances = age.log_softmax(1)
    right = torch.gather(chances, 1, torch.stack([low, low + 1], 1))
    entropy = -(right[:, 0] * (1 - part) + right[:, 1] * part)
    error = (years(age) - truth.nan_to_num(0)).abs()
    return ((entropy + 0.1 * error) * said).sum() / said.sum().clamp_min(1)


def group_of(label: torch.Tensor, kinds: int) -> torch.Tensor:
    """Which of the three sets of shapes a heat map uses: things, person, face."""
    return (label - (kinds - 3)).clamp_min(0)


def shapes_at(shapes: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    """M x 12 and groups M -> M x 4."""
    return shapes.view(-1, 3, SHAPES)[torch.arange(len(shapes)), group]


def box_loss(maps: torch.Tensor, marks: Marks, kinds: int) -> torch.Tensor:
    """Heat maps of all kinds, and the shapes where something is."""
    heat = focal_loss(maps[:, :kinds], marks.heat(len(maps), kinds, GRID))
    if len(marks.boxes) == 0:
        return heat
    said = shapes_at(at_cells(maps[:, kinds:], marks), group_of(marks.label, kinds))
    return heat + 2 * F.smooth_l1_loss(said, marks.shapes(GRID), beta=0.2)
