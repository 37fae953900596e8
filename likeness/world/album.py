"""The photos of a whole life, as a person of the small world might keep them, and the truth."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import count, islice
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
from PIL import Image, ImageEnhance
from pydantic import BaseModel, ConfigDict, Field

from likeness.images import image_set
from likeness.progress import track
from likeness.world.description import (
    Description,
    Facing,
    Framing,
    Identity,
    Landscape,
    Person,
    Spot,
)
from likeness.world.picture import draw
from likeness.world.sample import held_out_in

Kind = Literal["sharp", "turned", "small", "blurred", "dark", "noisy", "far", "away", "covered"]
Shape = Literal["square", "wide", "tall"]
Row = dict[str, object]
# How many of the photos are like that.
SHARES: dict[Kind, float] = {
    "sharp": 0.42,
    "turned": 0.15,
    "small": 0.09,
    "blurred": 0.09,
    "dark": 0.08,
    "noisy": 0.09,
    "far": 0.03,
    "away": 0.025,
    "covered": 0.025,
}
FACELESS: tuple[Kind, ...] = ("far", "away", "covered")  # no face that anybody could be told by
CHILDHOOD, CHILD_SHARE = 15.0, 0.2  # years; share of the photos, as in the original study
BORN = 1984.5
STRANGERS = 2
OLDEST = 90.0  # years, of the photos held out
SHAPES: tuple[Shape, ...] = ("square", "wide", "tall")
SHORT = 0.75  # the shorter side of a photo that is no square
SIDES = (96, 112, 128, 160, 192)  # px of the longer side
HELD_OUT_SIDE = 128
# what lies around in folders of photos and must do no harm
ODD_FILES = {
    "notes.txt": b"Scanned by my aunt. Some of the dates are guesses.\n",
    "2003/IMG_0000.jpg": b"",
    ".DS_Store": b"\0\0\0\1Bud1\0",
}
SIDEWAYS = 6  # EXIF: the camera was held upright, and the picture lies on its side
ORIENTATION = 0x0112


class AlbumParams(BaseModel):
    """Whose album, and how large."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person: int = Field(0, ge=0, le=9999, description="number of the person, unseen by the base")
    photos: int = Field(120, ge=20, le=2000, description="photos of the person in the album")
    oldest: float = Field(36, ge=20, le=90, description="age in years at the newest photo")
    held_out: int = Field(
        40, ge=0, le=1000, description="sharp photos at ages 0-90 beside the album, to verify by"
    )
    seed: int = Field(0, ge=0, description="another seed: other photos of the same person")


@dataclass(frozen=True)
class Shot:
    """One photo to be taken."""

    file: str  # its path in the album
    kind: Kind
    description: Description
    person: Person  # the one of the description
    shape: Shape
    side: int  # px, the longer one
    seed: int  # of what happens behind the lens


def person_of(number: int) -> Identity:
    """The person of an album: nobody whom the base model or a judge has seen."""
    from likeness.world.people.identities import identity

    return identity("unseen_by_base", number)


