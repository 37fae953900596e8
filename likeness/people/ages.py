"""How old a person is in each photo: from a table beside the photos, or from when it was taken."""

import json
import math
import re
from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from likeness.errors import BadInput
from likeness.images.decode import READERS, hush
from likeness.images.inventory import spelled

METADATA = ("metadata.csv", "metadata.jsonl")
COLUMNS = {"file": "string", "age": "Float64", "age_from": "string", "reason": "string"}
OLDEST = 120.0
DAYS_OF_A_YEAR = 365.2425
EXIF_FOLDER, DATE_TIME_ORIGINAL = 0x8769, 0x9003
_DATE = re.compile(r"(\d{4})(?:[-:](\d{1,2})(?:[-:](\d{1,2})(?:[T ].*)?)?)?")


class Age(NamedTuple):
    """Years and where they come from, or the reason why there are none."""

    years: float | None = None
    source: str | None = None
    reason: str | None = None


class Note(NamedTuple):
    """What the owner wrote down about a photo; empty where nothing."""

    age: str
    date: str


def read_ages(folder: Path, files: list[str], birth: date | None) -> pd.DataFrame:
    """Age in years at each of ``files`` (paths below ``folder``): file, age, age_from, reason.

    The first that is known counts: an ``age``, then a ``date`` in ``metadata.csv`` or
    ``metadata.jsonl`` of ``folder``, then the EXIF date at which the photo was taken (never that of
    its scan or change). Dates need the ``birth`` date. A date may be a year or a month alone: then
    its middle counts, of what lies after birth. A photo without an age is a row with a reason.
    Raises ``BadInput`` for a table that cannot be read or names none of the files.
    """
    notes = _notes(folder, files)
    rows = []
    for file in files:
        found = _age(folder / file, sorted(notes.get(spelled(file), set())), birth)
        rows.append(
            {"file": file, "age": found.years, "age_from": found.source, "reason": found.reason}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _age(photo: Path, notes: list[Note], birth: date | None) -> Age:
    if len(notes) > 1:
        one, two = (note.age or note.date for note in notes[:2])
        return Age(reason=f"the metadata say both {one} and {two}")
    note = notes[0] if notes else Note("", "")
    if note.age:
        return _stated(note.age)
    if note.date:
        return _since(birth, note.date, "metadata date")
    if taken := _exif_date(photo):
        return _since(birth, taken, "exif date")
    return Age(reason="neither the metadata nor EXIF give an age or a date")


def _stated(text: str) -> Age:
    try:
        years = float(text.replace(",", "."))
    except ValueError:
        years = math.nan
    if not 0 <= years <= OLDEST:
        return Age(reason=f"age '{text}' is no number of years from 0 to {OLDEST:.0f}")
    return Age(years, "metadata age")


def _since(birth: date | None, text: str, source: str) -> Age:
    period = _period(text)
    if period is None:
        return Age(reason=f"{source} '{text}' is no date such as 1987-05-31")
    if birth is None:
        return Age(reason=f"{source} {text} gives an age only with a birth date, and none is given")
    first, last = period
    if last < birth:
        return Age(reason=f"taken before the birth date {birth} ({source} {text})")
    days = ((max(first, birth) - birth).days + (last - birth).days) / 2
    if days > OLDEST * DAYS_OF_A_YEAR:
        return Age(reason=f"taken more than {OLDEST:.0f} years after birth ({source} {text})")
    return Age(days / DAYS_OF_A_YEAR, source)


def _period(text: str) -> tuple[date, date] | None:
    """First and last day of ``1987``, ``1987-05``, ``1987-05-31`` or a date with a time."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return first, first
    last_month = month or 12
    return first, date(first.year, last_month, monthrange(first.year, last_month)[1])


def _exif_date(photo: Path) -> str:
    """When the photo was taken, as its camera wrote it; empty where nothing is written."""
    from PIL import Image

    # a pipe would wait for ever, and damaged bytes fail with nearly every kind of error
    if not photo.is_file():
        return ""
    try:
        with hush, Image.open(photo, formats=list(READERS)) as image:
            written = image.getexif().get_ifd(EXIF_FOLDER).get(DATE_TIME_ORIGINAL, "")
    except Exception:
        return ""
    return str(written).strip("\0 ")


def _notes(folder: Path, files: list[str]) -> dict[str, set[Note]]:
    """What the table beside the photos says, by the normal form of the file's path."""
    tables = [folder / name for name in METADATA if (folder / name).exists()]
    if not tables:
        return {}
    if len(tables) > 1:
        raise BadInput(f"there are {' and '.join(METADATA)} in {folder}: keep one of them")
    table = tables[0]
    lines = _csv(table) if table.suffix == ".csv" else _jsonl(table)
    notes: dict[str, set[Note]] = {}
    for line in lines:
        note = Note(line.get("age", ""), line.get("date", ""))
        if note.age or note.date:
            notes.setdefault(spelled(line["file"]), set()).add(note)
    if files and notes and not notes.keys() & {spelled(file) for file in files}:
        raise BadInput(
            f"no file named in {table} is one of the photos: name them by their path below the "
            f"folder, such as {files[0]}"
        )
    return notes


def _csv(table: Path) -> list[dict[str, str]]:
    try:
        text = table.read_text("utf-8-sig")
        # spreadsheets of half of Europe write semicolons, for their comma is in the numbers
        head = text.partition("\n")[0]
        separator = ";" if ";" in head and "," not in head else ","
        listed = pd.read_csv(table, dtype="string", sep=separator, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInput(f"{table} is no readable UTF-8 csv ({error}): save it as one") from error
    listed.columns = listed.columns.str.strip()
    if "file" not in listed or not {"age", "date"} & set(listed.columns):
        raise BadInput(f"{table} needs a column 'file' and a column 'age' or 'date': add them")
    known = listed.dropna(subset="file").fillna("")
    return [
        {str(name): str(value).strip() for name, value in row.items()}
        for row in known.to_dict("records")
    ]


def _jsonl(table: Path) -> list[dict[str, str]]:
    lines = []
    try:
        text = table.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{table} is no readable UTF-8 text ({error}): save it as one") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            lines.append(_record(table, number, line))
    return lines


def _record(table: Path, number: int, line: str) -> dict[str, str]:
    """One line as text values; what is null is left out."""
    try:
        record: Any = json.loads(line)
    except ValueError as error:
        raise BadInput(f"line {number} of {table} is no JSON ({error}): correct it") from error
    if not isinstance(record, dict) or not isinstance(record.get("file"), str):
        raise BadInput(f"line {number} of {table} needs a 'file' and an 'age' or 'date': add them")
    return {name: str(value).strip() for name, value in record.items() if value is not None}
