"""Where heavy work runs. An asset never calls it bare: ``compute.run`` does, on a cache miss."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from likeness.errors import BadInput
from resources.gpu import gpu_indices, gpu_lease
from resources.task import PARENT, run_job


class TaskFailed(Exception):
    """The work ended without a result and not because of its input (crash, kill, bug)."""


class Job(BaseModel):
    """One call: a function by name, its parameters, and local folders."""

    function: str
    params: dict[str, Any]
    inputs: dict[str, Path]
    output: Path
    scratch: Path


class Outcome(BaseModel):
    """What came back, and what it cost."""

    summary: dict[str, Any]
    seconds: float
    gpu_seconds: float = 0.0
    peak_memory_mb: float


class Compute(BaseModel):
    """Runs work in a fresh process (``subprocess``) or in this one (``inline``, for unit tests).

    A fresh process frees all memory at its end, imports torch or tensorflow but never both, and is
    killed when its parent ends.
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
            lines, code = _follow(
                [sys.executable, "-m", "resources.task", str(job_file)], self._environment(gpu), say
            )
            if not result.exists():
                end = " | ".join(lines[-5:])
                raise TaskFailed(f"{job.function} ended with {_ending(code)}; last lines: {end}")
            return _outcome(json.loads(result.read_text()))

    def _environment(self, gpu: str | None) -> dict[str, str]:
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
            # Work without a lease sees no GPU at all.
            "CUDA_VISIBLE_DEVICES": gpu or "",
        }
        return os.environ | quiet | own


def _written(job: Job, result: Path) -> dict[str, Any]:
    return job.model_dump(mode="json") | {"result": str(result)}


def _ending(code: int) -> str:
    if code < 0:
        hint = " (out of memory?)" if -code == signal.SIGKILL else ""
        return f"signal {signal.Signals(-code).name}{hint}"
    return f"exit code {code}"


def _follow(
    command: list[str], environment: dict[str, str], say: Callable[[str], None]
) -> tuple[list[str], int]:
    """Run to the end, passing lines on; whatever stops us stops the child too."""
    lines: list[str] = []
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            say(lines[-1])
        return lines, process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _outcome(result: dict[str, Any]) -> Outcome:
    if "bad_input" in result:
        raise BadInput(result["bad_input"])
    if "failed" in result:
        raise TaskFailed(result["failed"])
    return Outcome.model_validate(result)
