"""Whether this process was told to stop, whoever else handles the signal."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STOP = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Inside, a question: has a signal to stop come since?

    Dagster handles signals itself while a job runs, and where it is at something of its own a
    signal is gone without a trace. Python writes every signal's number to a file that one can name,
    before any handler; only the main thread may, and elsewhere the answer is no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    ours, pythons = socket.socketpair()
    ours.setblocking(False)
    pythons.setblocking(False)
    before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    heard: set[int] = set()

    def told() -> bool:
        with suppress(BlockingIOError):
            heard.update(ours.recv(4096))
        return bool(heard & STOP)

    try:
        yield told
    finally:
        signal.set_wakeup_fd(before)
        ours.close()
        pythons.close()
