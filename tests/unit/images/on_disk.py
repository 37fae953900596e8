"""Picture files, and what decoding says of them."""

import numpy as np
import pytest
from PIL import Image

from likeness.images.decode import Limits, Undecodable, decode

LIMITS = Limits(max_megapixels=1, min_side=8)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")


def write(path, image, format, **options):
    image.save(path, format, **options)
    return path


def pixels(path, limits=LIMITS):
    image = decode(path, limits)
    assert image.mode == "RGB"
    assert image.info == {}
    return np.asarray(image).astype(int)


def reason(path, limits=LIMITS):
    with pytest.raises(Undecodable) as caught:
        decode(path, limits)
    assert caught.value.reason == str(caught.value)
    return caught.value.reason


def noise(seed=0, size=(64, 48)):
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)
