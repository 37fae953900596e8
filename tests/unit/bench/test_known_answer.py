"""Edits against the known answer, with a reader that reads colours and makes mistakes on demand."""

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from likeness.bench.known import (
    ASKED,
    KEPT,
    NO_ANSWER,
    NOT_COMPARED,
    NOT_ELIGIBLE,
    TRUE_EDIT,
    UNTOUCHED,
    read_scores,
    true_scores,
)
from likeness.bench.pairs import EditPair
from likeness.errors import BadInput
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


def pair(number=0, **more):
    known = {"was": {"shirt": "black"}, "asked": {"shirt": "red"}}
    known |= {"kept": {"place": "red", "hat": "green"}}
    return EditPair(
        **{
            "pair_id": f"{number:016x}",
            "image_id": "0" * 16,
            "target_prompt": "red",
            **known,
            **more,
        }
    )


def scores(one, before, after):
    found = read_scores(Eyes(), [one], before[None], after[None])
    assert [s.metric for s in found] == [ASKED, KEPT]
    return found


SOURCE = picture(0, 50, 100)


def test_an_edit_is_done_where_it_is_read_and_the_rest_is_kept():
    asked, kept = scores(pair(), SOURCE, picture(50, 50, 100))
    assert (asked.value, asked.status, kept.value, kept.status) == (1.0, "ok", 1.0, "ok")


def test_what_is_not_edited_is_not_done_and_keeps_everything():
    asked, kept = scores(pair(), SOURCE, SOURCE)
    assert (asked.value, kept.value) == (0.0, 1.0)


def test_the_share_that_is_kept_is_of_what_was_read_rightly_before():
    _, kept = scores(pair(), SOURCE, picture(50, 50, 150))
    assert kept.value == 0.5
    # the place is misread before, so it counts neither way
    _, kept = scores(pair(), picture(0, 0, 100), picture(50, 50, 150))
    assert kept.value == 0.0
    _, kept = scores(pair(), picture(0, 0, 0), SOURCE)
    assert math.isnan(kept.value)
    assert kept.status == NOT_ELIGIBLE


def test_a_source_that_is_misread_says_nothing_about_the_edit():
    asked, _ = scores(pair(), picture(150, 50, 100), picture(50, 50, 100))
    assert math.isnan(asked.value)
    assert asked.status == NOT_ELIGIBLE
    assert asked.reason == "shirt of the source is read as blue"


def test_without_an_answer_there_is_no_score():
    unknown = pair(was=None, asked=None, kept=None)
    assert {s.status for s in scores(unknown, SOURCE, SOURCE)} == {NO_ANSWER}
    assert all(math.isnan(s.value) for s in scores(unknown, SOURCE, SOURCE))


def test_scores_of_a_pair_do_not_depend_on_the_others():
    many = [pair(n) for n in range(4)]
    before = np.stack([SOURCE, picture(150, 50, 100), SOURCE, picture(0, 0, 0)])
    after = np.stack([picture(50, 50, v) for v in (100, 100, 0, 50)])
    together = read_scores(Eyes(), many, before, after)
    apart = [s for n in range(4) for s in scores(many[n], before[n], after[n])]
    assert repr(together) == repr(apart)


def test_pairs_and_pictures_have_to_be_as_many():
    with pytest.raises(BadInput, match="do not belong together"):
        read_scores(Eyes(), [pair()], np.stack([SOURCE] * 2), np.stack([SOURCE] * 2))
    none = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    assert read_scores(Eyes(), [], none, none) == []


def test_the_true_edit_is_measured_as_an_independent_ssim_does():
    rng = np.random.default_rng(0)
    truth, source = rng.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    edited = np.clip(truth.astype(int) + rng.integers(-40, 41, truth.shape), 0, 255)
    edited = edited.astype(np.uint8)
    found = true_scores([pair()], source[None], edited[None], {pair().pair_id: truth})
    luma = np.array([0.299, 0.587, 0.114])
    for score, one in zip(found, (edited, source), strict=True):
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
    assert [score.metric for score in found] == [TRUE_EDIT, UNTOUCHED]


def test_the_true_edit_itself_scores_one():
    truth = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    found = true_scores([pair()], SOURCE[None], truth[None], {pair().pair_id: truth})
    assert found[0].value == 1.0
    assert found[1].value < 0.1


def test_where_nothing_can_be_compared_the_reason_is_said():
    truths = {pair().pair_id: picture(0, 0, 0)[:12, :12], pair(1).pair_id: picture(0, 0, 0)[:8, :8]}
    (large, *_) = true_scores([pair()], SOURCE[None], SOURCE[None], truths)
    assert (large.status, math.isnan(large.value)) == (NOT_COMPARED, True)
    small = SOURCE[None, :8, :8]
    (tiny, *_) = true_scores([pair(1)], small, small, truths)
    assert tiny.status == NOT_COMPARED
    assert "smaller than the window" in tiny.reason
    (nothing, *_) = true_scores([pair(2)], SOURCE[None], SOURCE[None], truths)
    assert nothing.status == NO_ANSWER
