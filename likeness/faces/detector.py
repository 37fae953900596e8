"""The face detector: one heat map of faces at a quarter of the picture's side."""

import torch
from torch import nn
from torch.nn import functional as F

from likeness.faces.blocks import ConvNorm, Residual
from likeness.faces.heatmaps import Marks, at_cells, focal_loss

STRIDE = 4
MULTIPLE = 8  # sides of its input
NEUTRAL = 0.0  # gray, where a picture had to be padded


class Detector(nn.Module):
    """Fully convolutional; 9 maps: face, middle x y, log size, then the two eyes.

    Eyes are told from the middle of the face, in sizes of the face.
    """

    def __init__(self, width: int = 48, deep: int = 72) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNorm(3, width // 2, 2), ConvNorm(width // 2, width, 2), Residual(width, width)
        )
        self.deep = nn.Sequential(Residual(width, deep, 2), Residual(deep, deep))
        self.back = nn.Conv2d(deep, width, 1)
        self.head = nn.Sequential(Residual(width, width), nn.Conv2d(width, 9, 1))
        nn.init.constant_(self.head[1].bias[:1], -4.0)  # type: ignore[index]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x 3 x H x W in -1..1, sides multiples of 8 -> B x 9 x H/4 x W/4."""
        near = self.stem(x)
        far = F.interpolate(self.back(self.deep(near)), scale_factor=2.0, mode="nearest")
        return self.head(F.relu(near + far))


def detector_loss(
    maps: torch.Tensor, marks: Marks, eyes: torch.Tensor, counted: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Loss of ``Detector``'s maps (square pictures).

    ``eyes``: M x 4 fractions of the side; ``counted``: B x 1 x G x G, 0 where a face is too small
    to count as found or as missed.
    """
    grid = maps.shape[-1]
    heat = focal_loss(maps[:, :1], marks.heat(len(maps), 1, grid), counted)
    if len(marks.boxes) == 0:
        return {"loss": heat, "heat": heat, "shape": maps.new_zeros(())}
    said = at_cells(maps[:, 1:], marks)
    middle = (marks.boxes[:, :2] + marks.boxes[:, 2:]) / 2
    size = (marks.boxes[:, 2:] - marks.boxes[:, :2]).clamp_min(1e-3)
    towards = (eyes.view(-1, 2, 2) - middle[:, None]) / size[:, None]
    shape = F.smooth_l1_loss(said[:, :4], marks.shapes(grid), beta=0.2)
    where = F.smooth_l1_loss(said[:, 4:], towards.flatten(1), beta=0.1)
    return {"loss": heat + 2 * shape + 2 * where, "heat": heat, "shape": shape}
