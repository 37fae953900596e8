"""What lies below a folder of raw files: every file with its sha256, or why it is refused."""

import os
import posixpath
import stat
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from likeness.digests import sha256_file
from likeness.errors import BadInput
from likeness.progress import track

FOUND = "found"
REJECTED = "rejected"
COLUMNS = {
    "path": "string",
    "folder": "string",
    "bytes": "Int64",
    "sha256": "string",
    "status": "string",
    "reason": "string",
}
# what systems leave beside pictures; names that begin with a dot are ignored as well
CLUTTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"}
WORKERS = 8


def take_inventory(root: Path, folders: list[str]) -> pd.DataFrame:
    """Every file below ``root/<folder>``, one row each with the ``COLUMNS``, sorted by path.

    ``path`` is relative to ``root``. A file below several of the folders counts for the deepest.
    Hidden files are left out; links that leave ``root``, empty and unreadable files are rejected
    rows. Raises ``BadInput`` when ``root`` is missing or a folder leads out of it.
    """
    owners: dict[str, tuple[str, str | None]] = {}
    for inner, folder in sorted(_inner(root, folders).items(), key=lambda item: _depth(item[0])):
        for path, reason in _walk(root, root / inner):
            owners[path.relative_to(root).as_posix()] = (folder, reason)
    paths = sorted(owners)
    examine = partial(_examine, root, Path(os.path.realpath(root)))
    with ThreadPoolExecutor(WORKERS) as pool:
        examined = pool.map(examine, paths, (owners[path][1] for path in paths))
        rows = [
            {"path": _printable(path), "folder": owners[path][0], **row}
            for path, row in zip(paths, track(examined, "inventory", len(paths)), strict=True)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def spelled(path: str) -> str:
    """One spelling of a path: macOS takes letters and accents apart, Windows turns slashes."""
    return unicodedata.normalize("NFC", path.strip().replace("\\", "/").removeprefix("./"))


def missing_folders(root: Path, folders: list[str]) -> list[str]:
    """Those of ``folders`` that are no folder below ``root``; they contribute no rows."""
    return [
        folder for inner, folder in _inner(root, folders).items() if not (root / inner).is_dir()
    ]


def _inner(root: Path, folders: list[str]) -> dict[str, str]:
    """Normalised folder -> folder as it was given (the first, when two mean the same)."""
    if not root.is_dir():
        raise BadInput(f"There is no folder {root}; create it or name the folder with the files.")
    inner: dict[str, str] = {}
    for folder in folders:
        normal = posixpath.normpath(folder)
        if posixpath.isabs(normal) or normal.split("/")[0] == "..":
            raise BadInput(
                f"The folder {folder!r} leads out of {root}; name one that lies below it."
            )
        inner.setdefault(normal, folder)
    return inner


def _depth(inner: str) -> int:
    return len(Path(inner).parts)


def _walk(root: Path, top: Path) -> Iterator[tuple[Path, str | None]]:
    """Files below ``top``, unsorted, and what cannot be entered with the reason."""
    if not _lies_in(Path(os.path.realpath(root)), top):
        yield top, "link that leaves the root folder"
        return
    closed: list[OSError] = []
    for here, folders, files in os.walk(top, onerror=closed.append):
        folders[:] = [name for name in folders if not is_clutter(name)]
        # linked folders are listed here but never entered, so no link can make a circle
        for name in folders:
            if (path := Path(here, name)).is_symlink():
                yield path, "link to a folder, which is not followed"
        for name in files:
            if not is_clutter(name):
                yield Path(here, name), None
    for error in closed:
        # a folder that does not exist is no row: ``missing_folders`` names it
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            yield Path(error.filename), f"folder cannot be read: {error.strerror}"


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is a system's own, or hidden."""
    return name.startswith(".") or name.lower() in CLUTTER


def _lies_in(real_root: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(real_root)


def _examine(root: Path, real_root: Path, path: str, reason: str | None) -> dict[str, object]:
    """Size, sha256, status and reason of one file."""
    row: dict[str, object] = {"bytes": None, "sha256": None, "status": REJECTED, "reason": reason}
    try:
        row["reason"] = _refusal(root / path, real_root, reason)
        if row["reason"] is None:
            row["bytes"] = (root / path).stat().st_size
            row["sha256"] = sha256_file(root / path)
            row["status"] = FOUND
    except OSError as error:
        row["reason"] = f"cannot be read: {error.strerror}"
    return row


def _refusal(path: Path, real_root: Path, reason: str | None) -> str | None:
    """Why ``path`` is not even opened; ``reason`` when the walk already knew one."""
    if not _lies_in(real_root, path):
        return "link that leaves the root folder"
    if reason:
        return reason
    if _printable(str(path)) != str(path):
        return "name is not valid UTF-8; rename the file"
    state = path.stat()
    # opening a pipe would wait for ever
    if not stat.S_ISREG(state.st_mode):
        return "not a regular file"
    return "empty file" if state.st_size == 0 else None


def _printable(path: str) -> str:
    """Bytes of a name that are not UTF-8 as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
