import pytest
from hub import COMMIT
from typer.testing import CliRunner

from pipelines import models_cli


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(models_cli.console, "width", 200)

    def invoke(*words):
        return CliRunner().invoke(models_cli.app, list(words))

    return invoke


def row(output, name):
    lines = [line for line in output.splitlines() if line.startswith(f"│ {name} ")]
    assert len(lines) == 1
    return [cell.strip() for cell in lines[0].strip("│").split("│")]


def test_a_model_is_listed_fetched_and_exported(run, served, cache, known, tmp_path):
    before = row(run("list").output, "tiny")
    assert before[1:6] == ["some/tiny", "found when fetched", "16", "float16", "no"]
    assert row(run("list").output, "sd15-random")[5] == "needs no files"
    assert row(run("list").output, "sd15")[2] == "451f4fe161"
    done = run("fetch", "tiny")
    assert (done.exit_code, COMMIT in done.output) == (0, True)
    after = row(run("list").output, "tiny")
    assert after[2] == f"{COMMIT[:10]} (locked)"
    assert after[5] == "yes"
    assert run("export", "tiny", str(tmp_path / "copy")).exit_code == 0
    assert (tmp_path / "copy" / "model_index.json").is_file()


def test_random_weights_need_no_fetch(run):
    done = run("fetch", "sd2-random")
    assert (done.exit_code, "nothing to fetch" in done.output) == (0, True)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("fetch", "sd3"), "there is no base model 'sd3'"),
        (("export", "tiny", "x"), "model 'tiny' is not on this machine: run likeness models fetch"),
        (("fetch", "tiny"), "has no some/tiny for you"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(run, served, cache, known, words, part):
    served.repositories.clear()
    done = run(*words)
    assert (done.exit_code, part in done.output) == (2, True)
    assert "Traceback" not in done.output


def test_a_mistake_in_one_model_stands_in_its_row_and_ends_no_list(run, cache, settings):
    entry = {"architecture": "sd15", "resolution": 16}
    settings(
        wrong=entry | {"source": "some/tiny", "revision": "main"},
        torn=entry | {"source": "some/tiny"},
        last=entry | {"source": "some/other"},
    )
    lock = cache / "models--some--tiny" / "likeness-torn.lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{")
    done = run("list")
    assert done.exit_code == 0
    told = " ".join(done.output.replace("│", " ").split())
    assert "wrong" in told
    assert "revision" in told
    assert "is damaged" in told
    assert row(done.output, "last")[1] == "some/other"
