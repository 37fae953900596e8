"""One job per partition definition (Dagster refuses a job over two), one for the report, upkeep."""

from typing import Any

import dagster as dg

from pipelines.upkeep import import_job, maintenance_job, refresh_job
from resources import keys

JOBS = {
    "people_job": (
        (
            *(keys.RAW_PHOTOS, keys.PHOTOS, keys.FACES),
            *(keys.VARIETY, keys.VERIFICATION, keys.SPLITS),
        ),
        "From a person's raw photos to faces, who is who, and splits.",
    ),
    "painters_job": (
        (keys.RAW_PAINTINGS, keys.GUIDANCE_CLASSES, keys.PAINTINGS, keys.CLASSES),
        "From a painter's raw files, and what a model adds to them, to classes and splits.",
    ),
    "networks_job": ((keys.NETWORK, keys.VERDICTS), "Train one judge and hear its verdicts."),
    "models_job": ((keys.BASE_MODEL,), "Say which bytes a base model is."),
    "experiments_job": (
        (
            *(keys.CLASS_PRIOR, keys.SOURCES, keys.FINETUNED, keys.INVERTED),
            *(keys.IMAGES, keys.PAIRS, keys.IMAGE_SCORES),
        ),
        "The model of one experiment, its pictures and their scores.",
    ),
    "world_job": (
        (keys.WORLD_BASE, keys.WORLD_CLIP, keys.WORLD_FACE, keys.WORLD_READER),
        "Train the small world's own models: hours on two cores, and part of no study.",
    ),
    "report_job": ((keys.SUMMARIES, keys.GALLERY), "Rebuild the warehouse and the page."),
}
# The longest a run may take, hours: the monitor of runs ends what hangs and holds the GPU.
LONGEST = {
    **dict.fromkeys(("people_job", "painters_job", "networks_job", "experiments_job"), 6),
    "world_job": 12,
}


def jobs() -> list[Any]:
    """A job for each set of assets that shares its partitions, and those without assets."""
    of_assets = [
        dg.define_asset_job(
            name,
            selection=dg.AssetSelection.assets(*(key.split("/") for key in assets)),
            description=text,
            tags=_limit(name),
        )
        for name, (assets, text) in JOBS.items()
    ]
    return [*of_assets, refresh_job, import_job, maintenance_job]


def _limit(job: str) -> dict[str, str]:
    return {"dagster/max_runtime": str(LONGEST[job] * 3600)} if job in LONGEST else {}
