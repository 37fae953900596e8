"""A user's raw folders as they are now, and whether what is being copied into one has come to rest.

A folder is at rest when the names, sizes and times of its files have been the same for a while *by
this machine's clock*: programs that copy keep the files' own times, and network drives have others.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, RootModel

from likeness.images.inventory import is_clutter
from likeness.studies.load import Registry


class Watched(NamedTuple):
    """Folders of one person or painter, and the job that takes them in."""

    job: str
    key: str
    folders: list[Path]


class Seen(BaseModel):
    """What was seen in the folders of one key, since when, and for what state a run was asked."""

    state: str
    since: float
    asked: str = ""


class Cursor(RootModel[dict[str, Seen]]):
    """``job:key`` -> what was seen; kept by the sensor from tick to tick."""

    root: dict[str, Seen] = {}


class Due(NamedTuple):
    """A finished batch; ``run_key`` is its own, however often it is asked for."""

    job: str
    key: str
    run_key: str


def watched(registry: Registry, root: Path) -> list[Watched]:
    """Everybody whose pictures are files below ``root``."""
    people = [
        Watched("people_job", key, [root / name for name in one.raw_folders])
        for key, one in registry.subjects.items()
        if one.raw_folders
    ]
    painters = [
        Watched("painters_job", key, [root / name for name in one.raw_folders])
        for key, one in registry.painters.items()
        if one.raw_folders
    ]
    return people + painters


def state_of(folders: list[Path]) -> str:
    """Digest of paths, sizes and times of all files; empty where there is none."""
    digest, files = hashlib.sha256(), 0
    for line in sorted(line for folder in folders for line in _lines(folder)):
        digest.update(line)
        files += 1
    return digest.hexdigest() if files else ""


def _lines(folder: Path) -> Iterator[bytes]:
    for parent, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not is_clutter(name)]
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.stat(path)
            except OSError:
                continue  # gone since, or a link to nothing: the intake says so
            if not is_clutter(name):
                yield os.fsencode(path) + f"\0{status.st_size} {status.st_mtime_ns}\n".encode()


def finished(
    states: dict[tuple[str, str], str], cursor: Cursor, now: float, quiet: float
) -> tuple[list[Due], Cursor]:
    """Batches at rest for ``quiet`` seconds that no run was asked for, and the next cursor.

    ``states``: (job, key) -> ``state_of`` its folders. A folder that is again as it once was
    is a new batch: what is current is what lies there now. After a jump of the clock forward a
    batch may be asked for too early; what still comes is then one of its own.
    """
    due: list[Due] = []
    following: dict[str, Seen] = {}
    for (job, key), state in states.items():
        name = f"{job}:{key}"
        seen = cursor.root.get(name)
        if seen is None or seen.state != state:
            seen = Seen(state=state, since=now, asked=seen.asked if seen else "")
        # a clock that was set back would have a batch wait for hours
        seen = seen.model_copy(update={"since": min(seen.since, now)})
        if state and state != seen.asked and now - seen.since >= quiet:
            due.append(Due(job, key, f"{name}:{state[:16]}:{seen.since:.0f}"))
            seen = seen.model_copy(update={"asked": state})
        following[name] = seen
    return due, Cursor(following)
