"""``likeness store`` on a real store in a folder."""

import os
import subprocess
import sys

import pytest
import small_tasks
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.console import console

WORK = """
import sys
from pathlib import Path
import small_tasks
from small_tasks import NEXT, STEP, Number
from resources import step
step.REPOSITORY = Path(small_tasks.__file__).parent
artifacts = small_tasks.artifacts(Path(sys.argv[1]), "inline")
for number in (10, 20):
    made = artifacts.make(STEP, "a", Number(number=number), {})
    artifacts.adopt(made)
    artifacts.adopt(artifacts.make(NEXT, "[b]", Number(number=0), {"before": made.manifest}))
"""


@pytest.fixture
def artifacts(tmp_path, monkeypatch):
    """Two artefacts that are current and two that are not, made by a process that has ended."""
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LIKENESS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(console, "width", 200)
    subprocess.run([sys.executable, "-c", WORK, str(tmp_path)], check=True)
    return small_tasks.artifacts(tmp_path, "inline")


def run(*words):
    return CliRunner().invoke(app, ["store", *words])


def rows_of(done):
    lines = [line for line in done.output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_what_is_current_is_listed_with_its_partition(artifacts):
    done = run("ls")
    assert done.exit_code == 0, done.output
    rows = [(row[0], row[1], row[-1]) for row in rows_of(done)]
    assert rows == [("small/next", "[b]", "miss"), ("small/number", "a", "miss")]
    assert "2 current artefacts" in done.output
    assert [row[0] for row in rows_of(run("ls", "small/next"))] == ["small/next"]
    assert rows_of(run("ls", "sma")) == []


def test_nothing_is_removed_before_it_is_asked_for(artifacts):
    before = {one.fingerprint for one in artifacts.store.manifests()}
    shown = run("prune", "--min-age", "0")
    assert shown.exit_code == 0, shown.output
    assert [row[:3] for row in rows_of(shown)] == [
        ["artefact", "small/next", "1"],
        ["artefact", "small/number", "1"],
    ]
    assert "2 things" in shown.output
    assert "would be removed" in shown.output
    assert {one.fingerprint for one in artifacts.store.manifests()} == before
    assert "0 things" in run("prune", "--delete").output  # they are young
    done = run("prune", "--min-age", "0", "--delete")
    assert rows_of(done) == rows_of(shown)
    assert len(list(artifacts.store.manifests())) == 2
    assert artifacts.store.verify() == []


def test_damage_is_found_told_and_made_again_by_the_next_run(artifacts):
    assert run("verify").exit_code == 0
    manifest = artifacts.store.find_any("small/next", artifacts.store.refs()[0].fingerprint)
    file = artifacts.store.fetch(manifest) / "next.txt"
    times = file.stat().st_mtime_ns
    file.write_text("9!")
    os.utime(file, ns=(times, times))
    done = run("verify")
    assert done.exit_code == 1
    assert "next.txt has other bytes than published" in done.output
    assert "small/next [[b]]: the next run makes it again" in done.output
    assert artifacts.find_current("small/next", "[b]") is None
    assert "gone: the next run makes it again" in run("ls").output


def test_what_is_not_current_is_read_only_when_asked_for(artifacts):
    current = {ref.fingerprint for ref in artifacts.store.refs()}
    old = next(one for one in artifacts.store.manifests() if one.fingerprint not in current)
    (artifacts.store.fetch(old) / old.files[0].path).unlink()
    assert run("verify").exit_code == 0
    done = run("verify", "--all")
    assert done.exit_code == 1
    assert "is missing" in done.output


def test_a_store_that_cannot_be_opened_is_one_sentence(artifacts, monkeypatch):
    monkeypatch.setenv("LIKENESS_STORE", "gs://bucket")
    done = run("ls")
    assert done.exit_code == 2
    assert "it must be a folder, or s3://bucket/prefix" in done.output
