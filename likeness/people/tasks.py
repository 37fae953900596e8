"""The heavy calls on a person's photos: an album painted, intake with ages, splits of a study."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.digests import sha256_file
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import Limits
from likeness.images.intake import NEAR_DUPLICATES, Duplicates, take_in
from likeness.images.inventory import FOUND, take_inventory
from likeness.images.prepare import centre_square
from likeness.images.sheets import save_spread
from likeness.people.ages import METADATA, read_ages
from likeness.people.same_person import VERIFIED
from likeness.people.splits import SplitRecipe, sizes, split_photos
from likeness.world.album import AlbumParams, person_of, write_album

PREVIEW = "preview.jpg"
SHEET_PICTURES = 64


def paint_album(
    params: AlbumParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/raw_photos`` of nobody: ``files``, as a user's folder would be, and their listing.

    Beside them the truth about the files, ``truth.csv``, and ``held_out``, an image set of the same
    person that no training sees (likeness.world.album).
    """
    truth = write_album(params, output)
    listing = take_inventory(output / "files", ["."])
    listing.to_parquet(output / "inventory.parquet", index=False)
    person = person_of(params.person)
    return {
        "files": len(truth),
        "with_a_face": sum(row["usable"] is True for row in truth),
        "held_out": params.held_out,
        "person": person.key,
        "sex": person.sex,
    }


class PhotosParams(BaseModel):
    """What becomes of a person's raw photos."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    birth: date | None = Field(
        None, description="the person's day of birth; needed where photos have a date and no age"
    )
    max_side: int = Field(
        1024,
        ge=64,
        le=4096,
        description="larger squares are reduced to this side in px, smaller ones stay as they are",
    )
    limits: Limits = Limits()
    duplicates: Duplicates = Duplicates()


def take_photos(
    params: PhotosParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/photos``: every raw file a row with the person's age, every good one a square.

    ``inputs``: ``files``, the folder of the photos, and ``raw`` with its ``inventory.parquet``
    (likeness.images.inventory). The centre square is what every later step sees, so that nobody is
    verified by a face which the training then cuts off; it keeps its colours and is never enlarged.
    The image set has ``age`` (years), ``age_from`` and ``age_reason`` besides the intake's columns.
    """
    listing = pd.read_parquet(inputs["raw"] / "inventory.parquet", dtype_backend="numpy_nullable")
    about = listing["path"].isin(METADATA)
    _unchanged(listing[about], inputs["files"])
    photos = listing[~about].reset_index(drop=True)
    photos["label_key"] = pd.Series("photos", index=photos.index, dtype="string")
    table = take_in(
        inputs["files"],
        _with_ages(photos, inputs["files"], params.birth),
        params.limits,
        params.duplicates,
        lambda image: _square(image, params.max_side),
        output,
    )
    good = image_set.accepted(table).sort_values(["age", "image_id"])
    files = [output / str(name) for name in good["file"]]
    save_spread(files, _years(good["age"]), SHEET_PICTURES, output / PREVIEW)
    return _summary(table, good, len(pd.read_parquet(output / NEAR_DUPLICATES)))


def _unchanged(tables: pd.DataFrame, folder: Path) -> None:
    """The result may depend on nothing but the listing."""
    for row in tables.itertuples():
        if row.status == FOUND and sha256_file(folder / row.path) != row.sha256:
            raise BadInput(f"{row.path} was changed after it was listed: list the raw folder again")


def _with_ages(photos: pd.DataFrame, folder: Path, birth: date | None) -> pd.DataFrame:
    """The listing with ``age, age_from, age_reason``; what is no photo has none of them."""
    files = photos.loc[photos["status"] == FOUND, "path"].tolist()
    ages = read_ages(folder, files, birth).set_index("file")
    for column, name in (("age", "age"), ("age_from", "age_from"), ("age_reason", "reason")):
        photos[column] = photos["path"].map(ages[name]).astype(ages[name].dtype)
    # only one of the copies of a file is kept, and perhaps the age was noted for another
    copies = photos.groupby("sha256")
    borrowed = photos["age"].isna() & copies["age"].transform("first").notna()
    for column in ("age", "age_from"):
        photos[column] = photos[column].fillna(copies[column].transform("first"))
    photos.loc[borrowed, "age_reason"] = pd.NA
    return photos


def _square(image: Image.Image, max_side: int) -> Image.Image:
    square = centre_square(image)
    if square.width <= max_side:
        return square
    return square.resize((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _years(ages: pd.Series) -> list[str]:
    return ["no age" if pd.isna(age) else f"{age:.1f} years" for age in ages]


def _summary(table: pd.DataFrame, good: pd.DataFrame, near: int) -> dict[str, Any]:
    known = good["age"].dropna()
    return {
        "accepted": len(good),
        "rejected": len(table) - len(good),
        "near_duplicates": near,
        "with_age": len(known),
        "without_age": len(good) - len(known),
        "youngest": float(known.min()) if len(known) else None,
        "oldest": float(known.max()) if len(known) else None,
    }


def split_people(
    params: SplitRecipe, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``people/splits``: which photos feed which model; the photos themselves stay where they are.

    ``inputs``: ``photos``, the image set of ``take_photos``, and ``verification`` with a
    ``verified.parquet`` (image_id, verified, reason: likeness.people.same_person). Writes
    ``splits.parquet`` (split, image_id, file, age, age_class), ``left_out.parquet`` (split, path,
    image_id, reason), ``photos.parquet`` (a row per raw file) and a sheet of the age classes.
    ``too_small`` names the splits with fewer photos than ``minimum``.
    """
    photos = image_set.read(inputs["photos"])
    verified = pd.read_parquet(inputs["verification"] / VERIFIED, dtype_backend="numpy_nullable")
    splits = split_photos(photos, verified, params)
    output.mkdir(parents=True, exist_ok=True)
    splits.members.to_parquet(output / "splits.parquet", index=False)
    splits.left_out.to_parquet(output / "left_out.parquet", index=False)
    splits.photos.to_parquet(output / "photos.parquet", index=False)
    good = image_set.accepted(splits.photos).dropna(subset="age").sort_values(["age", "image_id"])
    files = [inputs["photos"] / str(name) for name in good["file"]]
    save_spread(files, _classes(good), SHEET_PICTURES, output / PREVIEW)
    counts = sizes(splits.members, params)
    return {
        "splits": counts,
        "too_small": [name for name, count in counts.items() if count < params.minimum],
        "age_classes": {
            one.name: int((good["age_class"] == one.name).sum()) for one in params.age_classes
        },
        "verified": int(splits.photos["verified"].sum()),
        "held_back": int(splits.photos["held_back"].sum()),
    }


def _classes(photos: pd.DataFrame) -> list[str]:
    """Captions: time of life, age, and whether the photo verifies as the person's."""
    return [
        f"{row.age_class} {int(row.age)}{' verified' if row.verified else ''}"
        for row in photos.fillna({"age_class": "-"}).itertuples()
    ]
