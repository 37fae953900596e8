"""What nobody needs any more: artefacts out of use, leftovers of killed writers, old copies.

An artefact is needed when a ref names it, when a needed one was made from its bytes, or when a
living process of this machine reads or makes it. Steps on other machines over the same bucket are
not seen: only the minimum age protects what they have just found, so prune while they rest.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Literal, NamedTuple

from filelock import Timeout
from pydantic import BaseModel, ConfigDict

from resources.artifacts import Artifacts
from resources.manifest import MANIFEST, Manifest, Stored
from resources.read_cache import ReadCache
from resources.rooms import remove_dead
from resources.store import FINGERPRINT, Ref, is_manifest_key

What = Literal["artefact", "leftover", "scratch", "copy"]
HOUR = 3600.0
# Between two looks at what has become current meanwhile.
AT_ONCE = 50


class Rubbish(BaseModel):
    """One thing that nobody needs; ``name`` is its key in the store or its folder in the state."""

    model_config = ConfigDict(frozen=True)

    what: What
    asset: str
    name: str
    bytes: int


class _Store(NamedTuple):
    """Everything in the store at one moment."""

    files: dict[str, Stored]
    manifests: dict[str, Manifest]
    refs: list[Ref]


def find_rubbish(
    artifacts: Artifacts, min_age_hours: float, now: float | None = None
) -> list[Rubbish]:
    """Everything older than ``min_age_hours`` that nobody needs; nothing is changed.

    ``now``: Unix seconds. A clock set back keeps more, one set forward keeps what is in use.
    Raises BadInput where a ref cannot be read: what it keeps alive would be unknown.
    """
    return _rubbish(artifacts, _look(artifacts), _before(min_age_hours, now))


def prune(artifacts: Artifacts, min_age_hours: float, now: float | None = None) -> list[Rubbish]:
    """Remove what ``find_rubbish`` finds and nobody has come to need meanwhile; what was removed.

    Whatever a running step of this machine makes, reads or writes stays.
    """
    before = _before(min_age_hours, now)
    store = _look(artifacts)
    found = _rubbish(artifacts, store, before)
    artefacts = [one for one in found if one.what == "artefact"]
    removed: list[Rubbish] = []
    for start in range(0, len(artefacts), AT_ONCE):
        removed += _remove_artefacts(artifacts, store, artefacts[start : start + AT_ONCE])
    cache = _cache(artifacts)
    for one in found:
        if (
            (one.what == "leftover" and _remove_leftover(artifacts, one.name))
            or (one.what == "scratch" and _remove_scratch(artifacts, one.name))
            or (one.what == "copy" and cache and cache.remove_unused(one.name, before))
        ):
            removed.append(one)
    return removed


def _before(min_age_hours: float, now: float | None) -> float:
    return (time.time() if now is None else now) - min_age_hours * HOUR


def _rubbish(artifacts: Artifacts, store: _Store, before: float) -> list[Rubbish]:
    with artifacts.in_use.settled() as claimed:
        needed = _needed(store, claimed)
    return [
        *_unneeded(store, needed, before),
        *_leftovers(store, before),
        *_scratch(artifacts, store, before),
        *_copies(artifacts, store, needed, before),
    ]


def _look(artifacts: Artifacts) -> _Store:
    # Refs first: what is published and adopted after that is young.
    refs = artifacts.store.all_refs()
    files = artifacts.store.listing()
    manifests = {one.fingerprint: one for one in artifacts.store.manifests()}
    return _Store(files, manifests, refs)


def _needed(store: _Store, claimed: Iterable[str]) -> set[str]:
    """Fingerprints of the current and the claimed artefacts and of all that they were made from."""
    by_content: dict[str, list[str]] = {}
    for one in store.manifests.values():
        by_content.setdefault(one.content, []).append(one.fingerprint)
    ahead = [*(ref.fingerprint for ref in store.refs), *claimed]
    needed: set[str] = set()
    while ahead:
        current = ahead.pop()
        if current not in needed and current in store.manifests:
            needed.add(current)
            inputs = store.manifests[current].inputs.values()
            ahead += [one for content in inputs for one in by_content.get(content, [])]
    return needed


def _unneeded(store: _Store, needed: set[str], before: float) -> Iterator[Rubbish]:
    for one in store.manifests.values():
        file = store.files.get(f"{one.asset}/{one.fingerprint}/{MANIFEST}")
        if one.fingerprint not in needed and file is not None and file.since < before:
            key = f"{one.asset}/{one.fingerprint}"
            yield Rubbish(what="artefact", asset=one.asset, name=key, bytes=one.bytes_total)


def _attempt(key: str) -> str | None:
    """``asset/fingerprint/name`` of a file of an artefact: one writer's folder, or a file there."""
    parts = key.split("/")
    at = next((i for i, part in enumerate(parts) if FINGERPRINT.fullmatch(part)), None)
    if at is None or len(parts) < at + 2 or is_manifest_key(key):
        return None
    return "/".join(parts[: at + 2]).removesuffix(".times.json")


