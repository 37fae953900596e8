"""The heavy call on faces: every face of an image set found and embedded, once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageOps
from pydantic import BaseModel, Field

from likeness.errors import BadInput
from likeness.faces.backend import Face, FaceBackend, FacesRecipe, open_backend
from likeness.faces.verification import NO_FACE, OK
from likeness.images import image_set
from likeness.images.decode import Undecodable, decode
from likeness.images.sheets import ANY_SIZE, contact_sheet, save_preview, spread
from likeness.progress import track
from likeness.workers import workers

TABLE, PREVIEW, PASSPORT = "faces.parquet", "preview.jpg", "passport.json"
# One picture may have 50 megapixels, hundreds of the small world together have one.
PICTURES_AT_ONCE, PIXELS_AT_ONCE = 16, 32e6
SHEET_PICTURES, SHEET_SIDE = 48, 128
NOT_FOUND = "no face was found"
SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("file", pa.string()),
        ("face", pa.int64()),  # 0 is the largest of its picture
        ("left", pa.float64()),
        ("top", pa.float64()),
        ("right", pa.float64()),
        ("bottom", pa.float64()),
        ("score", pa.float64()),
        ("landmarks", pa.string()),  # JSON: name -> [x, y] in pixels
        ("embedding", pa.list_(pa.float32())),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)


class ReadFacesParams(BaseModel):
    """What finds and embeds the faces."""

    recipe: FacesRecipe = Field(description="detector and recogniser")
    # Kept out of the fingerprint: it changes no face.
    ages: bool = Field(
        False, exclude=True, description="have DeepFace's age model too, for later, or say so now"
    )


class Read(NamedTuple):
    """A picture with its faces; those without an embedding are too small to tell anything by."""

    row: dict[str, Any]  # of images.parquet
    picture: np.ndarray | None  # H x W x 3 uint8, or it could not be decoded
    faces: list[Face]
    reason: str  # why there is no face with an embedding

    @property
    def usable(self) -> list[Face]:
        """Those with an embedding, largest first."""
        return [face for face in self.faces if face.embedding is not None]


def read_faces(
    params: ReadFacesParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/faces``: ``faces.parquet``, a contact sheet and ``passport.json``.

    A row per face with an embedding; a picture without one has a single row with status no_face,
    its reason and, if there was one, the box of the face that was too small. Rejected pictures
    have no row. Each batch is kept in ``scratch``, so a killed run goes on behind it. Raises
    ``BadInput`` where what reads faces, or ``ages``, cannot be had, before the first picture.
    """
    if params.ages:
        from likeness.faces.deepface_ages import DeepFaceAges

        DeepFaceAges()
    images = inputs["images"]
    pictures = accepted_pictures(images)
    backend = open_backend(params.recipe)
    places = spread(len(pictures), SHEET_PICTURES)
    shown = {str(pictures["file"].iloc[i]): f"sheet-{i:06d}.png" for i in places}
    parts = _read_all(backend, images, pictures, shown, scratch)
    table = pa.concat_tables([pq.read_table(part, schema=SCHEMA) for part in parts])
    pq.write_table(table, output / TABLE)
    (output / PASSPORT).write_text(json.dumps(backend.passport(), indent=1) + "\n")
    faces = table.select(["file", "status"]).to_pandas()
    counts = (faces["status"] == OK).groupby(faces["file"]).sum()
    captions = [{0: "no face", 1: "1 face"}.get(n, f"{n} faces") for n in counts[list(shown)]]
    sheet = [scratch / name for name in shown.values()]
    save_preview(contact_sheet(sheet, side=SHEET_SIDE, captions=captions), output / PREVIEW)
    return {
        "pictures": len(pictures),
        "faces": int(counts.sum()),
        "without_face": int((counts == 0).sum()),
        "several_faces": int((counts > 1).sum()),
        "threshold": backend.threshold,
    }


