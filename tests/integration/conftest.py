"""A real S3 server and a real Postgres for the tests of this folder."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import postgres_server
import pytest
from s3_server import S3Server, free_port, rclone, wait_for


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
