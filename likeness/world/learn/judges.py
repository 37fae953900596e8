"""Which pictures the judges of the small world learn from, and which they are measured on."""

from pathlib import Path

from likeness.world.book import Book, write_book
from likeness.world.sample import Mixture

EVERY_PAINTER = ("base", "unseen_by_base", "unseen_by_all")
# Nobody here is a person of the base model, and no seed is shared with it.
STRANGERS = Mixture(named=0.0)
FACES = Mixture(people=1.0, things=0.0, named=0.0, identities=2400, related=0.08, portraits=0.75)
MIXTURES = {
    "clip": STRANGERS,
    "face": FACES,
    "reader": STRANGERS.model_copy(
        update={"people": 0.45, "things": 0.35, "painters": EVERY_PAINTER, "held_out": True}
    ),
}
COUNTS = {"clip": 24_000, "face": 26_000, "reader": 36_000}
TEST_COUNTS = {"clip": 640, "face": 1_500, "reader": 3_000}


def training_book(model: str, scratch: Path) -> Book:
    """What ``model`` learns from."""
    return write_book(scratch / "books" / model, model, COUNTS[model], MIXTURES[model])


def test_book(model: str, scratch: Path) -> Book:
    """What ``model`` is measured on: other people, other seeds, held-out combinations too."""
    changed = {"held_out": True} | ({"identities": 150} if model == "face" else {})
    mixture = MIXTURES[model].model_copy(update=changed)
    return write_book(
        scratch / "books" / f"{model}-test", f"{model}-test", TEST_COUNTS[model], mixture
    )
