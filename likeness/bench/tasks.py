"""The heavy call of a bench: its sources as an image set, its pairs, masks and true edits."""

import hashlib
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field

from likeness.bench import pie_bench, tedbench, wild_ti2i
from likeness.bench.changes import CHANGES
from likeness.bench.gather import Row, gather
from likeness.bench.pairs import AFTERS, MASKS, EditPair, accepted, pair_id, write_pairs
from likeness.bench.photos import Listed
from likeness.bench.sources import BenchSource, PieBench, TEdBench, WorldBench
from likeness.bench.world import WorldPair, world_pairs
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import made_pixels
from likeness.images.inventory import take_inventory
from likeness.images.sheets import contact_sheet, save_preview
from likeness.studies.parts import Part

PREVIEW = "preview.jpg"
SHEET_PAIRS, SHEET_COLUMNS, SHEET_SIDE = 24, 2, 384
UNKNOWN = 160  # gray of a mask or an edit that nobody knows
OWN_COLUMNS = {"path": "string"}


class BenchParams(Part):
    """Which pairs, at which size."""

    source: BenchSource
    resolution: int = Field(
        ge=16, le=4096, multiple_of=8, description="side of the squared pictures, px"
    )


def edit_pairs(
    params: BenchParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``images/sources``: an image set with ``pairs.parquet``, ``masks``, ``after`` and a preview.

    ``inputs``: ``raw``, the folder with the bench as it is published, and ``listing``, its
    inventory in the key; none for the small world's. The preview shows source, true edit and mask
    of the first pairs, gray where they are not known. Raises ``BadInput`` when the folder is not
    given, not one edit can be used, or a file is another one than was listed.
    """
    for folder in (image_set.FOLDER, MASKS, AFTERS):
        (output / folder).mkdir(parents=True, exist_ok=True)
    if isinstance(params.source, WorldBench):
        images, pairs = _drawn(params.source, params.resolution, output)
    else:
        if "raw" not in inputs:
            raise BadInput(f"{params.source.bench} is read from files: name the folder they are in")
        listed = _listed(params.source, inputs["raw"])
        images, pairs = gather(
            inputs["raw"],
            params.source.photos,
            listed,
            params.source.bench,
            params.resolution,
            output,
        )
        _as_listed(inputs["raw"], inputs["listing"])
    image_set.write(output, image_set.frame(images, OWN_COLUMNS))
    write_pairs(output, pairs)
    _preview(accepted(pairs)[:SHEET_PAIRS], output, scratch)
    return _summary(images, pairs)


def _as_listed(raw: Path, listing: Path) -> None:
    """Raises BadInput when the folder is no longer the one of the key."""
    listed = pd.read_parquet(listing / "inventory.parquet")
    if not take_inventory(raw, ["."]).equals(listed):
        raise BadInput(f"files in {raw} were changed while they were read: start it again")


def _listed(source: BenchSource, raw: Path) -> list[Listed]:
    if isinstance(source, TEdBench):
        return tedbench.listed(raw, source)
    if isinstance(source, PieBench):
        return pie_bench.listed(raw, source)
    assert not isinstance(source, WorldBench)
    return wild_ti2i.listed(raw, source)


def _drawn(config: WorldBench, side: int, output: Path) -> tuple[list[Row], list[EditPair]]:
    images: list[Row] = []
    pairs: list[EditPair] = []
    for number, drawn in enumerate(world_pairs(config, side)):
        data = _png(drawn.before)
        sha256 = hashlib.sha256(data).hexdigest()
        file = f"{image_set.FOLDER}/{sha256[:16]}.png"
        (output / file).write_bytes(data)
        images.append(
            {
                "image_id": sha256[:16],
                "file": file,
                "sha256": sha256,
                "width": side,
                "height": side,
                "source": config.bench,
                "prompt": drawn.source_prompt,
                "seed": drawn.edit.before.seed,
                "status": image_set.ACCEPTED,
            }
        )
        label = f"{drawn.kind}-{number // len(CHANGES)}"
        pairs.append(_world_pair(drawn, sha256[:16], label, output))
    return images, pairs


def _world_pair(drawn: WorldPair, name: str, label: str, output: Path) -> EditPair:
    key = pair_id(name, drawn.source_prompt, drawn.target_prompt)
    after = f"{AFTERS}/{key}.png"
    (output / after).write_bytes(_png(drawn.after))
    mask = None
    if drawn.mask is not None:
        mask = f"{MASKS}/{key}.png"
        (output / mask).write_bytes(_png(drawn.mask.astype(np.uint8) * 255))
    return EditPair(
        pair_id=key,
        kind=drawn.kind,
        label=label,
        image_id=name,
        source_prompt=drawn.source_prompt,
        target_prompt=drawn.target_prompt,
        mask=mask,
        after=after,
        was=drawn.was,
        asked=drawn.asked,
        kept=drawn.kept,
    )


def _png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _preview(pairs: list[EditPair], output: Path, scratch: Path) -> None:
    strips = []
    folder = scratch / "strips"
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        files = (f"{image_set.FOLDER}/{pair.image_id}.png", pair.after, pair.mask)
        shown = [None if file is None else made_pixels(output / file) for file in files]
        unknown = np.full_like(shown[0], UNKNOWN)
        strip = np.concatenate([unknown if part is None else part for part in shown], axis=1)
        strips.append(folder / f"{pair.pair_id}.png")
        Image.fromarray(strip).save(strips[-1])
    captions = [f"{pair.kind}: {pair.target_prompt}" for pair in pairs]
    sheet = contact_sheet(strips, SHEET_COLUMNS, SHEET_SIDE, captions)
    save_preview(sheet, output / PREVIEW)


def _summary(images: list[Row], pairs: list[EditPair]) -> dict[str, Any]:
    good = accepted(pairs)
    return {
        "images": len(images),
        "rejected": sum(row["status"] == image_set.REJECTED for row in images),
        "pairs": len(pairs),
        "pairs_rejected": len(pairs) - len(good),
        "kinds": dict(sorted(Counter(pair.kind for pair in good).items())),
        "with_mask": sum(pair.mask is not None for pair in good),
        "with_true_edit": sum(pair.after is not None for pair in good),
        "with_source_prompt": sum(bool(pair.source_prompt) for pair in good),
        "reasons": dict(Counter(pair.reason for pair in pairs if pair.reason).most_common(10)),
    }
