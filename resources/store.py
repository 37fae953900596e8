"""The artefact store: publish a folder once, find it by its fingerprint, fetch it with its bytes
checked.

Layout, in a folder and in a bucket alike:
``<asset>/<fingerprint>/manifest.json`` names ``<asset>/<fingerprint>/<attempt>/...``, the files;
``refs/<asset>/<partition>.json`` says which artefact is current.
"""

import hashlib
import logging
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from likeness.errors import BadInput
from likeness.progress import track
from resources.folder_backend import FolderBackend
from resources.manifest import (
    MANIFEST,
    FileEntry,
    Manifest,
    Stored,
    Work,
    content_digest,
    describe_folder,
)
from resources.read_cache import ReadCache

log = logging.getLogger("likeness")

FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Backend(Protocol):
    """Where the bytes are; keys are posix paths below the store."""

    def stream(self, key: str) -> Iterator[bytes]: ...  # noqa: D102

    def write(self, key: str, data: bytes) -> None: ...  # noqa: D102

    def create(self, key: str, data: bytes) -> bool: ...  # noqa: D102

    def delete(self, key: str) -> None: ...  # noqa: D102

    def listing(self, prefix: str) -> dict[str, Stored]: ...  # noqa: D102

    def put(self, folder: Path, manifest: Manifest) -> None: ...  # noqa: D102

    def settle(self, folder: Path, manifest: Manifest) -> None: ...  # noqa: D102

    def local(self, manifest: Manifest) -> Path: ...  # noqa: D102


class Ref(BaseModel):
    """Which artefact is current for an asset and partition, and how it came to be so."""

    model_config = ConfigDict(frozen=True)

    asset: str
    partition: str | None
    fingerprint: str
    content: str
    cache_hit: bool
    seconds: float
    updated: str


class Problem(BaseModel):
    """What ``verify`` found: ``path`` is a file of the artefact, or its manifest."""

    model_config = ConfigDict(frozen=True)

    asset: str
    fingerprint: str
    path: str
    reason: str
    location: str  # of its files; empty where the manifest cannot be read


def open_store(uri: str, read_cache: Path, cache_gb: float) -> "ArtifactStore":
    """The store at a folder path or ``s3://bucket/prefix``; only the latter uses the read cache.

    S3 needs LIKENESS_S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment
    and takes AWS_REGION (default us-east-1). Raises BadInput when it cannot be opened.
    """
    if not uri.startswith("s3://"):
        if "://" in uri:
            raise BadInput(
                f"LIKENESS_STORE is {uri!r}; it must be a folder, or s3://bucket/prefix."
            )
        return ArtifactStore(FolderBackend(Path(uri)))
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise BadInput(f"LIKENESS_STORE is {uri!r}; name a bucket: s3://bucket/prefix.")
    # only needed here, and slow to import
    from resources.s3_backend import S3Backend

    return ArtifactStore(S3Backend(bucket, prefix.strip("/"), ReadCache(read_cache, cache_gb)))