def _leftovers(store: _Store, before: float) -> Iterator[Rubbish]:
    """Files of writers who were killed or came second, and of artefacts that were set aside."""
    named = {one.location for one in store.manifests.values()}
    keys = sorted((attempt, key) for key in store.files if (attempt := _attempt(key)))
    for attempt, found in groupby(keys, key=lambda both: both[0]):
        files = [store.files[key] for _, key in found]
        if attempt not in named and max(file.since for file in files) < before:
            yield Rubbish(
                what="leftover",
                asset=attempt.rsplit("/", 2)[0],
                name=attempt,
                bytes=sum(file.bytes for file in files),
            )


def _scratch(artifacts: Artifacts, store: _Store, before: float) -> Iterator[Rubbish]:
    """Scratch of what is published, and half outputs; checkpoints of unfinished work stay."""
    for folder in sorted(artifacts.scratch().iterdir()):
        unfinished = FINGERPRINT.fullmatch(folder.name) and folder.name not in store.manifests
        if unfinished or not folder.is_dir():
            continue
        # a task may have ended since
        with suppress(FileNotFoundError):
            files = [path.stat() for path in (folder, *folder.rglob("*"))]
            if max(file.st_mtime for file in files) < before:
                made = store.manifests.get(folder.name)
                yield Rubbish(
                    what="scratch",
                    asset=made.asset if made else "",
                    name=folder.name,
                    bytes=sum(file.st_size for file in files),
                )


def _cache(artifacts: Artifacts) -> ReadCache | None:
    folder = artifacts.state / "read_cache"
    return ReadCache(folder, artifacts.cache_gb) if folder.is_dir() else None


def _copies(
    artifacts: Artifacts, store: _Store, needed: set[str], before: float
) -> Iterator[Rubbish]:
    """Local copies of what nobody needs."""
    cache = _cache(artifacts)
    known = {one.content: one.asset for one in store.manifests.values()}
    alive = {store.manifests[fingerprint].content for fingerprint in needed}
    for content, size in (cache.unused(before) if cache else {}).items():
        if content not in alive:
            yield Rubbish(what="copy", asset=known.get(content, ""), name=content, bytes=size)


def _remove_artefacts(
    artifacts: Artifacts, before: _Store, some: Sequence[Rubbish]
) -> list[Rubbish]:
    """First the manifests, while nobody can begin to use one; then what they named."""
    store = artifacts.store
    gone: dict[str, str] = {}
    with artifacts.in_use.settled() as claimed:
        # someone may have gone back to one of them since they were found
        now = before._replace(refs=store.all_refs(), manifests=dict(before.manifests))
        for ref in now.refs:
            if ref.fingerprint not in now.manifests and (
                made := store.find_any(ref.asset, ref.fingerprint)
            ):
                now.manifests[ref.fingerprint] = made
        needed = _needed(now, claimed)
        for one in some:
            asset, fingerprint = one.name.rsplit("/", 1)
            if fingerprint not in needed and (manifest := store.find_any(asset, fingerprint)):
                store.withdraw(manifest)
                gone[one.name] = manifest.location
    for name, location in gone.items():
        store.delete(location)
        # the folder above stays where somebody is making the same artefact anew
        with suppress(Timeout), artifacts.lock(name.rsplit("/", 1)[1]).acquire(timeout=0):
            store.delete_empty(name)
    return [one for one in some if one.name in gone]


def _remove_leftover(artifacts: Artifacts, attempt: str) -> bool:
    asset, fingerprint, _ = attempt.rsplit("/", 2)
    with suppress(Timeout), artifacts.lock(fingerprint).acquire(timeout=0):
        manifest = artifacts.store.find_any(asset, fingerprint)
        if manifest is None or manifest.location != attempt:
            artifacts.store.delete(attempt)
            artifacts.store.delete_empty(f"{asset}/{fingerprint}")
            return True
    return False


def _remove_scratch(artifacts: Artifacts, name: str) -> bool:
    folder = artifacts.scratch() / name
    if not FINGERPRINT.fullmatch(name):
        return remove_dead(folder)
    with suppress(Timeout), artifacts.lock(name).acquire(timeout=0):
        shutil.rmtree(folder, ignore_errors=True)
        return True
    return False
