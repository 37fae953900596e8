"""The command reads the repository's ``.env``, as make and Dagster do."""

import os
import socket
from unittest import mock

from typer.testing import CliRunner

from pipelines import cli
from pipelines.cli import app
from resources.settings import REPOSITORY


def test_what_the_file_says_holds_and_the_environment_wins(monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "app", lambda: seen.append(os.environ["DAGSTER_HOME"]))
    with mock.patch.dict(os.environ):
        os.environ.pop("DAGSTER_HOME", None)
        cli.run()
        os.environ["DAGSTER_HOME"] = "/elsewhere"
        cli.run()
    assert seen == [str(REPOSITORY), "/elsewhere"]


def test_a_ui_whose_ports_are_taken_or_the_same_does_not_begin(monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path / "state"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["ui", "--port", port])
        assert (result.exit_code, f"Port {port} is taken" in result.output) == (2, True)
    monkeypatch.setenv("LIKENESS_PREVIEW_URL", f"http://127.0.0.1:{port}")
    result = CliRunner().invoke(app, ["ui", "--port", port])
    assert result.exit_code == 2
    assert "Pictures cannot be served" in result.output
    monkeypatch.setenv("LIKENESS_PREVIEW_URL", "http://127.0.0.1:many")
    result = CliRunner().invoke(app, ["ui", "--port", port])
    assert result.exit_code == 2
    assert "LIKENESS_PREVIEW_URL=http://127.0.0.1:many is no address" in result.output