def accepted_pictures(images: Path) -> pd.DataFrame:
    """Accepted rows of the image set in ``images``; raises ``BadInput`` if there is none."""
    table = image_set.accepted(image_set.read(images))
    if not len(table):
        raise BadInput(f"the image set in {images} has no accepted picture: see its reasons")
    return table


def batches(pictures: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows of ``images.parquet`` in their order, a few pictures and not too many pixels a time."""
    pixels = (pictures["width"] * pictures["height"]).to_numpy(np.float64)
    place = np.arange(len(pictures)) // PICTURES_AT_ONCE + np.cumsum(pixels) // PIXELS_AT_ONCE
    for _, some in pictures.groupby(place, sort=True):
        yield some


def read_batch(backend: FaceBackend, images: Path, some: pd.DataFrame) -> list[Read]:
    """Decode these pictures of the set and read their faces."""
    with ThreadPoolExecutor(workers()) as pool:
        decoded = list(pool.map(_decoded, [images / file for file in some["file"]]))
    good = [picture for picture in decoded if isinstance(picture, np.ndarray)]
    found = iter(backend.read(good))
    read = []
    for row, picture in zip(some.to_dict("records"), decoded, strict=True):
        if isinstance(picture, np.ndarray):
            faces = next(found)
            read.append(Read(row, picture, faces, faces[0].reason if faces else NOT_FOUND))
        else:
            read.append(Read(row, None, [], picture))
    return read


def _decoded(path: Path) -> np.ndarray | str:
    """H x W x 3 uint8, or why not."""
    try:
        return np.asarray(decode(path, ANY_SIZE))
    except Undecodable as error:
        return error.reason


def _read_all(
    backend: FaceBackend,
    images: Path,
    pictures: pd.DataFrame,
    shown: dict[str, str],
    scratch: Path,
) -> list[Path]:
    """A table in ``scratch`` for each batch; those that are there are whole."""
    scratch.mkdir(parents=True, exist_ok=True)
    steps = track(range(len(pictures)), "reading faces, pictures", len(pictures))
    parts = []
    for number, some in enumerate(batches(pictures)):
        part = scratch / f"faces-{number:05d}.parquet"
        if not part.exists():
            read = read_batch(backend, images, some)
            for one in read:
                if one.row["file"] in shown:
                    _marked(one).save(scratch / shown[one.row["file"]])
            rows = [row for one in read for row in _rows(one)]
            half = scratch / "half.parquet"
            pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), half)
            half.replace(part)
        for _ in range(len(some)):
            next(steps, None)
        parts.append(part)
    return parts


def _rows(one: Read) -> list[dict[str, Any]]:
    usable = one.usable
    if usable:
        return [_row(one, number, face, OK, None) for number, face in enumerate(usable)]
    return [_row(one, None, next(iter(one.faces), None), NO_FACE, one.reason)]


def _row(
    one: Read, number: int | None, face: Face | None, status: str, reason: str | None
) -> dict[str, Any]:
    row = {"image_id": one.row["image_id"], "file": one.row["file"], "face": number}
    if face is not None:
        row |= dict(zip(("left", "top", "right", "bottom"), map(float, face.box), strict=True))
        row |= {"score": face.score, "landmarks": json.dumps(face.landmarks)}
        row["embedding"] = face.embedding
    return row | {"status": status, "reason": reason}


def _marked(one: Read) -> Image.Image:
    """The picture at the size of the sheet; boxes lime (red: too small), landmarks in yellow."""
    if one.picture is None:
        return Image.new("RGB", (SHEET_SIDE, SHEET_SIDE), "lightgray")
    small = ImageOps.contain(Image.fromarray(one.picture), (SHEET_SIDE, SHEET_SIDE))
    scale = small.width / one.picture.shape[1]
    pen = ImageDraw.Draw(small)
    for face in one.faces:
        colour = "lime" if face.embedding is not None else "red"
        pen.rectangle([v * scale for v in face.box], outline=colour)
        for x, y in face.landmarks.values():
            pen.ellipse([x * scale - 1, y * scale - 1, x * scale + 1, y * scale + 1], "yellow")
    return small
