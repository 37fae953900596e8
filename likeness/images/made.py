"""What experiments have made, prepared as a painter's own pictures, so that the two compare."""

import shutil
from pathlib import Path

import pandas as pd

from likeness.images.decode import decode
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE
from likeness.progress import track


def prepared(
    pictures: Path, table: pd.DataFrame, preparation: Preparation, room: Path, what: str
) -> list[Path]:
    """Copies of the pictures in these rows, in their order; whatever lay in ``room`` goes."""
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    files = []
    for row in track(table.itertuples(), f"preparing {what}", len(table)):
        file = room / f"{row.image_id}.png"
        prepare(decode(pictures / str(row.file), ANY_SIZE), preparation).save(file)
        files.append(file)
    return files
