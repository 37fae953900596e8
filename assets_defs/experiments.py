"""Experiments: which model, what a method makes of it, and the pictures it samples."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from assets_defs import keys
from assets_defs.checks import experiments as checks
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.people import faces, photos, splits
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import BASELINE, FINETUNE, MAKE, PRIOR, REFER
from assets_defs.studies import (
    base_models,
    experiments,
    experiments_of_model,
    experiments_of_subject,
    registry,
)
from likeness.errors import BadInput
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.finetune.tasks import FinetuneParams
from likeness.generate.asked import Asked
from likeness.generate.sample import Sampling
from likeness.generate.tasks import ImagesParams
from likeness.models.assemble import BASE as BASE_FILE
from likeness.models.checksums import SUMS, verify
from likeness.models.local import model_identity, needed_folder
from likeness.models.registry import spec_of
from likeness.studies.experiment import DreamBooth, Experiment
from resources.artifacts import Artifacts, Made
from resources.manifest import Manifest
from resources.step import Step

REFERENCE = "reference.json"
PREVIEW = ("preview.jpg",)
# A second try goes on behind the pictures that are there.
RESUME = dg.RetryPolicy(max_retries=1, delay=5)

if TYPE_CHECKING:
    SamplingForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    SamplingForm = overrides_of(Sampling, "SamplingForm")


def _refer(
    artifacts: Artifacts,
    step: Step,
    key: str,
    reference: dict[str, str],
    inputs: dict[str, Manifest] | None = None,
) -> Made:
    """Publish a reference: weights of base models are never copied into the store."""
    with TemporaryDirectory(dir=artifacts.room()) as folder:
        text = json.dumps(reference, indent=2, sort_keys=True) + "\n"
        (Path(folder) / REFERENCE).write_text(text, encoding="utf-8")
        return artifacts.keep(step, key, Path(folder), dict(reference), inputs)


def _reference(artifacts: Artifacts, manifest: Manifest) -> dict[str, str]:
    return json.loads(artifacts.store.read_file(manifest, REFERENCE))


def _made_of(artifacts: Artifacts, model: Manifest) -> dict[str, str]:
    """What a model of an experiment stands on: a trained one says so in its own file."""
    trained = BASE_FILE in {entry.path for entry in model.files}
    return json.loads(artifacts.store.read_file(model, BASE_FILE if trained else REFERENCE))


@dg.asset(
    key=keys.BASE_MODEL.split("/"),
    group_name="models",
    partitions_def=base_models,
    owners=keys.OWNERS,
    kinds={"huggingface"},
    tags={"layer": "raw"},
    code_version=REFER.code_version,
    check_specs=checks.BASE_CHECKS,
    description="A reference to a base model: the hub's repository and commit, or the digest of a "
    "folder. The weights stay where they are.",
)
def base(context: dg.AssetExecutionContext, artifacts: Artifacts) -> dg.MaterializeResult:
    """Find out which bytes the model is."""
    name = context.partition_key
    with readable_failures():
        spec = spec_of(name)
        folder = None if spec.is_random else needed_folder(spec)
        if folder is not None and (folder / SUMS).is_file():
            verify(folder)
        reference = {"model": name, "reference": model_identity(name)}
        made = _refer(artifacts, REFER, name, reference)
        return result(artifacts, made, checks=checks.check_base(folder, spec))


@dg.asset(
    key=keys.CLASS_PRIOR.split("/"),
    group_name="images",
    partitions_def=experiments,
    deps=[dg.AssetDep(base, partition_mapping=experiments_of_model())],
    owners=keys.OWNERS,
    kinds={"diffusers"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RESUME,
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
        reference = _reference(artifacts, current)
        recipe = _recipe(experiment)
        if recipe is None or recipe.prior_loss_weight == 0:
            return result(artifacts, _refer(artifacts, PRIOR, key, reference, {"base": current}))
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
    key=keys.FINETUNED.split("/"),
    group_name="models",
    partitions_def=experiments,
    deps=[
        dg.AssetDep(base, partition_mapping=experiments_of_model()),
        class_prior,
        *(
            dg.AssetDep(asset, partition_mapping=experiments_of_subject())
            for asset in (photos, faces, splits)
        ),
    ],
    owners=keys.OWNERS,
    kinds={"diffusers", "pytorch"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RESUME,
    code_version=f"{BASELINE.code_version}.{FINETUNE.code_version}",
    description="What the experiment's method made of its base model: the components it changed, "
    "with the curve of every checkpoint; for the method base, which trains nothing, a reference.",
)
def finetuned(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Train, or find the same training in the cache."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        current = artifacts.current(keys.BASE_MODEL, experiment.model)
        reference = _reference(artifacts, current)
        recipe = _recipe(experiment)
        if recipe is None:
            said = reference | {"method": experiment.method.name}
            return result(artifacts, _refer(artifacts, BASELINE, key, said, {"base": current}))
        inputs = photos_of(artifacts, experiment) | {"base": current}
        if recipe.prior_loss_weight > 0:
            inputs["prior"] = artifacts.current(keys.CLASS_PRIOR, key)
        params = _finetune_params(artifacts, experiment, recipe, reference["reference"], inputs)
        made = artifacts.make(
            FINETUNE, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        return result(artifacts, made, previews=("preview.jpg", "curve.png"))


@dg.asset(
    key=keys.IMAGES.split("/"),
    group_name="images",
    partitions_def=experiments,
    deps=[finetuned],
    owners=keys.OWNERS,
    kinds={"diffusers", "pytorch"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RESUME,
    code_version=MAKE.code_version,
    check_specs=checks.IMAGES_CHECKS,
    description="A picture per prompt and seed, with what the model did not read of its prompt; "
    "kept as they are sampled, so that a killed run goes on behind them.",
)
def made(
    context: dg.AssetExecutionContext, config: SamplingForm, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Sample, or find the same pictures in the cache."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        model = artifacts.current(keys.FINETUNED, key)
        reference = _made_of(artifacts, model)
        if reference["model"] != experiment.model:
            raise BadInput(
                f"{keys.FINETUNED} [{key}] was made from {reference['model']} and the experiment "
                f"says {experiment.model} now: materialise {keys.FINETUNED} again"
            )
        sampling = overridden(experiment.sampling, config)
        params = _images_params(experiment, reference["reference"], experiment.asked, sampling)
        inputs, say = {"model": model}, said_by(context)
        done = artifacts.make(MAKE, key, params, inputs, recompute=config.recompute, say=say)
        found = checks.check_images(artifacts.fetch(done.manifest), params)
        return result(artifacts, done, previews=PREVIEW, checks=found)


def _recipe(experiment: Experiment) -> DreamBoothRecipe | None:
    """How the method trains; None where it does not."""
    method = experiment.method
    return method.recipe if isinstance(method, DreamBooth) else None


def split_of(experiment: Experiment) -> str | None:
    """Name of the photos that the method learns from; None where it learns from none."""
    method = experiment.method
    return method.split if isinstance(method, DreamBooth) else None


def photos_of(artifacts: Artifacts, experiment: Experiment) -> dict[str, Manifest]:
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
    if mine.empty:
        raise BadInput(
            f"split '{split_of(experiment)}' of '{experiment.subject}' has no photo to learn from: "
            f"see why in {keys.SPLITS}"
        )
    held = known.loc[known["held_back"].fillna(False).astype(bool), "image_id"]
    spec = spec_of(experiment.model)
    subject = registry().subjects[str(experiment.subject)]
    return FinetuneParams(
        model=experiment.model,
        identity=identity,
        dtype=spec.dtype,
        resolution=spec.resolution,
        recipe=recipe,
        trained_on=sorted(mine),
        held_back=sorted(held),
        faces=subject.faces,
    )
