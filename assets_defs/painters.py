"""Painters: from raw files, or from our own brush, to classes and splits that do not leak."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dagster as dg

from assets_defs import keys
from assets_defs.checks import painters as checks
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import CLASSES, INTAKE, LIST, PAINT
from assets_defs.studies import painters, registry
from likeness.errors import BadInput
from likeness.images.prepare import Preparation
from likeness.images.raw import list_raw
from likeness.images.tasks import ClassesParams, IntakeParams
from likeness.studies.schema import Painter
from likeness.world.tasks import PaintJob, PaintParams
from resources.artifacts import Artifacts, Made
from resources.settings import Settings

PREVIEW = ("preview.jpg",)

# Reading files may fail for reasons that pass (a network folder); work that failed twice will fail.
RETRY = dg.RetryPolicy(max_retries=1, delay=5)


def _raw_root() -> Path:
    root = Settings().raw
    if root is None:
        raise BadInput("this painter's pictures are files of yours: set LIKENESS_RAW (make: RAW=)")
    return root


def _plan(painter: Painter) -> PaintParams:
    sets = {**{str(k): v for k, v in painter.classes.items()}, **painter.tests}
    jobs = [
        PaintJob(key=key, hand=p.paint.hand, count=p.paint.count, first=p.paint.first)
        for key, p in sets.items()
        if p.paint
    ]
    return PaintParams(sets=jobs, side=painter.paint_side)


def _list(artifacts: Artifacts, key: str, painter: Painter) -> Made:
    """What lies in the raw folder right now; the listing's own bytes are its fingerprint."""
    folders = {str(label): pictures.folders for label, pictures in painter.classes.items()}
    folders |= {name: pictures.folders for name, pictures in painter.tests.items()}
    table = list_raw(_raw_root(), folders, painter.group_column)
    with TemporaryDirectory(dir=artifacts.room()) as folder:
        table.to_parquet(Path(folder) / "inventory.parquet", index=False)
        summary = {"files": len(table), "bytes_of_files": int(table["bytes"].sum())}
        return artifacts.keep(LIST, key, Path(folder), summary)


@dg.asset(
    key=keys.RAW_PAINTINGS.split("/"),
    group_name="painters",
    partitions_def=painters,
    owners=keys.OWNERS,
    kinds={"file"},
    tags={"layer": "raw"},
    retry_policy=RETRY,
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
            made = _list(artifacts, key, painter)
        return result(artifacts, made)


if TYPE_CHECKING:
    PreparationForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    PreparationForm = overrides_of(Preparation, "PreparationForm")


@dg.asset(
    key=keys.PAINTINGS.split("/"),
    group_name="painters",
    partitions_def=painters,
    deps=[raw_paintings],
    owners=keys.OWNERS,
    kinds={"pillow", "parquet"},
    tags={"layer": "derived"},
    retry_policy=RETRY,
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
        files = artifacts.fetch(raw) / "files" if painter.painted else _raw_root()
        params = IntakeParams(
            limits=painter.limits,
            duplicates=painter.duplicates,
            prepare=overridden(painter.prepare, config),
        )
        made = artifacts.make(
            INTAKE,
            key,
            params,
            {"raw": raw},
            located={"files": files},
            recompute=config.recompute,
            say=said_by(context),
        )
        found = checks.check_paintings(artifacts.fetch(made.manifest), painter)
        return result(artifacts, made, previews=PREVIEW, checks=found)


@dg.asset(
    key=keys.CLASSES.split("/"),
    group_name="painters",
    partitions_def=painters,
    deps=[paintings],
    owners=keys.OWNERS,
    kinds={"parquet"},
    tags={"layer": "derived"},
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
