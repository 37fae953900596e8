"""Scores: an experiment's pictures compared with each other, with photos, and one by one."""

from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import BaseModel

from assets_defs.about import about
from assets_defs.edits import scores_asked_of, sources
from assets_defs.experiments import made, photos_of, pictures_of, split_of
from assets_defs.forms import Rerun
from assets_defs.painters import paintings
from assets_defs.people import faces, photos, splits, variety
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import EDIT_PAIRS, PAIRS, SCORE_EDITS, SCORE_IMAGES, SCORE_PAINTER
from assets_defs.studies import (
    experiments,
    experiments_of_painter,
    experiments_of_subject,
    registry,
)
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.metrics.edit_pairs import EditPairsParams
from likeness.metrics.encoders import folder_of, identities
from likeness.metrics.experiment import PairsParams
from likeness.metrics.images import SCORES, ImagesScoresParams
from likeness.metrics.painter import PainterScoresParams
from likeness.metrics.tables import OK, read
from likeness.metrics.tables import PAIRS as PAIRS_TABLE
from likeness.studies.editing import Editing
from likeness.studies.experiment import Experiment, LearnedWord
from likeness.studies.schema import AUTHENTIC
from resources import keys
from resources.artifacts import Artifacts
from resources.manifest import Manifest
from resources.step import Step

WITHIN = "scores__values_are_within_bounds"
COPIES = "scores__no_picture_copies_a_photo"
BOUNDS = {"ssim": (-1.0, 1.0), "verification": (0.0, 1.0)}


def check_pairs(folder: Path) -> dg.AssetCheckResult:
    """Of the table of pairs: a value where the status is ok and nowhere else, none beyond reach."""
    table = read(folder, PAIRS_TABLE)
    known = table["value"].notna()
    unclear = table[known != (table["status"] == OK)]
    low, high = (table["metric"].map({k: v[side] for k, v in BOUNDS.items()}) for side in (0, 1))
    beyond = table[known & ~table["value"].between(low, high).fillna(False)]
    return dg.AssetCheckResult(
        check_name=WITHIN,
        passed=unclear.empty and beyond.empty,
        metadata={"pairs": len(table), "beyond": len(beyond), "unclear": len(unclear)},
    )


def check_copies(folder: Path, pictures: Path) -> dg.AssetCheckResult:
    """Of the scores of single pictures, those of ``pictures``; who learned nothing copies nothing.

    Lists the nearest first, each with its photo and their SSIM. Few photos warn by chance too: one
    more like these n is nearer than any two of them in 2 of n + 1 cases.
    """
    table = read(folder, SCORES)
    copied = table[(table["metric"] == "copied") & (table["value"] == 1)]
    near = table[(table["metric"] == "nearest_photo") & table["image_id"].isin(copied["image_id"])]
    files = image_set.read(pictures).drop_duplicates("image_id").set_index("image_id")["file"]
    listed = {
        str(files[row.image_id]): f"photo {row.photo_id}, SSIM {row.value:.3f}"
        for row in near.sort_values("value", ascending=False).head(50).itertuples()
    }
    return dg.AssetCheckResult(
        check_name=COPIES,
        passed=near.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"pictures": len(near), "list": dg.MetadataValue.json(listed)},
    )


