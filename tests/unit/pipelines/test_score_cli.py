"""``likeness score``, ``studies list`` and ``report open`` as people call them."""

import csv

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from likeness.studies.load import load_registry
from pipelines.cli import app
from pipelines.console import console


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "width", 300)
    monkeypatch.setenv("LIKENESS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def folder(place, name, seeds):
    (place / name).mkdir()
    for seed in seeds:
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(place / name / f"[{seed}].png")
    return place / name


def test_the_printed_table_is_the_written_one(place):
    a, b = folder(place, "a", (1, 2, 3)), folder(place, "b", (2, 3))
    (b / "notes.txt").write_text("no picture")
    done = run("score", a, b, "--csv", place / "scores.csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((place / "scores.csv").open()))
    by = {row["pictures"]: row for row in rows}
    # the same bytes under the same names
    assert (float(by["by name"]["value"]), by["by name"]["n"]) == (1.0, "2")
    assert by["by name"]["low"] == ""
    assert by["A with B"]["n"] == "6"
    for row in rows:
        assert f"{float(row['value']):.4f}" in done.output
    assert "notes.txt" in done.output


def test_structure_is_compared_by_name(place):
    a, b = folder(place, "a", (1, 2)), folder(place, "b", (2, 3))
    done = run("score", a, b, "--structure", "small-clip", "--csv", place / "scores.csv")
    assert done.exit_code == 0, done.output
    rows = [row for row in csv.DictReader((place / "scores.csv").open())]
    (row,) = [row for row in rows if row["measure"] == "structure distance, small-clip"]
    # the same bytes under the same name
    assert (row["pictures"], row["n"]) == ("by name", "1")
    assert float(row["value"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--faces", "Nobody"), "no recogniser is called 'Nobody'"),
        (("--side", "3"), "ScoreParams, side"),
        (("--clip", "/nowhere"), "there is no encoder '/nowhere'"),
        (("--csv", "/nowhere/x.csv"), "/nowhere/x.csv cannot be written"),
    ],
)
def test_mistakes_are_one_sentence(place, words, sentence):
    done = run("score", folder(place, "a", (1, 2)), folder(place, "b", (2, 3)), *words)
    assert done.exit_code == 2, done.output
    assert sentence in done.output


def test_all_studies_are_listed():
    done = run("studies", "list")
    assert done.exit_code == 0, done.output
    for study in load_registry().studies.values():
        assert study.name in done.output
        assert study.title in done.output
    assert "(reads your own pictures)" in done.output


def test_a_study_with_mistakes_is_told_line_by_line(place):
    (place / "mine.yaml").write_text("name: mine\ntitel: Mine\n")
    done = run("studies", "check", place / "mine.yaml")
    assert done.exit_code == 2
    assert "mine.yaml:2: titel: Extra inputs are not permitted" in done.output
    assert "mine.yaml:1: title: Field required" in done.output
    done = run("studies", "check", place / "none.yaml")
    assert done.exit_code == 2
    assert "there is no file" in done.output


def test_the_report_is_opened_where_it_lies(place, monkeypatch):
    done = run("report", "open")
    assert done.exit_code == 2
    assert "run a study first" in done.output
    page = place / "state" / "report" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>")
    asked = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(asked.append(address)))
    done = run("report", "open")
    assert done.exit_code == 0
    assert asked == [page.as_uri()]
    assert str(page) in done.output
    assert "no browser was found" in done.output
