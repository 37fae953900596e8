"""What is refused before it is decoded, and what the library may not do beside."""

import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from on_disk import FORMATS, noise, pixels, reason, write
from PIL import Image
from pydantic import ValidationError

from likeness.images.decode import MOST_MEGAPIXELS, Limits, decode


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bombs():
    png = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    )
    png += chunk(b"IDAT", zlib.compress(b"\0" * 5_000_000)) + chunk(b"IEND", b"")
    file = BytesIO()
    noise().save(file, "JPEG")
    jpeg = file.getvalue()
    size = jpeg.index(b"\xff\xc0") + 5
    jpeg = jpeg[:size] + struct.pack(">HH", 60000, 60000) + jpeg[size + 4 :]
    gif = b"GIF89a" + struct.pack("<HH", 60000, 60000) + b"\0\0\0"
    gif += b"," + struct.pack("<HHHH", 0, 0, 60000, 60000) + b"\0\x08\x01\0\0;"
    bmp = b"BM" + struct.pack(
        "<IIIIiiHHIIiiII", 99, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0
    )
    return {"PNG": png, "JPEG": jpeg, "GIF": gif, "BMP": bmp}


@pytest.mark.parametrize("format", bombs())
def test_a_bomb_is_refused_by_its_header(tmp_path, format):
    (tmp_path / "a").write_bytes(bombs()[format])
    start = time.perf_counter()
    text = reason(tmp_path / "a", Limits())
    assert time.perf_counter() - start < 0.5
    assert text == (
        "60000 x 60000 pixels, more than 28 megapixels (max_megapixels in the study's limits)"
    )


def test_a_jpeg_that_draws_itself_over_and_over_is_refused_before_it_is_decoded(tmp_path):
    path = write(tmp_path / "a", Image.new("L", (4000, 4000), 128), "JPEG", progressive=True)
    data = path.read_bytes()
    scans = data.count(b"\xff\xda")
    # the last refinement once more, and what a phone writes behind the picture
    path.write_bytes(data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 9 + data[-2:] + data * 99)
    assert decode(path, Limits()).size == (4000, 4000)
    path.write_bytes(data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 5000 + data[-2:])
    assert f"{scans + 5000} scans" in reason(path, Limits(max_megapixels=178))
    start = time.perf_counter()
    assert reason(path, Limits()) == (
        f"{scans + 5000} scans of 4000 x 4000 pixels, more than a picture needs"
    )
    assert time.perf_counter() - start < 1


def test_the_limits_hold_to_the_pixel(tmp_path):
    path = write(tmp_path / "a", noise(size=(100, 80)), "PNG")
    assert pixels(path, Limits(max_megapixels=0.008, min_side=80)).shape == (80, 100, 3)
    assert reason(path, Limits(max_megapixels=0.007999)).startswith("100 x 80 pixels, more than")
    assert reason(path, Limits(min_side=81)) == "100 x 80 pixels, shorter than 81 on a side"


def test_impossible_limits_are_refused():
    for wrong in (
        {"max_megapixels": 0},
        {"max_megapixels": 179},
        {"min_side": 0},
        {"max_megapixel": 3},
    ):
        with pytest.raises(ValidationError):
            Limits(**wrong)


@pytest.mark.parametrize("format", FORMATS)
def test_the_warning_limit_of_the_library_neither_counts_nor_changes(tmp_path, monkeypatch, format):
    path = write(tmp_path / "a", noise(), format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pixels(path).shape == (48, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 2000


def test_the_largest_limit_lies_below_the_ceiling_of_the_library():
    assert MOST_MEGAPIXELS * 1e6 <= 2 * Image.MAX_IMAGE_PIXELS


def test_no_warning_leaks_from_many_threads_and_the_filters_are_put_back(tmp_path):
    data = write(tmp_path / "a", noise(), "TIFF", description="x" * 100).read_bytes()
    # the description now claims to be longer than the file, which Pillow warns about
    entry = data.index(struct.pack("<HHI", 270, 2, 101))
    data = data[: entry + 4] + struct.pack("<I", 10**6) + data[entry + 8 :]
    (tmp_path / "a").write_bytes(data)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with Image.open(tmp_path / "a") as image:
            image.load()
        assert seen, "the file is meant to make Pillow warn"
        seen.clear()
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(pixels, [tmp_path / "a"] * 40))
        assert list(warnings.filters) == before
    assert not seen
    assert (np.array(found) == np.asarray(noise())).all()
