"""2 000 damaged files of all formats through the intake: each one a row, quickly."""

import time
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from likeness.images import image_set, intake
from likeness.images.decode import Limits, decode
from likeness.images.inventory import take_inventory
from likeness.people.ages import read_ages

pytestmark = pytest.mark.slow

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
COUNT, SEED = 2000, 20261122
LONGEST = 2.0  # CPU seconds of one file


def whole_files(rng: np.random.Generator) -> list[bytes]:
    """Pictures of every format in its several modes and packings, with metadata."""
    noise = rng.integers(0, 256, (48, 64, 4), dtype=np.uint8)
    colours = Image.fromarray(noise[..., :3])
    modes = [colours, colours.convert("L"), colours.convert("P"), Image.fromarray(noise)]
    deep = Image.fromarray(rng.integers(0, 65536, (48, 64)).astype(np.uint16))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(0x8769)[0x9003] = "1987:05:31 12:00:00"
    more: dict[str, list[dict]] = {
        "JPEG": [{"progressive": True, "exif": exif}, {"quality": 30}],
        "TIFF": [
            {"compression": name} for name in ("tiff_lzw", "jpeg", "tiff_deflate", "packbits")
        ],
        "WEBP": [{"lossless": True, "exif": exif}],
        "PNG": [{"exif": exif}],
    }
    found = []
    for name in FORMATS:
        for image in [*modes, deep] if name in ("PNG", "TIFF") else modes:
            for options in [{}, *more.get(name, [])]:
                file = BytesIO()
                try:
                    image.save(file, name, **options)
                except (OSError, ValueError, RuntimeError):
                    continue  # a mode that this format or packing does not have
                found.append(file.getvalue())
    return found


def damaged(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One of the ways in which files go wrong."""
    found = bytearray(data)
    place = int(rng.integers(4, len(found)))
    kind = rng.integers(0, 6)
    if kind == 0:
        for where in rng.integers(4, len(found), int(rng.integers(1, 20))):
            found[where] = rng.integers(0, 256)
    elif kind == 1:
        # sizes and counts stand at the beginning
        for where in rng.integers(4, min(120, len(found)), int(rng.integers(1, 6))):
            found[where] = rng.choice([0, 1, 127, 128, 255])
    elif kind == 2:
        del found[place:]
    elif kind == 3:
        length = int(rng.integers(1, 400))
        found[place:place] = found[place : place + length] * int(rng.integers(1, 30))
    elif kind == 4:
        del found[place : place + int(rng.integers(1, 400))]
    else:
        found[place:] = other[place:]
    return bytes(found)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The folder of the damaged files; the same ones every time."""
    folder = tmp_path_factory.mktemp("damaged") / "raw"
    folder.mkdir()
    rng = np.random.default_rng(SEED)
    files = whole_files(rng)
    assert len(files) > 30
    for number in range(COUNT):
        one, other = (files[k] for k in rng.integers(0, len(files), 2))
        (folder / f"{number:04d}.bin").write_bytes(damaged(one, other, rng))
    return folder


def test_every_damaged_file_is_a_row_and_none_takes_long(raw, tmp_path, monkeypatch):
    seconds = {}

    def timed(path, limits):
        # of this thread alone: other work on the machine does not count
        began = time.thread_time()
        try:
            return decode(path, limits)
        finally:
            seconds[path.name] = time.thread_time() - began

    monkeypatch.setattr(intake, "decode", timed)
    listing = take_inventory(raw, ["."]).assign(label_key="0")
    table = intake.take_in(
        raw, listing, Limits(), intake.Duplicates(), lambda image: image, tmp_path
    )
    assert len(table) == COUNT
    counts = table["status"].value_counts()
    assert set(counts.index) == {image_set.ACCEPTED, image_set.REJECTED}
    assert counts.min() > COUNT / 10
    assert table.loc[table["status"] == image_set.REJECTED, "reason"].str.len().gt(5).all()
    slow = {name: spent for name, spent in seconds.items() if spent > LONGEST}
    assert slow == {}


def test_the_date_of_a_damaged_file_is_a_date_or_a_reason(raw):
    files = sorted(path.name for path in raw.iterdir())
    began = time.process_time()
    found = read_ages(raw, files, None)
    assert time.process_time() - began < 30
    assert len(found) == COUNT
    assert found["age"].isna().all()
    assert found["reason"].str.len().gt(5).all()
