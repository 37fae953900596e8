import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from resources.settings import REPOSITORY, Settings


def test_artefacts_lie_below_the_state_folder_unless_the_store_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path))
    assert Settings().store_uri == str(tmp_path / "artifacts")
    monkeypatch.setenv("LIKENESS_STORE", "s3://bucket/prefix")
    assert Settings().store_uri == "s3://bucket/prefix"


def test_a_relative_state_folder_does_not_move_with_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_STATE_DIR", "state")
    assert Path(Settings().store_uri) == tmp_path / "state" / "artifacts"


def test_an_empty_variable_counts_as_unset(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.setenv(f"LIKENESS_{name.upper()}", "")
    assert Settings() == Settings.model_construct()


@pytest.mark.parametrize(
    ("name", "value"), [("CACHE_GB", "0"), ("THREADS", "-1"), ("THREADS", "x")]
)
def test_a_wrong_value_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"LIKENESS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_every_variable_is_documented():
    example = (REPOSITORY / ".env.example").read_text()
    documented = set(re.findall(r"^(?:# )?LIKENESS_(\w+)=", example, re.MULTILINE))
    assert documented >= {name.upper() for name in Settings.model_fields}
