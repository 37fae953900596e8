"""Structure distance: do the parts of two pictures relate to each other in the same way?

Tumanyan et al. 2022, *Splicing ViT Features for Semantic Appearance Transfer*, arXiv 2201.00424:
cosines between the keys of all tokens of the last layer of a vision transformer, compared as
a mean squared error. Published with DINO ViT-B/8 at 224 px (``facebook/dino-vitb8``).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.metrics import encoders
from likeness.metrics.encoders import SMALL
from likeness.metrics.features import (
    Features,
    PairDistances,
    Picture,
    exact,
    of_pictures,
    once,
    paired_squared_distances,
)
from likeness.metrics.passports import Passport

if TYPE_CHECKING:
    from torch import nn

# original: pixels of 0..255 are normalised as if they were 0..1, as PIE-Bench's evaluation does
# corrected: pixels as the encoder was trained on
StructureProtocol = Literal["original", "corrected"]
AT_ONCE = 16  # pictures: each is a square of tokens
PAIRS_AT_ONCE = 64  # of DINO ViT-B/8 a picture's square has 1.2 MB


class KeyEncoder:
    """The keys of a vision transformer's last layer, in float32."""

    def __init__(
        self, network: Any, keys: "nn.Module", images: Any, source: str | Path, folder: Path
    ) -> None:
        self.network, self.keys, self.images = network, keys, images
        self.source, self.folder = source, folder

    def self_similarity(
        self, pictures: Sequence[Picture], protocol: StructureProtocol = "corrected"
    ) -> Features:
        """N files or pictures -> N x T (T - 1) / 2 float32: cosines of all pairs of T tokens.

        The class token is one of them. Scaled so that the squared Euclidean distance of two rows is
        the structure distance. A file that cannot be decoded is a row of NaN with a reason.
        """
        rescale = protocol == "corrected"

        def ready(picture: Image.Image) -> np.ndarray:
            said = self.images(images=picture, return_tensors="np", do_rescale=rescale)
            return np.asarray(said["pixel_values"][0], np.float32)

        tokens = (self.network.config.image_size // self.network.config.patch_size) ** 2 + 1
        width = tokens * (tokens - 1) // 2
        return of_pictures(pictures, ready, self._rows, width, "structure", AT_ONCE)

    def pairs(
        self,
        a: Sequence[Picture],
        b: Sequence[Picture],
        protocol: StructureProtocol = "corrected",
    ) -> PairDistances:
        """Structure distance of picture i of ``a`` and picture i of ``b``, for any number."""

        def tokens(pictures: Sequence[Picture]) -> Features:
            return self.self_similarity(pictures, protocol)

        values, reasons = [np.empty(0)], list[str]()
        for start in range(0, len(a), PAIRS_AT_ONCE):
            one, other = (once(tokens, x[start : start + PAIRS_AT_ONCE]) for x in (a, b))
            values.append(structure_distance(one.vectors, other.vectors))
            reasons += [x or y for x, y in zip(one.reason, other.reason, strict=True)]
        return PairDistances(np.concatenate(values), tuple(reasons))

    def passport(self, protocol: StructureProtocol) -> Passport:
        """What the distance was taken with."""
        said = encoders.framing(self.images)
        return encoders.passport("structure", protocol, self.source, self.folder, said)

    def _rows(self, batch: np.ndarray) -> np.ndarray:
        import torch
        from torch.nn import functional as F

        found: list[torch.Tensor] = []
        handle = self.keys.register_forward_hook(lambda _module, _given, out: found.append(out))
        try:
            with exact():
                place = next(self.network.parameters()).device
                self.network(pixel_values=torch.from_numpy(batch).to(place))
                keys = F.normalize(found[0], dim=2)  # B x T x D, all heads side by side
                cosines = keys @ keys.transpose(1, 2)
                tokens = cosines.shape[1]
                upper = torch.triu_indices(tokens, tokens, offset=1, device=place)
                # Each pair stands twice among the T * T cells, and the diagonal never differs.
                return (cosines[:, upper[0], upper[1]] * (math.sqrt(2) / tokens)).cpu().numpy()
        finally:
            handle.remove()


def open_keys(source: str | Path = SMALL, device: str | None = None) -> KeyEncoder:
    """The vision part of a CLIP, or a ViT such as DINO's; ``source`` as in ``open_clip_folder``.

    Raises ``BadInput`` where there is no such model or it is of another kind.
    """
    from transformers import CLIPImageProcessorPil, CLIPModel, ViTImageProcessorPil, ViTModel

    folder = encoders.folder_of(source)
    kind = encoders.config_of(folder).get("model_type")
    if kind == "clip":
        network = encoders.load_network(CLIPModel, folder, device).vision_model
        keys = network.encoder.layers[-1].self_attn.k_proj
        images = encoders.image_processor(CLIPImageProcessorPil, folder)
    elif kind == "vit":
        # the pooler comes after the keys, and some published weights have none
        network = encoders.load_network(ViTModel, folder, device, add_pooling_layer=False)
        keys = network.layers[-1].attention.k_proj
        images = encoders.image_processor(ViTImageProcessorPil, folder)
    else:
        raise BadInput(f"{folder} is a model of type {kind}: structure needs one of clip or vit")
    return KeyEncoder(network, keys, images, source, folder)


def structure_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Picture i of ``a`` and picture i of ``b`` (rows of ``self_similarity``): N float64, 0..4."""
    return paired_squared_distances(a, b)
