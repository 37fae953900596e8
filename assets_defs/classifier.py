"""The judges of paintings: trained networks and their verdicts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets_defs.about import about
from assets_defs.checks import classifier as checks
from assets_defs.experiments import made as pictures_made
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.painters import classes, paintings
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import JUDGE, TRAIN
from assets_defs.studies import networks, networks_of_experiment, networks_of_painter, registry
from likeness.classify.params import TrainParams
from likeness.classify.recipe import Recipe
from likeness.classify.verdicts import JudgeParams, MadeSet
from likeness.digests import sha256_file
from likeness.errors import BadInput
from likeness.studies.schema import Painter
from resources import keys
from resources.artifacts import Artifacts
from resources.manifest import Manifest
from resources.summaries import Current

if TYPE_CHECKING:
    RecipeForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    RecipeForm = overrides_of(Recipe, "RecipeForm")

BY_PAINTER = networks_of_painter()


def _made_from(made: Manifest, inputs: dict[str, Manifest], partition: str) -> None:
    """Refuse an artefact that was made from other pictures than the current ones."""
    for name, content in made.inputs.items():
        if name in inputs and inputs[name].content != content:
            raise BadInput(
                f"{made.asset} [{partition}] was made from other {name} than the current ones: "
                "materialise it first"
            )


def _weights_digest(weights: str) -> str | None:
    """Digest of a weights file; the names of weights say themselves which they are."""
    if weights in ("none", "imagenet"):
        return None
    if not Path(weights).is_file():
        raise BadInput(f"there is no weights file {weights}: set recipe.weights to one, or to none")
    return sha256_file(Path(weights))


def _pictures(artifacts: Artifacts, painter: str) -> dict[str, Manifest]:
    """The current pictures and classes of a painter, which belong together."""
    pictures = {"paintings": artifacts.current(keys.PAINTINGS, painter)}
    labels = artifacts.current(keys.CLASSES, painter)
    _made_from(labels, pictures, painter)
    return pictures | {"classes": labels}


def _judged(
    artifacts: Artifacts, painter: Painter, say: Callable[[str], None]
) -> dict[str, Manifest]:
    """The pictures of the experiments that are test sets; those without any are left out."""
    if not painter.experiments:
        return {}
    current, found = Current(artifacts, registry()), {}
    for key in painter.experiments:
        if manifest := current.made(key):
            found[key] = manifest
        else:
            say(f"{keys.IMAGES} [{key}] is not there or out of date: its test sets have no data")
    return found


@dg.asset(
    **about(keys.NETWORK, "derived", pool="gpu"),
    partitions_def=networks,
    deps=[
        dg.AssetDep(paintings, partition_mapping=BY_PAINTER),
        dg.AssetDep(classes, partition_mapping=BY_PAINTER),
    ],
    kinds={"keras", "tensorflow"},
    code_version=TRAIN.code_version,
    description="A trained judge: a Keras network per round, or the shortcut probe, which sees "
    "only how a picture was photographed. With its curves and its calibration temperature.",
)
def network(
    context: dg.AssetExecutionContext, config: RecipeForm, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Train, or find the same training in the cache."""
    key = context.partition_key
    plan = registry().networks[key]
    painter = registry().painters[plan.painter]
    with readable_failures():
        recipe = overridden(plan.recipe, config)
        params = TrainParams(
            recipe=recipe,
            rounds=plan.rounds,
            labels=sorted(painter.classes),
            weights_sha256=_weights_digest(recipe.weights),
        )
        inputs = _pictures(artifacts, plan.painter)
        made = artifacts.make(
            TRAIN, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        return result(artifacts, made, previews=("curves.png",))


@dg.asset(
    **about(keys.VERDICTS, "derived", pool="gpu"),
    partitions_def=networks,
    deps=[
        network,
        dg.AssetDep(pictures_made, partition_mapping=networks_of_experiment()),
        dg.AssetDep(paintings, partition_mapping=BY_PAINTER),
        dg.AssetDep(classes, partition_mapping=BY_PAINTER),
    ],
    kinds={"keras", "parquet"},
    code_version=JUDGE.code_version,
    check_specs=checks.VERDICTS_CHECKS,
    description="Per picture the calibrated probabilities and the class, for validation, test, "
    "folds and every unseen set, those that experiments have made among them.",
)
def verdicts(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Judge every picture the network did not learn from."""
    key = context.partition_key
    plan = registry().networks[key]
    painter = registry().painters[plan.painter]
    with readable_failures():
        truths = {name: p.truth for name, p in painter.tests.items() if p.truth is not None}
        inputs = _pictures(artifacts, plan.painter)
        judged = _judged(artifacts, painter, said_by(context))
        params = JudgeParams(
            names={k: p.name for k, p in painter.classes.items()},
            truths=truths,
            made={
                name: MadeSet(experiment=p.experiment, role=p.role)
                for name, p in painter.tests.items()
                if p.experiment in judged
            },
            prepare=inputs["paintings"].params["prepare"],
        )
        inputs["network"] = artifacts.current(keys.NETWORK, key)
        # A network that learned from another split may have learned what it would be asked.
        _made_from(inputs["network"], inputs, key)
        made = artifacts.make(
            JUDGE, key, params, inputs | judged, recompute=config.recompute, say=said_by(context)
        )
        found = checks.check_verdicts(artifacts.fetch(made.manifest), painter)
        return result(artifacts, made, checks=found)
