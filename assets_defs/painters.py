"""Painters: from raw files, or from our own brush, to classes and splits that do not leak."""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets_defs.about import about
from assets_defs.checks import painters as checks
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.models import base, refer, reference_of
from assets_defs.raw import keep_listing, raw_root
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import CLASSES, GUIDANCE, INTAKE, LIST, PAINT
from assets_defs.studies import painters, painters_of_model, registry
from likeness.generate.guidance_classes import GuidanceParams, RebuiltParams
from likeness.generate.tasks import ImagesParams
from likeness.images.prepare import Preparation
from likeness.images.raw import list_raw
from likeness.images.tasks import ClassesParams, IntakeParams
from likeness.models.registry import spec_of
from likeness.studies.schema import Painter
from likeness.world.tasks import PaintJob, PaintParams
from resources import keys
from resources.artifacts import Artifacts
from resources.manifest import Manifest

PREVIEW = ("preview.jpg",)


def _plan(painter: Painter) -> PaintParams:
    jobs = [
        PaintJob(key=key, hand=p.paint.hand, count=p.paint.count, first=p.paint.first)
        for key, p in painter.sets.items()
        if p.paint
    ]
    return PaintParams(sets=jobs, side=painter.paint_side)


@dg.asset(
    **about(keys.RAW_PAINTINGS, "raw"),
    partitions_def=painters,
    kinds={"file"},
    code_version=f"{LIST.code_version}.{PAINT.code_version}",
    description="A painter's raw pictures: every file of the raw folder with its sha256 and the "
    "class it is for; or, where a study asks for it, pictures painted by this project itself.",
)
def raw_paintings(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """List or paint."""
    key = context.partition_key
    painter = registry().painters[key]
    with readable_failures():
        if painter.painted:
            made = artifacts.make(
                PAINT, key, _plan(painter), {}, recompute=config.recompute, say=said_by(context)
            )
        else:
            folders = {name: pictures.folders for name, pictures in painter.sets.items()}
            found = list_raw(raw_root(painter.title), folders, painter.group_column)
            made = keep_listing(artifacts, LIST, key, found)
        return result(artifacts, made)


def _files(artifacts: Artifacts, painter: Painter, raw: Manifest) -> Path:
    """Where the raw pictures lie."""
    return artifacts.fetch(raw) / "files" if painter.painted else raw_root(painter.title)


def _guidance(painter: Painter, identities: dict[str, str]) -> GuidanceParams:
    """What models are asked for; ``identities`` say which bytes each of them is."""
    specs = {name: spec_of(name) for name in painter.models}
    sampled = {
        key: ImagesParams(
            model=one.model,
            identity=identities[one.model],
            dtype=specs[one.model].dtype,
            resolution=specs[one.model].resolution,
            asked=one.asked,
            sampling=one.denoising,
        )
        for key, one in painter.sampled.items()
    }
    rebuilt = {
        key: RebuiltParams(
            of=one.of,
            model=one.model,
            identity=identities[one.model],
            dtype=specs[one.model].dtype,
            resolution=specs[one.model].resolution,
            limits=painter.limits,
        )
        for key, one in painter.rebuilt.items()
    }
    batch = min((one.batch for one in painter.sampled.values()), default=1)
    return GuidanceParams(sampled=sampled, rebuilt=rebuilt, batch=batch)


@dg.asset(
    **about(keys.GUIDANCE_CLASSES, "derived", pool="gpu"),
    partitions_def=painters,
    deps=[raw_paintings, dg.AssetDep(base, partition_mapping=painters_of_model())],
    kinds={"diffusers", "pytorch"},
    code_version=GUIDANCE.code_version,
    description="Classes of a painter that a base model paints, each picture with its guidance, "
    "and test sets that went through its autoencoder; a note where a painter wants none.",
)
def guidance_classes(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Sample and rebuild, or note that there is nothing to do."""
    key = context.partition_key
    painter = registry().painters[key]
    with readable_failures():
        if not painter.models:
            return result(
                artifacts, refer(artifacts, GUIDANCE, key, {"painter": key, "sampled": "none"})
            )
        models = {name: artifacts.current(keys.BASE_MODEL, name) for name in painter.models}
        identities = {name: reference_of(artifacts, m)["reference"] for name, m in models.items()}
        inputs = {f"model {name}": manifest for name, manifest in models.items()}
        located = {}
        if painter.rebuilt:
            inputs["raw"] = artifacts.current(keys.RAW_PAINTINGS, key)
            located["files"] = _files(artifacts, painter, inputs["raw"])
        made = artifacts.make(
            GUIDANCE,
            key,
            _guidance(painter, identities),
            inputs,
            located=located,
            recompute=config.recompute,
            say=said_by(context),
        )
        return result(artifacts, made, previews=PREVIEW)


if TYPE_CHECKING:
    PreparationForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    PreparationForm = overrides_of(Preparation, "PreparationForm")


@dg.asset(
    **about(keys.PAINTINGS, "derived"),
    partitions_def=painters,
    deps=[raw_paintings, guidance_classes],
    kinds={"pillow", "parquet"},
    code_version=INTAKE.code_version,
    check_specs=checks.PAINTINGS_CHECKS,
    description="Every raw file a row, accepted or rejected with its reason; every good one a "
    "prepared picture: upright, sRGB, one size, gray, and equalized if the study asks for it.",
)
def paintings(
    context: dg.AssetExecutionContext, config: PreparationForm, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Take the raw files in."""
    key = context.partition_key
    painter = registry().painters[key]
    with readable_failures():
        raw = artifacts.current(keys.RAW_PAINTINGS, key)
        inputs = {"raw": raw}
        if painter.models:
            inputs["sampled"] = artifacts.current(keys.GUIDANCE_CLASSES, key)
        params = IntakeParams(
            limits=painter.limits,
            duplicates=painter.duplicates,
            prepare=overridden(painter.prepare, config),
        )
        made = artifacts.make(
            INTAKE,
            key,
            params,
            inputs,
            located={"files": _files(artifacts, painter, raw)},
            recompute=config.recompute,
            say=said_by(context),
        )
        found = checks.check_paintings(artifacts.fetch(made.manifest), painter)
        return result(artifacts, made, previews=PREVIEW, checks=found)


@dg.asset(
    **about(keys.CLASSES, "derived"),
    partitions_def=painters,
    deps=[paintings],
    kinds={"parquet"},
    code_version=CLASSES.code_version,
    check_specs=checks.CLASSES_CHECKS,
    description="Label, split, fold and group of every picture. Near duplicates are one group, and "
    "no group lies in two splits that we make; a split that came with the data is kept and judged.",
)
def classes(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Split without leaks."""
    key = context.partition_key
    painter = registry().painters[key]
    with readable_failures():
        params = ClassesParams(
            labels=sorted(painter.classes),
            split=painter.split,
            folds=painter.folds,
            seed=painter.seed,
        )
        inputs = {"paintings": artifacts.current(keys.PAINTINGS, key)}
        made = artifacts.make(
            CLASSES, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        found = checks.check_classes(artifacts.fetch(made.manifest), painter)
        return result(artifacts, made, previews=PREVIEW, checks=found)
