"""What starts by itself once turned on, and who is told when a run fails. All off at first."""

import time
from typing import Any

import dagster as dg

from assets_defs.studies import registry
from pipelines.automation import automation_sensors
from pipelines.driver import reason_of
from pipelines.raw_watch import Cursor, Due, finished, state_of, watched
from resources.artifacts import Artifacts
from resources.notifier import Notifier
from resources.settings import Settings

LOOK_EVERY = 60  # seconds


def sensors(jobs: dict[str, Any]) -> list[dg.SensorDefinition]:
    """All sensors; ``jobs`` by name are what they start."""
    return [_raw_sensor(jobs), _bucket_sensor(jobs), tell_of_failures, *automation_sensors()]


def _raw_sensor(jobs: dict[str, Any]) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_raw_files",
        jobs=[jobs["people_job"], jobs["painters_job"]],
        minimum_interval_seconds=LOOK_EVERY,
        description="Takes a person's or a painter's files in when their raw folder (LIKENESS_RAW) "
        "has changed and come to rest (LIKENESS_RAW_QUIET_SECONDS).",
    )
    def new_raw_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        settings = Settings()
        if settings.raw is None:
            return dg.SkipReason("LIKENESS_RAW names no folder")
        if not settings.raw.is_dir():
            return dg.SkipReason(f"LIKENESS_RAW is {settings.raw}, which is no folder")
        states = {
            (one.job, one.key): state_of(one.folders) for one in watched(registry(), settings.raw)
        }
        due, cursor = _due(context, states, settings)
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=one.run_key, job_name=one.job, partition_key=one.key)
                for one in due
            ],
            cursor=cursor,
        )

    return new_raw_files


def _bucket_sensor(jobs: dict[str, Any]) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_bucket_files",
        job=jobs["import_job"],
        minimum_interval_seconds=LOOK_EVERY,
        description="Copies raw files out of their bucket (LIKENESS_RAW_BUCKET) when what lies "
        "there has changed and come to rest.",
    )
    def new_bucket_files(
        context: dg.SensorEvaluationContext, artifacts: Artifacts
    ) -> dg.SensorResult | dg.SkipReason:
        settings = Settings()
        if not settings.raw_bucket:
            return dg.SkipReason("LIKENESS_RAW_BUCKET names no bucket")
        # only needed here, and slow to import
        from resources.inbox import Inbox

        state = Inbox(settings.raw_bucket, artifacts.state).state
        due, cursor = _due(context, {("import_job", settings.raw_bucket): state}, settings)
        requests = [dg.RunRequest(run_key=one.run_key) for one in due]
        return dg.SensorResult(run_requests=requests, cursor=cursor)

    return new_bucket_files


def _due(
    context: dg.SensorEvaluationContext, states: dict[tuple[str, str], str], settings: Settings
) -> tuple[list[Due], str]:
    """What is finished at this tick, and the next cursor."""
    cursor = Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
    due, cursor = finished(states, cursor, time.time(), settings.raw_quiet_seconds)
    return due, cursor.model_dump_json()


@dg.run_failure_sensor(
    name="tell_of_failures",
    minimum_interval_seconds=LOOK_EVERY,
    description="Tells whom LIKENESS_NOTIFY names that a run has failed, and why.",
)
def tell_of_failures(context: dg.RunFailureSensorContext, notifier: Notifier) -> None:
    """One message a run."""
    run = context.dagster_run
    key = run.tags.get("dagster/partition")
    facts = {"run": run.run_id, "why": reason_of(context.get_step_failure_events())}
    name = f"{run.job_name} [{key}]" if key else run.job_name
    notifier.send(f"Likeness: {name} has failed", facts)
