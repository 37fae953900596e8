"""Jobs without assets: all studies in one go, and the care of the store."""

import dagster as dg
from pydantic import Field

from assets_defs.results import readable_failures
from assets_defs.studies import registry
from likeness.errors import BadInput
from pipelines.driver import check_at_hand, check_study, made_before, plan_of_all, run_plan
from resources.artifacts import Artifacts
from resources.settings import Settings

MEGABYTE = 1e6


class RefreshConfig(dg.Config):
    """Which studies."""

    studies: list[str] = Field(
        default=[],
        description="names of studies, all of each; none: of all studies what was made before",
    )


@dg.op(description="Drives all jobs of the studies in the order of the flow.")
def refresh(context: dg.OpExecutionContext, config: RefreshConfig, artifacts: Artifacts) -> None:
    """One failure stops no other job; all of them fail this run at its end.

    What was never made is not begun, but by a study's name.
    """
    # the definitions hold this job
    from pipelines.definitions import build_defs

    raw, check = Settings().raw, check_study if config.studies else check_at_hand
    names = []
    for name in config.studies or registry().studies:
        try:
            check(name, raw)
        except BadInput as error:
            if config.studies:
                raise dg.Failure(description=str(error), allow_retries=False) from error
            context.log.info(f"left out: {error}")
        else:
            names.append(name)
    jobs = plan_of_all(names)
    if not config.studies:
        jobs = made_before(jobs, context.instance)
    costs, failures = run_plan(jobs, build_defs(artifacts), context.instance, context.log.info)
    hits = sum(cost.cache == "hit" for cost in costs)
    context.add_output_metadata({"studies": names, "steps": len(costs), "cache_hits": hits})
    if failures:
        raise dg.Failure(description="; ".join(failures), allow_retries=False)


@dg.op(description="Copies what is new in the bucket of raw files (LIKENESS_RAW_BUCKET).")
def import_raw(context: dg.OpExecutionContext, artifacts: Artifacts) -> None:
    """Into the raw folder, whose own sensor goes on from there."""
    from resources.inbox import Inbox

    settings = Settings()
    if settings.raw is None:
        sentence = "raw files are copied into LIKENESS_RAW: set it to a folder"
        raise dg.Failure(description=sentence, allow_retries=False)
    with readable_failures():
        copied = Inbox(settings.raw_bucket, artifacts.state).copy_to(settings.raw)
    context.add_output_metadata({"files": copied})


class PruneConfig(dg.Config):
    """What is removed."""

    delete: bool = Field(default=False, description="remove it; else it is only said")
    min_age_hours: float = Field(default=24.0, ge=0, description="what is younger stays")


class PruneRunsConfig(dg.Config):
    """Which runs are removed."""

    delete: bool = Field(default=False, description="remove them; else they are only counted")
    older_than_days: float = Field(default=90.0, ge=0, description="what began later stays")


@dg.op(description="Counts, or removes, old runs with their events; the last of each asset stay.")
def prune_runs(context: dg.OpExecutionContext, config: PruneRunsConfig) -> None:
    """Otherwise Dagster keeps every event for good."""
    from pipelines.old_runs import find_old_runs, remove_runs

    old = find_old_runs(context.instance, config.older_than_days)
    if config.delete:
        remove_runs(context.instance, old.unneeded)
    counts = {"runs": len(old.unneeded), "old_and_needed": len(old.needed)}
    context.add_output_metadata(counts | {"removed": config.delete})


@dg.op(description="Says, or removes, what nobody needs: artefacts out of use, leftovers, copies.")
def prune_store(context: dg.OpExecutionContext, config: PruneConfig, artifacts: Artifacts) -> None:
    """As ``likeness store prune``."""
    from resources.prune import find_rubbish, prune

    found = (prune if config.delete else find_rubbish)(artifacts, config.min_age_hours)
    for one in found:
        context.log.info(f"{one.what} {one.name}: {one.bytes / MEGABYTE:.2f} MB")
    megabytes = sum(one.bytes for one in found) / MEGABYTE
    context.add_output_metadata(
        {"things": len(found), "megabytes": round(megabytes, 2), "removed": config.delete}
    )


class VerifyConfig(dg.Config):
    """What is read."""

    everything: bool = Field(default=False, description="artefacts that are no longer current too")


@dg.op(
    description="Reads every byte of the current artefacts; what is damaged is made again.",
    ins={"pruned": dg.In(dg.Nothing)},
)
def verify_store(
    context: dg.OpExecutionContext, config: VerifyConfig, artifacts: Artifacts
) -> None:
    """As ``likeness store verify``; damage fails the run, so that somebody is told."""
    store = artifacts.store
    problems = store.verify(None if config.everything else store.refs())
    store.set_aside_damaged(problems)
    context.add_output_metadata({"problems": len(problems)})
    if problems:
        said = (f"{one.asset} {one.fingerprint[:12]}: {one.path} {one.reason}" for one in problems)
        raise dg.Failure(
            description=f"set aside, the next run makes them again: {'; '.join(said)}",
            allow_retries=False,
        )


@dg.job(description="Makes anew what was made before and has changed, of all studies or of some.")
def refresh_job() -> None:
    """For a schedule."""
    refresh()


@dg.job(description="Copies new raw files out of their bucket into the raw folder.")
def import_job() -> None:
    """For a sensor."""
    import_raw()


@dg.job(
    description="Prunes runs and store (shows it only, unless told to delete), verifies the store."
)
def maintenance_job() -> None:
    """Pruned first: what nobody needs is not worth reading."""
    prune_runs()
    verify_store(prune_store())
