"""The environment of programs that tests start and do not measure."""

import os


def plain_environment() -> dict[str, str]:
    """This one, without what has every Python count its lines, and with one thread each.

    Servers and their workers load much and count slowly; what they run is measured elsewhere.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return kept | {"OMP_NUM_THREADS": "1", "LIKENESS_THREADS": "1"}
