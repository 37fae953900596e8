"""Heavy calls that are not heavy: what compute and cache are tested with."""

import json
import logging
import multiprocessing
import os
import signal
import sys
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pydantic import BaseModel, Field

from likeness.errors import BadInput
from resources import step
from resources.compute import Job

STEP = step.Step(asset="small/number", function="small_tasks:write", libraries=())
NEXT = step.Step(asset="small/next", function="small_tasks:follow", libraries=())


class Number(BaseModel):
    number: int = Field(ge=0)


def job(folder: Path, function: str, number: int = 57, torch: bool = False) -> Job:
    """One of the calls below as work in ``folder``, forked from a process that has torch or not."""
    return Job(
        function=f"small_tasks:{function}",
        params={"number": number},
        inputs={},
        output=folder / "output",
        scratch=folder / "state",
        libraries=("torch",) if torch else (),
    )


def counted(inputs: dict[str, Path]) -> None:
    """Leave a trace of this call in the folder ``calls``, if there is one."""
    if "calls" in inputs:
        (inputs["calls"] / uuid.uuid4().hex).touch()


def write(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    counted(inputs)
    (output / "number.txt").write_text(str(params.number // 10))
    logging.getLogger("likeness").info("wrote %d", params.number)
    return {"double": 2 * params.number}


def follow(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    counted(inputs)
    (output / "next.txt").write_text((inputs["before"] / "number.txt").read_text() + "!")
    return {}


def write_in_two_goes(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Dies half-way the first time; the second time goes on behind its checkpoint."""
    done = scratch / "half"
    resumed = done.exists()
    (output / "first.txt").write_text("1")
    if not resumed:
        done.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    (output / "second.txt").write_text("2")
    return {"resumed": resumed}


class Paced(Number):
    pace: int = Field(1, exclude=True)


def write_at_a_pace(params: Paced, inputs: dict[str, Path], output: Path, scratch: Path):
    (output / "number.txt").write_text(str(params.number))
    return {"pace": params.pace}


def complain(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    raise BadInput(f"number {params.number} is not liked: take another — ‘7’")


def crash(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    return {"never": params.number // 0}


def look_around(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Where work finds itself."""
    gpus = os.environ["CUDA_VISIBLE_DEVICES"]
    return {
        "process": os.getpid(),
        "parent": os.getppid(),
        "gpus": gpus,
        "loaded": len(sys.modules),
    }


def wait_long(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Says what ``look_around`` does, and stays."""
    print(json.dumps(look_around(params, inputs, output, scratch)))
    (output / "here").touch()
    time.sleep(600)


def wait_in_a_pool(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Says the number of its worker, which would stay, as a pool of faces or books would."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        print(json.dumps({"worker": pool.submit(os.getpid).result(), "process": os.getpid()}))
        pool.submit(time.sleep, 600).result()


def die(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    print("about to die")
    os.kill(os.getpid(), signal.SIGKILL)


def eat(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Takes more memory than this process may have."""
    import resource

    import numpy as np

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20), now + (64 << 20)))
    return {"sum": float(np.ones(params.number << 20).sum())}


def eat_tensors(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    import resource

    import torch

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20), now + (64 << 20)))
    return {"sum": float(torch.ones(params.number << 20).sum())}


def fill(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    """Writes so many MB, in two files."""
    for name in ("first.bin", "second.bin"):
        (output / name).write_bytes(b"x" * (params.number << 19))
    return {}


def write_slowly(params: Number, inputs: dict[str, Path], output: Path, scratch: Path):
    counted(inputs)
    time.sleep(2)
    (output / "number.txt").write_text(str(params.number))
    return {}


def artifacts(folder: Path, backend: str):
    """Store, cache and compute below ``folder``."""
    # slow to import, and of no use to the calls above
    from resources.artifacts import Artifacts

    return Artifacts(store_uri=str(folder / "store"), state_dir=str(folder), backend=backend)


def ask_slowly(folder: Path) -> None:
    """One of several processes that want the same artefact."""
    slow = STEP.model_copy(update={"function": "small_tasks:write_slowly"})
    located = {"calls": folder / "calls"}
    made = artifacts(folder, "inline").make(slow, "a", Number(number=1), {}, located=located)
    print(made.hit, made.manifest.location)


if __name__ == "__main__":
    step.REPOSITORY = Path(__file__).parent
    ask_slowly(Path(sys.argv[1]))
