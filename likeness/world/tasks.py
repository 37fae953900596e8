"""The heavy call of the small world: paint the pictures of a study."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from likeness.images.inventory import take_inventory
from likeness.progress import track
from likeness.workers import workers
from likeness.world.landscapes import paint_class


class PaintJob(BaseModel):
    """One class or test set to paint."""

    key: str
    hand: str
    count: int
    first: int


class PaintParams(BaseModel):
    """What is painted, and how large."""

    sets: list[PaintJob]
    side: int = Field(ge=64, le=1024)
    seed: int = 0


def paint(
    params: PaintParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``painters/raw_paintings`` of our own hand: ``files/<set>/<index>.png`` and their listing."""
    jobs = list(_jobs(params, output / "files"))
    # Spawned, not forked: a forked child of a process with threads can hang.
    with ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool:
        done = pool.map(_paint_one, jobs, chunksize=4)
        for _ in track(done, "painting", len(jobs)):
            pass
    listing = take_inventory(output / "files", [job.key for job in params.sets])
    listing["label_key"] = listing["folder"]
    listing["given_group"] = listing["path"].map(_scenes(params)).astype("string")
    listing.to_parquet(output / "inventory.parquet", index=False)
    return {"pictures": len(jobs)}


def _scenes(params: PaintParams) -> dict[str, str]:
    """Path -> scene, of originals and replicas: an original and its replica belong together."""
    return {
        f"{one.key}/{index:05d}.png": f"scene {index}"
        for one in params.sets
        if one.hand in ("master", "replica")
        for index in range(one.first, one.first + one.count)
    }


def _jobs(params: PaintParams, root: Path) -> Iterator[tuple[str, int, int, int, Path]]:
    for one in params.sets:
        folder = root / one.key
        folder.mkdir(parents=True)
        for index in range(one.first, one.first + one.count):
            yield one.hand, index, params.side, params.seed, folder / f"{index:05d}.png"


def _paint_one(job: tuple[Any, int, int, int, Path]) -> None:
    hand, index, side, seed, file = job
    # A low compression level: these files are read once.
    paint_class(hand, index, side, seed).save(file, compress_level=1)
