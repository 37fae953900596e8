"""Run the tiny study three times and print, as JSON, what each run cost and what failed.

The third time after an edit of the intake's code that changes none of its pictures. The studies
are read at import, so this is a process of its own: ``python run_tiny.py STATE_FOLDER``.
"""

import json
import sys
from pathlib import Path

import dagster as dg

from assets_defs import painters
from pipelines.definitions import artifacts_of, build_defs
from pipelines.driver import run_study
from resources.settings import Settings


def run(instance: dg.DagsterInstance) -> dict[str, object]:
    costs, failures = run_study("tiny", build_defs(artifacts_of(Settings())), instance, print)
    return {"costs": [cost.model_dump() for cost in costs], "failures": failures}


if __name__ == "__main__":
    state = Path(sys.argv[1])
    (state / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(state / "dagster")) as instance:
        runs = [run(instance), run(instance)]
        painters.INTAKE = painters.INTAKE.model_copy(update={"version": "edited"})
        runs.append(run(instance))
    (state / "runs.json").write_text(json.dumps(runs))
