"""Pictures to look at: contact sheets and small previews."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from likeness.errors import BadInput
from likeness.images.decode import MOST_MEGAPIXELS, Limits, Undecodable, decode

CAPTION, TITLE = 16, 200
GAP = 4
QUALITIES = (90, 80, 70, 60, 50)
ANY_SIZE = Limits(max_megapixels=MOST_MEGAPIXELS, min_side=1)


def spread(count: int, most: int) -> list[int]:
    """Places of at most ``most`` of ``count`` things, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)).tolist()


def contact_sheet(
    paths: Sequence[Path],
    columns: int = 8,
    side: int = 128,
    captions: Sequence[str] | None = None,
) -> Image.Image:
    """Pictures in rows of ``columns``, each within ``side`` x ``side`` pixels, captions below.

    A file that cannot be decoded is a gray cell with the reason. Raises ``BadInput`` without paths.
    """
    if not paths:
        raise BadInput("There is no picture for the contact sheet; give at least one.")
    columns = min(columns, len(paths))
    rows = -(-len(paths) // columns)
    height = side + (CAPTION if captions is not None else 0)
    size = (columns * (side + GAP) + GAP, rows * (height + GAP) + GAP)
    sheet = Image.new("RGB", size, "white")
    for k, path in enumerate(paths):
        corner = (GAP + k % columns * (side + GAP), GAP + k // columns * (height + GAP))
        sheet.paste(_cell(path, side), corner)
    for k, caption in enumerate(captions or ()):
        corner = (GAP + k % columns * (side + GAP), GAP + k // columns * (height + GAP) + side)
        sheet.paste(_text(caption, (side, CAPTION), "white"), corner)
    return sheet


def save_spread(paths: Sequence[Path], captions: Sequence[str], most: int, file: Path) -> None:
    """The contact sheet of at most ``most`` pictures, spread evenly over all, as a preview."""
    some = spread(len(paths), most)
    sheet = contact_sheet([paths[k] for k in some], captions=[captions[k] for k in some])
    save_preview(sheet, file)


def labelled_grid(
    rows: Sequence[tuple[str, Sequence[Path | None]]], captions: Sequence[str], side: int
) -> Image.Image:
    """Titled rows of pictures, each within ``side`` x ``side`` pixels, a caption over each column.

    A cell without a picture stays white. Raises ``BadInput`` without a row.
    """
    if not rows:
        raise BadInput("There is no row for the grid; give at least one.")
    step = side + GAP
    grid = Image.new("RGB", (TITLE + len(captions) * step, CAPTION + len(rows) * step), "white")
    for column, caption in enumerate(captions):
        grid.paste(_text(caption, (side, CAPTION), "white"), (TITLE + column * step, 0))
    for row, (title, paths) in enumerate(rows):
        top = CAPTION + row * step
        grid.paste(_text(title, (TITLE - GAP, side), "white"), (0, top))
        for column, path in enumerate(paths):
            if path is not None:
                grid.paste(_cell(path, side), (TITLE + column * step, top))
    return grid


def save_preview(image: Image.Image, path: Path, max_bytes: int = 150_000) -> None:
    """Write a JPEG of at most ``max_bytes``: first the quality is lowered, then the size.

    Transparency shows white. Raises ``BadInput`` when not even one pixel fits.
    """
    picture = image.convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    while True:
        for quality in QUALITIES:
            data = _jpeg(picture, quality)
            if len(data) <= max_bytes:
                path.write_bytes(data)
                return
        if picture.size == (1, 1):
            raise BadInput(f"No JPEG fits into {max_bytes} bytes for {path}; allow some thousand.")
        smaller = (max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4))
        picture = picture.resize(smaller, Image.Resampling.LANCZOS)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def _cell(path: Path, side: int) -> Image.Image:
    try:
        return ImageOps.pad(decode(path, ANY_SIZE), (side, side), color="white")
    except Undecodable as error:
        return _text(error.reason, (side, side), "lightgray")


def _text(text: str, size: tuple[int, int], background: str) -> Image.Image:
    """One line on its own small picture, so that a long one is cut at the edge."""
    box = Image.new("RGB", size, background)
    ImageDraw.Draw(box).text((1, 1), " ".join(text.split()), fill="black")
    return box
