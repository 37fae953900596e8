"""Which pictures the judges of the small world learn from, and which they are measured on."""

from pathlib import Path

from likeness.world.book import Book, write_book
from likeness.world.sample import UNSEEN, Mixture

# The answer key knows the painters and combinations that the base model has to learn anew.
KEY = Mixture(
    people=0.45,
    things=0.35,
    named=0.0,
    painters=("base", "unseen_by_base"),
    unseen=("unseen_by_base",),
)
# Several pictures of each of many people; and pictures of nobody, where no face is to be found.
FACES = Mixture(people=0.8, things=0.12, named=0.0, identities=5000, related=0.08, portraits=0.75)
# Named people too, in pictures of its own: prompts with names are scored as well.
PAIRS = Mixture(named=0.4)
MIXTURES = {"clip": PAIRS, "face": FACES, "reader": KEY}
COUNTS = {"clip": 48_000, "face": 60_000, "reader": 90_000}
TEST_COUNTS = {"clip": 640, "face": 1_500, "reader": 3_000}


def training_book(model: str, scratch: Path) -> Book:
    """What ``model`` learns from."""
    return write_book(scratch / "books" / model, model, COUNTS[model], MIXTURES[model])


def test_mixture(model: str) -> Mixture:
    """What ``model`` is measured on: other people, all combinations."""
    changed = {"unseen": UNSEEN} | ({"identities": 150} if model == "face" else {})
    return MIXTURES[model].model_copy(update=changed)


def test_book(model: str, scratch: Path) -> Book:
    """Pictures of seeds that ``model`` has not learned from."""
    folder = scratch / "books" / f"{model}-test"
    return write_book(folder, f"{model}-test", TEST_COUNTS[model], test_mixture(model))
