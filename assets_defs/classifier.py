"""The judges of paintings: trained networks and their verdicts."""

from typing import TYPE_CHECKING

import dagster as dg

from assets_defs import keys
from assets_defs.checks import classifier as checks
from assets_defs.forms import Rerun, overridden, overrides_of
from assets_defs.painters import classes, paintings
from assets_defs.results import readable_failures, result, said_by
from assets_defs.steps import JUDGE, TRAIN
from assets_defs.studies import networks, networks_of_painter, registry
from likeness.classify.params import TrainParams, VerdictParams
from likeness.classify.recipe import Recipe
from resources.artifacts import Artifacts

if TYPE_CHECKING:
    RecipeForm = Rerun
else:  # made from the science's own model, which a type checker cannot follow
    RecipeForm = overrides_of(Recipe, "RecipeForm")

# A second try goes on behind the last checkpoint.
RESUME = dg.RetryPolicy(max_retries=1, delay=5)
BY_PAINTER = networks_of_painter()


@dg.asset(
    key=keys.NETWORK.split("/"),
    group_name="classifier",
    partitions_def=networks,
    deps=[
        dg.AssetDep(paintings, partition_mapping=BY_PAINTER),
        dg.AssetDep(classes, partition_mapping=BY_PAINTER),
    ],
    owners=keys.OWNERS,
    kinds={"keras", "tensorflow"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RESUME,
    code_version=TRAIN.code_version,
    op_tags={"dagster/max_runtime": 6 * 3600},
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
        params = TrainParams(
            recipe=overridden(plan.recipe, config),
            rounds=plan.rounds,
            labels=sorted(painter.classes),
        )
        inputs = {
            "paintings": artifacts.current(keys.PAINTINGS, plan.painter),
            "classes": artifacts.current(keys.CLASSES, plan.painter),
        }
        made = artifacts.make(
            TRAIN, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        return result(artifacts, made, previews=("curves.png",))


@dg.asset(
    key=keys.VERDICTS.split("/"),
    group_name="classifier",
    partitions_def=networks,
    deps=[
        network,
        dg.AssetDep(paintings, partition_mapping=BY_PAINTER),
        dg.AssetDep(classes, partition_mapping=BY_PAINTER),
    ],
    owners=keys.OWNERS,
    kinds={"keras", "parquet"},
    tags={"cost": "gpu", "layer": "derived"},
    pool="gpu",
    retry_policy=RESUME,
    code_version=JUDGE.code_version,
    check_specs=checks.VERDICTS_CHECKS,
    description="Per picture the calibrated probabilities and the class, for validation, test, "
    "folds and every unseen set.",
)
def verdicts(
    context: dg.AssetExecutionContext, config: Rerun, artifacts: Artifacts
) -> dg.MaterializeResult:
    """Judge every picture the network did not learn from."""
    key = context.partition_key
    plan = registry().networks[key]
    painter = registry().painters[plan.painter]
    with readable_failures():
        params = VerdictParams(names={k: p.name for k, p in painter.classes.items()})
        inputs = {
            "paintings": artifacts.current(keys.PAINTINGS, plan.painter),
            "classes": artifacts.current(keys.CLASSES, plan.painter),
            "network": artifacts.current(keys.NETWORK, key),
        }
        made = artifacts.make(
            JUDGE, key, params, inputs, recompute=config.recompute, say=said_by(context)
        )
        found = checks.check_verdicts(artifacts.fetch(made.manifest), painter)
        return result(artifacts, made, checks=found)
