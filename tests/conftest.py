"""Tests see no settings of this machine, only those they make themselves."""

import os
from pathlib import Path

# Before any test imports the studies, whose partitions are made at import.
for name in [name for name in os.environ if name.startswith(("LIKENESS_", "DAGSTER_"))]:
    del os.environ[name]
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
# Processes started by tests find small_tasks.py here, and the code that is tested beside it.
here = Path(__file__).parent
os.environ["PYTHONPATH"] = os.pathsep.join([str(here), str(here.parent)])
