"""Fetch base models from the hub into its cache: resumed where it stopped, every byte verified.

A model with a pinned revision is fetched at that commit. For one without, the newest commit is
looked up once and written into a lock file beside the snapshots (``likeness-NAME.lock.json`` in
the repository's folder of the cache): from then on fetching and loading keep to it. Remove the
file to take a newer commit.

Files are written to the cache's ``blobs`` only when whole and right, so whatever else reads the
cache never sees half a file. ``HF_HOME``, ``HF_ENDPOINT`` and ``HF_TOKEN`` mean what they do for
the hub's own tools.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from likeness.errors import BadInput
from likeness.models.local import (
    commit_of,
    local_folder,
    lock_file,
    needed_folder,
    storage_of,
)
from likeness.models.registry import BaseModelSpec, spec_of

# The file at work, and the bytes of the whole model that are here and that there are.
Progress = Callable[[str, int, int], None]

log = logging.getLogger("likeness")
SAY_EVERY_SECONDS = 5.0
CHUNK = 1 << 20


class Unreachable(BadInput):
    """The hub does not answer, or must not be asked."""


class _Wanted(NamedTuple):
    """A file of the repository: what it must be, by sha256 or, if not large, by its git name."""

    path: str
    size: int
    blob: str
    is_sha256: bool


def fetch(name: str, progress: Progress | None = None) -> Path | None:
    """Bring a model of the hub onto this machine and return its folder.

    Nothing is transferred for what is here already. None for random weights, which need no files.
    Raises BadInput when the hub cannot be reached for what is missing, has no such files, or sends
    wrong bytes; what has arrived is kept and the next call goes on from there.
    """
    spec = spec_of(name)
    if spec.is_random:
        return None
    if not spec.is_hub:
        return needed_folder(spec)
    try:
        _bring(spec, progress or _logged(name))
    except Unreachable as error:
        if local_folder(spec) is None:
            raise
        log.warning("%s; all files of '%s' are here already", error, name)
    return needed_folder(spec)


def _bring(spec: BaseModelSpec, progress: Progress) -> None:
    from filelock import FileLock

    storage = storage_of(spec)
    (storage / "blobs").mkdir(parents=True, exist_ok=True)
    # Two at once would write into the same half file.
    with FileLock(storage / "likeness-fetch.lock"), _readable(spec):
        commit = commit_of(spec) or _newest(spec)
        wanted = _wanted(spec, commit)
        _download(spec, commit, wanted, progress)
        _link(spec, commit, wanted)
        if spec.revision is None:
            _write_lock(spec, commit)


@contextlib.contextmanager
def _readable(spec: BaseModelSpec) -> Iterator[None]:
    """Whatever goes wrong between here and the hub is one sentence."""
    import httpx2
    from huggingface_hub import constants, errors

    again = f"then run likeness models fetch {spec.name} again: what has arrived is kept"
    try:
        yield
    except (errors.GatedRepoError, errors.RepositoryNotFoundError) as error:
        raise BadInput(
            f"the hub at {constants.ENDPOINT} has no {spec.source} for you: name another source "
            "in the file of LIKENESS_MODELS, or set HF_TOKEN if it is private"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BadInput(
            f"{spec.source} has no commit {commit_of(spec)}: correct the revision of "
            f"'{spec.name}' in the file of LIKENESS_MODELS"
        ) from error
    except (errors.HfHubHTTPError, httpx2.HTTPError) as error:
        raise Unreachable(
            f"{spec.source} could not be fetched from {constants.ENDPOINT} "
            f"({type(error).__name__}): check the connection, {again}"
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise Unreachable(f"HF_HUB_OFFLINE forbids to fetch {spec.source}: unset it") from error
    except OSError as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(
            f"{spec.source} could not be kept ({first}): put it right, {again}"
        ) from error


def _newest(spec: BaseModelSpec) -> str:
    from huggingface_hub import HfApi, constants

    commit = HfApi(endpoint=constants.ENDPOINT).model_info(spec.source).sha
    if commit is None:
        raise BadInput(f"the hub at {constants.ENDPOINT} names no commit of {spec.source}")
    return commit


def _wanted(spec: BaseModelSpec, commit: str) -> list[_Wanted]:
    """The files of a model at a commit. Raises BadInput when its weights are not among them."""
    from huggingface_hub import HfApi, RepoFile, constants
    from huggingface_hub.utils import filter_repo_objects

    api = HfApi(endpoint=constants.ENDPOINT)
    tree = api.list_repo_tree(spec.source, recursive=True, revision=commit)
    files = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    missing = [file for file in spec.weight_files if file not in files]
    if missing:
        raise BadInput(
            f"{spec.source} has no {missing[0]} at commit {commit}: "
            "name another source or variant in the file of LIKENESS_MODELS"
        )
    found = []
    for path in filter_repo_objects(files, allow_patterns=list(spec.files)):
        lfs = files[path].lfs
        blob = lfs.sha256 if lfs else files[path].blob_id
        found.append(_Wanted(path, files[path].size, blob, lfs is not None))
    return found


def _download(spec: BaseModelSpec, commit: str, wanted: list[_Wanted], progress: Progress) -> None:
    blobs, total, before = storage_of(spec) / "blobs", sum(file.size for file in wanted), 0
    for file in sorted(wanted, key=lambda file: file.size):
        blob = blobs / file.blob
        if blob.is_file() and not _is_right(blob, file):
            blob.unlink()
        if not blob.is_file():
            report = _counted(progress, file.path, before, total)
            _download_one(spec, commit, file, blob, report)
        before += file.size
        progress(file.path, before, total)


def _counted(progress: Progress, path: str, before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(path, before + done, total)


def _download_one(
    spec: BaseModelSpec, commit: str, file: _Wanted, blob: Path, report: Callable[[int], None]
) -> None:
    """Write one blob; a half one of an earlier, killed fetch is gone on with."""
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(spec.source, file.path, revision=commit, endpoint=constants.ENDPOINT)
    half = blob.with_name(f"{blob.name}.likeness-half")
    # Unbuffered: what has arrived is on the disk even if the process is killed.
    with half.open("ab", buffering=0) as out:
        if out.tell() > file.size:
            out.truncate(0)
            out.seek(0)
        bar: Any = _bar(report)
        here, headers = out.tell(), build_hf_headers()
        http_get(
            url, out, resume_size=here, headers=headers, expected_size=file.size, tqdm_class=bar
        )
    if not _is_right(half, file):
        half.unlink()
        raise BadInput(
            f"{file.path} of {spec.source} arrived with a wrong sha256 and was thrown away: "
            f"run likeness models fetch {spec.name} again, or name another source"
        )
    half.rename(blob)


def _bar(report: Callable[[int], None]) -> type:
    """What the hub's download takes for a progress bar."""

    class Bar:
        def __init__(self, initial: int = 0, **rest: Any) -> None:
            self.done = initial
            report(self.done)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def update(self, more: int) -> None:
            self.done += more
            report(self.done)

    return Bar


