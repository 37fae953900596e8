"""The cache around every expensive step: look the work up, or do it once and publish it."""

import logging
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, PrivateAttr

from likeness.errors import BadInput
from resources import finished
from resources.compute import Compute, Job, Outcome
from resources.gpu import gpu_indices
from resources.in_use import InUse
from resources.manifest import (
    CorruptArtifact,
    Manifest,
    Work,
    content_digest,
    describe_folder,
    fingerprint_of,
)
from resources.rooms import own_folder
from resources.settings import Settings
from resources.step import Step
from resources.store import ArtifactStore, open_store

log = logging.getLogger("likeness")


class Made(BaseModel):
    """An artefact and how it came: from the cache or by work done now, in ``seconds``."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    partition: str | None
    hit: bool
    seconds: float


class Artifacts(dg.ConfigurableResource):
    """Store, cache and compute of this installation, for assets."""

    store_uri: str
    state_dir: str
    cache_gb: float = 20.0
    backend: str = "subprocess"
    threads: int = 0
    preview_url: str = ""

    _store: ArtifactStore | None = PrivateAttr(default=None)

    @property
    def store(self) -> ArtifactStore:
        """The open store; opened once, on first use."""
        if self._store is None:
            self._store = open_store(self.store_uri, self.state / "read_cache", self.cache_gb)
        return self._store

    @property
    def state(self) -> Path:
        """Folder of locks, scratch and the copies of a remote store."""
        return Path(self.state_dir)

    @property
    def in_use(self) -> InUse:
        """What running steps of this machine make and read."""
        return InUse(self.state / "in_use")

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.state / "likeness.duckdb"

    @property
    def report(self) -> Path:
        """The first page of the report."""
        return self.state / "report" / "index.html"

    @property
    def compute(self) -> Compute:
        """Where heavy work runs."""
        return Compute(
            backend=self.backend, lease_folder=self.state / "locks", threads=self.threads
        )

    def current(self, asset: str, partition: str | None) -> Manifest:
        """The artefact that is current for an asset; ``BadInput`` says which one to make first."""
        found = self.find_current(asset, partition)
        if found is None:
            where = f" [{partition}]" if partition else ""
            raise BadInput(f"{asset}{where} is not there yet: materialise it first")
        return found

    def find_current(self, asset: str, partition: str | None) -> Manifest | None:
        """The artefact that is current for an asset and partition, if there is one."""
        ref = self.store.ref(asset, partition)
        return None if ref is None else self._find(asset, ref.fingerprint)

    def make(
        self,
        step: Step,
        partition: str | None,
        params: BaseModel,
        inputs: dict[str, Manifest],
        *,
        located: dict[str, Path] | None = None,
        recompute: bool = False,
        say: Callable[[str], None] = log.info,
    ) -> Made:
        """The artefact of ``step`` for these parameters and inputs, made only if it is not there.

        It is not current before ``adopt`` says so: an artefact that fails its checks never is.
        A field that ``params`` excludes from its dumps changes how the work goes and not what it
        makes: the work is told it, and nothing is looked up by it.
        ``located`` are folders whose bytes the inputs already pin; where they lie changes nothing.
        A second process that wants the same artefact waits here and then finds it.
        """
        began = time.monotonic()
        work = self._describe(step, params, inputs)
        with self.lock(work.fingerprint):
            there = self._find(step.asset, work.fingerprint)
            found = None if recompute else there
            made = found or self._do(
                step, work, _hints(params), inputs, located or {}, recompute, say
            )
        seconds = time.monotonic() - began
        return Made(manifest=made, partition=partition, hit=found is not None, seconds=seconds)

    def adopt(self, made: Made) -> None:
        """Say that this artefact is now the current one of its asset and partition."""
        asset = made.manifest.asset
        self.store.set_ref(asset, made.partition, made.manifest, made.hit, made.seconds)

    def scratch(self) -> Path:
        """Where half-finished work lies, on the file system of the state."""
        folder = self.state / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def room(self) -> AbstractContextManager[Path]:
        """An empty folder for a half-finished output; gone at the end, and nobody's before."""
        return own_folder(self.scratch(), "room-")

    def keep(
        self,
        step: Step,
        partition: str | None,
        folder: Path,
        summary: dict[str, Any],
        inputs: dict[str, Manifest] | None = None,
    ) -> Made:
        """Publish what a quick look found, outside or in ``inputs``; its bytes look it up again."""
        began = time.monotonic()
        fingerprint = self.look_fingerprint(step, folder, inputs)
        used = {name: manifest.content for name, manifest in (inputs or {}).items()}
        work = Work(
            asset=step.asset,
            fingerprint=fingerprint,
            summary=summary,
            code_version=step.code_version,
            inputs=used,
        )
        with self.lock(fingerprint):
            found = self._find(step.asset, fingerprint)
            made = found or self.store.publish(folder, work)
        seconds = time.monotonic() - began
        return Made(manifest=made, partition=partition, hit=found is not None, seconds=seconds)

    def fingerprint(self, step: Step, params: BaseModel, inputs: dict[str, Manifest]) -> str:
        """By what ``make`` looks this work up."""
        return self._describe(step, params, inputs).fingerprint

    def look_fingerprint(
        self, step: Step, folder: Path, inputs: dict[str, Manifest] | None = None
    ) -> str:
        """By what ``keep`` looks up what was found."""
        parts: dict[str, Any] = {
            "asset": step.asset,
            "content": content_digest(describe_folder(folder)),
        }
        used = {name: manifest.content for name, manifest in (inputs or {}).items()}
        return fingerprint_of(parts | ({"inputs": used} if used else {}))

    def lock(self, fingerprint: str) -> FileLock:
        """Held by whoever makes this artefact."""
        lock = self.state / "locks" / f"{fingerprint}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(lock)

    def _find(self, asset: str, fingerprint: str) -> Manifest | None:
        """The artefact if there is one; from now on nobody removes it or what becomes of it."""
        with self.in_use.claim(fingerprint):
            return self.store.find(asset, fingerprint)

    def _describe(self, step: Step, params: BaseModel, inputs: dict[str, Manifest]) -> Work:
        """Everything the result depends on, and its fingerprint."""
        parts: dict[str, Any] = {
            "asset": step.asset,
            "code_version": step.code_version,
            "params": params.model_dump(mode="json"),
            "inputs": {name: manifest.content for name, manifest in inputs.items()},
            "libraries": step.library_versions,
        }
        # Only what may run on a GPU depends on whether it does.
        device = {"device": "cuda" if gpu_indices() else "cpu"} if step.gpu else {}
        return Work(fingerprint=fingerprint_of(parts | device), **parts)

    def _do(
        self,
        step: Step,
        work: Work,
        hints: dict[str, Any],
        inputs: dict[str, Manifest],
        located: dict[str, Path],
        recompute: bool,
        say: Callable[[str], None],
    ) -> Manifest:
        """Run the step in its scratch folder and publish what it wrote."""
        scratch = self.scratch() / work.fingerprint
        output = scratch / "output"
        done = None if recompute else finished.look(scratch, output)
        if done is None:
            # Checkpoints beside it survive a kill; half an output does not.
            shutil.rmtree(output, ignore_errors=True)
            job = Job(
                function=step.function,
                params=work.params | hints,
                output=output,
                scratch=scratch / "state",
                inputs={name: self.fetch(manifest) for name, manifest in inputs.items()} | located,
                libraries=step.libraries,
            )
            done = self._run(job, say, step.gpu)
            finished.note(scratch, output, done)
        else:
            say("this work was done before and not published: publishing it now")
        old = self.store.find(step.asset, work.fingerprint) if recompute else None
        made = self.store.publish(output, work.model_copy(update=done.model_dump()), replaced=old)
        shutil.rmtree(scratch, ignore_errors=True)
        return made

    def _run(self, job: Job, say: Callable[[str], None], gpu: bool) -> Outcome:
        """Do the work; half an output is of no use and may be what fills the disk."""
        try:
            return self.compute.run(job, say, gpu=gpu)
        except BaseException:
            shutil.rmtree(job.output, ignore_errors=True)
            raise

    def fetch(self, manifest: Manifest) -> Path:
        """A complete local folder; a damaged artefact is set aside so that it is made again."""
        try:
            with self.in_use.claim(manifest.fingerprint):
                pass
            return self.store.fetch(manifest)
        except CorruptArtifact as error:
            self.store.quarantine(manifest)
            said = f"{error.fact}; it is set aside now: materialise {manifest.asset} again"
            raise BadInput(said) from error


def artifacts_of(settings: Settings) -> Artifacts:
    """Store, cache and compute as the environment says."""
    return Artifacts(
        store_uri=settings.store_uri,
        state_dir=str(settings.state_dir.resolve()),
        cache_gb=settings.cache_gb,
        threads=settings.threads,
        preview_url=settings.preview_url,
    )


def _hints(params: BaseModel) -> dict[str, Any]:
    """The fields that no dump holds."""
    fields = type(params).model_fields.items()
    return {name: getattr(params, name) for name, field in fields if field.exclude}
