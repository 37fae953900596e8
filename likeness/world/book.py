"""Books: many pictures of one source with the truth about each, drawn once and kept."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import BadInput
from likeness.progress import track
from likeness.workers import workers
from likeness.world.description import Description, as_record, from_record
from likeness.world.picture import Box, Drawn, draw
from likeness.world.sample import Mixture, describe

CHUNK = 64


@dataclass(frozen=True)
class Page:
    """What one picture of a book shows, and where."""

    description: Description
    face: Box | None
    eyes: tuple[tuple[float, float], tuple[float, float]] | None
    person: Box | None
    things: tuple[Box | None, ...]


@dataclass(frozen=True)
class Book:
    """Pictures N x S x S x 3 uint8, whose each pixel is (N x S x S uint8), and a page for each."""

    pictures: np.ndarray
    owners: np.ndarray
    pages: list[Page]

    def __len__(self) -> int:
        return len(self.pages)


def page_of(description: Description, drawn: Drawn) -> Page:
    """What is known of a drawn picture."""
    return Page(description, drawn.face, drawn.eyes, drawn.person, drawn.things)


def write_book(folder: Path, source: str, count: int, mixture: Mixture, side: int = 64) -> Book:
    """Draw ``count`` pictures of a source into a folder, unless they lie there already.

    Everything about each picture is written beside it: a book does not change with the code that
    drew it.
    """
    plan = {"source": source, "count": count, "side": side} | mixture.model_dump(mode="json")
    note = folder / "book.json"
    if not note.exists() or json.loads(note.read_text()) != plan:
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        _draw_all(folder, source, count, mixture, side)
        note.write_text(json.dumps(plan))
    return open_book(folder)


def open_book(folder: Path) -> Book:
    """A book written before; pictures stay on disk until they are looked at."""
    if not (folder / "book.json").exists():
        raise BadInput(f"there is no finished book in {folder}: write it again")
    lines = (folder / "pages.jsonl").read_text().splitlines()
    pictures, owners = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("pictures", "owners")
    )
    return Book(pictures, owners, [_page(json.loads(line)) for line in lines])


def _page(record: dict[str, Any]) -> Page:
    eyes, things = record["eyes"], record["things"]
    return Page(
        from_record(record["description"]),
        _box(record["face"]),
        None if eyes is None else ((eyes[0][0], eyes[0][1]), (eyes[1][0], eyes[1][1])),
        _box(record["person"]),
        tuple(_box(thing) for thing in things),
    )


def _box(record: list[float] | None) -> Box | None:
    return None if record is None else (record[0], record[1], record[2], record[3])


def _draw_all(folder: Path, source: str, count: int, mixture: Mixture, side: int) -> None:
    pictures, owners = (
        np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(count, side, side, *more)
        )
        for name, more in (("pictures", (3,)), ("owners", ()))
    )
    jobs = [
        (source, first, min(first + CHUNK, count), mixture, side)
        for first in range(0, count, CHUNK)
    ]
    done = 0
    # Spawned, not forked: a forked child of a process with threads can hang.
    with (
        (folder / "pages.jsonl").open("w") as pages,
        ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool,
    ):
        for drawn in track(pool.map(_draw_some, jobs), f"drawing {source}", len(jobs)):
            for picture, owner, line in zip(*drawn, strict=True):
                pictures[done], owners[done] = picture, owner
                pages.write(line + "\n")
                done += 1
    pictures.flush()
    owners.flush()


def _draw_some(
    job: tuple[str, int, int, Mixture, int],
) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    import cv2

    cv2.setNumThreads(1)  # there is a process per core already
    source, first, last, mixture, side = job
    described = [describe(source, index, mixture) for index in range(first, last)]
    drawn = [draw(one, side) for one in described]
    lines = [
        json.dumps(as_record(page_of(one, d))) for one, d in zip(described, drawn, strict=True)
    ]
    return [d.picture for d in drawn], [d.owners for d in drawn], lines
