"""Books: many pictures of one source with the truth about each, drawn once and kept."""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from likeness.progress import track
from likeness.workers import workers
from likeness.world.description import Description
from likeness.world.picture import Box, draw
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
    """Pictures N x S x S x 3 uint8 and a page for each."""

    pictures: np.ndarray
    pages: list[Page]

    def __len__(self) -> int:
        return len(self.pages)


def write_book(folder: Path, source: str, count: int, mixture: Mixture, side: int = 64) -> Book:
    """Draw ``count`` pictures of a source into a folder, unless they lie there already."""
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
    plan = json.loads((folder / "book.json").read_text())
    source, count = plan.pop("source"), plan.pop("count")
    plan.pop("side")
    mixture = Mixture.model_validate(plan)
    places = json.loads((folder / "places.json").read_text())
    pages = [
        Page(describe(source, index, mixture), *_restored(places[index])) for index in range(count)
    ]
    return Book(np.load(folder / "pictures.npy", mmap_mode="r"), pages)


def _restored(place: dict[str, Any]) -> Iterator[Any]:
    for key in ("face", "eyes", "person", "things"):
        value = place[key]
        nested = key in ("eyes", "things") and value is not None
        if nested:
            value = [None if item is None else tuple(item) for item in value]
        yield None if value is None else tuple(value)


def _draw_all(folder: Path, source: str, count: int, mixture: Mixture, side: int) -> None:
    pictures = np.lib.format.open_memmap(
        folder / "pictures.npy", mode="w+", dtype=np.uint8, shape=(count, side, side, 3)
    )
    jobs = [
        (source, first, min(first + CHUNK, count), mixture, side)
        for first in range(0, count, CHUNK)
    ]
    places: list[dict[str, Any]] = []
    # Spawned, not forked: a forked child of a process with threads can hang.
    with ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool:
        for drawn, found in track(pool.map(_draw_some, jobs), f"drawing {source}", len(jobs)):
            pictures[len(places) : len(places) + len(drawn)] = drawn
            places += found
    pictures.flush()
    (folder / "places.json").write_text(json.dumps(places))


def _draw_some(
    job: tuple[str, int, int, Mixture, int],
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    import cv2

    cv2.setNumThreads(1)  # there is a process per core already
    source, first, last, mixture, side = job
    all_drawn = [draw(describe(source, index, mixture), side) for index in range(first, last)]
    places = [
        {"face": d.face, "eyes": d.eyes, "person": d.person, "things": d.things} for d in all_drawn
    ]
    return np.stack([d.picture for d in all_drawn]), places
