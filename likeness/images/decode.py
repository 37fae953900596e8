"""Any picture file -> an upright sRGB picture, or the reason why not."""

import re
import stat
import threading
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pydantic import BaseModel, ConfigDict, Field

# The readers are called directly: ``Image.open`` would decode more formats, and would take the
# several pictures of some phones' JPEG files for a format of their own.
READERS: dict[str, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
}
NAMES = "JPEG, PNG, WebP, TIFF, BMP and GIF"
PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
# bytes that tell the format
PREFIX = 32
# A JPEG may draw itself over and over, one of 1 MB for an hour; progressive ones do so 10 times.
# A smaller picture may do so more often: what counts is how long it takes.
MOST_SCANS = 10
# Pillow has a ceiling of its own at twice its MAX_IMAGE_PIXELS; above it no limit would hold.
MOST_MEGAPIXELS = 178.0
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
HEIC_BRANDS = (b"heic", b"heix", b"mif1", b"msf1")


class Limits(BaseModel):
    """How large and how small a picture may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The slowest file of this size that there can be is decoded in 2 s (benchmarks/decoding.py).
    max_megapixels: float = Field(
        default=28.0,
        gt=0,
        le=MOST_MEGAPIXELS,
        description="larger pictures, in millions of pixels, are refused before they are decoded",
    )
    min_side: int = Field(
        default=32,
        ge=1,
        le=16384,
        description="pictures with a shorter side, in pixels, are refused",
    )


class Undecodable(Exception):
    """This file gives no picture; ``reason`` says why, for the ``reason`` column of its row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Hush:
    """Silences Pillow's warnings while any thread is inside.

    The filters of ``warnings`` belong to the process, so only the first thread to enter changes
    them and only the last one to leave puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


hush = _Hush()


def made_pixels(file: Path) -> np.ndarray:
    """H x W x 3 uint8 of a picture that was written here, so that nothing of it is checked."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def decode(path: Path, limits: Limits) -> Image.Image:
    """The picture in ``path``: mode RGB, sRGB, upright, transparency on white, without metadata.

    The format is told by content: JPEG, PNG, WebP, TIFF, BMP, GIF (first frame). Deep pictures are
    scaled to 8 bit. Raises ``Undecodable`` for anything else, damaged, too large or too small.
    """
    try:
        # opening a pipe would wait for ever
        if not stat.S_ISREG(path.stat().st_mode):
            raise Undecodable("not a regular file")
        with path.open("rb") as file, hush:
            return _decode(file, limits)
    except OSError as error:
        raise Undecodable(f"cannot be read: {error.strerror}") from error


def _decode(file: BinaryIO, limits: Limits) -> Image.Image:
    name = _format(file.read(PREFIX).ljust(PREFIX, b"\0"))
    file.seek(0)
    try:
        return _read(READERS[name](file), limits)
    except (Undecodable, MemoryError):
        raise
    # damaged bytes make the readers fail with nearly every kind of error there is
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise Undecodable(f"damaged or unsupported {name}: {said[:200]}") from error


def _format(prefix: bytes) -> str:
    """The name of the format that begins with ``prefix``, if it is one of ours."""
    Image.init()
    # some readers accept a file with a text (a remark), which is no yes
    accepting = [
        name for name, (_, accept) in Image.OPEN.items() if accept and accept(prefix) is True
    ]
    for name in accepting:
        if name in READERS:
            return name
    if prefix[4:8] == b"ftyp" and prefix[8:12] in HEIC_BRANDS:
        accepting = ["HEIC"]
    if accepting:
        raise Undecodable(f"format {accepting[0]} is not read, only {NAMES}")
    raise Undecodable(f"not a picture: none of {NAMES}")


def _check_scans(image: JpegImageFile, limits: Limits) -> None:
    """Refuse a JPEG whose decoding would take much longer than its size lets expect."""
    width, height = image.size
    file = image.fp
    assert file is not None
    place = file.tell()
    file.seek(0)
    scans = _scans(file.read())
    file.seek(place)
    if scans * width * height > MOST_SCANS * limits.max_megapixels * 1e6:
        raise Undecodable(f"{scans} scans of {width} x {height} pixels, more than a picture needs")


def _scans(jpeg: bytes) -> int:
    """How many times a JPEG goes over its pixels; what follows its end does not count."""
    scans, place = 0, 2
    while found := MARKER.search(jpeg, place):
        place = found.start()
        if jpeg[place + 1] == END_OF_IMAGE:
            break
        scans += jpeg[place + 1] == START_OF_SCAN
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return scans


def _read(image: ImageFile, limits: Limits) -> Image.Image:
    """Pixels of an opened file, whose size is known but which is not yet decoded."""
    width, height = image.size
    if width * height > limits.max_megapixels * 1e6:
        raise Undecodable(
            f"{width} x {height} pixels, more than {limits.max_megapixels:g} megapixels "
            "(max_megapixels in the study's limits)"
        )
    if min(width, height) < limits.min_side:
        raise Undecodable(f"{width} x {height} pixels, shorter than {limits.min_side} on a side")
    if isinstance(image, JpegImageFile):
        _check_scans(image, limits)
    # a TIFF forgets its tags in turning upright, so ask before
    inverted = (
        isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
    )
    image.load()
    # in place, since it turns first and rewrites the metadata after: damaged EXIF cannot undo it
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    rgb = _on_white(image, inverted)
    rgb.info = {}
    return rgb


def _on_white(image: Image.Image, inverted: bool) -> Image.Image:
    """RGB in sRGB; what is transparent shows white."""
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _to_srgb(_eight_bit(image, inverted), profile)
    if not image.has_transparency_data:
        return _to_srgb(image, profile)
    # a gray profile wants gray pixels, so gray stays gray
    gray = image.mode in ("1", "L", "LA", "La")
    colours = image.convert("RGBA")
    alpha = colours.getchannel("A")
    colours = colours.convert("L" if gray else "RGB")
    white = Image.new("RGB", image.size, "white")
    white.paste(_to_srgb(colours, profile), mask=alpha)
    return white


def _eight_bit(image: Image.Image, inverted: bool) -> Image.Image:
    """One deep channel -> L, its whole range kept: 0 ... white, where white is guessed by mode."""
    values = np.asarray(image).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise Undecodable("has pixels that are no finite numbers")
    # the file does not say what white is: take the smallest usual one that clips nothing
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    white = next((level for level in usual if high <= level), high)
    black = min(low, 0.0)
    levels = (values - black) * (255.0 / (white - black))
    return Image.fromarray(np.rint(255.0 - levels if inverted else levels).astype(np.uint8))


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Opaque picture -> RGB through its colour profile, unless that is broken or foreign."""
    if icc:
        with suppress(Exception):
            profile = ImageCms.ImageCmsProfile(BytesIO(icc))
            return _convert(image, profile, PROFILE_MODES[profile.profile.xcolor_space])
    if image.mode == "LAB":
        return _convert(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")
    return image.convert("RGB")


def _convert(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    # gray, palette and YCbCr pictures often carry an RGB profile; no other mixture makes sense
    if mode == "RGB" and image.mode in ("1", "L", "P", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    if image.mode == "1" and mode == "L":
        image = image.convert("L")
    # made anew each time: a profile must not be shared between threads
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("conversion in place")
    return converted
