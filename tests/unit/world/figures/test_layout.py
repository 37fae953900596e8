"""Boxes before and after a word has changed."""

from types import SimpleNamespace

import numpy as np
import pytest

from likeness.world.figures import layout
from likeness.world.grammar import vocabulary
from likeness.world.reader.read import Found, Readings


def test_overlap_by_hand():
    assert layout.overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert layout.overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(2 / 6)
    assert layout.overlap((0, 0, 1, 1), (1, 1, 2, 2)) == 0
    assert layout.overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0


def test_the_subject_is_what_is_surest_and_no_face():
    found = [Found("face", (0, 0, 1, 1), 0.9), Found("dog", (1, 1, 2, 2), 0.6)]
    assert layout.subject([*found, Found("car", (2, 2, 3, 3), 0.5)]) == (1, 1, 2, 2)
    assert layout.subject(found[:1]) is None


class Eyes:
    """Finds a subject whose left edge is the picture's first value; nothing in black ones."""

    def read(self, pictures):
        lefts = [float(picture[0, 0, 0]) for picture in pictures]
        objects = [[Found("dog", (x, 0, x + 10, 10), 0.5)] if x else [] for x in lefts]
        return Readings({}, {}, np.zeros(len(pictures)), objects)


class Faces:
    """Finds none, or one at the same place in every picture."""

    def __init__(self, *boxes):
        self.found = [SimpleNamespace(box=box) for box in boxes]

    def detect(self, pictures):
        return [self.found for _ in pictures]


def test_where_no_subject_is_found_faces_are_held_against_each_other(monkeypatch, tmp_path):
    black = np.zeros((2 * len(layout.CHANGES) * len(layout.PLACES), 8, 8, 3), np.uint8)
    monkeypatch.setattr(layout, "sample", lambda *a: black)
    shared, found = layout.layout_moves(None, Eyes(), Faces((0, 0, 4, 4)), tmp_path)
    assert shared.value == 1.0
    assert shared.n == len(black) // 2
    assert found.value == 0.0


def test_a_subject_that_moves_by_half_its_width_shares_a_third(monkeypatch, tmp_path):
    def sample(pipe, prompts, seeds, sampling, what):
        made = np.zeros((len(prompts), 8, 8, 3), np.uint8)
        made[0::2, 0, 0], made[1::2, 0, 0] = 5, 10
        made[0, 0, 0] = 0  # one pair has no subject before
        assert all(a == b for a, b in zip(seeds[::2], seeds[1::2], strict=True))
        return made

    monkeypatch.setattr(layout, "sample", sample)
    shared, found = layout.layout_moves(None, Eyes(), Faces(), tmp_path)
    pairs = len(layout.CHANGES) * len(layout.PLACES)
    assert shared.value == pytest.approx(5 / 15)
    assert shared.n == pairs - 1
    assert found.value == pytest.approx((2 * pairs - 1) / (2 * pairs))


def test_only_one_word_changes_and_all_are_known():
    known = set(vocabulary())
    for before, after in layout.CHANGES:
        one, other = before.split(), after.split()
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1, (before, after)
        for words in (before, after, *layout.PLACES):
            assert set(words.split()) <= known
