"""What runs say on the terminal: the message and the step, without ids and engine events."""

import logging
import sys

import dagster as dg


class Plain(logging.Formatter):
    """``step: message`` of a Dagster record."""

    def format(self, record: logging.LogRecord) -> str:
        """Dagster puts the words as they were said into ``dagster_meta``."""
        meta = getattr(record, "dagster_meta", {})
        step = meta.get("step_key") or ""
        return f"    {step}: {meta.get('orig_message', record.getMessage())}"


@dg.logger
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """Progress and warnings of the steps; Dagster's own events are in the log of the run."""
    logger = logging.Logger("likeness.console", level=logging.INFO)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Plain())
    logger.addHandler(handler)
    return logger
