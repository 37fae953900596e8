"""Contact sheets lay pictures out; previews keep to their size."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.images.sheets import contact_sheet, save_preview, save_spread, spread

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


@pytest.fixture
def paths(tmp_path):
    for k, colour in enumerate(COLOURS):
        Image.new("RGB", (50, 50), colour).save(tmp_path / f"{k}.png")
    return [tmp_path / f"{k}.png" for k in range(len(COLOURS))]


def test_what_is_spread_begins_with_the_first_and_ends_with_the_last(paths, tmp_path):
    assert [spread(count, 3) for count in (0, 1, 3, 4, 101)] == [
        [],
        [0],
        [0, 1, 2],
        [0, 1, 3],
        [0, 50, 100],
    ]
    save_spread(paths, list("abcde"), 2, tmp_path / "some.png")
    ends = contact_sheet([paths[0], paths[4]], captions=["a", "e"])
    save_preview(ends, tmp_path / "ends.png")
    assert (tmp_path / "some.png").read_bytes() == (tmp_path / "ends.png").read_bytes()


def test_pictures_lie_row_by_row(paths):
    sheet = contact_sheet(paths, columns=2, side=40)
    centres = [(4 + 20 + 44 * (k % 2), 4 + 20 + 44 * (k // 2)) for k in range(5)]
    assert [sheet.getpixel(centre) for centre in centres] == COLOURS
    assert sheet.size == (4 + 2 * 44, 4 + 3 * 44)
    assert sheet.getpixel((4 + 20 + 44, 4 + 20 + 88)) == (255, 255, 255)


def test_a_sheet_is_no_wider_than_its_pictures(paths):
    assert contact_sheet(paths[:3], columns=8, side=40).size == (4 + 3 * 44, 4 + 44)


def test_a_long_picture_is_shrunk_whole_and_not_cut(tmp_path):
    image = Image.new("RGB", (200, 50), "red")
    image.paste("blue", (150, 0, 200, 50))
    image.save(tmp_path / "a.png")
    cell = np.asarray(contact_sheet([tmp_path / "a.png"], side=40).crop((4, 4, 44, 44)))
    assert cell[20, 2].tolist() == [255, 0, 0]
    assert cell[20, 37].tolist() == [0, 0, 255]
    assert cell[2, 20].tolist() == [255, 255, 255]


def test_captions_are_drawn_below_their_own_picture_and_cut_at_its_edge(paths):
    sheet = np.asarray(contact_sheet(paths[:2], side=40, captions=["a very long caption 日本", ""]))
    assert sheet.shape == (4 + 40 + 16 + 4, 4 + 2 * 44, 3)
    assert (sheet[44:60, 4:44] < 128).any()
    assert (sheet[44:60, 44:] == 255).all()


def test_a_file_that_cannot_be_decoded_is_a_gray_cell(paths, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    sheet = contact_sheet([tmp_path / "bad.png", paths[0]], side=40)
    assert sheet.getpixel((40, 40)) == (211, 211, 211)
    assert sheet.getpixel((4 + 44 + 20, 24)) == COLOURS[0]


def test_a_sheet_of_nothing_is_bad_input():
    with pytest.raises(BadInput, match="no picture"):
        contact_sheet([])


def test_a_preview_lowers_the_quality_before_the_size(tmp_path):
    noise = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    )
    full = BytesIO()
    noise.save(full, "JPEG", quality=90)
    sizes = {}
    for limit in (200_000, len(full.getvalue()) // 2, 20_000, 2_000):
        save_preview(noise, tmp_path / "p.jpg", max_bytes=limit)
        assert (tmp_path / "p.jpg").stat().st_size <= limit
        with Image.open(tmp_path / "p.jpg") as preview:
            assert preview.format == "JPEG"
            sizes[limit] = preview.size
    whole, half, small, tiny = sizes.values()
    assert whole == half == (300, 200)
    assert tiny[0] < small[0] < 300
    assert small[0] / small[1] == pytest.approx(1.5, rel=0.05)


def test_a_preview_shows_transparency_as_white(tmp_path):
    save_preview(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), tmp_path / "p.jpg")
    with Image.open(tmp_path / "p.jpg") as preview:
        assert preview.getpixel((5, 5)) == (255, 255, 255)


def test_a_preview_that_fits_nowhere_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="fits into 100 bytes"):
        save_preview(Image.new("RGB", (20, 20)), tmp_path / "p.jpg", max_bytes=100)
    assert not (tmp_path / "p.jpg").exists()
