"""Edits: the pictures that are edited, what they are inverted to, and what is asked of editors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from assets_defs.about import about
from assets_defs.forms import Rerun, overridden
from assets_defs.models import base, refer, reference_of
from assets_defs.raw import keep_listing, raw_folder
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import (
    INVERT,
    INVERTED_REFERENCE,
    LEARN_PICTURES,
    LIST_BENCH,
    SOURCES,
    SOURCES_REFERENCE,
)
from assets_defs.studies import experiments, experiments_of_model, registry
from likeness.bench.tasks import BenchParams
from likeness.edit.bench import known_of, wanted_of
from likeness.edit.editors import Imported, fitting_of
from likeness.edit.fitting import FittedRecipe
from likeness.edit.inversion import InversionParams
from likeness.edit.learn import LearnParams
from likeness.edit.tasks import EditsParams
from likeness.edit.wanted import spoken_of
from likeness.images.inventory import take_inventory
from likeness.metrics.edits import EditScoresParams
from likeness.metrics.encoders import identities
from likeness.models.registry import spec_of
from likeness.studies.editing import BenchEdits, Editing
from resources import keys
from resources.artifacts import Artifacts, Made
from resources.manifest import Manifest

PREVIEW, EDITED = ("preview.jpg",), ("preview.jpg", "maps.jpg")
# Pictures that are inverted or learned at once, at most: in float32, with gradients.
LEARNED_TOGETHER = 16
# What an experiment without pictures of its own to edit publishes.
NO_SOURCES = {"pictures": "none: they are drawn"}


@dg.asset(
    **about(keys.SOURCES, "raw"),
    partitions_def=experiments,
    kinds={"pillow", "parquet"},
    code_version=f"{SOURCES_REFERENCE.code_version}.{SOURCES.code_version}",
    description="The pictures of a bench that the experiment edits, squared, with the pairs of "
    "words for each; shared by all experiments on one bench. Others publish a note.",
)
def sources(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Gather or draw the pairs of a bench."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        if not isinstance(experiment, BenchEdits):
            return result(artifacts, refer(artifacts, SOURCES_REFERENCE, key, NO_SOURCES))
        inputs, located = {}, {}
        if experiment.folder is not None:
            located = {"raw": raw_folder(experiment.title, experiment.folder)}
            found = take_inventory(located["raw"], ["."])
            inputs = {"listing": keep_listing(artifacts, LIST_BENCH, None, found).manifest}
        resolution = spec_of(experiment.model).resolution
        made = artifacts.make(
            SOURCES,
            key,
            BenchParams(source=experiment.bench, resolution=resolution),
            inputs,
            located=located,
            recompute=config.recompute,
            say=said_by(context),
        )
        return result(artifacts, made, previews=PREVIEW)


@dg.asset(
    **about(keys.INVERTED, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[dg.AssetDep(base, partition_mapping=experiments_of_model()), sources],
    kinds={"diffusers", "pytorch"},
    code_version=f"{INVERTED_REFERENCE.code_version}.{INVERT.code_version}",
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
        if not isinstance(experiment, BenchEdits) or experiment.inverted_as is None:
            made = refer(artifacts, INVERTED_REFERENCE, key, reference, {"base": current})
            return result(artifacts, made)
        pictures = artifacts.current(keys.SOURCES, key)
        params = InversionParams(
            model=experiment.model,
            identity=reference["reference"],
            resolution=spec_of(experiment.model).resolution,
            prompts=spoken_of(wanted_of(artifacts.fetch(pictures))),
            recipe=experiment.inverted_as,
            batch=min(experiment.batch, LEARNED_TOGETHER),
        )
        made = artifacts.make(
            INVERT,
            key,
            params,
            {"images": pictures},
            recompute=config.recompute,
            say=said_by(context),
        )
        return result(artifacts, made, previews=PREVIEW)


def learn(
    artifacts: Artifacts,
    key: str,
    experiment: BenchEdits,
    base: Manifest,
    recompute: bool,
    say: Callable[[str], None],
) -> Made:
    """What HiPer and Imagic learn of each picture."""
    recipe = experiment.method
    if not isinstance(recipe, FittedRecipe):
        raise TypeError(f"{recipe.name} learns nothing")
    pictures = artifacts.current(keys.SOURCES, key)
    params = LearnParams(
        model=experiment.model,
        identity=reference_of(artifacts, base)["reference"],
        recipe=fitting_of(recipe),
        pairs=wanted_of(artifacts.fetch(pictures)),
        batch=min(experiment.batch, LEARNED_TOGETHER),
    )
    inputs = {"base": base, "sources": pictures}
    return artifacts.make(LEARN_PICTURES, key, params, inputs, recompute=recompute, say=say)


def asked_of(
    artifacts: Artifacts, key: str, experiment: Editing, identity: str, form: Any
) -> tuple[EditsParams, dict[str, Manifest], dict[str, Path]]:
    """What an editor is asked for: parameters, inputs, and folders that inputs pin."""
    # How many go together is a field of the form that no editor has.
    editor = overridden(experiment.method, form.model_copy(update={"batch": None}))
    # What was filled in must fit the rest of the experiment, as if the study said it.
    experiment = type(experiment).model_validate(dict(experiment) | {"method": editor})
    inputs, located, imported = {}, {}, {}
    pairs, inversion = experiment.wanted, "direct"
    if isinstance(experiment, BenchEdits):
        inputs["sources"] = artifacts.current(keys.SOURCES, key)
        pairs = wanted_of(artifacts.fetch(inputs["sources"]))
        # Null-text, where it was fitted, brings a source back by itself.
        inversion = "ddim" if experiment.inversion == "ddim" else "direct"
        if experiment.inverted_as is not None:
            inputs["inverted"] = artifacts.current(keys.INVERTED, key)
    if isinstance(editor, Imported):
        located["imported"] = raw_folder(experiment.title, editor.folder)
        found = take_inventory(located["imported"], ["."])
        imported = dict(zip(found["path"], found["sha256"].fillna(""), strict=True))
    spec = spec_of(experiment.model)
    params = EditsParams(
        model=experiment.model,
        identity=identity,
        dtype=spec.dtype,
        resolution=spec.resolution,
        editor=editor,
        pairs=pairs,
        inversion=inversion,
        imported=imported,
        batch=form.batch or experiment.batch,
    )
    return params, inputs, located


def scores_asked_of(
    artifacts: Artifacts, key: str, experiment: Editing
) -> tuple[EditScoresParams, dict[str, Manifest]]:
    """How its edits are measured, and where masks and true edits lie."""
    measures = experiment.measures
    encoders = identities(measures.clip, measures.lpips, measures.structure)
    if not isinstance(experiment, BenchEdits):
        claims = experiment.claims
        return EditScoresParams(measures=measures, encoders=encoders, claims=claims), {}
    pictures = artifacts.current(keys.SOURCES, key)
    known = known_of(artifacts.fetch(pictures))
    params = EditScoresParams(measures=measures, encoders=encoders, **known._asdict())
    return params, {"sources": pictures}
