"""Which GPU is mine: one index per process, held by a file lock until the process ends."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from likeness.devices import visible_gpus

DRIVER = Path("/proc/driver/nvidia/gpus")


@cache
def gpu_indices() -> tuple[str, ...]:
    """GPUs this machine offers: CUDA_VISIBLE_DEVICES where set, else what nvidia-smi lists.

    Where there is no nvidia-smi, as in some containers, what the driver lists.
    """
    visible = visible_gpus()
    if visible is not None:
        return visible
    if shutil.which("nvidia-smi") is None:
        found = list(DRIVER.iterdir()) if DRIVER.is_dir() else []
        return tuple(str(index) for index in range(len(found)))
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    listed = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    return tuple(listed.stdout.split()) if listed.returncode == 0 else ()


@contextmanager
def gpu_lease(folder: Path, indices: tuple[str, ...]) -> Iterator[str | None]:
    """Hold one free GPU; wait for the first one when all are taken; None where there is none."""
    if not indices:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    locks = {index: FileLock(folder / f"gpu-{index}.lock") for index in indices}
    while True:
        for index, lock in locks.items():
            try:
                lock.acquire(timeout=0.2)
            except Timeout:
                continue
            try:
                yield index
            finally:
                lock.release()
            return
