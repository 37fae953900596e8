"""What is missing is told with what to do about it; nothing heavy is imported to find out."""

import json
import os
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipelines import doctor
from pipelines.cli import app
from pipelines.doctor import examine
from resources.settings import REPOSITORY, Settings


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(REPOSITORY))
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(doctor, "LEAST_DISK", 0.0)
    monkeypatch.setattr(doctor, "LEAST_MEMORY", 0.0)
    monkeypatch.setattr("resources.gpu.gpu_indices", lambda: ())
    return tmp_path


def found():
    return {one.what: one for one in examine(Settings())}


def test_a_machine_that_is_ready_has_nothing_red(place):
    findings = found()
    assert [one for one in findings.values() if one.level == "bad"] == []
    assert findings["store"].found.endswith("written, read, removed")
    assert [path for path in (place / "state").rglob("*") if path.is_file()] == []
    for one in findings.values():
        assert bool(one.do) == (one.level != "good"), one


@pytest.mark.parametrize(
    ("name", "value", "what", "do"),
    [
        ("DAGSTER_HOME", "/nowhere", "Dagster", "make setup"),
        ("LIKENESS_RAW", "/nowhere", "raw files", "set LIKENESS_RAW"),
        ("LIKENESS_STUDIES", "/nowhere", "studies", "as it says"),
        ("LIKENESS_STORE", "gs://bucket", "store", "as it says"),
        ("LIKENESS_STORE", "s3://bucket", "store", "as it says"),
    ],
)
def test_what_is_set_wrong_is_red_and_says_what_to_do(monkeypatch, name, value, what, do):
    monkeypatch.setenv(name, value)
    one = found()[what]
    assert one.level == "bad"
    assert do in one.do


def test_little_room_is_told_in_steps(monkeypatch):
    levels = []
    for least, good in ((1.0, 2.0), (1.0, 1e9), (1e9, 1e9)):
        monkeypatch.setattr(doctor, "LEAST_DISK", least)
        monkeypatch.setattr(doctor, "GOOD_DISK", good)
        levels.append(found()["disk"].level)
    assert levels == ["good", "limited", "bad"]


def test_a_port_that_is_taken_is_seen(monkeypatch):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setattr(doctor, "UI_PORT", server.getsockname()[1])
        assert found()["port"].level == "limited"
        monkeypatch.setenv("LIKENESS_PREVIEW_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        pictures = found()["port of pictures"]
        assert (pictures.level, "LIKENESS_PREVIEW_URL" in pictures.do) == ("limited", True)
    assert found()["port"].level == found()["port of pictures"].level == "good"
    monkeypatch.setenv("LIKENESS_PREVIEW_URL", "https://elsewhere.example/pictures")
    assert "port of pictures" not in found()


def test_a_gpu_that_torch_cannot_use_is_red(monkeypatch):
    monkeypatch.setattr("resources.gpu.gpu_indices", lambda: ("0",))
    monkeypatch.setattr(doctor, "_cuda_of_torch", lambda: None)
    assert found()["device"].level == "bad"
    monkeypatch.setattr(doctor, "_cuda_of_torch", lambda: "12.6")
    assert found()["device"].level == "good"


def test_what_torch_was_built_for_is_what_it_says_itself():
    import torch

    assert doctor._cuda_of_torch() == torch.version.cuda


def test_red_is_exit_code_1_and_a_table(monkeypatch):
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    monkeypatch.setenv("DAGSTER_HOME", "/nowhere")
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "has no dagster.yaml" in done.output.replace("\n", " ")


ASK = """
import json, resource, sys
from typer.testing import CliRunner
from pipelines.cli import app
done = CliRunner().invoke(app, ["doctor"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, [name for name in sys.modules if "." not in name]]))
"""


def test_it_takes_little_time_and_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, check=True, cwd=REPOSITORY, env=os.environ
    )
    seconds, modules = json.loads(done.stdout)
    assert seconds < 5
    assert not {"torch", "tensorflow", "diffusers", "deepface", "dagster"} & set(modules)
