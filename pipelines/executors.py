"""How steps run when Dagster starts them (UI, schedules, ``dg launch``)."""

import dagster as dg

# Light steps side by side; heavy ones take turns through pools.
MAX_CONCURRENT = 2
# Each step is a process. It is forked from one that has the definitions loaded already, which
# takes longer than most steps that are found in the cache.
FORKED = {"forkserver": {"preload_modules": ["pipelines.definitions"]}}


def executor() -> dg.ExecutorDefinition:
    """A process per step; unset, Dagster would start one per CPU of the host."""
    return dg.multiprocess_executor.configured(
        {"max_concurrent": MAX_CONCURRENT, "start_method": FORKED}
    )
