"""A process that has torch loaded, and from which work on torch is forked.

Loading torch and what stands on it takes longer than many a piece of work, and a study is many
pieces. ``python -m resources.warm NUMBER`` loads libraries, none of our own code, and then forks
for each job file that it is told of on the socket of that number.
"""

import importlib
import os
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from resources import task

# What most work on torch loads. None of it may touch a GPU, which a fork could not use then.
LOADED = (
    "torch",
    "transformers.models.clip.image_processing_pil_clip",
    "transformers.models.clip.modeling_clip",
    "transformers.models.clip.tokenization_clip",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl",
)
GPU = "CUDA_VISIBLE_DEVICES"
SHORT = 8192  # bytes: longer than a path
NUMBER = struct.Struct("!i")
# Linux kills a process that wants to end with its parent when the *thread* ends that began it.
_mine = threading.local()


class Gone(Exception):
    """The process that forks has ended."""


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

    def fork(self, job_file: str, gpu: str, output: int) -> None:
        """Begin a job, whose lines are written to ``output``. Raises Gone."""
        with suppress(OSError):
            socket.send_fds(self.channel, [f"{gpu}\n{job_file}".encode()], [output])
        self._answer()

    def wait(self) -> int:
        """How the job has ended: its exit code, or minus the signal that ended it. Raises Gone."""
        return self._answer()

    def stop(self) -> None:
        """End the process, and with it what it has forked."""
        self.channel.close()
        self.process.kill()
        self.process.wait()

    def _answer(self) -> int:
        said = b""
        with suppress(OSError):
            said = self.channel.recv(NUMBER.size, socket.MSG_WAITALL)
        if not said:
            raise Gone
        return int(NUMBER.unpack(said)[0])


def fork(job_file: str, environment: dict[str, str], gpu: str, output: int) -> Warm:
    """Begin a job in a fork of this thread's process, and return that. Raises Gone."""
    parent = _warm(environment)
    try:
        parent.fork(job_file, gpu, output)
    except Gone:
        # It died while nobody asked, and not of this job.
        parent.stop()
        parent = _warm(environment)
        parent.fork(job_file, gpu, output)
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
    """Load, then fork for each job until nobody asks any more."""
    for name in LOADED:
        # Work that needs what cannot be loaded says so itself.
        with suppress(Exception):
            importlib.import_module(name)
    while True:
        message, files, *_ = socket.recv_fds(channel, SHORT, 1)
        if not message:
            return 0
        process = os.fork()
        if process == 0:
            channel.close()
            gpu, job_file = message.decode().split("\n")
            _work(job_file, gpu, files[0])
        os.close(files[0])
        channel.sendall(NUMBER.pack(process))
        _, status = os.waitpid(process, 0)
        channel.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))


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
