"""Run a study of people twice, as ``run_twice`` does.

``python run_people.py STATE STUDY FACES``: FACES is a folder of a face model with random weights, which
embeds; what is a face is said here: the middle of every picture that is not dark.
"""

import sys
from pathlib import Path

from run_twice import run_twice

from likeness.faces.small import Detection, SmallFace
from likeness.faces.small_backend import SmallBackend
from likeness.finetune import tasks

DARK = 20


def in_the_middle(self, pictures):
    """One face in each picture, two thirds as high as it; in dark ones none."""
    side = pictures.shape[1]
    box = (side / 6, side / 6, side * 5 / 6, side * 5 / 6)
    eyes = ((side / 3, side / 2), (side * 2 / 3, side / 2))
    return [[Detection(box, 0.9, eyes)] if one.mean() > DARK else [] for one in pictures]


if __name__ == "__main__":
    state, study, faces = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    SmallFace.detect = in_the_middle
    SmallBackend.open.__func__.__defaults__ = (faces,)
    tasks.SMALL_CLIP = state / "no_clip"
    run_twice(state, study)
