"""Run the study ``light`` once and print, as JSON, what it cost and what failed.

The studies are read at import, so each run is a process: ``python run_made.py STATE RESULT``.
"""

import json
import sys
from pathlib import Path

import dagster as dg

from pipelines.console import console
from pipelines.definitions import artifacts_of, build_defs
from pipelines.driver import run_study
from pipelines.results import print_results
from resources.settings import Settings

if __name__ == "__main__":
    state, result = Path(sys.argv[1]), Path(sys.argv[2])
    home = state / "dagster"
    home.mkdir(exist_ok=True)
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        artifacts = artifacts_of(Settings())
        costs, failures = run_study("light", build_defs(artifacts), instance, print)
    print_results(console, artifacts.warehouse, "light")
    done = {"costs": [cost.model_dump() for cost in costs], "failures": failures}
    result.write_text(json.dumps(done))
