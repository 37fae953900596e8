"""The one place where assets, jobs and resources become Dagster definitions."""

import dagster as dg

from assets_defs import classifier, experiments, models, painters, people, report, scores, world
from pipelines.executors import executor
from pipelines.jobs import jobs
from pipelines.loggers import console
from resources.artifacts import Artifacts
from resources.settings import Settings


def artifacts_of(settings: Settings) -> Artifacts:
    """Store, cache and compute as the environment says."""
    return Artifacts(
        store_uri=settings.store_uri,
        state_dir=str(settings.state_dir.resolve()),
        cache_gb=settings.cache_gb,
        threads=settings.threads,
    )


def build_defs(artifacts: Artifacts | None = None) -> dg.Definitions:
    """All definitions; tests pass their own ``artifacts``."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules(
            [models, people, painters, classifier, experiments, scores, report, world]
        ),
        jobs=jobs(),
        resources={"artifacts": artifacts or artifacts_of(Settings())},
        executor=executor(),
        loggers={"console": console},
    )


defs = build_defs()
