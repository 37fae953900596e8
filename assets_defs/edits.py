"""Edits: the pictures that are edited, what they are inverted to, and what is asked of editors."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets_defs import keys
from assets_defs.forms import Rerun, overridden
from assets_defs.models import base, refer, reference_of
from assets_defs.results import readable_failures, result
from assets_defs.steps import INVERTED_REFERENCE, SOURCES_REFERENCE
from assets_defs.studies import experiments, experiments_of_model, registry
from likeness.edit.tasks import EditsParams
from likeness.metrics.edits import EditScoresParams
from likeness.models.registry import spec_of
from likeness.studies.editing import Editing
from resources.artifacts import Artifacts
from resources.manifest import Manifest

RETRY = dg.RetryPolicy(max_retries=1, delay=5)
EDITED = ("preview.jpg", "maps.jpg")
# What an experiment without pictures of its own to edit publishes.
NO_SOURCES = {"pictures": "none: they are drawn"}


@dg.asset(
    key=keys.SOURCES.split("/"),
    group_name="images",
    partitions_def=experiments,
    owners=keys.OWNERS,
    kinds={"pillow", "parquet"},
    tags={"layer": "raw"},
    retry_policy=RETRY,
    code_version=SOURCES_REFERENCE.code_version,
    description="The pictures of a bench that the experiment edits, squared, with the pairs of "
    "words for each; shared by all experiments on one bench. Others publish a note.",
)
def sources(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Gather or draw the pairs of a bench."""
    with readable_failures():
        return result(
            artifacts, refer(artifacts, SOURCES_REFERENCE, context.partition_key, NO_SOURCES)
        )


@dg.asset(
    key=keys.INVERTED.split("/"),
    group_name="images",
    partitions_def=experiments,
    deps=[dg.AssetDep(base, partition_mapping=experiments_of_model()), sources],
    owners=keys.OWNERS,
    kinds={"diffusers", "pytorch"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RETRY,
    code_version=INVERTED_REFERENCE.code_version,
    description="The noise to which the base model inverts each picture of a bench, step by step; "
    "made once for all editors with one schedule. Others publish a reference to the model.",
)
def inverted(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Invert, or find what another editor's experiment has inverted."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        current = artifacts.current(keys.BASE_MODEL, experiment.model)
        reference = reference_of(artifacts, current)
        made = refer(artifacts, INVERTED_REFERENCE, key, reference, {"base": current})
        return result(artifacts, made)


def asked_of(
    artifacts: Artifacts, key: str, experiment: Editing, identity: str, form: Any
) -> tuple[EditsParams, dict[str, Manifest], dict[str, Path]]:
    """What an editor is asked for: parameters, inputs, and folders that inputs pin."""
    # How many go together is a field of the form that no editor has.
    editor = overridden(experiment.method, form.model_copy(update={"batch": None}))
    spec = spec_of(experiment.model)
    params = EditsParams(
        model=experiment.model,
        identity=identity,
        dtype=spec.dtype,
        resolution=spec.resolution,
        editor=editor,
        pairs=experiment.wanted,
        batch=form.batch or experiment.batch,
    )
    return params, {}, {}


def scores_asked_of(experiment: Editing) -> EditScoresParams:
    """How its edits are measured."""
    return EditScoresParams(measures=experiment.measures, claims=experiment.claims)