def _is_right(path: Path, file: _Wanted) -> bool:
    """Has the file the bytes that were asked for? Reads it in pieces."""
    if path.stat().st_size != file.size:
        return False
    total = hashlib.sha256() if file.is_sha256 else hashlib.sha1(b"blob %d\0" % file.size)
    with path.open("rb") as source:
        while piece := source.read(CHUNK):
            total.update(piece)
    return total.hexdigest() == file.blob


def _link(spec: BaseModelSpec, commit: str, wanted: list[_Wanted]) -> None:
    """Let the hub's library lay out the snapshot over the blobs that are here now."""
    from huggingface_hub import constants, snapshot_download

    class Silent:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            from tqdm.auto import tqdm

            return tqdm(*args, **(kwargs | {"disable": True}))

    snapshot_download(
        spec.source,
        revision=commit,
        cache_dir=constants.HF_HUB_CACHE,
        endpoint=constants.ENDPOINT,
        allow_patterns=[file.path for file in wanted],
        tqdm_class=Silent,
    )


def _write_lock(spec: BaseModelSpec, commit: str) -> None:
    file = lock_file(spec)
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps({"source": spec.source, "revision": commit}) + "\n")
    os.replace(scratch, file)


def _logged(name: str) -> Progress:
    """A line every few seconds, read by the log of the run."""
    said = time.monotonic()

    def say(file: str, done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= SAY_EVERY_SECONDS:
            said = time.monotonic()
            log.info("%s: %.0f of %.0f MB, now %s", name, done / 1e6, total / 1e6, file)

    return say
