"""What every asset says of itself: where it stands in the graph, whose it is, what it occupies."""

from typing import Literal, TypedDict

import dagster as dg

from resources import keys

Layer = Literal["raw", "derived", "model", "report"]
Pool = Literal["gpu", "duckdb"]
# Reading files may fail for reasons that pass (a network folder), and a killed training goes on
# behind its last checkpoint; work that failed twice will fail.
RETRY = dg.RetryPolicy(max_retries=1, delay=5)


class About(TypedDict):
    """The arguments of ``dg.asset`` that are the same for every asset, or follow from its key."""

    key: list[str]
    group_name: str
    owners: list[str]
    tags: dict[str, str]
    pool: str | None
    retry_policy: dg.RetryPolicy


def about(key: str, layer: Layer, pool: Pool | None = None) -> About:
    """An asset is of the group its key begins with, and costs GPU time if it waits for one."""
    path = key.split("/")
    cost = {"cost": "gpu"} if pool == "gpu" else {}
    return About(
        key=path,
        group_name=path[0],
        owners=keys.OWNERS,
        tags={"layer": layer} | cost,
        pool=pool,
        retry_policy=RETRY,
    )
