"""Heavy work below a process, whether begun afresh or forked from what has torch loaded."""

import contextlib

import psutil


def working(caller: psutil.Process) -> list[psutil.Process]:
    """The processes in which work is done, without their pools; what ends meanwhile is none."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [one for one in caller.children(recursive=True) if _works(one)]
    return []


def _works(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        own, parent = process.cmdline(), process.parent()
        if "resources.warm" in own:
            return parent is not None and "resources.warm" in parent.cmdline()
        return "resources.task" in own
    return False
