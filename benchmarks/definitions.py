"""Loading the definitions in a fresh interpreter, against importing tensorflow there.

python benchmarks/definitions.py
"""

import subprocess
import sys

from common import best_of, report


def fresh(statement: str) -> None:
    """Run one statement in a new interpreter."""
    subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True)


def main() -> None:
    """What every code server start and every step process pays, and what it does not pay."""
    ours = best_of(lambda: fresh("import pipelines.definitions"))
    heavy = best_of(lambda: fresh("import tensorflow"))
    report("definitions", "import tensorflow", heavy, "import pipelines.definitions", ours)


if __name__ == "__main__":
    main()
