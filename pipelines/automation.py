"""Assets that follow their inputs: when bytes upstream or their code have changed, and only then.

Off until its sensor is turned on. What was never made is not started here: a person or a schedule
does that, otherwise turning it on would begin every experiment of every study at once.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import dagster as dg

WORLD, REPORT = "world", "report"
GPU = dg.AssetSelection.tag("cost", "gpu")


def follow() -> dg.AutomationCondition:
    """New data versions upstream, or new code, of what was made before.

    A change is remembered until the asset is made (a change is seen for one tick only), the same
    bytes again are none, and a run that fails is tried once more and then left alone.
    """
    condition = dg.AutomationCondition
    data = condition.any_deps_match(condition.data_version_changed()).since(
        condition.newly_updated()
    )
    code = condition.code_version_changed().since(condition.newly_updated())
    ready = (
        ~condition.missing()
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & condition.all_deps_blocking_checks_passed()
        & ~condition.execution_failed()
    )
    again = condition.execution_failed().newly_true()
    return (((data | code) & ready) | again).with_label("follow")


def automated(assets: Iterable[Any], fresh_hours: float) -> list[Any]:
    """The assets with their conditions; the report is overdue after ``fresh_hours`` (0: never)."""
    condition = follow()

    def told(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.group_name == REPORT and fresh_hours > 0:
            policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=fresh_hours))
            spec = spec.replace_attributes(freshness_policy=policy)
        if spec.deps and spec.group_name != WORLD:
            spec = spec.replace_attributes(automation_condition=condition)
        return spec

    return list(dg.map_asset_specs(told, list(assets)))


def automation_sensors() -> list[dg.AutomationConditionSensorDefinition]:
    """A switch for what is cheap, and one for what takes a GPU."""
    kept_out = dg.AssetSelection.groups(WORLD)
    return [
        dg.AutomationConditionSensorDefinition(
            "follow_data",
            target=dg.AssetSelection.all() - GPU - kept_out,
            description="Makes intake, splits, tables and the report again when their inputs have "
            "changed.",
        ),
        dg.AutomationConditionSensorDefinition(
            "follow_data_on_gpu",
            target=GPU - kept_out,
            description="Trains, samples and scores again when the inputs have changed: hours.",
        ),
    ]
