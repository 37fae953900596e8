"""A store in a folder, copied to a bucket as docs/first-steps.md says, is the same store."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import small_tasks
from s3_server import rclone
from small_tasks import NEXT, STEP, Number

from resources import step
from resources.artifacts import Artifacts
from resources.settings import REPOSITORY

pytestmark = pytest.mark.s3


def told() -> str:
    """The command of the page."""
    text = (REPOSITORY / "docs" / "first-steps.md").read_text()
    return re.search(r"\.venv/bin/rclone copy .*?likeness/team\"", text, re.DOTALL)[0]


def test_a_store_copied_to_a_bucket_gives_hits_there(s3_environment, tmp_path, monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)
    here = small_tasks.artifacts(tmp_path, "inline")

    def both(artifacts):
        first = artifacts.make(STEP, "夜 1", Number(number=10), {})
        after = artifacts.make(NEXT, None, Number(number=0), {"before": first.manifest})
        for one in (first, after):
            artifacts.adopt(one)
        return first, after

    made = both(here)
    assert not any(one.hit for one in made)
    place = f"{s3_environment.bucket}/{tmp_path.name}"
    command = told()
    for ours, instead in (
        (".venv/bin/rclone", rclone()),
        (".likeness/artifacts", str(tmp_path / "store")),
        ("likeness/team", place),
    ):
        assert ours in command
        command = command.replace(ours, instead)
    subprocess.run(["sh", "-c", command], check=True, env=os.environ | {"RCLONE_CONFIG": ""})

    there = Artifacts(
        store_uri=f"s3://{place}", state_dir=str(tmp_path / "elsewhere"), backend="inline"
    )
    assert there.store.verify() == []
    assert there.store.refs() == here.store.refs()
    found = both(there)
    assert all(one.hit for one in found)
    assert [one.manifest for one in found] == [one.manifest for one in made]
    (number,) = there.fetch(found[0].manifest).iterdir()
    assert number.read_text() == "1"
    assert not [key for key in there.store.listing() if key.endswith(".times.json")]
