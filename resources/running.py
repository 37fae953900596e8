"""Work as it runs in another process: what it says, how it ends, and how to end it."""

import os
import signal
import subprocess
import sys
from io import TextIOWrapper
from typing import Protocol

from resources.warm import Gone, Warm, fork


class Running(Protocol):
    """A piece of work in another process."""

    output: TextIOWrapper  # its lines, up to the end of the last process that writes them

    def wait(self) -> int:
        """How it has ended: its exit code, or minus the signal that ended it."""

    def end(self) -> None:
        """End it, if it has not ended, with all that it has begun."""


class Fresh:
    """In a process that begins with nothing."""

    def __init__(self, job_file: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "resources.task", job_file],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert isinstance(self.process.stdout, TextIOWrapper)
        self.output = self.process.stdout

    def wait(self) -> int:
        """How it has ended, as ``Running`` says."""
        return self.process.wait()

    def end(self) -> None:
        """End it with all that it has begun."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Forked:
    """In a fork of the process that has torch loaded."""

    def __init__(
        self, job_file: str, environment: dict[str, str], libraries: tuple[str, ...], gpu: str
    ) -> None:
        self.parent: Warm | None = None
        self.code = 0
        reading, writing = os.pipe()
        self.output = os.fdopen(reading, errors="replace")
        try:
            self.parent = fork(job_file, environment, libraries, gpu, writing)
        except Gone as gone:
            self.code = gone.code
        finally:
            os.close(writing)

    def wait(self) -> int:
        """How it has ended, as ``Running`` says."""
        if self.parent is not None:
            try:
                self.code = self.parent.wait()
            except Gone as gone:
                self.code = gone.code
            # Not in a ``finally``: who is interrupted has not heard, and must still end it.
            self.parent = None
        return self.code

    def end(self) -> None:
        """End it with all that it has begun, and what it was forked from."""
        if self.parent is not None:
            self.parent.stop()
            # until the last of what is dying has let go of it
            self.output.read()
        self.output.close()
