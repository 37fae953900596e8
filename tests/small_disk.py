"""A disk of a few MB, and one that cannot be written to, each for one process alone."""

import os
import subprocess
import sys
from pathlib import Path

from needed import lacking

ROOT = Path(__file__).parent.parent
# With rights of its own, or as a user who is root in a name space alone.
WAYS = (["unshare", "-m"], ["unshare", "-rm"])


def _way() -> list[str]:
    works = [
        way for way in WAYS if not subprocess.run([*way, "true"], capture_output=True).returncode
    ]
    if not works:
        lacking("this machine lets nobody mount anything (unshare -m)")
    return works[0]


def run(disk: Path, mount: str, command: list[str], **settings: str):
    """``command`` after ``mount`` with the folder ``disk`` as ``$0``, seen by it alone."""
    disk.mkdir(exist_ok=True)
    return subprocess.run(
        [*_way(), "sh", "-c", f'set -e; {mount}; exec "$@"', str(disk), *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | settings,
        timeout=120,
    )


def on_megabytes(disk: Path, megabytes: int, code: str):
    """Python ``code`` with ``disk`` being so large; its exit code must be 0."""
    done = run(
        disk,
        f'mount -t tmpfs -o size={megabytes}m tmpfs "$0"',
        [sys.executable, "-c", code, str(disk)],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_only(disk: Path, command: list[str], **settings: str):
    """``command`` with ``disk`` as it is and nothing to be written to it."""
    return run(disk, 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"', command, **settings)
