"""A study of the tiny pipeline, run twice in a process of its own; and what it left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import tiny_pipeline

from resources.artifacts import Artifacts

SCRIPTS = Path(__file__).parent / "integration" / "twice"


def rooms(work: Path) -> None:
    """The folders of a run below ``work``, and the tiny model's settings."""
    for name in ("studies", "state", "home", "raw"):
        (work / name).mkdir(exist_ok=True)
    tiny_pipeline.write_settings(work)


def run(work: Path, study: str, text: str, script: str = "run_twice.py", *more: str, **settings):
    """Costs and failures of both runs, what was printed, the state folder with all that is in it."""
    (work / "studies" / f"{study}.yaml").write_text(text, encoding="utf-8")
    state = work / "state"
    places = {
        "LIKENESS_STUDIES": str(work / "studies"),
        "LIKENESS_STATE_DIR": str(state),
        "LIKENESS_MODELS": str(work / "models.yaml"),
        "LIKENESS_RAW": str(work / "raw"),
        "HF_HOME": str(work / "home"),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "250",
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), str(state), study, *more],
        env=os.environ | places | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    report = state / "report"
    return SimpleNamespace(
        runs=json.loads((state / "runs.json").read_text()),
        said=done.stdout,
        state=state,
        warehouse=state / "likeness.duckdb",
        report=report,
        page=(report / "index.html").read_text(encoding="utf-8"),
        artifacts=Artifacts(store_uri=str(state / "artifacts"), state_dir=str(state)),
    )
