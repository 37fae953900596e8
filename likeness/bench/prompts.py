"""Two captions of the small world's grammar that differ in the words of a change alone."""

from difflib import SequenceMatcher

import numpy as np

from likeness.bench.changes import Edit
from likeness.world import words
from likeness.world.description import Description
from likeness.world.grammar import Said, caption

# What an edit's captions may say beside what has to be said: whom or what sort of picture we see.
FREE = {"age", "sex", "style"}
Sayings = dict[str, Said]  # text -> what it claims beside the change
ROUND, ROUNDS = 250, 8  # captions of each side that are drawn at a time, and how often at most


def prompts_of(edit: Edit, seed: int) -> tuple[str, str] | None:
    """Source and target prompt, both saying what is needed and no more; None where none is found.

    They name the subject and what changes, and are equal but for one run of words: the shortest
    there is among those that the grammar came up with. The same arguments, the same prompts.
    """
    found: tuple[Sayings, Sayings] = ({}, {})
    for start in range(0, ROUND * ROUNDS, ROUND):
        for sayings, one in zip(found, (edit.before, edit.after), strict=True):
            sayings |= _sayings(one, edit, range(start, start + ROUND), seed)
        if pair := _closest(*found):
            return pair
    return None


def changed_words(source: str, target: str) -> list[tuple[list[str], list[str]]]:
    """The runs of words in which two prompts differ, in order: (only in source, only in target)."""
    one, other = source.split(), target.split()
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return [(one[a:b], other[c:d]) for kind, a, b, c, d in blocks if kind != "equal"]


def _sayings(it: Description, edit: Edit, numbers: range, seed: int) -> Sayings:
    """Captions of one side that say what is needed and no more.

    The same number means the same choices on both sides, as far as the same is there to be said.
    """
    needed = {"thing_kind"} if it.things else set()
    if _says(it, edit.attribute):
        needed.add(edit.attribute)
    found: Sayings = {}
    for number in numbers:
        one = caption(it, np.random.default_rng([seed, number]))
        decorated = "," in one.text or any(phrase in one.text for phrase in words.DETAIL)
        if not decorated and needed <= set(one.said) <= needed | FREE:
            found[one.text] = {k: v for k, v in one.said.items() if k != edit.attribute}
    return found


def _says(it: Description, attribute: str) -> bool:
    """Whether a caption can speak of it: nobody says what somebody does not wear."""
    return it.person is None or getattr(it.person, attribute, True) not in (False, "none")


def _closest(sources: Sayings, targets: Sayings) -> tuple[str, str] | None:
    """The pair that differs in one run of the fewest words; of several, the first that was said.

    What both claim beside the change is the same: the subject is called by the same words.
    """
    best: tuple[str, str] | None = None
    fewest = 0
    for source, claimed in sources.items():
        for target, claims in targets.items():
            runs = changed_words(source, target)
            count = sum(len(one) + len(other) for one, other in runs)
            same = claims == claimed and len(runs) == 1
            if same and (best is None or count < fewest):
                best, fewest = (source, target), count
    return best
