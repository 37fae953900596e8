"""People: from a folder of photos to faces, who is who, and the splits that models learn from."""

from pathlib import Path

import dagster as dg

from assets_defs.about import about
from assets_defs.checks import people as checks
from assets_defs.forms import Rerun
from assets_defs.raw import keep_listing, raw_folder
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import (
    ALBUM,
    FACES,
    LIST_PHOTOS,
    SPLIT_PEOPLE,
    TAKE_PHOTOS,
    VARIETY,
    VERIFICATION,
)
from assets_defs.studies import registry, subjects
from likeness.faces.tasks import ReadFacesParams
from likeness.images.inventory import take_inventory
from likeness.metrics.photos import VarietyParams, VerificationParams
from likeness.studies.subject import Subject
from resources import keys
from resources.artifacts import Artifacts

JPEG, PNG = ("preview.jpg",), ("preview.png",)


def _folder(subject: Subject) -> Path:
    # one who has no album has a folder
    return raw_folder(subject.title, str(subject.folder))


@dg.asset(
    **about(keys.RAW_PHOTOS, "raw"),
    partitions_def=subjects,
    kinds={"file"},
    code_version=f"{LIST_PHOTOS.code_version}.{ALBUM.code_version}",
    description="A person's raw photos: every file of the folder with its sha256; or, where a "
    "study asks for it, a life in photos that this project paints itself.",
)
def raw_photos(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """List or paint."""
    key = context.partition_key
    subject = registry().subjects[key]
    with readable_failures():
        if subject.album is None:
            found = take_inventory(_folder(subject), ["."])
            made = keep_listing(artifacts, LIST_PHOTOS, key, found)
        else:
            say = said_by(context)
            made = artifacts.make(
                ALBUM, key, subject.album, {}, recompute=config.recompute, say=say
            )
        return result(artifacts, made)


@dg.asset(
    **about(keys.PHOTOS, "derived"),
    partitions_def=subjects,
    deps=[raw_photos],
    kinds={"pillow", "parquet"},
    code_version=TAKE_PHOTOS.code_version,
    check_specs=checks.PHOTOS_CHECKS,
    description="Every raw file a row with the person's age, accepted or rejected with its reason; "
    "every good one an upright sRGB square.",
)
def photos(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Take the raw files in."""
    key = context.partition_key
    subject = registry().subjects[key]
    with readable_failures():
        raw = artifacts.current(keys.RAW_PHOTOS, key)
        painted = subject.album is not None
        files = artifacts.fetch(raw) / "files" if painted else _folder(subject)
        made = artifacts.make(
            TAKE_PHOTOS,
            key,
            subject.photos,
            {"raw": raw},
            located={"files": files},
            recompute=config.recompute,
            say=said_by(context),
        )
        found = checks.check_photos(artifacts.fetch(made.manifest))
        return result(artifacts, made, previews=JPEG, checks=found)


@dg.asset(
    **about(keys.FACES, "derived", pool="gpu"),
    partitions_def=subjects,
    deps=[photos],
    kinds={"pytorch", "parquet"},
    code_version=FACES.code_version,
    check_specs=checks.FACES_CHECKS,
    description="Every face of every photo, embedded once: box, landmarks, score; a photo without "
    "a face is a row with its reason.",
)
def faces(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Find and embed faces."""
    key = context.partition_key
    with readable_failures():
        subject = registry().subjects[key]
        params = ReadFacesParams(recipe=subject.faces, ages=subject.ages == "deepface")
        inputs = {"images": artifacts.current(keys.PHOTOS, key)}
        made = artifacts.make(
            FACES, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        photos_of = artifacts.fetch(inputs["images"])
        found = checks.check_faces(artifacts.fetch(made.manifest), photos_of)
        return result(artifacts, made, previews=JPEG, checks=found)


@dg.asset(
    **about(keys.VARIETY, "derived"),
    partitions_def=subjects,
    deps=[photos],
    kinds={"opencv", "parquet"},
    code_version=VARIETY.code_version,
    description="SSIM of every two photos, by the original protocol and the corrected one: lower "
    "is more varied.",
)
def variety(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Compare all photos."""
    key = context.partition_key
    with readable_failures():
        params = VarietyParams(side=registry().subjects[key].ssim_side)
        inputs = {"photos": artifacts.current(keys.PHOTOS, key)}
        made = artifacts.make(
            VARIETY, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        return result(artifacts, made, previews=PNG)


@dg.asset(
    **about(keys.VERIFICATION, "derived"),
    partitions_def=subjects,
    deps=[photos, faces],
    kinds={"numpy", "parquet"},
    code_version=VERIFICATION.code_version,
    description="Every two photos verified by their faces; and the largest set of photos that show "
    "one person, each exclusion with its reason.",
)
def verification(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Who is who."""
    key = context.partition_key
    with readable_failures():
        read = artifacts.current(keys.FACES, key)
        params = VerificationParams(
            threshold=read.summary["threshold"], recipe=registry().subjects[key].same_person
        )
        inputs = {"photos": artifacts.current(keys.PHOTOS, key), "faces": read}
        made = artifacts.make(
            VERIFICATION, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        return result(artifacts, made, previews=PNG)


@dg.asset(
    **about(keys.SPLITS, "derived"),
    partitions_def=subjects,
    deps=[photos, verification],
    kinds={"parquet"},
    code_version=SPLIT_PEOPLE.code_version,
    check_specs=checks.SPLITS_CHECKS,
    description="Which photos feed which model: by age, verified or all; some held back to judge "
    "by. Why a photo is in no split stands beside it.",
)
def splits(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Deal the photos out."""
    key = context.partition_key
    subject = registry().subjects[key]
    with readable_failures():
        inputs = {
            "photos": artifacts.current(keys.PHOTOS, key),
            "verification": artifacts.current(keys.VERIFICATION, key),
        }
        made = artifacts.make(
            SPLIT_PEOPLE,
            key,
            subject.splits,
            inputs,
            recompute=config.recompute,
            say=said_by(context),
        )
        found = checks.check_splits(
            artifacts.fetch(made.manifest),
            subject.splits,
            artifacts.fetch(inputs["verification"]),
            subject.same_person.share,
        )
        return result(artifacts, made, previews=JPEG, checks=found)
