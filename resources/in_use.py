"""What the living processes of this machine make or read: nobody removes that."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

GUARD = "guard"
CLAIMS = "*.claims"

# The open list of this process for each folder: its lock lives exactly as long as the process.
_own: dict[Path, IO[str]] = {}
_noted: dict[Path, set[str]] = {}


class InUse:
    """Lists of claimed fingerprints below ``folder``, one a process, held by its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @contextmanager
    def claim(self, fingerprint: str) -> Iterator[None]:
        """What is looked up inside is not removed as long as this process lives."""
        with self._guard(fcntl.LOCK_SH):
            if fingerprint not in _noted.setdefault(self.folder, set()):
                self._list().write(f"{fingerprint}\n")
                self._list().flush()
                _noted[self.folder].add(fingerprint)
            yield

    @contextmanager
    def settled(self) -> Iterator[set[str]]:
        """All claimed fingerprints; no claim begins inside."""
        with self._guard(fcntl.LOCK_EX):
            yield {one for file in self.folder.glob(CLAIMS) for one in _claims(file)}

    @contextmanager
    def _guard(self, kind: int) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / GUARD).open("ab") as file:
            fcntl.flock(file, kind)
            yield

    def _list(self) -> IO[str]:
        if self.folder not in _own:
            # kept open on purpose, see above
            file = (self.folder / f"{os.getpid()}-{uuid.uuid4().hex}.claims").open("a")
            fcntl.flock(file, fcntl.LOCK_EX)
            _own[self.folder] = file
        return _own[self.folder]


def _claims(file: Path) -> list[str]:
    """What the owner of a list has claimed; the list of an owner who has died is removed."""
    with file.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return opened.read().split()
        file.unlink(missing_ok=True)
        return []
