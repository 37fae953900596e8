"""Progress of long work: a line every few seconds, read by the log of the run."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("likeness")
EVERY_SECONDS = 5.0


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield ``items`` and log count and estimated time left every ``EVERY_SECONDS``."""
    start = said = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - said >= EVERY_SECONDS:
            left = (now - start) / done * (total - done)
            log.info("%s: %d of %d, about %.0f s left", what, done, total, left)
            said = now
