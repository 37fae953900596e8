"""Run a study twice and write, as JSON, what each run cost and what failed.

The studies are read at import, so this is a process of its own: ``python run_twice.py STATE STUDY``.
"""

import json
import sys
from pathlib import Path

import dagster as dg

from pipelines.console import console
from pipelines.definitions import build_defs
from pipelines.driver import run_study
from pipelines.results import print_results
from resources.artifacts import Artifacts


def run_twice(state: Path, study: str) -> None:
    """In this process, so that whatever it has replaced is used."""
    (state / "dagster").mkdir()
    runs = []
    with dg.DagsterInstance.local_temp(str(state / "dagster")) as instance:
        artifacts = Artifacts(
            store_uri=str(state / "artifacts"), state_dir=str(state), backend="inline"
        )
        for _ in range(2):
            costs, failures = run_study(study, build_defs(artifacts), instance, print)
            runs.append({"costs": [cost.model_dump() for cost in costs], "failures": failures})
    print_results(console, artifacts.warehouse, study)
    (state / "runs.json").write_text(json.dumps(runs))


if __name__ == "__main__":
    run_twice(Path(sys.argv[1]), sys.argv[2])
