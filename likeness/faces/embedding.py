"""Who a face belongs to, as a direction: a residual network on aligned crops."""

import torch
from torch import nn
from torch.nn import functional as F

from likeness.faces.blocks import ConvNorm, Residual

CROP = 48  # side of a crop
MARGIN = 1.5  # side of what is cropped, in sizes of the face
DIMENSIONS = 64


class Embedding(nn.Module):
    """48 px crops to unit vectors."""

    def __init__(self, widths: tuple[int, int, int] = (32, 72, 112)) -> None:
        super().__init__()
        a, b, c = widths
        self.body = nn.Sequential(
            ConvNorm(3, a, 2),
            Residual(a, a),
            Residual(a, b, 2),
            Residual(b, b),
            Residual(b, c, 2),
            Residual(c, c),
            nn.Conv2d(c, 32, 1),
            nn.Flatten(),
        )
        self.head = nn.Linear(32 * (CROP // 8) ** 2, DIMENSIONS)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """B x 3 x 48 x 48 in -1..1 -> B x 64, of any length."""
        return self.head(self.body(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x 3 x 48 x 48 in -1..1 -> B x 64 float32 of length 1."""
        return F.normalize(self.features(x).float(), dim=1)

    def turn(self, axes: torch.Tensor, middle: torch.Tensor) -> None:
        """From now on ``features`` are ``axes @ (features - middle)``; 64 x 64 and 64."""
        weight, bias = self.head.weight.data.double(), self.head.bias.data.double()
        self.head.weight.data.copy_(axes.double() @ weight)
        self.head.bias.data.copy_(axes.double() @ (bias - middle.double()))


def cosface_loss(
    vectors: torch.Tensor, classes: torch.Tensor, who: torch.Tensor, scale: float, margin: float
) -> torch.Tensor:
    """Cross entropy of ``scale * (cosine - margin at the right class)``.

    ``vectors``: B x D of length 1; ``classes``: C x D of any length; ``who``: B int64. After
    Wang et al., *CosFace*, section 3.2.
    """
    cosine = vectors @ F.normalize(classes.float(), dim=1).T
    right = F.one_hot(who, len(classes))
    return F.cross_entropy(scale * (cosine - margin * right), who)


def crops(x: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """B x 3 x H x W and one face each (B x 4, pixels) -> B x 3 x 48 x 48 around the faces.

    Squares of 1.5 times the larger side of the box, bilinear; beyond the border the border
    repeats.
    """
    height, width = x.shape[2:]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1) * MARGIN / 2
    line = (torch.arange(CROP) + 0.5) / CROP * 2 - 1
    columns = (middle[:, :1] + half[:, None] * line) / width * 2 - 1
    rows = (middle[:, 1:] + half[:, None] * line) / height * 2 - 1
    places = torch.stack(
        [
            columns[:, None, :].expand(-1, CROP, -1),
            rows[:, :, None].expand(-1, -1, CROP),
        ],
        dim=3,
    )
    return F.grid_sample(x, places, padding_mode="border", align_corners=False)
