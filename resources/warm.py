"""A process that has torch loaded, and from which work on torch is forked.

Loading torch and what stands on it takes longer than many a piece of work, and a study is many
pieces. ``python -m resources.warm NUMBER`` is told of job files on the socket of that number; it
loads the libraries of each that are not loaded yet, none of our own code, and forks.
"""

import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

from resources import task

# What work with a library loads of it. None of this may look for a GPU: a fork could not use one.
LOADED = {
    "torch": ("torch",),
    "transformers": (
        "transformers.models.clip.image_processing_pil_clip",
        "transformers.models.clip.modeling_clip",
        "transformers.models.clip.tokenization_clip",
    ),
    "diffusers": (
        "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
        "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl",
    ),
}
GPU = "CUDA_VISIBLE_DEVICES"
LONGEST = 16384  # bytes of a request: more than a path and the names of libraries
NUMBER = struct.Struct("!i")
# Linux kills a process that wants to end with its parent when the *thread* ends that began it.
_mine = threading.local()


class Gone(Exception):
    """The process that forks has ended, and how."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Warm:
    """That process, seen by the thread that has begun it and with which it ends."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.surroundings = _surroundings(environment)
        self.channel, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "resources.warm", str(theirs.fileno())],
                env=environment | {GPU: ""},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.working: int | None = None

    def fork(self, job_file: str, libraries: Iterable[str], gpu: str, output: int) -> None:
        """Begin a job, whose lines are written to ``output``. Raises Gone."""
        request = "\n".join([job_file, gpu, *libraries]).encode()
        with suppress(OSError):
            socket.send_fds(self.channel, [request], [output])
        self.working = self._answer()

    def wait(self) -> int:
        """How the job has ended: its exit code, or minus the signal that ended it. Raises Gone."""
        code = self._answer()
        self.working = None
        return code

    def stop(self) -> None:
        """End the process, and what it has forked with all that this has begun."""
        if self.working is not None:
            # It leads a group; where it has ended just now there is none.
            with suppress(ProcessLookupError):
                os.killpg(self.working, signal.SIGKILL)
        self.channel.close()
        self.process.kill()
        self.process.wait()

    def _answer(self) -> int:
        said = b""
        with suppress(OSError):
            said = self.channel.recv(NUMBER.size, socket.MSG_WAITALL)
        if not said:
            self.process.kill()
            raise Gone(self.process.wait())
        return int(NUMBER.unpack(said)[0])


def fork(
    job_file: str, environment: dict[str, str], libraries: Iterable[str], gpu: str, output: int
) -> Warm:
    """Begin a job in a fork of this thread's process, and return that. Raises Gone."""
    parent = _warm(environment)
    try:
        try:
            parent.fork(job_file, libraries, gpu, output)
        except Gone:
            # It died while nobody asked, and not of this job.
            parent.stop()
            parent = _warm(environment)
            parent.fork(job_file, libraries, gpu, output)
    except BaseException:
        # Whoever is interrupted here has no number to end the job by, if it has begun.
        parent.stop()
        raise
    return parent


def _warm(environment: dict[str, str]) -> Warm:
    """This thread's process; another one where it is gone, or its surroundings have changed."""
    found: Warm | None = getattr(_mine, "warm", None)
    if found is not None:
        if found.process.poll() is None and found.surroundings == _surroundings(environment):
            return found
        found.stop()
    _mine.warm = Warm(environment)
    return _mine.warm


def _surroundings(environment: dict[str, str]) -> dict[str, str]:
    """All that a job finds around itself but its GPU: some of it is read as libraries load."""
    return environment | {GPU: "", "PWD": os.getcwd()}


def serve(channel: socket.socket) -> int:
    """Load what a job needs and fork for it, until nobody asks any more."""
    while True:
        message, files, *_ = socket.recv_fds(channel, LONGEST, 1)
        if not message:
            return 0
        job_file, gpu, *libraries = message.decode().split("\n")
        _load(libraries)
        process = os.fork()
        if process == 0:
            channel.close()
            _work(job_file, gpu, files[0])
        os.close(files[0])
        channel.sendall(NUMBER.pack(process))
        _, status = os.waitpid(process, 0)
        channel.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _load(libraries: Iterable[str]) -> None:
    for library in libraries:
        for name in LOADED.get(library, ()):
            # Work that needs what cannot be loaded says so itself.
            with suppress(Exception):
                importlib.import_module(name)


def _work(job_file: str, gpu: str, output: int) -> NoReturn:
    """Do a job in the process that was forked for it, as if it had been started for it."""
    os.setsid()
    for stream in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output, stream)
    os.close(output)
    os.environ[GPU] = gpu
    sys.exit(task.main(job_file))


if __name__ == "__main__":
    task.die_with_parent()
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
if __name__ == "__mp_main__":
    # A worker of a pool that a fork has begun imports this file under that name, as it does
    # resources/task.py for a fresh process.
    task.die_with_parent()
