"""All pairs of perceptual hashes: one numpy pass against a loop over imagehash objects.

python benchmarks/near_duplicates.py
"""

import imagehash
import numpy as np
from common import best_of, report

from likeness.images.hashing import near_duplicate_pairs

COUNT, DISTANCE = 1000, 10


def main() -> None:
    """Time both on the same hashes and hold their answers against each other."""
    rng = np.random.default_rng(0)
    hashes = [f"{value:016x}" for value in rng.integers(0, 2**63, COUNT)]
    hashes += [f"{int(value, 16) ^ 7:016x}" for value in hashes[:50]]

    def loop() -> list[tuple[int, int, int]]:
        known = [imagehash.hex_to_hash(value) for value in hashes]
        pairs = (
            (i, j, known[i] - known[j]) for i in range(len(known)) for j in range(i + 1, len(known))
        )
        return [(i, j, int(distance)) for i, j, distance in pairs if distance <= DISTANCE]

    def ours() -> list[tuple[int, int, int]]:
        return [tuple(map(int, pair)) for pair in near_duplicate_pairs(hashes, DISTANCE)]

    assert loop() == ours()
    report("near_duplicates", "loop over imagehash", best_of(loop, 1), "one pass", best_of(ours))


if __name__ == "__main__":
    main()
