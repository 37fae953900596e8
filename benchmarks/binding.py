"""Does a rare word come to mean a person whom the small base model has never seen?

python benchmarks/binding.py

Plain DreamBooth by a quick recipe, for each of a few people of ``unseen_by_base``: a row per
person, and means with their intervals over people (``likeness/world/figures/binding.py``).
"""

import tempfile
from pathlib import Path

import torch
from common import write_rows

from likeness.faces.small import SmallFace
from likeness.world.figures.binding import bind, new_people_bound
from likeness.world.ship import WEIGHTS

PEOPLE = (3, 4, 5)  # the recipe was chosen on three others


def main() -> None:
    """A row per person, then means with their intervals over people."""
    torch.set_num_threads(2)
    face = SmallFace.load(WEIGHTS / "face")
    rows = []
    for number in PEOPLE:
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(bind(WEIGHTS / "base", number, face, Path(scratch)))
    for one in new_people_bound(rows):
        print(f"{one.name} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}], {one.n} people")
    write_rows("binding", rows)


if __name__ == "__main__":
    main()
