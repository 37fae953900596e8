"""Every picture of a set brought to one size and colour space, so that neither tells a class."""

from typing import Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.images.equalize import flatten_spectrum, recompress


class Preparation(BaseModel):
    """How the pictures of a set are made comparable before anything looks at them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int | None = Field(
        512, ge=16, le=4096, description="side in px of the prepared square; none = native size"
    )
    resize: Literal["stretch", "crop"] = Field(
        "stretch", description="both sides to size, or the centre square of the picture first"
    )
    color: Literal["gray", "color"] = Field(
        "gray", description="one channel of ITU-R 601 luma, or RGB as it is"
    )
    equalize: Literal["none", "spectrum", "recompress"] = Field(
        "none", description="hide how it was photographed: one radial spectrum, or one JPEG history"
    )


def prepare(image: Image.Image, preparation: Preparation) -> Image.Image:
    """RGB picture -> 'L' (gray) or 'RGB' picture of the asked size, antialiased when resized.

    Where nothing has to change, the pixels are the same bit for bit.
    """
    if preparation.color == "gray":
        image = image.convert("L")
    if preparation.resize == "crop":
        image = centre_square(image)
    if preparation.size is not None and image.size != (preparation.size, preparation.size):
        side = (preparation.size, preparation.size)
        # reducing_gap: box-shrink a big scan to 3x the wanted size first; as sharp, far faster
        image = image.resize(side, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if preparation.equalize == "recompress":
        image = recompress(image)
    elif preparation.equalize == "spectrum":
        image = _flattened(image)
    return image


def centre_square(image: Image.Image) -> Image.Image:
    """The largest centred square of the picture, at its own scale."""
    side = min(image.size)
    if image.size == (side, side):
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _flattened(image: Image.Image) -> Image.Image:
    """The spectrum flattened in each channel alone.

    In colour every channel gets the same spectrum and mean, which also removes a colour cast;
    flattening luma only would leave the blur of the capture in the colour differences.
    """
    channels = [
        Image.fromarray(np.rint(flatten_spectrum(np.asarray(band) / 255) * 255).astype(np.uint8))
        for band in image.split()
    ]
    return Image.merge(image.mode, channels)
