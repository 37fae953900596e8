"""Wear and tear: judges must read pictures that are soft, noisy or off by a little."""

import torch
from torch.nn import functional as F


def uniform(count: int, low: float, high: float, chance: torch.Generator) -> torch.Tensor:
    """``count`` numbers of low..high."""
    return low + (high - low) * torch.rand(count, generator=chance)


def shift_and_scale(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, mirror: torch.Tensor
) -> torch.Tensor:
    """Enlarge B x 3 x S x S about the middle, then move; the border repeats outside.

    ``scale``: B, above 1 enlarges; ``shift``: B x 2, fractions of the side; ``mirror``: B bool.
    """
    matrix = torch.zeros(len(x), 2, 3)
    matrix[:, 0, 0] = torch.where(mirror, -1.0, 1.0) / scale
    matrix[:, 1, 1] = 1 / scale
    matrix[:, :, 2] = -2 * shift / scale[:, None]
    matrix[:, 0, 2] *= torch.where(mirror, -1.0, 1.0)
    places = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x, places, padding_mode="border", align_corners=False)


def points_after(
    points: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, mirror: torch.Tensor
) -> torch.Tensor:
    """Where points B x K x 2 (fractions of the side) lie after ``shift_and_scale``."""
    centred = points - 0.5
    flipped = torch.stack(
        [torch.where(mirror[:, None], -centred[..., 0], centred[..., 0]), centred[..., 1]], 2
    )
    return flipped * scale[:, None, None] + shift[:, None] + 0.5


def boxes_after(
    boxes: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, mirror: torch.Tensor
) -> torch.Tensor:
    """The same for boxes B x 4, clipped to the picture."""
    corners = points_after(boxes.view(-1, 2, 2), scale, shift, mirror)
    return torch.cat([corners.amin(1), corners.amax(1)], 1).clamp(0, 1)


def worn(x: torch.Tensor, chance: torch.Generator, share: float, tint: float) -> torch.Tensor:
    """Each kind of wear on a ``share`` of B x 3 x S x S (-1..1, S a multiple of 8).

    Blur, loss by a smaller size, coarse 8x8 cosines as of JPEG, noise; colours move by up to
    ``tint`` (of the range -1..1).
    """
    count = len(x)

    def some() -> torch.Tensor:
        return (torch.rand(count, generator=chance) < share)[:, None, None, None]

    soft = _blurred(x)
    strength = uniform(count, 0.3, 1.0, chance)[:, None, None, None]
    x = torch.where(some(), x + strength * (soft - x), x)
    x = torch.where(some(), _through(x, float(uniform(1, 0.5, 0.9, chance))), x)
    x = torch.where(some(), _coarse(x, uniform(count, 0.02, 0.12, chance)), x)
    level = uniform(count, 0.0, 0.08, chance)[:, None, None, None]
    x = torch.where(some(), x + level * torch.randn(x.shape, generator=chance), x)
    gain = 1 + tint * (2 * torch.rand(count, 3, 1, 1, generator=chance) - 1)
    offset = tint * (2 * torch.rand(count, 3, 1, 1, generator=chance) - 1)
    return (x * gain + offset).clamp(-1, 1)


def _blurred(x: torch.Tensor) -> torch.Tensor:
    """By the binomial filter of five, which is a Gaussian of sigma 1 pixel."""
    line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    channels = x.shape[1]
    padded = F.pad(x, (2, 2, 2, 2), mode="replicate")
    across = F.conv2d(padded, line.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(across, line.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)


def _through(x: torch.Tensor, factor: float) -> torch.Tensor:
    size = x.shape[-1]
    small = F.interpolate(x, size=max(8, round(size * factor)), mode="area")
    return F.interpolate(small, size=size, mode="bilinear")


def _coarse(x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Round the cosines of 8x8 blocks to multiples of ``step`` (B), which grow with frequency."""
    n, c, h, w = x.shape
    place = (torch.arange(8) + 0.5) * torch.pi / 8
    basis = torch.cos(torch.arange(8)[:, None] * place) / 2
    basis[0] /= 2**0.5
    blocks = x.reshape(n, c, h // 8, 8, w // 8, 8)
    cosines = torch.einsum("ui,ncaibj,vj->ncaubv", basis, blocks, basis)
    order = torch.arange(8)
    growth = 1.0 + order[:, None, None] + order
    steps = step.view(n, 1, 1, 1, 1, 1) * growth
    kept = (cosines / steps).round() * steps
    return torch.einsum("ui,ncaubv,vj->ncaibj", basis, kept, basis).reshape(n, c, h, w)