@dg.asset(
    **about(keys.PAIRS, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[
        made,
        *(
            dg.AssetDep(asset, partition_mapping=experiments_of_subject())
            for asset in (photos, faces, splits, variety)
        ),
    ],
    kinds={"opencv", "parquet"},
    code_version=f"{PAIRS.code_version}.{EDIT_PAIRS.code_version}",
    check_specs=[
        dg.AssetCheckSpec(
            WITHIN,
            asset=keys.PAIRS.split("/"),
            blocking=True,
            description="Every pair has a value within the bounds of its measure, or a reason.",
        )
    ],
    description="SSIM and face verification of all pairs of the experiment's pictures, and with "
    "the photos it learned from and those held back, or of every source with its edits; means with "
    "intervals over pictures.",
)
def pairs(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Compare all pairs."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        inputs = {"made": artifacts.current(keys.IMAGES, key)}
        step: Step = PAIRS
        params: BaseModel = PairsParams()
        if isinstance(experiment, Editing):
            step, params = EDIT_PAIRS, EditPairsParams()
        elif experiment.subject is not None:
            subject = registry().subjects[experiment.subject]
            inputs |= photos_of(artifacts, experiment)
            inputs["variety"] = artifacts.current(keys.VARIETY, experiment.subject)
            params = PairsParams(
                side=subject.ssim_side, faces=subject.faces, split=split_of(experiment)
            )
        done = artifacts.make(
            step, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        found = (check_pairs(artifacts.fetch(done.manifest)),)
        return result(artifacts, done, previews=("preview.png", "faces.jpg"), checks=found)


@dg.asset(
    **about(keys.IMAGE_SCORES, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[
        made,
        pairs,
        sources,
        dg.AssetDep(paintings, partition_mapping=experiments_of_painter()),
    ],
    kinds={"pytorch", "parquet"},
    code_version=f"{SCORE_IMAGES.code_version}.{SCORE_EDITS.code_version}."
    f"{SCORE_PAINTER.code_version}",
    check_specs=[
        dg.AssetCheckSpec(
            COPIES,
            asset=keys.IMAGE_SCORES.split("/"),
            description="Warns of pictures that are nearer to a photo learned from than these are "
            "to each other: they may be remembered (of few photos, chance alone is 2 in n + 1).",
        )
    ],
    description="Each picture by itself: how old it looks against what was asked for, whether it "
    "shows the person, whether it is a copy of a photo; of an edit, whether it says what was asked "
    "and keeps the rest; of a painter's experiment, how near it is to his pictures.",
)
def image_scores(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Look at every picture."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        inputs = {
            "made": artifacts.current(keys.IMAGES, key),
            "pairs": artifacts.current(keys.PAIRS, key),
        }
        step: Step = SCORE_IMAGES
        params: BaseModel = ImagesScoresParams()
        if isinstance(experiment, Editing):
            step = SCORE_EDITS
            params, more = scores_asked_of(artifacts, key, experiment)
            inputs |= more
        elif experiment.subject is not None:
            params = ImagesScoresParams(ages=registry().subjects[experiment.subject].ages)
        elif experiment.painter is not None:
            paintings_of = artifacts.current(keys.PAINTINGS, experiment.painter)
            step, params = SCORE_PAINTER, _asked_of_painter(artifacts, experiment, paintings_of)
            inputs = {"made": inputs["made"], "images": paintings_of}
        done = artifacts.make(
            step, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        pictures = artifacts.fetch(artifacts.current(keys.IMAGES, key))
        found = (check_copies(artifacts.fetch(done.manifest), pictures),)
        return result(artifacts, done, checks=found)


def _asked_of_painter(
    artifacts: Artifacts, experiment: Experiment, paintings: Manifest
) -> PainterScoresParams:
    """What his own pictures are, and what they were prepared by."""
    name = str(experiment.painter)
    painter = registry().painters[name]
    known = image_set.accepted(image_set.read(artifacts.fetch(paintings)))
    of_set = {str(key): set(rows["image_id"]) for key, rows in known.groupby("label_key")}
    painted = of_set.get(str(AUTHENTIC), set()) - _learned_from(name, known)
    if len(painted) < 2:
        raise BadInput(
            f"'{name}' has {len(painted)} pictures that no word was learned from, and what is made "
            "is compared with two at least: add some to class 0, or learn from fewer"
        )
    clip = painter.measures.clip
    lacking = None if clip is None else _lacking(clip)
    return PainterScoresParams(
        painted=sorted(painted),
        own={one: sorted(of_set[one]) for one in painter.own_sets if one in of_set},
        prepare=paintings.params["prepare"],
        word=experiment.word,
        clip=clip,
        encoders={} if lacking else identities(clip),
        lacking=lacking,
        hand=painter.measures.hand,
    )


def _learned_from(painter: str, known: pd.DataFrame) -> set[str]:
    """What any word for this painter is learned from, so that all are compared with the same.

    With their near duplicates: another photograph of the same painting would be as easy.
    """
    mine = [one for one in registry().experiments.values() if one.painter == painter]
    words = [one.method for one in mine if isinstance(one.method, LearnedWord)]
    ids = {image_id for word in words for image_id in pictures_of(word, known)}
    alike = known.loc[known["image_id"].isin(ids), "group"]
    return ids | set(known.loc[known["group"].isin(alike), "image_id"])


def _lacking(clip: str) -> str | None:
    """Why an encoder cannot be had; part of what the scores depend on, so that they are taken
    again when it is there."""
    try:
        folder_of(clip)
    except BadInput as error:
        return str(error)
    return None
