"""Temporary folders that belong to a living process: nobody else removes them.

Age cannot tell: a clock that jumps forward makes everything old. A lock on the folder itself ends
with its process, however it ends.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new empty folder in ``parent``, removed at the end if it is still there."""
    folder, held = _make(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_dead(folder: Path) -> bool:
    """Remove a folder; False where the process that it belongs to lives."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        # locked, or on a drive that cannot say: then it stays
        return False
    finally:
        os.close(held)
    return True


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            held = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        # shared: drives over a network give no other lock on what is open for reading
        fcntl.flock(held, fcntl.LOCK_SH)
        # somebody may have taken it for a dead one's before the lock was there
        if folder.exists():
            return folder, held
        os.close(held)
