"""Where heavy work runs. An asset never calls it bare: ``compute.run`` does, on a cache miss."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from likeness.errors import BadInput
from resources.gpu import gpu_indices, gpu_lease
from resources.running import Forked, Fresh, Running
from resources.task import PARENT, run_job
from resources.warm import GPU


class TaskFailed(Exception):
    """The work ended without a result and not because of its input (crash, kill, bug)."""


class Job(BaseModel):
    """One call: a function by name, its parameters, local folders, and libraries that it loads."""

    function: str
    params: dict[str, Any]
    inputs: dict[str, Path]
    output: Path
    scratch: Path
    libraries: tuple[str, ...] = ()


class Outcome(BaseModel):
    """What came back, and what it cost."""

    summary: dict[str, Any]
    seconds: float
    gpu_seconds: float = 0.0
    peak_memory_mb: float


class Compute(BaseModel):
    """Runs work in a process of its own (``subprocess``) or in this one (``inline``, unit tests).

    A process of its own frees all memory at its end, loads torch or tensorflow but never both, and
    is killed when its parent ends. Work on torch is forked from one that has torch loaded, all
    other work begins in a fresh one.
    """

    backend: Literal["subprocess", "inline"] = "subprocess"
    lease_folder: Path
    threads: int = 0

    def run(self, job: Job, say: Callable[[str], None] = print, gpu: bool = False) -> Outcome:
        """Do ``job``; ``say`` gets each progress line; ``gpu`` waits for a GPU if there is any.

        Raises ``BadInput`` with the work's own sentence, or ``TaskFailed`` with the end of its log.
        """
        if self.backend == "inline":
            return _outcome(run_job(_written(job, Path(os.devnull))))
        with gpu_lease(self.lease_folder, gpu_indices() if gpu else ()) as index:
            outcome = self._in_process(job, say, index)
        return outcome.model_copy(update={"gpu_seconds": outcome.seconds if index else 0.0})

    def _in_process(self, job: Job, say: Callable[[str], None], gpu: str | None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
            result, job_file = Path(folder) / "result.json", Path(folder) / "job.json"
            job_file.write_text(json.dumps(_written(job, result)))
            lines, code = _follow(_begin(job, str(job_file), self._environment(), gpu or ""), say)
            if not result.exists():
                end = " | ".join(lines[-5:])
                raise TaskFailed(f"{job.function} ended with {_ending(code)}; last lines: {end}")
            return _outcome(json.loads(result.read_text()))

    def _environment(self) -> dict[str, str]:
        threads = str(self.threads or len(os.sched_getaffinity(0)))
        quiet = {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONUNBUFFERED": "1",
            "KERAS_BACKEND": "tensorflow",
            # of each image processor that torchvision is not there, which nothing here needs
            "TRANSFORMERS_VERBOSITY": "error",
        }
        # Waiting threads that spin for long take the cores from those that work; those that sleep
        # at once wake up late: a step of the small base model took half as long again.
        own = {
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "GOMP_SPINCOUNT": "30000",
            PARENT: str(os.getpid()),
        }
        return os.environ | quiet | own


def _written(job: Job, result: Path) -> dict[str, Any]:
    return job.model_dump(mode="json") | {"result": str(result)}


def _ending(code: int) -> str:
    if code < 0:
        hint = " (out of memory?)" if -code == signal.SIGKILL else ""
        return f"signal {signal.Signals(-code).name}{hint}"
    return f"exit code {code}"


def _begin(job: Job, job_file: str, environment: dict[str, str], gpu: str) -> Running:
    """Start a job; without a lease it sees no GPU at all."""
    # What Linux promises to a fork of loaded libraries, Apple's do not.
    if "torch" in job.libraries and sys.platform == "linux":
        return Forked(job_file, environment, job.libraries, gpu)
    return Fresh(job_file, environment | {GPU: gpu})


def _follow(process: Running, say: Callable[[str], None]) -> tuple[list[str], int]:
    """Run to the end, passing lines on; whatever stops us stops the work too."""
    lines: list[str] = []
    try:
        for line in process.output:
            lines.append(line.rstrip())
            say(lines[-1])
        return lines, process.wait()
    finally:
        process.end()


def _outcome(result: dict[str, Any]) -> Outcome:
    if "bad_input" in result:
        raise BadInput(result["bad_input"])
    if "failed" in result:
        raise TaskFailed(result["failed"])
    return Outcome.model_validate(result)
