"""The process in which heavy work runs: ``python -m resources.task JOB.json``.

It imports one function by name, checks its parameters, and writes one output folder. Whatever goes
wrong is written down as one sentence for the parent to raise.
"""

import ctypes
import importlib
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, get_type_hints

from likeness.errors import BadInput
from resources.shortage import shortage

PR_SET_PDEATHSIG = 1
PARENT = "LIKENESS_PARENT"  # who starts the process writes its own number there


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that died while this interpreter started is not our parent any more.
    parent = int(os.environ.get(PARENT) or os.getppid())
    if os.getppid() != parent:
        os._exit(1)
    # Ours are the workers of a pool.
    os.environ[PARENT] = str(os.getpid())

    def watch() -> None:
        # Elsewhere than on Linux: being adopted means that it is gone.
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def call(
    function: str, params: dict[str, Any], inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """Import ``module:name`` and call it with params validated by its own annotation."""
    module, name = function.split(":")
    task = getattr(importlib.import_module(module), name)
    model = get_type_hints(task)["params"]
    output.mkdir(parents=True, exist_ok=True)
    scratch.mkdir(parents=True, exist_ok=True)
    return task(model.model_validate(params), inputs, output, scratch)


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """The result of a job: summary, or the reason why there is none."""
    began = time.monotonic()
    inputs = {name: Path(path) for name, path in job["inputs"].items()}
    try:
        summary = call(
            job["function"], job["params"], inputs, Path(job["output"]), Path(job["scratch"])
        )
        result: dict[str, Any] = {"summary": summary}
    except BadInput as error:
        result = {"bad_input": str(error)}
    except Exception as error:
        sentence = shortage(error)
        # what happened where helps only with what is not the machine's fault
        what = f"{job['function']}: {sentence}" if sentence else traceback.format_exc()
        result = {"failed": what}
    # ru_maxrss is in KiB on Linux, in bytes on macOS.
    unit = 1024 if sys.platform == "linux" else 1024**2
    # Of the children (a pool) the largest is known, not their sum.
    own, pool = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    peak = max(own, pool) / unit
    return result | {"seconds": time.monotonic() - began, "peak_memory_mb": peak}


def main(job_file: str) -> int:
    """Run the job written in ``job_file`` and write ``result`` beside it."""
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    job = json.loads(Path(job_file).read_text())
    result = run_job(job)
    partial = Path(job["result"]).with_suffix(".partial")
    partial.write_text(json.dumps(result))
    partial.replace(job["result"])
    return 0 if "summary" in result else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
if __name__ == "__mp_main__":
    # A pool's worker imports this file under that name. Orphaned, it would work on, and whoever
    # reads the output of this process would wait for it.
    die_with_parent()
