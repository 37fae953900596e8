"""What an artefact says about itself, and the digests by which it is looked up and compared."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from likeness.digests import sha256_file
from likeness.errors import BadInput
from likeness.progress import track

MANIFEST = "manifest.json"
CHUNK = 1 << 20
# Beyond this, neighbouring integers are no longer distinct as floats.
EXACT_INTEGERS = 2**53


class CorruptArtifact(Exception):
    """A published file no longer has the bytes it was published with, in one sentence."""

    def __init__(self, file: str, asset: str, fingerprint: str, what: str) -> None:
        self.fact = f"File {file!r} of the artefact {asset} {fingerprint[:12]} {what} in the store"
        super().__init__(
            f"{self.fact}: `likeness store verify` sets it aside, and the next run makes it again"
        )


def _inside(path: str) -> str:
    """A relative path that cannot leave the folder it is joined to, in its one spelling."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or str(pure) != path:
        raise ValueError(f"{path!r} is not a plain relative path")
    if "\0" in path:
        raise ValueError(f"{path!r} holds a zero byte")
    return path


InnerPath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
AssetName = Annotated[str, Field(pattern=r"^[\w-]+(/[\w-]+)*$")]


class Stored(NamedTuple):
    """A file of a store: its size, and since when (Unix seconds) it lies under its name."""

    bytes: int
    since: float


class FileEntry(BaseModel):
    """One file of an artefact: posix path inside it, size in bytes, sha256 in hex."""

    model_config = ConfigDict(frozen=True)

    path: InnerPath
    bytes: int = Field(ge=0)
    sha256: Sha256


class Work(BaseModel):
    """What was done to make an artefact: the part of the manifest that its maker knows."""

    model_config = ConfigDict(frozen=True)

    asset: AssetName
    fingerprint: Sha256
    inputs: dict[str, str] = Field(default={}, description="name -> content digest of the input")
    params: dict[str, Any] = Field(default={}, description="normalised configuration")
    code_version: str = ""
    libraries: dict[str, str] = Field(default={}, description="library -> version")
    summary: dict[str, Any] = {}
    seconds: float = Field(default=0.0, ge=0)
    gpu_seconds: float = Field(default=0.0, ge=0)
    peak_memory_mb: float = Field(default=0.0, ge=0)


class Manifest(Work):
    """The whole of ``manifest.json``; ``location`` is the folder of the files below the store."""

    content: Sha256
    files: list[FileEntry]
    location: InnerPath
    created: str = Field(description="ISO 8601, UTC")

    @property
    def bytes_total(self) -> int:
        """Size of all files, in bytes."""
        return sum(entry.bytes for entry in self.files)

    def corrupt(self, file: str, what: str) -> CorruptArtifact:
        """The error that says what is wrong with one file of this artefact."""
        return CorruptArtifact(file, self.asset, self.fingerprint, what)


def canonical_json(value: object) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces, ASCII; 2.0 is written as 2.

    Raises ValueError for NaN and infinity, TypeError for what JSON does not know.
    """
    plain = _plain(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        # json would write the keys 1 and "1" alike
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"keys must be strings, not {list(value)}")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_INTEGERS:
        return int(value)
    return value


def fingerprint_of(parts: dict[str, Any]) -> str:
    """sha256, in hex, of the canonical JSON of everything that decides a result."""
    return hashlib.sha256(canonical_json(parts)).hexdigest()


def content_digest(files: Iterable[FileEntry]) -> str:
    """sha256, in hex, over the sorted (path, sha256) lines: the identity of a folder's bytes."""
    lines = sorted((entry.path, entry.sha256) for entry in files)
    return hashlib.sha256(b"".join(canonical_json(line) + b"\n" for line in lines)).hexdigest()


def describe_folder(folder: Path) -> list[FileEntry]:
    """All files below ``folder`` by posix path, except a ``manifest.json`` at the top.

    Raises BadInput when there is no such folder, and for links, devices and names that are not
    valid UTF-8: no store could keep them as they are.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder} to publish; check what was to write it.")
    found: list[tuple[str, Path]] = []
    for parent, folders, names in os.walk(folder):
        for name in folders + names:
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            _refuse_odd(path, relative, folder)
            if name in names and relative != MANIFEST:
                found.append((relative, path))
    found.sort()
    return [
        FileEntry(path=relative, bytes=path.stat().st_size, sha256=sha256_file(path))
        for relative, path in track(found, f"hashing {folder.name}", len(found))
    ]


def _refuse_odd(path: Path, relative: str, folder: Path) -> None:
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        kind = "a link" if path.is_symlink() else "neither a file nor a folder"
        raise BadInput(f"{relative!r} in {folder} is {kind}; put a real file in its place.")
    try:
        relative.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"The name {relative!r} in {folder} is not valid UTF-8; rename it."
        ) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or none: readers see the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".tmp-{uuid.uuid4().hex}")
    try:
        temp.write_bytes(data)
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)


def link_files(source: Path, target: Path, files: list[FileEntry]) -> None:
    """Give the listed files a second name in ``target``, or a copy where that cannot be."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in track(files, f"placing {source.name}", len(files)):
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / entry.path, path)
        except OSError:
            # another file system, or one without second names
            shutil.copy2(source / entry.path, path)


def move_files(source: Path, target: Path, files: list[FileEntry]) -> None:
    """Move the listed files (copying them between file systems) and remove ``source``."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in track(files, f"moving {source.name}", len(files)):
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source / entry.path, path)
    shutil.rmtree(source)


def record_times(folder: Path, files: list[FileEntry], record: Path) -> None:
    """Note when the files, known to be right, were last changed."""
    times = {entry.path: (folder / entry.path).stat().st_mtime_ns for entry in files}
    # a store that cannot be written to can still be read; it is only slower
    with suppress(OSError):
        write_atomically(record, json.dumps(times).encode())


def damaged_file(folder: Path, files: list[FileEntry], record: Path) -> str | None:
    """The first listed file that is missing or has other bytes than listed, or None.

    Only files changed since ``record`` was written are read; the others are right by size and time.
    """
    times = {}
    with suppress(OSError, ValueError):
        times = json.loads(record.read_bytes())
    changed = False
    for entry in files:
        path = folder / entry.path
        if not path.is_file() or path.stat().st_size != entry.bytes:
            return entry.path
        if times.get(entry.path) != path.stat().st_mtime_ns:
            if sha256_file(path) != entry.sha256:
                return entry.path
            changed = True
    if changed:
        record_times(folder, files, record)
    return None
