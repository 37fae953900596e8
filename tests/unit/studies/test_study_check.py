"""Every mistake has the line on which a reader finds it."""

from pathlib import Path

import pytest

from likeness.errors import BadInput
from likeness.studies.check import mistakes_in
from likeness.studies.load import study_files

STUDY = """\
name: mine
title: Mine
painters:
  hand:
    title: A hand
    paint_side: 64
    classes:
      0: {name: one, paint: {hand: master, count: 6}}
      1: {name: two, paint: {hand: others, count: 6}}
    split: {valid: 0.3, test: 0.2}
    folds: 2
networks:
  tiles:
    painter: hand
    recipe: {architecture: tiles, epochs: 3}
  more:
    extends: tiles
    recipe: {epochs: 9}
experiments:
  base:
    title: Base
    model: small
    prompts: [a photo of a dog]
    seeds: [0]
"""


def found(tmp_path, *changes, others=()):
    text = STUDY
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return [(one.line, one.field, one.message) for one in mistakes_in(file, others)]


def line_of(text):
    return next(n for n, line in enumerate(STUDY.splitlines(), 1) if text in line)


def test_a_good_study_has_none_and_neither_has_any_that_ships(tmp_path):
    assert found(tmp_path) == []
    for file in study_files():
        assert mistakes_in(file, study_files()) == []


@pytest.mark.parametrize(
    ("old", "new", "field", "where"),
    [
        ("paint_side: 64", "paint_side: 6", "painters.hand.paint_side", "paint_side"),
        ("folds: 2", "fold: 2", "painters.hand.fold", "folds"),
        ("count: 6}}\n      1", "count: 0}}\n      1", "painters.hand.classes.0.paint.count", "0:"),
        ("epochs: 9", "epochs: none", "networks.more.recipe.epochs", "epochs: 9"),
        ("seeds: [0]", "seeds: []", "experiments.base", "  base:"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, old, new, field, where):
    ((line, said, message), *_) = found(tmp_path, (old, new))
    assert (line, said) == (line_of(where), field)
    assert message


def test_what_an_entry_inherits_is_blamed_where_it_is_written(tmp_path):
    lines = {(line, field) for line, field, _ in found(tmp_path, ("epochs: 3}", "tiles: 3}"))}
    written = line_of("epochs: 3}")
    assert lines == {(written, f"networks.{key}.recipe.tiles") for key in ("tiles", "more")}


def test_a_missing_field_is_named_and_its_entry_is_the_place(tmp_path):
    (mistake,) = found(tmp_path, ("    title: Base\n", ""))
    assert mistake[:2] == (line_of("  base:"), "experiments.base.title")


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path):
    lines = [
        one[0] for one in found(tmp_path, ("folds: 2", "folds: 1"), ("title: Mine", "titel: x"))
    ]
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_what_is_no_yaml_has_a_line_too(tmp_path):
    ((line, field, message),) = found(tmp_path, ("title: Mine", "title: [Mine"))
    assert line > 1
    assert field == ""
    assert "not readable YAML" in message


def test_a_reference_into_the_void_is_blamed_on_the_entry_that_makes_it(tmp_path):
    ((line, field, message),) = found(tmp_path, ("painter: hand", "painter: nobody"))
    assert (line, field) == (line_of("  tiles:"), "networks.tiles")
    assert "names painter 'nobody'" in message


def test_a_key_that_another_study_has_is_a_mistake_only_beside_it(tmp_path):
    change = ("  hand:\n", "  small_master:\n"), ("painter: hand", "painter: small_master")
    assert found(tmp_path, *change) == []
    ((line, field, _),) = found(tmp_path, *change, others=study_files())
    assert (line, field) == (line_of("  hand:"), "painters.small_master")


def test_a_file_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        mistakes_in(Path(tmp_path / "none.yaml"))
