"""Every kind of picture file comes out upright, in sRGB and 8 bit, or with a reason."""

import os
import struct

import numpy as np
import pytest
import tifffile
from on_disk import FORMATS, LIMITS, noise, pixels, reason, write
from PIL import ExifTags, Image

from likeness.images.decode import Undecodable, decode


def red_corner():
    """24 x 16, black, with a red block in the upper left."""
    image = Image.new("RGB", (24, 16))
    image.paste("red", (0, 0, 8, 8))
    return image


def encode_srgb(linear):
    """IEC 61966-2-1."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def profile(space, tags, pcs=b"XYZ "):
    """A small ICC version 2 profile, written by hand."""
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    white = struct.pack(">iii", 63190, 65536, 54061)
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(table + body), b"test", 0x02400000, b"prtr", space, pcs
    )
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + white
    return header.ljust(128, b"\0") + table + body


def xyz(*values):
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(65536 * value) for value in values))


LINEAR = b"curv\0\0\0\0" + struct.pack(">I", 0)
WHITE = {b"wtpt": xyz(0.9642, 1.0, 0.8249)}
# the primaries of sRGB adapted to D50, but with gamma 1
LINEAR_RGB = profile(
    b"RGB ",
    {
        **WHITE,
        b"rXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        **{name: LINEAR for name in (b"rTRC", b"gTRC", b"bTRC")},
    },
)
LINEAR_GRAY = profile(b"GRAY", {**WHITE, b"kTRC": LINEAR})


def middle_gray_cmyk():
    """A CMYK profile: paper is L* = 100, full black ink L* = 0, every other ink L* = 50."""
    identity = struct.pack(">HH", 0, 65535)
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    # the version 2 encoding: L* 0 ... 100 is 0 ... 0xFF00, a* = b* = 0 is 0x8000
    lightness = [0xFF00, 0] + [0x7F80, 0] * 7
    grid = b"".join(struct.pack(">3H", level, 0x8000, 0x8000) for level in lightness)
    lut = b"mft2\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + struct.pack(">HH", 2, 2)
    return profile(b"CMYK", {**WHITE, b"A2B0": lut + identity * 4 + grid + identity * 3}, b"Lab ")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_told_by_content_whatever_the_name_says(tmp_path, format):
    path = write(tmp_path / "picture.txt", Image.new("RGB", (24, 16), (200, 100, 50)), format)
    assert pixels(path).shape == (16, 24, 3)
    assert abs(pixels(path) - (200, 100, 50)).max() <= 4


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [
        (1, (24, 16), (0, 0)),
        (2, (24, 16), (23, 0)),
        (3, (24, 16), (23, 15)),
        (4, (24, 16), (0, 15)),
        (5, (16, 24), (0, 0)),
        (6, (16, 24), (15, 0)),
        (7, (16, 24), (15, 23)),
        (8, (16, 24), (0, 23)),
    ],
)
def test_the_first_stored_pixel_lands_where_exif_says(tmp_path, format, orientation, size, corner):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = decode(write(tmp_path / "a", red_corner(), format, exif=exif), LIMITS)
    assert image.size == size
    red, green, _ = image.getpixel(corner)
    assert red > 200
    assert green < 60
    opposite = (size[0] - 1 - corner[0], size[1] - 1 - corner[1])
    assert max(image.getpixel(opposite)) < 60


def test_damaged_exif_leaves_the_picture_as_it_is_stored(tmp_path):
    path = write(tmp_path / "a", red_corner(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")
    assert pixels(path)[2, 2, 0] > 200


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_16_bit_ramp_is_scaled_and_not_clipped(tmp_path, format):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    found = pixels(write(tmp_path / "a", Image.fromarray(ramp), format))
    assert (found[..., 0] == np.floor(ramp / 257 + 0.5)).all()


def test_a_16_bit_tiff_whose_zero_is_white_is_inverted(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    tifffile.imwrite(tmp_path / "a", ramp, photometric="miniswhite")
    assert (pixels(tmp_path / "a")[..., 1].ravel() == np.arange(255, -1, -1)).all()


@pytest.mark.parametrize("big_endian", [False, True])
def test_signed_and_long_integers_keep_their_order_and_range(tmp_path, big_endian):
    values = np.linspace(0, 2**31 - 1, 256).astype(np.int32).reshape(16, 16)
    tifffile.imwrite(tmp_path / "a", values, byteorder=">" if big_endian else "<")
    assert (pixels(tmp_path / "a")[..., 0].ravel() == np.arange(256)).all()


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0, 1e6])
def test_float_tiff_maps_black_to_0_and_white_to_255(tmp_path, white):
    values = np.linspace(0, white, 256, dtype=np.float32).reshape(16, 16)
    tifffile.imwrite(tmp_path / "a", values)
    assert (pixels(tmp_path / "a")[..., 2].ravel() == np.arange(256)).all()


def test_a_dark_float_picture_is_not_stretched(tmp_path):
    tifffile.imwrite(tmp_path / "a", np.full((16, 16), 0.2, np.float32))
    assert (pixels(tmp_path / "a") == 51).all()


def test_a_float_picture_with_nan_is_rejected(tmp_path):
    values = np.zeros((16, 16), np.float32)
    values[3, 3] = np.nan
    tifffile.imwrite(tmp_path / "a", values)
    assert reason(tmp_path / "a") == "has pixels that are no finite numbers"


def test_one_bit_is_black_and_white(tmp_path):
    image = Image.fromarray(np.eye(16, dtype=bool))
    assert (pixels(write(tmp_path / "a", image, "PNG"))[..., 0] == 255 * np.eye(16)).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_composited_on_white(tmp_path, mode):
    colour = (100, 51) if mode == "LA" else (100, 100, 100, 51)
    # 0.2 of 100 over 0.8 of 255
    assert (pixels(write(tmp_path / "a", Image.new(mode, (16, 16), colour), "PNG")) == 224).all()


def test_palette_transparency_shows_white_also_where_it_is_partial(tmp_path):
    image = Image.new("P", (16, 16))
    image.putpalette([0, 0, 200, 100, 100, 100, 9, 9, 9])
    image.paste(1, (0, 0, 16, 4))
    image.paste(2, (0, 4, 16, 8))
    found = pixels(write(tmp_path / "a", image, "PNG", transparency=bytes([255, 51, 0])))
    assert found[[12, 2, 6], 3].tolist() == [[0, 0, 200], [224, 224, 224], [255, 255, 255]]


def test_a_colour_declared_transparent_shows_white(tmp_path):
    path = write(tmp_path / "a", red_corner(), "PNG", transparency=(255, 0, 0))
    assert pixels(path)[2, 2].tolist() == [255, 255, 255]
    assert pixels(path)[12, 12].tolist() == [0, 0, 0]


def test_an_animation_gives_its_first_frame(tmp_path):
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    for format in ("GIF", "WEBP", "PNG", "TIFF", "MPO"):
        path = write(tmp_path / format, first, format, save_all=True, append_images=[second])
        assert abs(pixels(path)[8, 8] - (255, 0, 0)).max() <= 4


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_gives_the_colour_of_its_inks(tmp_path, format):
    path = write(tmp_path / "a", Image.new("CMYK", (16, 16), (255, 0, 0, 51)), format)
    # photo editors store CMYK JPEG inverted and say so with an Adobe marker
    assert (b"Adobe" in path.read_bytes()) == (format == "JPEG")
    assert abs(pixels(path) - (0, 204, 204)).max() <= 4


def test_lab_tiff_gives_its_colour(tmp_path):
    image = Image.new("LAB", (16, 16), (128, 128, 128))
    # L* = 50.2 without colour is a luminance of 0.186
    assert abs(pixels(write(tmp_path / "a", image, "TIFF")) - 119).max() <= 2


def test_a_linear_rgb_profile_brightens_to_the_srgb_curve(tmp_path):
    for level in (10, 55, 128, 200):
        image = Image.new("RGB", (16, 16), (level,) * 3)
        found = pixels(write(tmp_path / "a", image, "PNG", icc_profile=LINEAR_RGB))
        assert abs(found - 255 * encode_srgb(level / 255)).max() <= 1.5


@pytest.mark.parametrize(
    ("mode", "icc"), [("L", LINEAR_GRAY), ("L", LINEAR_RGB), ("P", LINEAR_RGB), ("LA", LINEAR_GRAY)]
)
def test_gray_and_palette_pictures_go_through_their_profile_too(tmp_path, mode, icc):
    image = Image.new("L", (16, 16), 55).convert(mode)
    found = pixels(write(tmp_path / "a", image, "PNG", icc_profile=icc))
    assert abs(found - 255 * encode_srgb(55 / 255)).max() <= 1.5


def test_a_cmyk_profile_decides_about_the_inks(tmp_path):
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    found = pixels(write(tmp_path / "a", image, "JPEG", icc_profile=middle_gray_cmyk()))
    assert abs(found - 119).max() <= 2


@pytest.mark.parametrize("icc", [b"broken", LINEAR_RGB[:200], LINEAR_GRAY, middle_gray_cmyk()])
def test_a_broken_or_foreign_profile_is_ignored(tmp_path, icc):
    image = Image.new("RGB", (16, 16), (10, 55, 128))
    assert (pixels(write(tmp_path / "a", image, "PNG", icc_profile=icc)) == (10, 55, 128)).all()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_rejected_by_the_name_of_its_format(tmp_path, format, share):
    data = write(tmp_path / "whole", noise(), format).read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
    assert reason(tmp_path / "cut").startswith(f"damaged or unsupported {format}: ")


def test_reasons_do_not_change_from_run_to_run(tmp_path):
    for format in FORMATS:
        data = write(tmp_path / format, noise(), format).read_bytes()
        (tmp_path / format).write_bytes(data[:60])
    said = [[reason(tmp_path / format) for format in FORMATS] for _ in range(2)]
    assert said[0] == said[1]
    assert not any("0x" in text for text in said[0])


@pytest.mark.parametrize("format", FORMATS)
def test_random_damage_gives_a_picture_or_a_reason_and_nothing_else(tmp_path, format):
    data = bytearray(write(tmp_path / "whole", noise(size=(32, 32)), format).read_bytes())
    rng = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(data)
        for place in rng.integers(4, len(data), 8):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / "a").write_bytes(damaged)
        try:
            outcome = decode(tmp_path / "a", LIMITS).mode
        except Undecodable as error:
            outcome = error.reason
        assert outcome


def test_what_is_no_picture_says_so(tmp_path):
    for name, data in {
        "text": b"hello, I am a text\n" * 9,
        "empty": b"",
        "zero": b"\0" * 99,
    }.items():
        (tmp_path / name).write_bytes(data)
        assert reason(tmp_path / name).startswith("not a picture: none of JPEG, PNG")


def test_other_formats_are_named(tmp_path):
    assert reason(write(tmp_path / "a", noise(), "PPM")).startswith("format PPM is not read")
    (tmp_path / "b.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 50)
    assert reason(tmp_path / "b.jpg").startswith("format HEIC is not read")


def test_missing_files_folders_and_pipes_are_reasons(tmp_path):
    assert reason(tmp_path / "no") == "cannot be read: No such file or directory"
    assert reason(tmp_path) == "not a regular file"
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "not a regular file"
