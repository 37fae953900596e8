"""Whether a prompt and a seed decide the picture, and a changed word moves what is in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.generate.sample import sample
from likeness.world.figures.figure import SAMPLING, Figure, keep, mean, rate

if TYPE_CHECKING:
    from likeness.faces.small import SmallFace
    from likeness.world.reader.read import Found, Reader

Box = tuple[float, float, float, float]
PLACES = ("in a kitchen", "on a beach")
# Subjects, before and after, that differ by one word.
CHANGES = (
    ("dog", "cat"),
    ("cat", "dog"),
    ("horse", "bear"),
    ("bear", "horse"),
    ("lion", "camel"),
    ("man", "woman"),
    ("boy", "girl"),
    ("woman in a red shirt", "woman in a green shirt"),
    ("man in a blue shirt", "man in a yellow shirt"),
    ("man with black hair", "man with blonde hair"),
    ("smiling woman", "sad woman"),
    ("young man with glasses", "old man with glasses"),
    ("car", "bicycle"),
)


def layout_moves(pipe: Any, reader: "Reader", face: "SmallFace", scratch: Path) -> list[Figure]:
    """How much of a subject's box is kept when one word changes and the seed does not.

    Intersection over union of the boxes before and after, over pairs in which the reader finds a
    subject in both; where it does not and ``small-face`` finds a face in both, of the faces.
    Without control by an editor it has to be low: where the subject stays anyhow, there is nothing
    for an editor to keep.
    """
    pairs = [
        (f"a photo of a {before} {place}", f"a photo of a {after} {place}")
        for before, after in CHANGES
        for place in PLACES
    ]
    prompts = [prompt for pair in pairs for prompt in pair]
    seeds = [number for number in range(len(pairs)) for _ in range(2)]
    made = sample(pipe, prompts, seeds, SAMPLING, "one word changed")
    keep(scratch / "layout.jpg", made[:48], None)
    boxes = [subject(found) for found in reader.read(made).objects]
    faces = [found[0].box if found else None for found in face.detect(made)]
    both = [
        pair
        for one in range(0, len(made), 2)
        if (pair := _in_both(boxes[one : one + 2]) or _in_both(faces[one : one + 2]))
    ]
    shared = np.array([overlap(a, b) for a, b in both])
    return [
        mean("base", "layout/box_iou_after_one_word", shared, "<= 0.6"),
        rate("base", "layout/subject_found", [box is not None for box in boxes]),
    ]


def _in_both(boxes: "list[Box | None]") -> tuple[Box, Box] | None:
    before, after = boxes
    return None if before is None or after is None else (before, after)


def subject(found: "list[Found]") -> Box | None:
    """The box of what is surest; a face belongs to its person."""
    whole = [one for one in found if one.kind != "face"]
    return max(whole, key=lambda one: one.score).box if whole else None


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = sum((right - left) * (bottom - top) for left, top, right, bottom in (a, b)) - shared
    return shared / union if union > 0 else 0.0


def repeated(pipe: Any) -> Figure:
    """Share of pictures that come out the same, to the last bit, when they are asked for again."""
    prompts, seeds = ["a photo of a dog", "zarin", ""], [1, 2, 3]
    first, again = (sample(pipe, prompts, seeds, SAMPLING, "asked twice") for _ in range(2))
    same = [bool((a == b).all()) for a, b in zip(first, again, strict=True)]
    return rate("base", "same_prompt_and_seed_same_picture", same, ">= 1")
