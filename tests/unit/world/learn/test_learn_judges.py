"""The trainings of the judges, a few steps of each: what they leave, and what they learn from."""

import json

import numpy as np
import pytest

from likeness.errors import BadInput
from likeness.models.checksums import verify
from likeness.world.book import write_book
from likeness.world.learn import clip, face, judges, reader
from likeness.world.learn.recipe import BaseRecipe
from likeness.world.learn.tasks import JudgeParams, judge
from likeness.world.sample import UNSEEN, describe


@pytest.fixture
def short(monkeypatch):
    """A few steps of small batches on a few pictures."""
    monkeypatch.setattr(judges, "COUNTS", dict.fromkeys(judges.COUNTS, 160))
    monkeypatch.setattr(judges, "TEST_COUNTS", dict.fromkeys(judges.TEST_COUNTS, 128))
    for module, names in ((reader, ("PLAN",)), (clip, ("PLAN",)), (face, ("DETECT", "EMBED"))):
        for name in names:
            plan = getattr(module, name).model_copy(update={"steps": 4, "checkpoint_steps": 2})
            monkeypatch.setattr(module, name, plan)
    for module, name in ((reader, "BATCH"), (clip, "BATCH"), (face, "EMBED_BATCH")):
        monkeypatch.setattr(module, name, 8)


@pytest.mark.parametrize("model", ["reader", "clip"])
def test_a_judge_is_made_measured_and_says_how(short, tmp_path, model):
    (tmp_path / "out").mkdir()
    measured = judge(JudgeParams(model=model), {}, tmp_path / "out", tmp_path / "scratch")
    verify(tmp_path / "out")
    assert all(np.isfinite(value) for name, value in measured.items() if "/" not in name)
    note = json.loads((tmp_path / "out" / "training.json").read_text())
    assert note["steps"] == {model: 4}
    assert note["params"]["pictures"] == 160
    assert list(note["params"]["plans"]) == [model]


def test_a_reader_whose_training_was_killed_is_the_same(short, tmp_path, monkeypatch):
    book = tmp_path / "book"
    write_book(book, "reader", 60, judges.KEY)
    reader.train_reader(book, tmp_path / "whole", tmp_path / "a")
    whole = reader.losses

    def dies(*args):
        dies.calls += 1
        if dies.calls == 4:
            raise KeyboardInterrupt
        return whole(*args)

    dies.calls = 0
    monkeypatch.setattr(reader, "losses", dies)
    with pytest.raises(KeyboardInterrupt):
        reader.train_reader(book, tmp_path / "again", tmp_path / "b")
    monkeypatch.setattr(reader, "losses", whole)
    reader.train_reader(book, tmp_path / "again", tmp_path / "b")
    one, other = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "again")
    )
    assert one == other


def test_faces_that_were_not_learned_are_refused_in_one_sentence(short, tmp_path):
    book = tmp_path / "book"
    write_book(book, "face", 60, judges.FACES)
    with pytest.raises(BadInput, match="no two faces to compare: use a book with more people"):
        face.train_face(book, tmp_path / "out", tmp_path / "scratch")


def test_nobody_who_is_held_out_is_in_a_training():
    sources = {f"base-{one.name}": one.mixture for one in BaseRecipe().stages} | judges.MIXTURES
    for source, mixture in sources.items():
        people, painters = set(), set()
        for page in (describe(source, i, mixture) for i in range(400)):
            painters.add(page.painter)
            if page.person is not None:
                people.add(page.person.identity.key.rsplit("-", 1)[0])
        assert not people & set(UNSEEN), source
        shown = {"base"} | ({"unseen_by_base"} if source == "reader" else set())
        assert set(mixture.painters) <= shown
        assert set(mixture.unseen) <= shown