class ArtifactStore:
    """Artefacts never change: the first manifest of a fingerprint wins and stays."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def find(self, asset: str, fingerprint: str) -> Manifest | None:
        """The artefact, or None when there is no manifest or its files are not all there."""
        manifest = self._manifest(_manifest_key(asset, fingerprint))
        if manifest is None:
            return None
        stored = self._backend.listing(manifest.location)
        for entry in manifest.files:
            there = stored.get(f"{manifest.location}/{entry.path}")
            if there is None or there.bytes != entry.bytes:
                name = f"{asset} {fingerprint[:12]}"
                log.warning("%s is not used: %r is missing or of another size", name, entry.path)
                return None
        return manifest

    def publish(self, folder: Path, work: Work, replaced: Manifest | None = None) -> Manifest:
        """Store a finished local folder, which is gone afterwards; ``fetch`` gives it back.

        When another process has published the same fingerprint first, its artefact is returned;
        but ``replaced`` gives way, once all files of the new one are there.
        Where the store fails, the folder is still there: nothing is to be made again.
        """
        if replaced is None and (first := self.find(work.asset, work.fingerprint)):
            shutil.rmtree(folder)
            return first
        files = describe_folder(folder)
        key = _manifest_key(work.asset, work.fingerprint)
        attempt = f"{work.asset}/{work.fingerprint}/{uuid.uuid4().hex[:12]}"
        ours = Manifest(
            **work.model_dump(),
            files=files,
            content=content_digest(files),
            location=attempt,
            created=_now(),
        )
        try:
            self._backend.put(folder, ours)
            if replaced is not None:
                self.quarantine(replaced)
            first = self._claim(key, ours)
        except OSError:
            # what fills a disk shall not stay there
            with suppress(OSError, BadInput):
                self._backend.delete(attempt)
            raise
        self._backend.settle(folder, ours)
        if first.location != ours.location:
            self._backend.delete(ours.location)
        return first

    def _claim(self, key: str, ours: Manifest) -> Manifest:
        """The manifest under this key from now on: ours, or that of who was first."""
        while not self._backend.create(key, ours.model_dump_json(indent=1).encode()):
            # a repeated request can meet the manifest that its own first try has written
            if first := self.find(ours.asset, ours.fingerprint):
                return first
            self._set_aside(key)  # in the way and of no use
        return ours

    def fetch(self, manifest: Manifest) -> Path:
        """A complete local folder with the published bytes, to be read only.

        Raises CorruptArtifact when the store no longer has these bytes.
        """
        return self._backend.local(manifest)

    def read_file(self, manifest: Manifest, path: str) -> bytes:
        """One file of the artefact, its bytes checked; FileNotFoundError when it lists no such."""
        entry = next((entry for entry in manifest.files if entry.path == path), None)
        if entry is None:
            raise FileNotFoundError(f"{manifest.asset} has no file {path!r}")
        try:
            data = b"".join(self._backend.stream(f"{manifest.location}/{path}"))
        except FileNotFoundError as error:
            raise manifest.corrupt(path, "is missing") from error
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise manifest.corrupt(path, "was changed")
        return data

    def quarantine(self, manifest: Manifest) -> None:
        """Set the manifest aside, so that the artefact no longer exists and is made again."""
        key = _manifest_key(manifest.asset, manifest.fingerprint)
        current = self._manifest(key)
        # someone may have published it anew in the meantime: that one is good
        if current is not None and current.location == manifest.location:
            self._set_aside(key)

    def manifests(self) -> Iterator[Manifest]:
        """Every artefact that has a readable manifest."""
        for key in self._manifest_keys():
            if manifest := self._manifest(key):
                yield manifest

    def verify(self, only: Iterable[Ref] | None = None) -> list[Problem]:
        """Read every byte of every artefact, or of those that ``only`` names: what is not as
        published. An artefact that a ref names and that has no manifest is a problem too.
        """
        if only is None:
            keys = self._manifest_keys()
        else:
            keys = sorted({_manifest_key(ref.asset, ref.fingerprint) for ref in only})
        return [
            problem
            for key in track(keys, "verifying artefacts", len(keys))
            for problem in self._problems(key)
        ]

    def set_aside_damaged(self, problems: Iterable[Problem]) -> None:
        """Quarantine every artefact with a problem: its next run makes it again.

        One that was made again since the problem was found is left alone.
        """
        for asset, fingerprint, location in {
            (p.asset, p.fingerprint, p.location) for p in problems
        }:
            manifest = self._manifest(_manifest_key(asset, fingerprint))
            if manifest is not None and manifest.location == location:
                self.quarantine(manifest)

    def listing(self) -> dict[str, Stored]:
        """Every file of the store by its key."""
        return self._backend.listing("")

    def find_any(self, asset: str, fingerprint: str) -> Manifest | None:
        """As ``find``, whether its files are all there or not."""
        return self._manifest(_manifest_key(asset, fingerprint))

    def withdraw(self, manifest: Manifest) -> None:
        """Remove a manifest, so that the artefact no longer exists; its files stay for a while."""
        self._backend.delete(_manifest_key(manifest.asset, manifest.fingerprint))

    def delete(self, key: str) -> None:
        """Remove what no manifest names: a file, or a folder with all below it."""
        self._backend.delete(key)

    def delete_empty(self, key: str) -> None:
        """Remove a folder below which there is no file."""
        if not self._backend.listing(key):
            self._backend.delete(key)

    def probe(self) -> None:
        """Write, read and remove a small file; BadInput or OSError says what does not work."""
        key, data = f"probe/{uuid.uuid4().hex}", b"likeness"
        self._backend.write(key, data)
        if self._read(key) != data:
            raise BadInput("The store does not give back what is written to it: check its disk.")
        self._backend.delete("probe")

    def set_ref(
        self, asset: str, partition: str | None, manifest: Manifest, cache_hit: bool, seconds: float
    ) -> Ref:
        """Say that ``manifest`` is now the current artefact of the asset and partition."""
        ref = Ref(
            asset=asset,
            partition=partition,
            fingerprint=manifest.fingerprint,
            content=manifest.content,
            cache_hit=cache_hit,
            seconds=seconds,
            updated=_now(),
        )
        self._backend.write(_ref_key(asset, partition), ref.model_dump_json(indent=1).encode())
        return ref

    def ref(self, asset: str, partition: str | None) -> Ref | None:
        """The current artefact of an asset and partition, if there is one."""
        return self._ref(_ref_key(asset, partition))

    def refs(self) -> list[Ref]:
        """All current artefacts, sorted by asset and partition; unreadable refs are left out."""
        return [ref for key in self._ref_keys() if (ref := self._ref(key)) is not None]

    def all_refs(self) -> list[Ref]:
        """As ``refs``; BadInput where one cannot be read: nobody knows what it keeps alive."""
        keys = self._ref_keys()
        found = [(key, self._ref(key)) for key in keys]
        for key, ref in found:
            if ref is None:
                raise BadInput(
                    f"{key} in the store cannot be read: materialise its asset again, so that it "
                    "is known which artefacts are current."
                )
        return [ref for _, ref in found if ref is not None]

    def _ref_keys(self) -> list[str]:
        return sorted(key for key in self._backend.listing("refs") if key.endswith(".json"))

    def _manifest(self, key: str) -> Manifest | None:
        data = self._read(key)
        if data is None:
            return None
        try:
            manifest = Manifest.model_validate_json(data)
        except ValidationError as error:
            log.warning("%s is not used: it cannot be read (%s)", key, error.errors()[0]["msg"])
            return None
        if _manifest_key(manifest.asset, manifest.fingerprint) != key:
            log.warning("%s is not used: it belongs to another artefact", key)
            return None
        return manifest

    def _ref(self, key: str) -> Ref | None:
        data = self._read(key)
        try:
            return None if data is None else Ref.model_validate_json(data)
        except ValidationError as error:
            log.warning("%s is not used: it cannot be read (%s)", key, error.errors()[0]["msg"])
            return None

    def _manifest_keys(self) -> list[str]:
        return sorted(key for key in self._backend.listing("") if is_manifest_key(key))

    def _read(self, key: str) -> bytes | None:
        try:
            return b"".join(self._backend.stream(key))
        except FileNotFoundError:
            return None

    def _problems(self, key: str) -> Iterator[Problem]:
        asset, fingerprint, _ = key.rsplit("/", 2)
        manifest = self._manifest(key)
        if manifest is None:
            yield _problem(asset, fingerprint, MANIFEST, "cannot be read")
            return
        at = manifest.location
        if content_digest(manifest.files) != manifest.content:
            yield _problem(asset, fingerprint, MANIFEST, "does not fit its content digest", at)
        for entry in manifest.files:
            if reason := self._wrong(manifest, entry):
                yield _problem(asset, fingerprint, entry.path, reason, at)

    def _wrong(self, manifest: Manifest, entry: FileEntry) -> str | None:
        digest = hashlib.sha256()
        try:
            for piece in self._backend.stream(f"{manifest.location}/{entry.path}"):
                digest.update(piece)
        except FileNotFoundError:
            return "is missing"
        return None if digest.hexdigest() == entry.sha256 else "has other bytes than published"

    def _set_aside(self, key: str) -> None:
        data = self._read(key)
        if data is not None:
            self._backend.write(f"{key}.{uuid.uuid4().hex[:12]}.quarantined", data)
            self._backend.delete(key)


def _manifest_key(asset: str, fingerprint: str) -> str:
    return f"{asset}/{fingerprint}/{MANIFEST}"


def is_manifest_key(key: str) -> bool:
    """A file of an artefact may be called manifest.json too; it lies below a fingerprint."""
    parts = key.split("/")
    at = next((i for i, part in enumerate(parts) if FINGERPRINT.fullmatch(part)), None)
    return at is not None and parts[at + 1 :] == [MANIFEST]


def _ref_key(asset: str, partition: str | None) -> str:
    # "_" stands for no partition, so a partition of that name is written otherwise
    name = "_" if partition is None else quote(partition, safe="")
    return f"refs/{asset}/{'%5F' if partition == '_' else name}.json"


def _problem(asset: str, fingerprint: str, path: str, reason: str, location: str = "") -> Problem:
    return Problem(
        asset=asset, fingerprint=fingerprint, path=path, reason=reason, location=location
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
