"""Experiments: which model, what a method makes of it, and the pictures it samples."""

from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from assets_defs.about import about
from assets_defs.checks import experiments as checks
from assets_defs.edits import EDITED, asked_of, inverted, learn, sources
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.models import base, made_of, refer, reference_of
from assets_defs.painters import paintings
from assets_defs.people import faces, photos, splits
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import BASELINE, EDIT, FINETUNE, LEARN, LEARN_PICTURES, MAKE, PRIOR
from assets_defs.studies import (
    experiments,
    experiments_of_model,
    experiments_of_painter,
    experiments_of_subject,
    registry,
)
from likeness.edit.fitting import FittedRecipe
from likeness.errors import BadInput
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.finetune.tasks import FinetuneParams
from likeness.finetune.ti_tasks import NETWORK, WordParams
from likeness.generate.asked import Asked
from likeness.generate.sample import Sampling
from likeness.generate.tasks import ImagesParams
from likeness.images import image_set
from likeness.metrics.encoders import identities
from likeness.models.registry import spec_of
from likeness.studies.editing import BenchEdits, Editing
from likeness.studies.experiment import (
    AnyExperiment,
    DreamBooth,
    Experiment,
    LearnedWord,
    OfClass,
)
from resources import keys
from resources.artifacts import Artifacts
from resources.manifest import Manifest

PREVIEW = ("preview.jpg",)
LEARNED = ("preview.jpg", "curve.png")

if TYPE_CHECKING:
    SamplingForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    SamplingForm = overrides_of(Sampling, "SamplingForm")


