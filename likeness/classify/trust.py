"""Whether a judge's verdicts count: it must be calibrated, and see more than the capture.

Both are asked of pictures whose truth is known, and of which it has learned no near duplicate.
"""

from typing import NamedTuple

import pandas as pd

from likeness.statistics import calibration_error, mcnemar

# By chance alone a perfectly calibrated judge that is 0.8 sure is off by up to 0.13 on 75 pictures
# (simulated, 95 %).
CALIBRATED = 0.15
SURE = 0.05
RULE = (
    f"A judge's verdicts count where its expected calibration error (ten bins) is at most "
    f"{CALIBRATED:g} and it is right more often than the shortcut probe on the same pictures "
    f"(exact McNemar p < {SURE:g}); both on test pictures, or on validation pictures where there "
    "are none, and without those of which it learned a near duplicate."
)


class Trust(NamedTuple):
    """What a judge's verdicts are worth."""

    calibration_error: float
    p: float | None  # against the probe; None where there is none
    counts: str  # yes, or no with the reasons


def trust(judged: pd.DataFrame, probes: list[pd.DataFrame], sees_colour: bool = False) -> Trust:
    """Of a judge's verdicts on one part, and those of shortcut probes on the same part.

    Columns ``image_id, truth, predicted, confidence``; truth is known. Of several probes the one
    that is hardest to beat counts. Who sees colour has not beaten a probe of luma: classes may
    differ in how colour was taken.
    """
    hit = judged["truth"] == judged["predicted"]
    error = calibration_error(judged["confidence"], hit)
    why = []
    if error > CALIBRATED:
        why.append(f"calibration error {error:.2f}")
    beaten = [_against(judged, probe) for probe in probes]
    p = max((one.p for one in beaten), default=None)
    if p is None:
        why.append("no probe of the same pictures")
    elif sees_colour:
        why.append("sees colour, which the probe does not")
    elif not all(one.better and one.p < SURE for one in beaten):
        why.append(f"not surely better than the probe (p = {p:.2g})")
    return Trust(error, p, f"no: {', '.join(why)}" if why else "yes")


class _Against(NamedTuple):
    p: float
    better: bool


def _against(judged: pd.DataFrame, probe: pd.DataFrame) -> _Against:
    both = judged.merge(probe, on="image_id", suffixes=("", "_probe"))
    right = (both["truth"] == both["predicted"]).to_numpy(bool)
    probes = (both["truth"] == both["predicted_probe"]).to_numpy(bool)
    alone, other = int((right & ~probes).sum()), int((probes & ~right).sum())
    return _Against(mcnemar(alone, other), alone > other)
