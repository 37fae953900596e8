"""Edits against the known answer, with a reader that reads colours and makes mistakes on demand."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from likeness.metrics.known_edits import (
    ASKED,
    KEPT,
    TRUE_EDIT,
    UNTOUCHED,
    Claims,
    read_scores,
    true_scores,
)
from likeness.world.reader.read import Reading

SIDE = 24
WORDS = {0: "black", 50: "red", 100: "green", 150: "blue"}


class Eyes:
    """Reads shirt, place and hat from the first value of each channel."""

    def read(self, pictures):
        return [
            Reading(dict(zip(("shirt", "place", "hat"), self.words(p), strict=True)), 30.0, [])
            for p in pictures
        ]

    def words(self, picture):
        return [WORDS[int(value)] for value in picture[0, 0]]


def picture(*values):
    return np.full((SIDE, SIDE, 3), values, np.uint8)


CLAIMS = Claims(
    was={"shirt": "black"}, asked={"shirt": "red"}, kept={"place": "red", "hat": "green"}
)


def scores(before, after, claims=CLAIMS):
    found = read_scores(Eyes(), [claims], before[None], after[None])
    assert list(found) == [ASKED, KEPT]
    return [score for (score,) in found.values()]


def to_truth(truth, source, edited):
    found = true_scores([truth], source[None], edited[None])
    assert list(found) == [TRUE_EDIT, UNTOUCHED]
    return [score for (score,) in found.values()]


SOURCE = picture(0, 50, 100)


def test_an_edit_is_done_where_it_is_read_and_the_rest_is_kept():
    assert scores(SOURCE, picture(50, 50, 100)) == [(1.0, ""), (1.0, "")]


def test_what_is_not_edited_is_not_done_and_keeps_everything():
    asked, kept = scores(SOURCE, SOURCE)
    assert (asked.value, kept.value) == (0.0, 1.0)


def test_the_share_that_is_kept_is_of_what_was_read_rightly_before():
    _, kept = scores(SOURCE, picture(50, 50, 150))
    assert kept.value == 0.5
    # the place is misread before, so it counts neither way
    _, kept = scores(picture(0, 0, 100), picture(50, 50, 150))
    assert kept.value == 0.0
    _, kept = scores(picture(0, 0, 0), SOURCE)
    assert math.isnan(kept.value)
    assert kept.reason == "the reader reads nothing of the source rightly"


def test_a_source_that_is_misread_says_nothing_about_the_edit():
    asked, _ = scores(picture(150, 50, 100), picture(50, 50, 100))
    assert math.isnan(asked.value)
    assert asked.reason == "shirt of the source is read as blue"


def test_without_an_answer_there_is_no_score():
    asked, kept = scores(SOURCE, SOURCE, Claims())
    assert asked.reason == "nobody knows what should be read"
    assert kept.reason == "nobody knows what should be kept"
    assert all(math.isnan(one.value) for one in (asked, kept))


def test_scores_of_an_edit_do_not_depend_on_the_others():
    before = np.stack([SOURCE, picture(150, 50, 100), SOURCE, picture(0, 0, 0)])
    after = np.stack([picture(50, 50, v) for v in (100, 100, 0, 50)])
    together = read_scores(Eyes(), [CLAIMS] * 4, before, after)
    apart = [scores(before[n], after[n]) for n in range(4)]
    assert repr(list(zip(*together.values(), strict=True))) == repr(list(map(tuple, apart)))


def test_of_no_edits_there_are_no_scores():
    none = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    assert read_scores(Eyes(), [], none, none) == {ASKED: [], KEPT: []}
    assert true_scores([], none, none) == {TRUE_EDIT: [], UNTOUCHED: []}


def test_the_true_edit_is_measured_as_an_independent_ssim_does():
    rng = np.random.default_rng(0)
    truth, source = rng.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    edited = np.clip(truth.astype(int) + rng.integers(-40, 41, truth.shape), 0, 255)
    edited = edited.astype(np.uint8)
    luma = np.array([0.299, 0.587, 0.114])
    for score, one in zip(to_truth(truth, source, edited), (edited, source), strict=True):
        assert score.value == pytest.approx(
            structural_similarity(
                one @ luma,
                truth @ luma,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=255,
            ),
            abs=2e-3,
        )


def test_the_true_edit_itself_scores_one():
    truth = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    edited, untouched = to_truth(truth, SOURCE, truth)
    assert edited.value == 1.0
    assert untouched.value < 0.1


def test_where_nothing_can_be_compared_the_reason_is_said():
    black = picture(0, 0, 0)
    large, _ = to_truth(black[:12, :12], SOURCE, SOURCE)
    assert math.isnan(large.value)
    assert large.reason == "sizes differ: (24, 24, 3) and (12, 12, 3)"
    tiny, _ = to_truth(black[:8, :8], SOURCE[:8, :8], SOURCE[:8, :8])
    assert "smaller than the window" in tiny.reason
    nothing, _ = to_truth(None, SOURCE, SOURCE)
    assert nothing.reason == "nobody knows the true edit"
