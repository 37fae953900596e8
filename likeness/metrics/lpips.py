"""LPIPS: perceptual distance by the features of a recognition network (Zhang et al. 2018).

*The Unreasonable Effectiveness of Deep Features as a Perceptual Metric*, arXiv 1801.03924, eq. 1.
The distance of two pictures is the squared Euclidean distance of two long vectors, one a picture:
features of unit length over channels, times the roots of the learned weights, over the root of the
number of places. So a picture passes the network once, and a matrix is one product.

A folder of weights holds ``config.json`` with ``{"backbone": "alex"}``, ``"vgg"`` or ``"squeeze"``
and ``model.safetensors``, float32, with the names of the two published files that it is made of:
``features.N...weight`` and ``bias`` of torchvision's ``alexnet``, ``vgg16`` or ``squeezenet1_1``
(``IMAGENET1K_V1``), and ``lin0.model.1.weight`` ... ``lin4.model.1.weight`` (1 x C x 1 x 1;
``squeeze``: ``lin6``) of the LPIPS authors' heads, version 0.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from likeness.devices import best_device
from likeness.errors import BadInput
from likeness.images.decode import Undecodable
from likeness.metrics.encoders import config_of, revision_of
from likeness.metrics.features import (
    Features,
    PairDistances,
    Picture,
    exact,
    of_pictures,
    once,
    paired_squared_distances,
    squared_distances,
)
from likeness.metrics.passports import Passport, versions

if TYPE_CHECKING:
    import torch
    from torch import nn

WEIGHTS = "model.safetensors"
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
EPSILON = 1e-10
SMALLEST = 64  # side in px: below it the last layers see a place or two
BYTES = 2 << 30  # of features in memory at a time
Convolution = tuple[int, int, int, int, int]  # channels in and out, kernel, stride, padding
Pool = tuple[int, int]  # kernel, stride
# Channels in, of a 1 x 1, and of each of the two, 1 x 1 and 3 x 3, side by side behind it.
Fire = tuple[int, int, int]
Layer = Convolution | Fire | Pool | None  # None: a ReLU


@dataclass(frozen=True)
class Backbone:
    """Layers at their published indices, a ReLU after each convolution, and where it is read."""

    layers: tuple[Layer, ...]
    read_at: tuple[int, ...]
    widths: tuple[int, ...]
    ceil: bool = False  # of pools: a last place that lies half outside counts


def _vgg() -> tuple[Layer, ...]:
    layers: list[Layer] = []
    before = 3
    for block, (width, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        layers += [(2, 2)] if block else []
        for _ in range(count):
            layers += [(before, width, 3, 1, 1), None]
            before = width
    return tuple(layers)


BACKBONES = {
    "alex": Backbone(
        (
            (3, 64, 11, 4, 2),
            None,
            (3, 2),
            (64, 192, 5, 1, 2),
            None,
            (3, 2),
            (192, 384, 3, 1, 1),
            None,
            (384, 256, 3, 1, 1),
            None,
            (256, 256, 3, 1, 1),
            None,
        ),
        (1, 4, 7, 9, 11),
        (64, 192, 384, 256, 256),
    ),
    "vgg": Backbone(_vgg(), (3, 8, 15, 22, 29), (64, 128, 256, 512, 512)),
    "squeeze": Backbone(
        (
            (3, 64, 3, 2, 0),
            None,
            (3, 2),
            (64, 16, 64),
            (128, 16, 64),
            (3, 2),
            (128, 32, 128),
            (256, 32, 128),
            (3, 2),
            (256, 48, 192),
            (384, 48, 192),
            (384, 64, 256),
            (512, 64, 256),
        ),
        (1, 4, 7, 9, 10, 11, 12),
        (64, 128, 256, 384, 384, 512, 512),
        ceil=True,
    ),
}


class Lpips:
    """A backbone with its heads, in float32."""

    def __init__(
        self,
        features: "nn.Sequential",
        heads: "Sequence[torch.Tensor]",
        backbone: str,
        revision: str,
    ) -> None:
        self.features, self.heads = features, heads
        self.backbone, self.revision = backbone, revision

    def embed(self, pictures: Sequence[Picture], side: int) -> Features:
        """N pictures at side x side px -> N x D float32; squared distances of rows are LPIPS.

        A picture smaller than ``side`` is rejected with a reason, never enlarged. D grows with the
        area: 0.6 million numbers a picture for ``alex`` at 256 px, 8 million for ``vgg``.
        """
        if side < SMALLEST:
            raise BadInput(
                f"LPIPS needs pictures of at least {SMALLEST} px, not {side}: compare larger"
            )
        at_once = max(1, min(32, self._room(side) // 4))
        width = vector_length(self.backbone, side)
        what = f"LPIPS ({self.backbone})"
        return of_pictures(pictures, _Ready(side), self._rows, width, what, at_once)

    def pairs(self, a: Sequence[Picture], b: Sequence[Picture], side: int) -> PairDistances:
        """Picture i of ``a`` against picture i of ``b``, for any number of pictures.

        Distances, 0 and above; NaN with a reason for a picture that cannot be read or is too small.
        """
        if len(a) != len(b):
            raise BadInput(f"{len(a)} and {len(b)} pictures are no pairs: give as many of each")
        values, reasons = [np.empty(0)], list[str]()
        room = max(1, self._room(side) // 2)
        for start in range(0, len(a), room):
            one, other = (
                once(lambda x: self.embed(x, side), x[start : start + room]) for x in (a, b)
            )
            values.append(paired_squared_distances(one.vectors, other.vectors))
            reasons += [x or y for x, y in zip(one.reason, other.reason, strict=True)]
        return PairDistances(np.concatenate(values), tuple(reasons))

    def matrix(self, pictures: Sequence[Picture], side: int) -> np.ndarray:
        """Symmetric N x N float64: one product, or few where the features exceed the memory."""
        room = max(1, self._room(side) // 2)
        found = np.full((len(pictures), len(pictures)), np.nan)
        blocks = [slice(i, i + room) for i in range(0, len(pictures), room)]
        for number, rows in enumerate(blocks):
            mine = self.embed(pictures[rows], side).vectors
            found[rows, rows] = squared_distances(mine, mine)
            for columns in blocks[number + 1 :]:
                theirs = self.embed(pictures[columns], side).vectors
                found[rows, columns] = squared_distances(mine, theirs)
                found[columns, rows] = found[rows, columns].T
        # of a picture and itself exactly, where the product leaves a rounding
        there = ~np.isnan(np.diag(found))
        found[there, there] = 0.0
        return found

    def passport(self, side: int) -> Passport:
        """What the distance at this side was taken with."""
        return Passport(
            metric="lpips",
            protocol="0.1",
            model=self.backbone,
            revision=self.revision,
            preprocessing=f"bicubic to {side} x {side}, never enlarged, float32",
            libraries=versions("torch", "pillow", "numpy"),
        )

    def _rows(self, batch: np.ndarray) -> np.ndarray:
        import torch

        with exact():
            x = torch.from_numpy(batch).to(self.heads[0].device)
            return torch.cat(list(self._layers(x)), dim=1).cpu().numpy()

    def _layers(self, x: "torch.Tensor") -> "Iterator[torch.Tensor]":
        """B x 3 x H x W in -1..1 -> the part of the vector that each layer gives, B x (C H W)."""
        shift, scale = (x.new_tensor(v)[:, None, None] for v in (SHIFT, SCALE))
        x = (x - shift) / scale
        read = dict(zip(BACKBONES[self.backbone].read_at, self.heads, strict=True))
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in read:
                length = x.square().sum(dim=1, keepdim=True).sqrt() + EPSILON
                root = (read[number] / (x.shape[2] * x.shape[3])).sqrt()
                yield (x / length * root[:, None, None]).flatten(1)

    def _room(self, side: int) -> int:
        """Pictures whose features fit into the memory they are granted."""
        return max(1, BYTES // (4 * vector_length(self.backbone, side)))


def vector_length(backbone: str, side: int) -> int:
    """How many numbers a picture of side x side px becomes."""
    spec = BACKBONES[backbone]
    size, channels, total = side, 3, 0
    for number, layer in enumerate(spec.layers):
        if layer is not None and len(layer) == 3:
            channels = 2 * layer[2]
        elif layer is not None:
            kernel, stride, padding = layer[2:] if len(layer) == 5 else (*layer, 0)
            over = stride - 1 if spec.ceil and len(layer) == 2 else 0
            size = (size + 2 * padding - kernel + over) // stride + 1
            channels = layer[1] if len(layer) == 5 else channels
        if number in spec.read_at:
            total += channels * size * size
    return total


def open_lpips(folder: Path, device: str | None = None) -> Lpips:
    """The measure from a folder of weights (see above), on the GPU if there is one.

    Raises ``BadInput`` naming what is missing or does not fit.
    """
    from safetensors.torch import load_file

    file = folder / WEIGHTS
    if not file.is_file():
        raise BadInput(
            f"{file} is missing: LPIPS needs weights, see the docstring of likeness.metrics.lpips"
        )
    backbone = str(config_of(folder).get("backbone"))
    if backbone not in BACKBONES:
        raise BadInput(
            f"{folder}/config.json: backbone must be alex, vgg or squeeze, not {backbone}"
        )
    tensors = load_file(file)
    network = _network(backbone)
    wanted = {f"features.{name}": value.shape for name, value in network.state_dict().items()}
    names = [f"lin{number}.model.1.weight" for number in range(len(BACKBONES[backbone].widths))]
    heads = dict(zip(names, BACKBONES[backbone].widths, strict=True))
    wanted |= {name: (1, width, 1, 1) for name, width in heads.items()}
    for name, shape in wanted.items():
        if name not in tensors or tuple(tensors[name].shape) != tuple(shape):
            raise BadInput(f"{file} needs {name} of shape {tuple(shape)}: restore the file")
    for name in names:
        if not bool((tensors[name] >= 0).all()):
            raise BadInput(f"{file}: {name} has negative weights, LPIPS has none: restore the file")
    own = {name: tensors[f"features.{name}"].float() for name in network.state_dict()}
    network.load_state_dict(own)
    network.requires_grad_(False).eval().to(device or best_device())
    place = next(network.parameters()).device
    return Lpips(
        network,
        [tensors[name].float().flatten().to(place) for name in names],
        backbone,
        revision_of(folder),
    )


@dataclass(frozen=True)
class _Ready:
    side: int

    def __call__(self, picture: Image.Image) -> np.ndarray:
        """3 x side x side float32 in -1..1."""
        if min(picture.size) < self.side:
            raise Undecodable(
                f"{picture.width} x {picture.height} px would be enlarged to {self.side} px"
            )
        size = (self.side, self.side)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        return np.asarray(picture, np.float32).transpose(2, 0, 1) / 127.5 - 1.0


def _network(backbone: str) -> "nn.Sequential":
    """The layers of a backbone, untrained."""
    from torch import nn

    made: list[nn.Module] = []
    spec = BACKBONES[backbone]
    for layer in spec.layers:
        if layer is None:
            made.append(nn.ReLU())
        elif len(layer) == 2:
            made.append(nn.MaxPool2d(*layer, ceil_mode=spec.ceil))
        elif len(layer) == 3:
            made.append(_fire(*layer))
        else:
            made.append(nn.Conv2d(*layer))
    return nn.Sequential(*made)


def _fire(before: int, squeezed: int, each: int) -> "nn.Module":
    """A fire module of SqueezeNet (Iandola et al. 2016, arXiv 1602.07360); names as published."""
    import torch
    from torch import nn

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squeeze = nn.Conv2d(before, squeezed, 1)
            self.expand1x1 = nn.Conv2d(squeezed, each, 1)
            self.expand3x3 = nn.Conv2d(squeezed, each, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()

    return Module()
