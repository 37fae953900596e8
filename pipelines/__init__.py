"""Definitions, jobs, schedules, and the ``likeness`` command."""

import gc

# Definitions are objects by the hundred thousand, none of which is garbage: by Python's own
# threshold an eighth of the time in which they load goes into looking for some.
gc.set_threshold(50_000, 20, 50)
