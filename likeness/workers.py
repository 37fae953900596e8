"""How many processes or threads work may use."""

import os


def workers() -> int:
    """What OMP_NUM_THREADS grants this process, else the cores it may run on."""
    granted = os.environ.get("OMP_NUM_THREADS", "")
    return int(granted) if granted.isdigit() else len(os.sched_getaffinity(0))
