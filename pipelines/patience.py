"""Waiting for a place in a pool: told once, and without taking a core from who works there."""

import time
from collections.abc import Callable
from weakref import WeakSet

from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext


def wait_patiently(say: Callable[[str], None]) -> None:
    """Let runs in this process sleep while they wait for a pool, and say so once for each.

    Dagster takes the smallest of 0 and these seconds, and so asks again without a pause.
    """
    told: WeakSet[InstanceConcurrencyContext] = WeakSet()

    def until_next_claim(context: InstanceConcurrencyContext) -> float:
        """Seconds until a place may be asked for again."""
        pending = context._pending_timeouts.values()
        if pending and context not in told:
            told.add(context)
            say("    waits: another run holds its pool (one heavy step at a time)")
        return max(0.0, min((at - time.time() for at in pending), default=0.0))

    InstanceConcurrencyContext.interval_to_next_pending_claim_check = until_next_claim  # type: ignore[assignment, method-assign]
