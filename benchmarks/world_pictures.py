"""Drawing pictures of the small world at 64 px: all cores against one.

python benchmarks/world_pictures.py
"""

import tempfile
from itertools import count
from pathlib import Path

from common import best_of, report

from likeness.world.book import write_book
from likeness.world.picture import draw
from likeness.world.sample import Mixture, describe

PICTURES = 1200


def main() -> None:
    """The mixture that the base model learns from; processes start within the timed part."""
    alone = best_of(
        lambda: [draw(describe("bench", i, Mixture()), 64) for i in range(PICTURES)], runs=1
    )
    with tempfile.TemporaryDirectory() as folder:
        number = count()

        def write() -> None:
            write_book(Path(folder) / str(next(number)), "bench", PICTURES, Mixture())

        together = best_of(write, runs=2)
    print(f"{PICTURES / together:.0f} pictures a second")
    report("world_pictures", f"{PICTURES} pictures, one process", alone, "a book of them", together)


if __name__ == "__main__":
    main()
