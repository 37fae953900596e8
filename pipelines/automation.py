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

    A change is remembered until it is asked for (a change is seen for one tick only), and the same
    bytes again are none. A run that fails is left alone, beyond what its steps try by themselves,
    until something changes again: whether the last run has failed is no condition, since of an
    asset without partitions Dagster knows it only while no other run is planned.
    """
    condition = dg.AutomationCondition
    done = condition.newly_updated() | condition.newly_requested()
    data = condition.any_deps_match(condition.data_version_changed()).since(done)
    code = condition.code_version_changed().since(done)
    ready = (
        ~condition.missing()
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & condition.all_deps_blocking_checks_passed()
    )
    return ((data | code) & ready).with_label("follow")


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
