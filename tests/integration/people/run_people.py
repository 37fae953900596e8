"""Run the study ``folk`` twice and print, as JSON, what each run cost and what failed.

``python run_people.py STATE FACES``: FACES is a folder of a face model with random weights, which
embeds; what is a face is said here: the middle of every picture that is not dark.
"""

import json
import sys
from pathlib import Path

import dagster as dg

from likeness.faces.small import Detection, SmallFace
from likeness.faces.small_backend import SmallBackend
from likeness.finetune import tasks
from pipelines.console import console
from pipelines.definitions import build_defs
from pipelines.driver import run_study
from pipelines.results import print_results
from resources.artifacts import Artifacts

DARK = 20


def in_the_middle(self, pictures):
    """One face in each picture, two thirds as high as it; in dark ones none."""
    side = pictures.shape[1]
    box = (side / 6, side / 6, side * 5 / 6, side * 5 / 6)
    eyes = ((side / 3, side / 2), (side * 2 / 3, side / 2))
    return [[Detection(box, 0.9, eyes)] if one.mean() > DARK else [] for one in pictures]


if __name__ == "__main__":
    state, faces = Path(sys.argv[1]), Path(sys.argv[2])
    SmallFace.detect = in_the_middle
    SmallBackend.open.__func__.__defaults__ = (faces,)
    tasks.SMALL_CLIP = state / "no_clip"
    runs = []
    (state / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(state / "dagster")) as instance:
        # in this process, where the face model is the one above
        artifacts = Artifacts(
            store_uri=str(state / "artifacts"), state_dir=str(state), backend="inline"
        )
        for _ in range(2):
            costs, failures = run_study("folk", build_defs(artifacts), instance, print)
            runs.append({"costs": [cost.model_dump() for cost in costs], "failures": failures})
    print_results(console, artifacts.warehouse, "folk")
    (state / "runs.json").write_text(json.dumps(runs))
