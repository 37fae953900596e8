"""Edits to look at: sources before their edits, and where each word was looked at."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from likeness.edit.maps import WordMaps, save_word_maps
from likeness.edit.studio import Done
from likeness.edit.table import EDIT, SOURCE
from likeness.edit.wanted import Wanted
from likeness.images.sheets import contact_sheet, save_preview

PREVIEW, MAPS, MAPS_PREVIEW, STRIPS = "preview.jpg", "maps", "maps.jpg", "strips"
SHEET_SOURCES, SHEET_COLUMNS, SHEET_SIDE = 24, 8, 128


def keep_maps(made: Done, batch: Sequence[Wanted], scratch: Path) -> None:
    """Write where each word of one source and of these edits of it was looked at."""
    if made.sources is None:
        raise ValueError("maps are of an editor that sees its sources")
    found: list[tuple[str, WordMaps, np.ndarray]] = [
        (SOURCE, made.source_maps[0], made.sources[0]),
        *zip(map(_name, batch), made.edited_maps, made.made[0], strict=True),
    ]
    (scratch / STRIPS).mkdir(exist_ok=True)
    for name, maps, picture in found:
        strip = save_word_maps(maps, picture, scratch / MAPS / name)
        strip.save(scratch / STRIPS / f"{name}.png")


def draw_maps(pairs: Sequence[Wanted], scratch: Path) -> None:
    """Write a sheet of what was kept: the source, and below it its edits."""
    names = [SOURCE, *map(_name, pairs)]
    strips = [Image.open(scratch / STRIPS / f"{name}.png") for name in names]
    width, height = max(one.width for one in strips), sum(one.height for one in strips)
    whole = Image.new("RGB", (width, height), "white")
    top = 0
    for one in strips:
        whole.paste(one, (0, top))
        top += one.height
    save_preview(whole, scratch / MAPS_PREVIEW)


def _name(pair: Wanted) -> str:
    return pair.edit or pair.pair_id


def draw_sheet(table: pd.DataFrame, output: Path) -> None:
    """Write a sheet of the first sources, each before those of its edits that are compared."""
    sources = table[table["role"] == SOURCE]
    edits = table[(table["role"] == EDIT) & table["compared"] & table["file"].notna()]
    files, captions, longest = [], [], 1
    for source in sources.head(SHEET_SOURCES).itertuples():
        mine = edits[edits["source_id"] == source.image_id]
        files += [output / str(source.file), *(output / str(one) for one in mine["file"])]
        captions += ["source", *(str(r.edit or r.kind or "edit") for r in mine.itertuples())]
        longest = max(longest, 1 + len(mine))
    columns = longest * max(1, SHEET_COLUMNS // longest)
    if files:
        save_preview(contact_sheet(files, columns, SHEET_SIDE, captions), output / PREVIEW)