def write_album(params: AlbumParams, output: Path) -> list[Row]:
    """Write a folder as a user would have it, ``files``, and beside it what no user has.

    ``files`` holds photos in folders by year and a ``metadata.csv`` (file, age) that lacks one of
    them; also two strangers, an exact and a near duplicate, and files that are no photos.
    ``truth.csv`` says of every file who it shows, the age, the kind and whether a face can be seen;
    its rows are returned. ``held_out`` is an image set with ``age``, for judging only.
    """
    shots = [*_life(params), *_strangers(params)]
    files = output / "files"
    for shot in track(shots, "album", len(shots)):
        _put(files / shot.file, _encoded(_photo(shot), shot))
    good = [shot for shot in shots if shot.kind == "sharp" and shot.file.endswith(".jpg")]
    copied, damaged, forgotten = (good[len(good) * k // 4] for k in (1, 2, 3))
    truth = [_true(shot) for shot in shots]
    truth += _duplicates(files, copied)
    truth += _odd(files, damaged)
    _write_csv(output / "truth.csv", ["file", "person", "age", "kind", "usable"], truth)
    noted = [row for row in truth if row["age"] is not None and row["file"] != forgotten.file]
    _write_csv(files / "metadata.csv", ["file", "age"], noted)
    _hold_out(params, output / "held_out")
    return truth


def _life(params: AlbumParams) -> Iterator[Shot]:
    """The photos of the person, oldest first."""
    rng = np.random.default_rng([params.seed, params.person])
    when = (np.arange(params.photos) + rng.random(params.photos)) / params.photos
    ages = np.interp(when, [0, CHILD_SHARE, 1], [0, CHILDHOOD, params.oldest])
    names = list(SHARES)
    middles = (np.arange(params.photos) + 0.5) / params.photos
    places = np.searchsorted(np.cumsum(list(SHARES.values())), middles)
    kinds = rng.permutation(places.clip(max=len(names) - 1))
    who = person_of(params.person)
    for number, (age, kind) in enumerate(zip(ages.tolist(), kinds.tolist(), strict=True)):
        years = round(age, 2)
        yield _shot(who, years, names[kind], _file(years, number), [params.seed, number])


def _strangers(params: AlbumParams) -> Iterator[Shot]:
    """Other people of the same sex, who came into the album by mistake."""
    from likeness.world.people.identities import identity

    sex = person_of(params.person).sex
    others = (identity(f"stranger-of-{params.person:04d}", n) for n in count())
    alike = islice((other for other in others if other.sex == sex), STRANGERS)
    for number, who in enumerate(alike):
        age = round(params.oldest * (number + 1) / (STRANGERS + 1), 2)
        file = f"{int(BORN + age)}/DSC_{number:04d}.jpg"
        yield _shot(who, age, "sharp", file, [params.seed, number])


def _file(age: float, number: int) -> str:
    """In a folder by year; now and then a name with accents, or a deep gray scan."""
    year = int(BORN + age)
    if number % 40 == 17:
        return f"{year}/été {number}.png"
    if number % 40 == 27:
        return f"{year}/scan {number}.tif"
    return f"{year}/IMG_{number:04d}.jpg"


def _shot(who: Identity, age: float, kind: Kind, file: str, seed: list[int]) -> Shot:
    """Chance decides what ``kind`` leaves open, short of the combinations that are held out."""
    for attempt in count():
        rng = np.random.default_rng([crc32(who.key.encode()), *seed, attempt])
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        side = SIDES[0] if kind == "far" else SIDES[int(rng.integers(len(SIDES)))]
        person = _posed(who, age, kind, shape, rng)
        described = Description(
            _scene(kind, rng),
            person=person,
            blurred=kind == "blurred",
            seed=int(rng.integers(2**31)),
        )
        if not held_out_in(described):
            break
    return Shot(file, kind, described, person, shape, side, int(rng.integers(2**31)))


def _scene(kind: Kind, rng: np.random.Generator) -> Landscape:
    """Somewhere on earth, as it is; at night only what is to be dark."""
    from likeness.world.nature.places import EARTH, INDOOR, random_landscape

    while True:
        land = random_landscape(rng)
        if land.place in EARTH | INDOOR and not land.fantasy:
            if kind == "dark":
                return replace(land, light="night", red_sun=False)
            if land.light != "night":
                return land


def _posed(who: Identity, age: float, kind: Kind, shape: Shape, rng: np.random.Generator) -> Person:
    """The person as the photo needs them, with the head in the centre square of every shape."""
    from likeness.world.people.layout import random_person

    framings: dict[Kind, Framing] = {"small": "half", "far": "full"}
    person = random_person(who, rng, framings.get(kind, "portrait"), age)
    facing: Facing = "left" if rng.random() < 0.5 else "right"
    return replace(
        person,
        spot=_spot(age, kind, shape, rng),
        facing=facing if kind == "turned" else "front",
        hidden=kind if kind in ("away", "covered") else "no",
        role=None,  # nobody keeps an album of their uniforms
    )


def _spot(age: float, kind: Kind, shape: Shape, rng: np.random.Generator) -> Spot:
    """Where the head is, or for the whole figure the body, before the photo is cut to shape."""
    from likeness.world.people.ageing import COURSE, YEARS

    across = float(rng.uniform(-0.08, 0.08))
    down, size = float(rng.uniform(-0.04, 0.04)), float(rng.random())
    kept = 1.0 if shape == "square" else SHORT
    if kind == "far":
        # a head of 8 px in a photo of 96
        return Spot(0.5 + across, 0.5, 0.085 * float(np.interp(age, YEARS, COURSE["heads"])))
    if kind == "small":
        return Spot(0.5 + across, 0.42 + down, kept * (0.2 + 0.06 * size))
    return Spot(0.5 + across, 0.5 + down, kept * (0.46 + 0.14 * size))


def _photo(shot: Shot) -> Image.Image:
    """What the camera made of it: RGB, cut to its shape."""
    picture = Image.fromarray(draw(shot.description, shot.side).picture)
    cut = round(shot.side * (1 - SHORT) / 2)
    left, top = (cut if shot.shape == shape else 0 for shape in ("tall", "wide"))
    picture = picture.crop((left, top, shot.side - left, shot.side - top))
    if shot.kind == "dark":
        return ImageEnhance.Brightness(picture).enhance(0.5)
    if shot.kind == "noisy":
        rng = np.random.default_rng(shot.seed)
        values = np.asarray(picture) + rng.normal(0, 14, (picture.height, picture.width, 3))
        return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
    return picture


def _encoded(picture: Image.Image, shot: Shot) -> bytes:
    """The file's bytes, in the format its name asks for."""
    file = BytesIO()
    if shot.file.endswith(".png"):
        picture.save(file, "PNG")
    elif shot.file.endswith(".tif"):
        deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
        Image.fromarray(deep).save(file, "TIFF")
    elif shot.kind == "noisy":
        picture.save(file, "JPEG", quality=25)
    elif shot.seed % 10 == 0:
        exif = Image.Exif()
        exif[ORIENTATION] = SIDEWAYS
        picture.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=92, exif=exif)
    else:
        picture.save(file, "JPEG", quality=92)
    return file.getvalue()


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _true(shot: Shot) -> Row:
    return {
        "file": shot.file,
        "person": shot.person.identity.key,
        "age": shot.person.age,
        "kind": shot.kind,
        "usable": shot.kind not in FACELESS,
    }


def _duplicates(files: Path, shot: Shot) -> Iterator[Row]:
    """The same file once more, and the same picture smaller."""
    same, alike = f"best of/{Path(shot.file).name}", "best of/for the wall.jpg"
    data = (files / shot.file).read_bytes()
    _put(files / same, data)
    yield _true(shot) | {"file": same, "kind": "exact duplicate"}
    picture = _photo(shot)
    smaller = picture.resize(
        (round(picture.width * 0.8), round(picture.height * 0.8)), Image.Resampling.LANCZOS
    )
    file = BytesIO()
    smaller.save(file, "JPEG", quality=80)
    _put(files / alike, file.getvalue())
    yield _true(shot) | {"file": alike, "kind": "near duplicate"}


def _odd(files: Path, shot: Shot) -> Iterator[Row]:
    """Files that give no photo, one of them the beginning of one that did."""
    whole = (files / shot.file).read_bytes()
    odd = ODD_FILES | {f"{Path(shot.file).parent}/IMG_broken.jpg": whole[: len(whole) * 2 // 5]}
    for name, data in odd.items():
        _put(files / name, data)
        yield {"file": name, "person": None, "age": None, "kind": "no photo", "usable": False}


def _write_csv(file: Path, columns: list[str], rows: list[Row]) -> None:
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: str(row["file"])))


def _hold_out(params: AlbumParams, folder: Path) -> None:
    """The image set to verify by: bare heads from the front, ages evenly over a whole life."""
    who = person_of(params.person)
    (folder / image_set.FOLDER).mkdir(parents=True, exist_ok=True)
    rows = []
    for number, age in enumerate(np.linspace(0, OLDEST, params.held_out).round(2).tolist()):
        # behind the numbers of all photos of the album
        shot = _shot(who, age, "sharp", f"{number:04d}.png", [params.seed, 1_000_000 + number])
        person = replace(shot.person, hat="none", scarf=False)
        described = replace(shot.description, person=person)
        picture = draw(described, HELD_OUT_SIDE).picture
        rows.append(_held_out_row(Image.fromarray(picture), shot, folder))
    table = image_set.frame(rows, {"age": "Float64"})
    image_set.write(folder, table)


def _held_out_row(picture: Image.Image, shot: Shot, folder: Path) -> Row:
    data = _encoded(picture, shot)
    digest = hashlib.sha256(data).hexdigest()
    file = f"{image_set.FOLDER}/{digest[:16]}.png"
    _put(folder / file, data)
    return {
        "image_id": digest[:16],
        "file": file,
        "sha256": digest,
        "width": picture.width,
        "height": picture.height,
        "source": "world",
        "status": image_set.ACCEPTED,
        "age": shot.person.age,
    }
