"""Whose verdicts count: by hand, with as many right and as sure as each case needs."""

import numpy as np
import pandas as pd
import pytest

from likeness.classify.trust import trust

N = 40


def verdicts(right, confidence):
    """``right``: the numbers of the pictures that are judged rightly, of N whose truth is 1."""
    return pd.DataFrame(
        {
            "image_id": [str(number) for number in range(N)],
            "truth": 1,
            "predicted": [1 if number in right else 0 for number in range(N)],
            "confidence": confidence,
        }
    )


def test_a_judge_that_is_calibrated_and_beats_the_probe_counts():
    # 36 of 40 right, 0.9 sure; the probe misses six of them more and none that it misses
    found = trust(verdicts(range(36), 0.9), [verdicts(range(30), 0.9)])
    assert found.calibration_error == pytest.approx(0)
    assert found.p == pytest.approx(2 / 2**6)
    assert found.counts == "yes"


@pytest.mark.parametrize(
    ("judge", "probes", "said"),
    [
        (verdicts(range(36), 0.7), [verdicts(range(20), 0.9)], "no: calibration error 0.20"),
        (
            verdicts(range(36), 0.9),
            [verdicts(range(31), 0.9)],
            "no: not surely better than the probe (p = 0.062)",
        ),
        # as sure, and the other way round
        (
            verdicts(range(30), 0.75),
            [verdicts(range(36), 0.9)],
            "no: not surely better than the probe (p = 0.031)",
        ),
        # the harder of two probes
        (
            verdicts(range(36), 0.9),
            [verdicts(range(10), 0.9), verdicts(range(36), 0.9)],
            "no: not surely better than the probe (p = 1)",
        ),
        (verdicts(range(36), 0.9), [], "no: no probe of the same pictures"),
        (
            verdicts(range(36), 0.4),
            [],
            "no: calibration error 0.50, no probe of the same pictures",
        ),
    ],
)
def test_else_it_says_why_not(judge, probes, said):
    assert trust(judge, probes).counts == said


def test_only_pictures_that_both_have_judged_are_compared():
    probe = verdicts(range(30), 0.9)
    found = trust(verdicts(range(36), 0.9), [probe[probe["image_id"].astype(int) < 30]])
    assert found.p == 1
    assert np.isfinite(found.calibration_error)
