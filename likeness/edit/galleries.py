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

PREVIEW, MAPS, MAPS_PREVIEW = "preview.jpg", "maps", "maps.jpg"
SHEET_SOURCES, SHEET_COLUMNS, SHEET_SIDE = 24, 8, 128


def keep_maps(made: Done, batch: Sequence[Wanted], scratch: Path) -> None:
    """Write where each word of the first source and of its edits was looked at."""
    pictures = [made.made[0][place] for place in range(len(batch))]
    if made.sources is None:
        raise ValueError("maps are of an editor that sees its sources")
    wanted: list[tuple[str, WordMaps, np.ndarray]] = [
        ("source", made.source_maps[0], made.sources[0]),
        *(
            (pair.edit or pair.pair_id, maps, picture)
            for pair, maps, picture in zip(batch, made.edited_maps, pictures, strict=True)
        ),
    ]
    sheets = [
        save_word_maps(maps, picture, scratch / MAPS / name) for name, maps, picture in wanted
    ]
    width, height = max(one.width for one in sheets), sum(one.height for one in sheets)
    whole = Image.new("RGB", (width, height), "white")
    top = 0
    for one in sheets:
        whole.paste(one, (0, top))
        top += one.height
    save_preview(whole, scratch / MAPS_PREVIEW)


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
