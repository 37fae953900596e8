"""Local copies of remote artefacts, the least recently used removed when they grow too big."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from resources.manifest import FileEntry, damaged_file, record_times
from resources.rooms import own_folder, remove_dead

log = logging.getLogger("likeness")

TEMP = ".tmp-"
DAY_SECONDS = 24 * 3600

# Lock files that this process keeps open: its folders stay until it ends, however it ends.
_held: dict[Path, IO[bytes]] = {}
_held_guard = threading.Lock()


class ReadCache:
    """Folders by content digest below ``root``, together at most ``cap_gb`` (1e9 bytes) big.

    A folder that a living process has asked for or is filling is never removed, even above the
    cap, and whatever ``clock`` (Unix seconds) says.
    """

    def __init__(self, root: Path, cap_gb: float, clock: Callable[[], float] = time.time) -> None:
        self.root = root.absolute()
        self.cap_bytes = cap_gb * 1e9
        self._clock = clock
        self.root.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()

    def get(self, content: str, files: list[FileEntry], fill: Callable[[Path], None]) -> Path:
        """The complete folder, made by ``fill(empty folder)`` when it is not here yet."""
        _hold(self._lock(content))
        self.put(content, files, fill)
        return self.root / content

    def put(self, content: str, files: list[FileEntry], fill: Callable[[Path], None]) -> None:
        """Like ``get`` for a folder that nobody reads yet."""
        entry, record = self.root / content, self.root / f"{content}.times.json"
        self._note_use(content)
        if entry.is_dir():
            damaged = damaged_file(entry, files, record)
            if damaged is None:
                return
            log.warning("%s in the read cache was changed or lost: getting it again", damaged)
            self._throw_away(entry)
        if self._place(entry, fill):
            record_times(entry, files, record)
        self._shrink()

    def unused(self, before: float) -> dict[str, int]:
        """Content -> bytes of the folders that nobody has asked for since ``before``, Unix s."""
        old = [p for p in self.root.iterdir() if self._is_entry(p) and self._last_use(p) < before]
        return {path.name: _bytes_below(path) for path in sorted(old)}

    def remove_unused(self, content: str, before: float) -> bool:
        """Remove one of them; False where somebody has asked for it since, or reads it."""
        entry = self.root / content
        return self._last_use(entry) < before and self._evict(entry)

    def _place(self, entry: Path, fill: Callable[[Path], None]) -> bool:
        """Fill a hidden folder and show it when complete; False if another process was first."""
        with own_folder(self.root, TEMP) as temp:
            try:
                fill(temp)
                temp.rename(entry)
            except OSError:
                if entry.is_dir():
                    return False
                raise
        return True

    def _shrink(self) -> None:
        entries = [path for path in self.root.iterdir() if self._is_entry(path)]
        sizes = {entry: _bytes_below(entry) for entry in entries}
        total = sum(sizes.values())
        for entry in sorted(entries, key=self._last_use):
            if total <= self.cap_bytes:
                return
            if self._evict(entry):
                total -= sizes[entry]
        if total > self.cap_bytes:
            log.warning("The read cache holds %.2f GB, all of them in use", total / 1e9)

    def _evict(self, entry: Path) -> bool:
        """Remove a folder unless a living process reads it."""
        with self._lock(entry.name).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._throw_away(entry)
        return True

    def _throw_away(self, entry: Path) -> None:
        # out of sight in one step, so that nobody ever finds half a folder
        with own_folder(self.root, TEMP) as aside, suppress(FileNotFoundError):
            # a missing one: another process was faster
            entry.rename(aside)

    def _remove_leftovers(self) -> None:
        for path in self.root.glob(f"{TEMP}*"):
            try:
                old = self._clock() - path.stat().st_mtime > DAY_SECONDS
            except FileNotFoundError:
                continue
            if old:
                remove_dead(path)

    def _note_use(self, content: str) -> None:
        lock, now = self._lock(content), self._clock()
        lock.touch()
        os.utime(lock, (now, now))

    def _is_entry(self, path: Path) -> bool:
        return path.is_dir() and not path.name.startswith(TEMP)

    def _last_use(self, entry: Path) -> float:
        lock = self._lock(entry.name)
        return lock.stat().st_mtime if lock.exists() else 0.0

    def _lock(self, content: str) -> Path:
        # Never removed: a process that waits for a removed lock would hold nothing.
        return self.root / f"{content}.lock"


def _hold(lock: Path) -> None:
    with _held_guard:
        if lock not in _held:
            # kept open on purpose: the lock lives as long as the process
            file = lock.open("ab")
            # flock, not lockf: two descriptors of one process must exclude each other too
            fcntl.flock(file, fcntl.LOCK_SH)
            _held[lock] = file


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file():
                total += path.stat().st_size
    return total
