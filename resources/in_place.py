"""What one run at a time puts in its place: the warehouse and the report."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


@contextmanager
def alone(target: Path, temporary: str) -> Iterator[None]:
    """No other process replaces ``target`` meanwhile; its folder is there.

    What begins with ``temporary`` beside it was left by writers who were killed, and is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    locks = target.parent / "locks"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / f"{target.name}.lock"):
        for left in target.parent.glob(f"{temporary}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
