"""A real Postgres on this machine (Debian's package), that tests start and stop as they like."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from s3_server import free_port

DEBIAN = Path("/usr/lib/postgresql")
USER = NAME = "likeness"


class Postgres:
    """A server of its own, its files in ``folder``; the password is drawn for it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.password = secrets.token_hex(8)
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        (folder / "password").write_text(self.password)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        how = ("-U", USER, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync")
        _run("initdb", "-D", self._data, *how)
        self._process = None

    @property
    def address(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{NAME}"

    @property
    def runs(self) -> bool:
        return self._process is not None

    def environment(self) -> dict[str, str]:
        return {"LIKENESS_DATABASE": self.address, "PGPASSWORD": self.password}

    def start(self, *more: str) -> None:
        """Until it answers; ``more`` are arguments of the server."""
        where = ("-D", self._data, "-p", self.port, "-c", "listen_addresses=127.0.0.1")
        quick = ("-c", "unix_socket_directories=", "-c", "fsync=off")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                _command("postgres", *where, *quick, *more), stdout=log, stderr=log
            )
        until = time.monotonic() + 20
        while subprocess.run(
            _command("pg_isready", "-h", "127.0.0.1", "-p", self.port, "-q")
        ).returncode:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """At once: whoever is connected is thrown out."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None

    def ask(self, query: str, database: str = NAME) -> list[str]:
        """The lines of an answer, columns parted by ``|``."""
        address = self.address.removesuffix(NAME) + database
        done = subprocess.run(
            [str(programs() / "psql"), "-Atc", query, address],
            env=os.environ | {"PGPASSWORD": self.password},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def dump(self) -> str:
        """Everything in the database, as text."""
        done = subprocess.run(
            [str(programs() / "pg_dump"), "--inserts", self.address],
            env=os.environ | {"PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def empty(self) -> None:
        """Begin with a database in which there is nothing."""
        self.ask(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", "postgres")
        self.ask(f"CREATE DATABASE {NAME}", "postgres")

    def log(self) -> str:
        return self._log.read_text()


@contextmanager
def running(folder: Path):
    """A server that runs and has an empty database; ``folder`` must be open to its user."""
    server = Postgres(folder, free_port())
    server.start()
    try:
        server.empty()
        yield server
    finally:
        server.stop()


def programs() -> Path:
    """The folder of the newest server that is installed."""
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    assert found, "Postgres is missing: apt-get install postgresql"
    return found[-1].parent


def _command(program: str, *arguments: object) -> list[str]:
    # the server refuses to run as root
    user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    return [*(user if os.geteuid() == 0 else ()), str(programs() / program), *map(str, arguments)]


def _run(*command: object) -> None:
    done = subprocess.run(_command(*command), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
