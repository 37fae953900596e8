"""Work that is done and not yet published: a store that fails costs nothing but a second try."""

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from resources.compute import Outcome
from resources.manifest import write_atomically

NOTE = "done.json"


class _Done(BaseModel):
    outcome: Outcome
    files: dict[str, tuple[int, int]]


def note(scratch: Path, output: Path, outcome: Outcome) -> None:
    """Write down in ``scratch`` that ``output`` is complete."""
    done = _Done(outcome=outcome, files=_files(output))
    write_atomically(scratch / NOTE, done.model_dump_json().encode())


def look(scratch: Path, output: Path) -> Outcome | None:
    """What the work said when it was done; None where its output is not whole or not there."""
    try:
        done = _Done.model_validate_json((scratch / NOTE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return done.outcome if done.files == _files(output) else None


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Path in the folder -> size and time: enough to tell whether a file is the one that was."""
    found = {}
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            status = path.stat()
            found[path.relative_to(folder).as_posix()] = (status.st_size, status.st_mtime_ns)
    return found
