"""An image set of edits with known pictures, as ``make_edits`` writes it."""

import numpy as np
from PIL import Image

from likeness.edit.table import EDIT, OWN_COLUMNS, SOURCE
from likeness.images import image_set

SIDE = 24


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def nearly(pixels, seed, share):
    """Some pixels of another picture, the others kept."""
    other, chosen = noise(seed), np.random.default_rng(seed).random((SIDE, SIDE, 1)) < share
    return np.where(chosen, other, pixels)


def write(folder, sources):
    """Source -> {pair_id: (pixels or None, what the table says of it)}; returns the table."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for name, (pixels, edits) in sources.items():
        rows.append(row(folder, name, pixels) | {"role": SOURCE, "prompt": "a dog"})
        for pair_id, (picture, about) in edits.items():
            known = {"role": EDIT, "prompt": "a cat", "source_id": name, "pair_id": pair_id}
            known |= {"source_prompt": "a dog"}
            known |= {"compared": True, "strength": 1.0}
            if picture is None:
                made = {"status": "rejected", "reason": "no"}
            else:
                made = row(folder, about.get("image_id", f"{pair_id}-made"), picture)
            rows.append(made | known | about)
    table = image_set.frame(rows, OWN_COLUMNS)
    image_set.write(folder, table)
    return table


def row(folder, name, pixels):
    file = f"images/{name}.png"
    Image.fromarray(pixels).save(folder / file)
    about = {"image_id": name, "file": file, "width": SIDE, "height": SIDE}
    return about | {"status": "accepted"}
