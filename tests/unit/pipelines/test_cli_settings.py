"""The command reads the repository's ``.env``, as make and Dagster do."""

import os
from unittest import mock

from pipelines import cli
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
