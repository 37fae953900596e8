"""The address of the Postgres: what is wrong with it is told, and a password never."""

import socket

import pytest
from typer.testing import CliRunner

from likeness.errors import BadInput
from pipelines.cli import app
from resources.database import parse_address, probe
from resources.run_storage import RunStorage
from resources.settings import REPOSITORY

SECRET = "s3cr3t-0f-0urs"


def test_an_address_is_read_as_the_driver_reads_it():
    assert parse_address("postgresql://me@db.example:6543/books?sslmode=require") == {
        "user": "me",
        "host": "db.example",
        "port": "6543",
        "dbname": "books",
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (f"mysql://me:{SECRET}@db/books", "does not begin with postgresql://"),
        (f"/var/{SECRET}", "does not begin with postgresql://"),
        (f"postgresql://me:{SECRET}@db/books", "set PGPASSWORD to it instead"),
        (f"postgresql://me@db/books?password={SECRET}", "set PGPASSWORD to it instead"),
        (f"postgresql://me@db/books?sslpassword={SECRET}", "holds a password"),
        (f"postgresql://me:{SECRET}%zz@db/books", "is no address of a Postgres"),
        (f"postgresql://me:{SECRET}[@db/books", "."),
        (f"postgresql://me@db/books?nothing={SECRET}", "is no address of a Postgres"),
        (f"postgresql://db:{SECRET}/books", "a port that is no number"),
        ("postgresql://me@db", "names no database"),
    ],
)
def test_a_wrong_address_is_a_sentence_that_does_not_repeat_it(address, sentence):
    with pytest.raises(BadInput, match=sentence) as caught:
        parse_address(address)
    assert SECRET not in str(caught.value)
    # nor does anything that a traceback would show
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_each_command_says_it_in_a_sentence_without_the_password(monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_DATABASE", f"postgresql://me:{SECRET}@db/books")
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(REPOSITORY))
    for command, code in ((["study", "demo"], 2), (["ui"], 2), (["doctor"], 1)):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == code, done.output
        assert "LIKENESS_DATABASE" in done.output
        assert SECRET not in done.output


def test_where_nobody_listens_is_a_sentence(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"postgresql://me@127.0.0.1:{closed.getsockname()[1]}/books"
        with pytest.raises(BadInput, match=r"Connection refused\. Check that it is running"):
            probe(address)


def test_files_of_the_state_folder_are_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path))
    storage = RunStorage.from_config_value(None, {})
    assert type(storage).__name__ == "DagsterSqliteStorage"
    assert (tmp_path / "history" / "runs.db").is_file()
