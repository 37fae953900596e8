"""The artefact store in a folder of this machine (or a mounted one)."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from likeness.errors import BadInput
from resources.manifest import (
    CHUNK,
    Manifest,
    Stored,
    damaged_file,
    link_files,
    record_times,
    write_atomically,
)


class FolderBackend:
    """Keys are paths below ``root``; artefacts are read where they lie."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"The store folder {root} cannot be made ({error.strerror}); "
                "set LIKENESS_STORE to a folder you can write to."
            ) from error

    def stream(self, key: str) -> Iterator[bytes]:
        """The bytes of one file in pieces; FileNotFoundError when there is none."""
        with (self.root / key).open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece

    def write(self, key: str, data: bytes) -> None:
        """Put a small file in place, whole or not at all."""
        write_atomically(self.root / key, data)

    def create(self, key: str, data: bytes) -> bool:
        """Like ``write``, but False, and nothing changed, when the key is taken."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temp = path.with_name(f".tmp-{uuid.uuid4().hex}")
        try:
            temp.write_bytes(data)
            # unlike a rename, a link never replaces what is there
            os.link(temp, path)
        except FileExistsError:
            return False
        finally:
            temp.unlink(missing_ok=True)
        return True

    def delete(self, key: str) -> None:
        """Remove a file, or a folder with all below it."""
        path = self.root / key
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        self._record(key).unlink(missing_ok=True)

    def listing(self, prefix: str) -> dict[str, Stored]:
        """Every file below the folder ``prefix`` by its key."""
        found = {}
        for parent, _, names in os.walk(self.root / prefix):
            for name in names:
                path = Path(parent, name)
                # a file that another process has just removed is not there
                with suppress(FileNotFoundError):
                    if path.is_file():
                        found[path.relative_to(self.root).as_posix()] = _stored(path.stat())
        return found

    def put(self, folder: Path, manifest: Manifest) -> None:
        """The files of ``folder`` at the manifest's location too."""
        target = self.root / manifest.location
        link_files(folder, target, manifest.files)
        record_times(target, manifest.files, self._record(manifest.location))

    def settle(self, folder: Path, manifest: Manifest) -> None:
        """Remove ``folder``, whose files are published."""
        shutil.rmtree(folder)

    def local(self, manifest: Manifest) -> Path:
        """The artefact's folder in the store; CorruptArtifact when a file was changed or lost."""
        folder = self.root / manifest.location
        record = self._record(manifest.location)
        if damaged := damaged_file(folder, manifest.files, record):
            raise manifest.corrupt(damaged, "was changed or lost")
        return folder

    def _record(self, location: str) -> Path:
        # beside the folder: whoever reads the folder shall find the artefact's own files only
        return self.root / f"{location}.times.json"


def _stored(status: os.stat_result) -> Stored:
    # a moved file keeps the time of its last change, but not that of its last renaming
    return Stored(status.st_size, max(status.st_mtime, status.st_ctime))
