"""What the small networks are made of, and how their weights are kept."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from likeness.errors import BadInput

WEIGHTS = "model.safetensors"


class ConvNorm(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inner, outer, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the second starts as nothing."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.first = ConvNorm(inner, outer, stride)
        self.second = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(outer)
        nn.init.zeros_(self.norm.weight)
        self.short: nn.Module = nn.Identity()
        if stride != 1 or inner != outer:
            pool = nn.AvgPool2d(stride) if stride != 1 else nn.Identity()
            self.short = nn.Sequential(pool, nn.Conv2d(inner, outer, 1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B x inner x H x W -> B x outer x H/stride x W/stride."""
        return F.relu(self.short(x) + self.norm(self.second(self.first(x))))


def as_input(pictures: np.ndarray) -> torch.Tensor:
    """N x H x W x 3 uint8 -> N x 3 x H x W float32 in -1..1, channels last in memory."""
    pixels = torch.from_numpy(np.require(pictures, requirements=["C", "W"])).permute(0, 3, 1, 2)
    return pixels.float().div_(127.5).sub_(1)


def resized(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """N x 3 x H x W at another size; smaller by averaging areas, larger bilinear."""
    if x.shape[2:] == (height, width):
        return x
    if height <= x.shape[2] and width <= x.shape[3]:
        return F.interpolate(x, (height, width), mode="area")
    return F.interpolate(x, (height, width), mode="bilinear", antialias=True)


def checked(pictures: np.ndarray) -> np.ndarray:
    """The pictures, if they are N x H x W x 3 uint8; else ``BadInput``."""
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise BadInput(
            f"pictures must be N x height x width x 3 of uint8, not {pictures.shape} of "
            f"{pictures.dtype}: convert them to RGB first"
        )
    return pictures


def measure_statistics(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Set the batch norms' statistics to those of ``batches`` under the final weights.

    Running averages kept while training would belong to older weights, and would be lost when a
    killed training resumes.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    network.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    network.eval()


def save_weights(folder: Path, parts: dict[str, nn.Module], config: dict[str, Any]) -> None:
    """``model.safetensors`` and ``config.json``: matrices float16, vectors (norms) float32."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{part}.{name}": value.half().contiguous() if value.ndim > 1 else value.contiguous()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }
    save_file(tensors, folder / WEIGHTS)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a small model, its files' checksums verified first."""
    from likeness.models.checksums import verify

    if not (folder / WEIGHTS).exists():
        raise BadInput(f"there is no small model in {folder}: run make world, or name its folder")
    verify(folder)
    return dict(json.loads((folder / "config.json").read_text()))


def load_weights(folder: Path, parts: dict[str, nn.Module]) -> None:
    """Fill networks from ``model.safetensors`` as float32, ready to be used."""
    from safetensors.torch import load_file

    tensors = load_file(folder / WEIGHTS)
    for part, network in parts.items():
        own = {
            name.removeprefix(f"{part}."): value.float() if value.is_floating_point() else value
            for name, value in tensors.items()
            if name.startswith(f"{part}.")
        }
        network.load_state_dict(own)
        network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
