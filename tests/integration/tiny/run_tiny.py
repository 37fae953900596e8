"""Run the tiny study three times and print, as JSON, what each run cost and what failed.

The third time after an edit of the intake's code that changes none of its pictures; and once more by
the job of the nightly schedule. The studies are read at import, so this is a process of its own: ``python run_tiny.py STATE_FOLDER``.
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


def refreshed(instance: dg.DagsterInstance) -> dict[str, object]:
    """What the job of the nightly schedule says of the same study."""
    done = (
        build_defs(artifacts_of(Settings()))
        .resolve_job_def("refresh_job")
        .execute_in_process(
            instance=instance,
            run_config={"ops": {"refresh": {"config": {"studies": ["tiny"]}}}},
            raise_on_error=False,
        )
    )
    (event,) = done.get_step_failure_events()
    driven = instance.get_runs(dg.RunsFilter(job_name="networks_job"), limit=1)
    return {
        "sentence": event.step_failure_data.user_failure_data.description,
        "driven": driven[0].status.value,
        "after": instance.get_run_record_by_id(done.run_id).start_time
        < instance.get_run_record_by_id(driven[0].run_id).start_time,
    }


if __name__ == "__main__":
    state = Path(sys.argv[1])
    (state / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(state / "dagster")) as instance:
        runs = [run(instance), run(instance)]
        painters.INTAKE = painters.INTAKE.model_copy(update={"version": "edited"})
        runs.append(run(instance))
        (state / "refresh.json").write_text(json.dumps(refreshed(instance)))
    (state / "runs.json").write_text(json.dumps(runs))
