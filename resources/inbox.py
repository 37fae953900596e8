"""Raw files that others put into a bucket: seen as a listing, and copied into the raw folder."""

import hashlib
import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from likeness.errors import BadInput
from likeness.images.inventory import is_clutter
from likeness.progress import track
from resources.manifest import InnerPath, Stored
from resources.read_cache import ReadCache
from resources.s3_backend import S3Backend


class Inbox:
    """The objects below ``s3://bucket/prefix``; BadInput where it cannot be reached."""

    def __init__(self, uri: str, state: Path) -> None:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket:
            raise BadInput(f"LIKENESS_RAW_BUCKET is {uri!r}; write it like s3://bucket/prefix.")
        cache = ReadCache(state / "read_cache", 1)  # nothing of an inbox is kept there
        self._backend = S3Backend(bucket, prefix.strip("/"), cache)

    @property
    def state(self) -> str:
        """Digest of names, sizes and times of all objects; empty where there is none."""
        lines = [f"{key}\0{one.bytes} {one.since}\n" for key, one in sorted(self._files().items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""

    def copy_to(self, folder: Path) -> int:
        """Bring what is new or has changed; how many files that were. Nothing is ever removed."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {
            key: one for key, one in self._files().items() if not _is_there(folder / key, one)
        }
        for key, one in track(wanted.items(), "copying raw files", len(wanted)):
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            # hidden until it is whole: nobody takes half a picture in
            half = path.with_name(f".{path.name}.part")
            try:
                with half.open("wb") as file:
                    for piece in self._backend.stream(key):
                        file.write(piece)
                os.utime(half, (one.since, one.since))
                half.replace(path)
            finally:
                half.unlink(missing_ok=True)
        return len(wanted)

    def _files(self) -> dict[str, Stored]:
        found = self._backend.listing("").items()
        return {key: one for key, one in found if not any(map(is_clutter, _parts(key)))}


def _parts(key: str) -> tuple[str, ...]:
    try:
        return Path(TypeAdapter(InnerPath).validate_python(key)).parts
    except ValidationError as error:
        raise BadInput(
            f"the object {key!r} in LIKENESS_RAW_BUCKET has no name that a file can have: rename it"
        ) from error


def _is_there(path: Path, one: Stored) -> bool:
    if not path.is_file():
        return False
    status = path.stat()
    return status.st_size == one.bytes and abs(status.st_mtime - one.since) < 1
