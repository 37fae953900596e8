"""Waiting for a place in a pool without taking a core from who works there."""

import time

from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext


def until_next_claim(context: InstanceConcurrencyContext) -> float:
    """Seconds until a place may be asked for again."""
    now = time.time()
    return max(0.0, min((at - now for at in context._pending_timeouts.values()), default=0.0))


def wait_patiently() -> None:
    """Let runs in this process sleep while they wait for a pool.

    Dagster takes the smallest of 0 and these seconds, and so asks again without a pause.
    """
    InstanceConcurrencyContext.interval_to_next_pending_claim_check = until_next_claim  # type: ignore[assignment, method-assign]
