"""Base models: a reference to the bytes that each of them is."""

import json

import dagster as dg

from assets_defs.about import about
from assets_defs.checks import experiments as checks
from assets_defs.results import readable_failures, result
from assets_defs.steps import REFER
from assets_defs.studies import base_models
from likeness.models.assemble import BASE as BASE_FILE
from likeness.models.checksums import SUMS, verify
from likeness.models.local import model_identity, needed_folder
from likeness.models.registry import spec_of
from resources import keys
from resources.artifacts import Artifacts, Made
from resources.manifest import Manifest
from resources.step import Step

REFERENCE = "reference.json"


def refer(
    artifacts: Artifacts,
    step: Step,
    key: str,
    reference: dict[str, str],
    inputs: dict[str, Manifest] | None = None,
) -> Made:
    """Publish a reference: weights of base models are never copied into the store."""
    with artifacts.room() as folder:
        text = json.dumps(reference, indent=2, sort_keys=True) + "\n"
        (folder / REFERENCE).write_text(text, encoding="utf-8")
        return artifacts.keep(step, key, folder, dict(reference), inputs)


def reference_of(artifacts: Artifacts, manifest: Manifest) -> dict[str, str]:
    """What a reference says."""
    return json.loads(artifacts.store.read_file(manifest, REFERENCE))


def made_of(artifacts: Artifacts, model: Manifest) -> dict[str, str]:
    """What a model of an experiment stands on: a trained one says so in its own file."""
    trained = BASE_FILE in {entry.path for entry in model.files}
    return json.loads(artifacts.store.read_file(model, BASE_FILE if trained else REFERENCE))


@dg.asset(
    **about(keys.BASE_MODEL, "raw"),
    partitions_def=base_models,
    kinds={"huggingface"},
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
        made = refer(artifacts, REFER, name, reference)
        return result(artifacts, made, checks=checks.check_base(folder, spec))
