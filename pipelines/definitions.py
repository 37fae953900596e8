"""The one place where assets, jobs and resources become Dagster definitions."""

import warnings

import dagster as dg

from assets_defs import classifier, experiments, models, painters, people, report, scores, world
from pipelines.automation import automated
from pipelines.executors import executor
from pipelines.jobs import jobs
from pipelines.loggers import console
from pipelines.schedules import schedules
from pipelines.sensors import sensors
from resources.artifacts import Artifacts, artifacts_of
from resources.notifier import notifier_from_environment
from resources.settings import Settings

# Dagster warns of a field of its own whenever it copies a sensor.
warnings.filterwarnings("ignore", "Parameter `owners`", dg.BetaWarning)


def build_defs(
    artifacts: Artifacts | None = None, settings: Settings | None = None
) -> dg.Definitions:
    """All definitions; tests pass their own ``artifacts`` and ``settings``."""
    settings = settings or Settings()
    assets = dg.load_assets_from_modules(
        [models, people, painters, classifier, experiments, scores, report, world]
    )
    by_name = {job.name: job for job in jobs()}
    return dg.Definitions(
        assets=automated(assets, settings.fresh_hours),
        jobs=list(by_name.values()),
        schedules=schedules(by_name),
        sensors=sensors(by_name),
        resources={
            "artifacts": artifacts or artifacts_of(settings),
            "notifier": notifier_from_environment(),
        },
        executor=executor(),
        loggers={"console": console},
    )


defs = build_defs()
