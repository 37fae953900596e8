"""How steps run when Dagster starts them (UI, schedules, ``dg launch``)."""

import dagster as dg

# Light steps side by side; heavy ones take turns through pools.
MAX_CONCURRENT = 2


def executor() -> dg.ExecutorDefinition:
    """A process per step; unset, Dagster would start one per CPU of the host."""
    return dg.multiprocess_executor.configured({"max_concurrent": MAX_CONCURRENT})
