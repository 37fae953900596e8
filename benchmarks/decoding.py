"""How long the slowest picture of each format takes that the default limits let through.

Noise at the best quality: no picture has more in it. With a colour profile and turned by its EXIF;
the JPEG goes over its pixels as often as it may.
"""

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from common import RESULTS
from PIL import Image, ImageCms, ImageFile

from likeness.images.decode import MOST_SCANS, Limits, decode

SIDES = (7000, 4000)  # pixels, together the limit
SCAN = b"\xff\xda"


def pictures() -> Iterator[tuple[str, Image.Image, str, dict[str, Any]]]:
    """What is written: name, picture, format, how."""
    tile = np.random.default_rng(0).integers(0, 256, (500, 1000, 4), dtype=np.uint8)
    pixels = np.tile(tile, (SIDES[1] // 500, SIDES[0] // 1000, 1))
    opaque, clear = Image.fromarray(pixels[..., :3].copy()), Image.fromarray(pixels)
    deep = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    usual = {"icc_profile": colours, "exif": exif}
    whole = usual | {"quality": 100, "subsampling": 0}
    yield "JPEG", opaque, "JPEG", whole
    yield "JPEG, progressive", opaque, "JPEG", whole | {"progressive": True}
    yield "PNG, transparent", clear, "PNG", usual | {"compress_level": 1}
    yield "PNG, 16 bit", deep, "PNG", {"compress_level": 1}
    yield "WebP", clear, "WEBP", usual | {"quality": 60, "method": 0}
    yield "WebP, lossless", clear, "WEBP", usual | {"lossless": True, "quality": 0, "method": 0}
    yield "TIFF, deflate", clear, "TIFF", {"compression": "tiff_deflate", "icc_profile": colours}
    yield "TIFF, LZW", clear, "TIFF", {"compression": "tiff_lzw", "icc_profile": colours}
    yield "BMP", opaque, "BMP", {}
    yield "GIF", opaque.convert("P"), "GIF", {}


def fill_up(file: Path) -> None:
    """Repeat the last scan of a progressive JPEG as often as the limits allow."""
    data = file.read_bytes()
    more = MOST_SCANS - data.count(SCAN)
    file.write_bytes(data[:-2] + data[data.rindex(SCAN) : -2] * max(more, 0) + data[-2:])


def main() -> None:
    """CPU seconds, so that other work on the machine counts little; the faster of two."""
    # its encoder's buffer is too small for noise
    ImageFile.MAXBLOCK = 1 << 28
    with TemporaryDirectory() as name, (RESULTS / "decoding.csv").open("w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["what", "megapixels", "megabytes", "cpu_seconds"])
        for what, picture, kind, how in pictures():
            file = Path(name) / "picture"
            picture.save(file, kind, **how)
            if how.get("progressive"):
                fill_up(file)
            seconds = []
            for _ in range(2):
                began = time.process_time()
                decode(file, Limits())
                seconds.append(time.process_time() - began)
            megapixels, megabytes = SIDES[0] * SIDES[1] / 1e6, file.stat().st_size / 1e6
            row = [what, f"{megapixels:.0f}", f"{megabytes:.0f}", f"{min(seconds):.2f}"]
            rows.writerow(row)
            print(*row, flush=True)


if __name__ == "__main__":
    main()
