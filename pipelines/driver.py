"""Run a whole study in this process: each job for each of its keys, in the order of the flow.

Dagster refuses one job over several partition definitions, so *everything* is this loop. Steps that
are cache hits import nothing heavy, which is why it is one process; misses start their own.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._utils.error import SerializableErrorInfo
from pydantic import BaseModel

from assets_defs.studies import registry
from likeness.errors import BadInput
from likeness.images.inventory import missing_folders
from likeness.models.local import local_folder
from likeness.models.registry import spec_of
from pipelines.patience import wait_patiently
from pipelines.recover import bury_runs, driver_tag
from pipelines.told import told_to_stop

NO_REASON = "see the log of the run"
NO_DATABASE = (
    "the database for runs and events (LIKENESS_DATABASE) did not answer; "
    "run it again, what is done is kept"
)
# The flow.
ORDER = (
    *("models_job", "people_job", "painters_job"),
    *("experiments_job", "networks_job", "report_job"),
)
# Jobs and partition keys.
Plan = list[tuple[str, str | None]]
# Without it Dagster prints every event of its engine.
PLAIN_WORDS: dict[str, Any] = {"loggers": {"console": {}}}


class StepCost(BaseModel):
    """What one asset of one partition took in this run."""

    asset: str
    partition: str | None
    seconds: float
    cache: str


def plan(study: str) -> Plan:
    """Jobs and partition keys of a study, in the order in which they run.

    Models come first: one that is not on this machine is noticed before anything costs time.
    Networks come after the experiments, whose pictures they may judge.
    """
    keys = registry().keys_of(study)
    return [
        *(("models_job", key) for key in keys.models),
        *(("people_job", key) for key in keys.subjects),
        *(("painters_job", key) for key in keys.painters),
        *(("experiments_job", key) for key in keys.experiments),
        *(("networks_job", key) for key in keys.networks),
        ("report_job", None),
    ]


def _stands_on(job: str, key: str | None) -> list[tuple[str, str, str]]:
    """What must not have failed before: its jobs and keys, and what a reader calls each."""
    if job == "painters_job" and key:
        return [("models_job", name, "model") for name in registry().painters[key].models]
    if job == "networks_job" and key:
        return [("painters_job", registry().networks[key].painter, "pictures")]
    if job == "experiments_job" and key:
        experiment = registry().experiments[key]
        person = [("people_job", experiment.subject, "person")] if experiment.subject else []
        painter = [("painters_job", experiment.painter, "painter")] if experiment.painter else []
        return [("models_job", experiment.model, "model"), *person, *painter]
    return []


def run_study(
    study: str,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    say: Callable[[str], None],
) -> tuple[list[StepCost], list[str]]:
    """As ``run_plan``, of all that a study runs."""
    return run_plan(plan(study), definitions, instance, say)


def plan_of_all(studies: Sequence[str]) -> Plan:
    """What several studies run, each job and key once, in the order of the flow."""
    wanted = dict.fromkeys(both for study in studies for both in plan(study))
    return sorted(wanted, key=lambda both: ORDER.index(both[0]))


def made_before(jobs: Plan, instance: dg.DagsterInstance) -> Plan:
    """Of a plan what has been run here before, be it in part; and jobs without partitions.

    What was never made may be hours of work that nobody has asked for.
    """
    # the jobs hold one that drives all others
    from pipelines.jobs import JOBS

    made: dict[str, set[str]] = {}
    for job in {job for job, key in jobs if key is not None}:
        assets = [dg.AssetKey(name.split("/")) for name in JOBS[job][0]]
        made[job] = set().union(*map(instance.get_materialized_partitions, assets))
    return [(job, key) for job, key in jobs if key is None or key in made[job]]


def run_plan(
    jobs: Plan,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    say: Callable[[str], None],
) -> tuple[list[StepCost], list[str]]:
    """Costs of all steps, and one sentence for each job that failed; one failure stops no other."""
    costs: list[StepCost] = []
    failures: list[str] = []
    wait_patiently(say)
    for run_id in bury_runs(instance):
        say(f"run {run_id} had lost its process and is ended")
    broken: set[tuple[str, str | None]] = set()
    with told_to_stop() as told:
        for number, (job, key) in enumerate(jobs, 1):
            name = f"{job} [{key}]" if key else job
            say(f"({number}/{len(jobs)}) {name}")
            failed = [base for base in _stands_on(job, key) if base[:2] in broken]
            if failed:
                failures.append(f"{name}: not started, its {failed[0][2]} [{failed[0][1]}] failed")
                continue
            began = time.monotonic()
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance,
                partition_key=key,
                raise_on_error=False,
                run_config=PLAIN_WORDS,
                tags=driver_tag(),
            )
            costs += _costs(result, key)
            if _interrupted(result) or told():
                failures.append(f"{name}: interrupted; run the study again, it goes on from here")
                break
            if not result.success:
                failures.append(f"{name}: {_reason(result)}")
                broken.add((job, key))
            say(f"    {'done' if result.success else 'FAILED'} in {time.monotonic() - began:.1f} s")
    return costs, failures


def run_world(
    names: list[str],
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    say: Callable[[str], None],
    anew: bool = False,
) -> tuple[list[str], list[str]]:
    """Train these models of the small world, one after the other; ``anew``: whatever there is.

    The names that came through, and one sentence for each failure.
    """
    done: list[str] = []
    failures: list[str] = []
    wait_patiently(say)
    bury_runs(instance)
    for number, name in enumerate(names, 1):
        say(f"({number}/{len(names)}) world/{name}")
        result = definitions.resolve_job_def("world_job").execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["world", name])],
            raise_on_error=False,
            run_config=PLAIN_WORDS | {"ops": {f"world__{name}": {"config": {"recompute": anew}}}},
            tags=driver_tag(),
        )
        if _interrupted(result):
            failures.append(f"world/{name}: interrupted; run it again, it goes on from here")
            break
        if result.success:
            done.append(name)
        else:
            failures.append(f"world/{name}: {_reason(result)}")
    return done, failures


def _costs(result: dg.ExecuteInProcessResult, key: str | None) -> Iterator[StepCost]:
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        metadata = {name: value.value for name, value in materialization.metadata.items()}
        yield StepCost(
            asset=materialization.asset_key.to_user_string(),
            partition=key,
            seconds=float(str(metadata["seconds"])),
            cache=str(metadata.get("cache", "-")),
        )


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether somebody stopped us (Ctrl-C, SIGTERM): Dagster only ends the step."""
    return any(
        event.step_failure_data.error is not None
        and event.step_failure_data.error.cls_name == "DagsterExecutionInterruptedError"
        for event in result.get_step_failure_events()
    )


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Why a job failed, in the words of the step or check that stopped it."""
    if said := _said(result.get_step_failure_events()):
        return said
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.blocking:
            details = {name: value.value for name, value in check.metadata.items()}
            return f"check {check.check_name} failed: {details}"
    return NO_REASON


def reason_of(failed: Iterable[dg.DagsterEvent]) -> str:
    """Why a run failed, from its events of failed steps."""
    return _said(failed) or NO_REASON


def _said(failed: Iterable[dg.DagsterEvent]) -> str | None:
    """The sentence of the first step that gave one."""
    for event in failed:
        failure = event.step_failure_data.user_failure_data
        if failure is not None and failure.description:
            return failure.description
        if _is_of_database(event.step_failure_data.error):
            return NO_DATABASE
    return None


def _is_of_database(error: SerializableErrorInfo | None) -> bool:
    """Whether Dagster has given up its Postgres, whatever was wrapped around that."""
    if error is None:
        return False
    inner = (error.cause, error.context)
    return error.cls_name == "DagsterPostgresException" or any(map(_is_of_database, inner))


def check_study(study: str, raw: Path | None) -> None:
    """Refuse a study that cannot run, before anything starts."""
    needs = _raw_folders(study)
    if needs and raw is None:
        raise BadInput(
            f"study '{study}' reads your own pictures ({', '.join(needs)}): "
            f"make study STUDY={study} RAW=/path/to/folder"
        )


def check_at_hand(study: str, raw: Path | None) -> None:
    """As ``check_study``; and refuse one of which files or models are not on this machine."""
    check_study(study, raw)
    for key, folders in _raw_folders(study).items():
        # of a painter some sets may be missing: they have no data
        if raw is not None and missing_folders(raw, folders) == folders:
            raise BadInput(f"study '{study}' reads {', '.join(folders)} [{key}], not in {raw}")
    for name in registry().keys_of(study).models:
        spec = spec_of(name)
        if not spec.is_random and local_folder(spec) is None:
            raise BadInput(f"study '{study}' starts from {name}: likeness models fetch {name}")


def _raw_folders(study: str) -> dict[str, list[str]]:
    """Keys of a study that read a user's files -> their folders."""
    known = registry()
    keys = known.keys_of(study)
    found = {
        **{key: known.painters[key].raw_folders for key in keys.painters},
        **{key: known.subjects[key].raw_folders for key in keys.subjects},
        **{key: known.experiments[key].raw_folders for key in keys.experiments},
    }
    return {key: folders for key, folders in found.items() if folders}
