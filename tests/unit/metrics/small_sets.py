"""Image sets and tables of faces with known truth, written by hand."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from likeness.faces import tasks
from likeness.faces.backend import Face
from likeness.images import image_set

THRESHOLD = 0.1  # 1 - cos of about 26 degrees
PASSPORT = {"model": "fake", "revision": "0" * 64, "detector": "fake", "distance": "cosine"}
OWN = {"role": "string", "age": "Float64"}


def noise(seed, side=24, low=0, high=256):
    """side x side uint8, gray."""
    return np.random.default_rng(seed).integers(low, high, (side, side), dtype=np.uint8)


def row(pixels, **about):
    """A picture of an image set; equal pixels make different files (and ids) by their ``note``."""
    return {"pixels": pixels, "status": "accepted", "note": "", **about}


def write_set(folder, rows):
    """An image set of gray pictures; its table."""
    (folder / "images").mkdir(parents=True)
    table = []
    for number, one in enumerate(rows):
        pixels, note = one["pixels"], one["note"]
        image_id = hashlib.sha256(pixels.tobytes() + note.encode()).hexdigest()[:16]
        file = f"images/{number:03d}.png"
        Image.fromarray(np.repeat(pixels[:, :, None], 3, axis=2)).save(folder / file)
        known = {"image_id": image_id, "file": file, "width": len(pixels), "height": len(pixels)}
        table.append(known | {k: v for k, v in one.items() if k not in ("pixels", "note")})
    frame = image_set.frame(table, OWN)
    image_set.write(folder, frame)
    return frame


def direction(degrees):
    """A unit vector: two faces are alike where their directions are."""
    radians = np.deg2rad(degrees)
    return np.array([np.cos(radians), np.sin(radians)], np.float32)


def write_faces(folder, table, degrees, passport=PASSPORT):
    """A table of faces: for each row of an image set the directions of its faces, or none."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for picture, angles in zip(table.itertuples(), degrees, strict=True):
        about = {"image_id": picture.image_id, "file": picture.file}
        rows += [
            about | {"face": n, "embedding": direction(angle).tolist(), "status": "ok"}
            for n, angle in enumerate(angles)
        ] or [about | {"status": "no_face", "reason": "no face was found"}]
    pq.write_table(pa.Table.from_pylist(rows, schema=tasks.SCHEMA), folder / tasks.TABLE)
    (folder / tasks.PASSPORT).write_text(json.dumps(passport))


class Backend:
    """The first pixel is the direction of the only face; 255: there is none."""

    threshold = THRESHOLD

    def read(self, pictures):
        return [[] if p[0, 0, 0] == 255 else [self._face(p)] for p in pictures]

    def _face(self, picture):
        box = (0.0, 0.0, 20.0, 20.0)
        return Face(box=box, score=1.0, embedding=direction(float(picture[0, 0, 0])))

    def passport(self):
        return dict(PASSPORT)


def facing(seed, degrees, side=24):
    """Noise with a face in this direction, None: without one."""
    pixels = noise(seed, side)
    pixels[0, 0] = 255 if degrees is None else degrees
    return pixels