@dg.asset(
    **about(keys.CLASS_PRIOR, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[dg.AssetDep(base, partition_mapping=experiments_of_model())],
    kinds={"diffusers"},
    code_version=PRIOR.code_version,
    description="Pictures of the class by the base model, which keep it from forgetting what "
    "others look like; a reference to the base model where the method wants none.",
)
def class_prior(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Sample, or find what another experiment of the same class has sampled."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        current = artifacts.current(keys.BASE_MODEL, experiment.model)
        reference = reference_of(artifacts, current)
        recipe = _recipe(experiment)
        if isinstance(experiment, Editing) or recipe is None or recipe.prior_loss_weight == 0:
            return result(artifacts, refer(artifacts, PRIOR, key, reference, {"base": current}))
        first = recipe.seed * 100_000
        seeds = list(range(first, first + recipe.num_class_images))
        asked = [Asked(prompt=recipe.class_prompt, seeds=seeds, role="class")]
        params = _images_params(experiment, reference["reference"], asked, experiment.sampling)
        made = artifacts.make(
            PRIOR,
            key,
            params,
            {"model": current},
            recompute=config.recompute,
            say=said_by(context),
        )
        return result(artifacts, made, previews=PREVIEW)


@dg.asset(
    **about(keys.FINETUNED, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[
        dg.AssetDep(base, partition_mapping=experiments_of_model()),
        class_prior,
        sources,
        *(
            dg.AssetDep(asset, partition_mapping=experiments_of_subject())
            for asset in (photos, faces, splits)
        ),
        dg.AssetDep(paintings, partition_mapping=experiments_of_painter()),
    ],
    kinds={"diffusers", "pytorch"},
    code_version=f"{BASELINE.code_version}.{FINETUNE.code_version}.{LEARN.code_version}."
    f"{LEARN_PICTURES.code_version}",
    description="What the experiment's method made of its base model: the components it changed, "
    "the word it learned, or what it learned of each picture of a bench, with the curve of every "
    "checkpoint; for methods that train nothing, a reference.",
)
def finetuned(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Train, or find the same training in the cache."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        current = artifacts.current(keys.BASE_MODEL, experiment.model)
        reference = reference_of(artifacts, current)
        say, recipe = said_by(context), _recipe(experiment)
        if isinstance(experiment, BenchEdits) and isinstance(experiment.method, FittedRecipe):
            made = learn(artifacts, key, experiment, current, config.recompute, say)
            return result(artifacts, made)
        if isinstance(experiment.method, LearnedWord):
            paintings_of = artifacts.current(keys.PAINTINGS, experiment.painter)
            inputs = {"images": paintings_of, "base": current}
            word = _word_params(artifacts, experiment, reference["reference"], paintings_of)
            if recipe is not None and recipe.prior_loss_weight > 0:
                inputs["prior"] = artifacts.current(keys.CLASS_PRIOR, key)
            made = artifacts.make(LEARN, key, word, inputs, recompute=config.recompute, say=say)
            then = tuple(f"{NETWORK}/{name}" for name in LEARNED) if recipe is not None else ()
            return result(artifacts, made, previews=(*LEARNED, *then))
        if isinstance(experiment, Editing) or recipe is None:
            said = reference | {"method": experiment.method.name}
            return result(artifacts, refer(artifacts, BASELINE, key, said, {"base": current}))
        inputs = photos_of(artifacts, experiment) | {"base": current}
        if recipe.prior_loss_weight > 0:
            inputs["prior"] = artifacts.current(keys.CLASS_PRIOR, key)
        params = _finetune_params(artifacts, experiment, recipe, reference["reference"], inputs)
        made = artifacts.make(FINETUNE, key, params, inputs, recompute=config.recompute, say=say)
        return result(artifacts, made, previews=LEARNED)


@dg.asset(
    **about(keys.IMAGES, "derived", pool="gpu"),
    partitions_def=experiments,
    deps=[finetuned, sources, inverted],
    kinds={"diffusers", "pytorch"},
    code_version=f"{MAKE.code_version}.{EDIT.code_version}",
    check_specs=checks.IMAGES_CHECKS,
    description="A picture per prompt and seed, or sources and their edits, with what the model "
    "did not read of its prompt; kept as they are made, so that a killed run goes on behind them.",
)
def made(
    context: dg.AssetExecutionContext, config: SamplingForm, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Sample or edit, or find the same pictures in the cache."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        model = artifacts.current(keys.FINETUNED, key)
        reference = made_of(artifacts, model)
        if reference["model"] != experiment.model:
            raise BadInput(
                f"{keys.FINETUNED} [{key}] was made from {reference['model']} and the experiment "
                f"says {experiment.model} now: materialise {keys.FINETUNED} again"
            )
        say = said_by(context)
        if isinstance(experiment, Editing):
            edits, inputs, located = asked_of(
                artifacts, key, experiment, reference["reference"], config
            )
            done = artifacts.make(
                EDIT,
                key,
                edits,
                {"model": model} | inputs,
                located=located,
                recompute=config.recompute,
                say=say,
            )
            found = checks.check_edits(artifacts.fetch(done.manifest), edits)
            return result(artifacts, done, previews=EDITED, checks=found)
        sampling = overridden(experiment.sampling, config)
        params = _images_params(experiment, reference["reference"], experiment.asked, sampling)
        done = artifacts.make(
            MAKE, key, params, {"model": model}, recompute=config.recompute, say=say
        )
        found = checks.check_images(artifacts.fetch(done.manifest), params)
        return result(artifacts, done, previews=PREVIEW, checks=found)


def _recipe(experiment: AnyExperiment) -> DreamBoothRecipe | None:
    """How the method trains the network; None where it does not."""
    method = experiment.method
    if isinstance(method, LearnedWord):
        return method.then
    return method.recipe if isinstance(method, DreamBooth) else None


def split_of(experiment: AnyExperiment) -> str | None:
    """Name of the photos that the method learns from; None where it learns from none."""
    method = experiment.method
    return method.split if isinstance(method, DreamBooth) else None


def photos_of(artifacts: Artifacts, experiment: AnyExperiment) -> dict[str, Manifest]:
    """The current photos, faces and splits of the person an experiment is about."""
    assets = {"photos": keys.PHOTOS, "faces": keys.FACES, "splits": keys.SPLITS}
    return {name: artifacts.current(key, experiment.subject) for name, key in assets.items()}


def _images_params(
    experiment: Experiment, identity: str, asked: list[Asked], sampling: Sampling
) -> ImagesParams:
    spec = spec_of(experiment.model)
    return ImagesParams(
        model=experiment.model,
        identity=identity,
        dtype=spec.dtype,
        resolution=spec.resolution,
        asked=asked,
        sampling=sampling,
        batch=sampling.batch,
    )


def _finetune_params(
    artifacts: Artifacts,
    experiment: Experiment,
    recipe: DreamBoothRecipe,
    identity: str,
    inputs: dict[str, Manifest],
) -> FinetuneParams:
    """Whose photos, from the tables of the splits."""
    folder = artifacts.fetch(inputs["splits"])
    members = pd.read_parquet(folder / "splits.parquet")
    known = pd.read_parquet(folder / "photos.parquet")
    mine = members.loc[members["split"] == split_of(experiment), "image_id"]
    minimum = int(inputs["splits"].params["minimum"])
    if len(mine) < minimum:
        raise BadInput(
            f"split '{split_of(experiment)}' of '{experiment.subject}' has {len(mine)} photos and "
            f"the study wants at least {minimum} to learn from: see in {keys.SPLITS} why others "
            "are left out and add some, or lower splits.minimum"
        )
    held = known.loc[known["held_back"].fillna(False).astype(bool), "image_id"]
    spec = spec_of(experiment.model)
    subject = registry().subjects[str(experiment.subject)]
    clip = method.clip if isinstance(method := experiment.method, DreamBooth) else None
    return FinetuneParams(
        model=experiment.model,
        identity=identity,
        dtype=spec.dtype,
        resolution=spec.resolution,
        recipe=recipe,
        trained_on=sorted(mine),
        held_back=sorted(held),
        faces=subject.faces,
        clip=clip,
        encoders=identities(clip),
    )


def pictures_of(method: LearnedWord, paintings: pd.DataFrame) -> list[str]:
    """image_id of what a word is learned from, among a painter's accepted pictures; maybe fewer."""
    wanted = method.pictures
    if not isinstance(wanted, OfClass):
        return list(wanted)
    mine = paintings[paintings["label_key"] == str(wanted.label)].sort_values("path")
    return list(mine["image_id"])[: wanted.count]


def _word_params(
    artifacts: Artifacts, experiment: Experiment, identity: str, paintings: Manifest
) -> WordParams:
    """Which of the painter's pictures, from the table of the intake."""
    method = experiment.method
    if not isinstance(method, LearnedWord):
        raise TypeError(f"{method.name} learns no word")
    known = image_set.accepted(image_set.read(artifacts.fetch(paintings)))
    ids = pictures_of(method, known)
    if isinstance(method.pictures, OfClass) and len(ids) < method.pictures.count:
        wanted = method.pictures
        raise BadInput(
            f"'{wanted.label}' of '{experiment.painter}' has {len(ids)} good pictures and "
            f"the word is to be learned from {wanted.count}: add some, or ask for fewer"
        )
    return WordParams(
        model=experiment.model,
        identity=identity,
        dtype=spec_of(experiment.model).dtype,
        resolution=spec_of(experiment.model).resolution,
        recipe=method.recipe,
        trained_on=ids,
        clip=method.clip,
        encoders=identities(method.clip),
    )
