"""Experiments: which model, what a method makes of it, and the pictures it samples."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import dagster as dg

from assets_defs import keys
from assets_defs.checks import experiments as checks
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import BASELINE, MAKE, REFER
from assets_defs.studies import base_models, experiments, experiments_of_model, registry
from likeness.errors import BadInput
from likeness.generate.sample import Sampling
from likeness.generate.tasks import ImagesParams
from likeness.models.checksums import SUMS, verify
from likeness.models.local import model_identity, needed_folder
from likeness.models.registry import spec_of
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
    key=keys.FINETUNED.split("/"),
    group_name="models",
    partitions_def=experiments,
    deps=[dg.AssetDep(base, partition_mapping=experiments_of_model())],
    owners=keys.OWNERS,
    kinds={"diffusers"},
    tags={"layer": "derived"},
    code_version=BASELINE.code_version,
    description="What the experiment's method made of its base model; for the method base, which "
    "trains nothing, a reference to it.",
)
def finetuned(context: dg.AssetExecutionContext, artifacts: Artifacts) -> dg.MaterializeResult:
    """Refer to the base model."""
    key = context.partition_key
    experiment = registry().experiments[key]
    with readable_failures():
        current = artifacts.current(keys.BASE_MODEL, experiment.model)
        reference = _reference(artifacts, current) | {"method": experiment.method.name}
        made = _refer(artifacts, BASELINE, key, reference, {"base": current})
        return result(artifacts, made)


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
        reference = _reference(artifacts, model)
        if reference["model"] != experiment.model:
            raise BadInput(
                f"{keys.FINETUNED} [{key}] was made from {reference['model']} and the experiment "
                f"says {experiment.model} now: materialise {keys.FINETUNED} again"
            )
        spec, sampling = spec_of(experiment.model), overridden(experiment.sampling, config)
        params = ImagesParams(
            model=experiment.model,
            identity=reference["reference"],
            dtype=spec.dtype,
            resolution=spec.resolution,
            prompts=experiment.prompts,
            seeds=experiment.seeds_of_prompts,
            sampling=sampling,
            batch=sampling.batch,
        )
        inputs, say = {"model": model}, said_by(context)
        done = artifacts.make(MAKE, key, params, inputs, recompute=config.recompute, say=say)
        found = checks.check_images(artifacts.fetch(done.manifest), params)
        return result(artifacts, done, previews=PREVIEW, checks=found)
