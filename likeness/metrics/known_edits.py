"""Edits against the known answer: what the small world's reader reads, and the true picture."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.errors import BadInput
from likeness.metrics import passports
from likeness.metrics.edit_measures import Edits, Measured, pixels_of
from likeness.metrics.images import READER
from likeness.metrics.passports import Passport
from likeness.metrics.ssim import cross, prepare

if TYPE_CHECKING:
    from likeness.world.reader.read import Reader, Reading

ASKED, KEPT = "asked", "kept"
TRUE_EDIT, UNTOUCHED = "after_ssim", "untouched_ssim"
# An attribute's word, or a range of years.
Claim = str | tuple[float, float]


class Claims(BaseModel):
    """What the reader should read of a source and of its edit: attribute -> value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    was: dict[str, Claim] = Field({}, description="of the source, where it is known")
    asked: dict[str, Claim] = Field({}, description="of the edit, and not of the source")
    kept: dict[str, Claim] = Field({}, description="of both")


class Score(NamedTuple):
    """One measure of one edit; NaN where there is none, and the reason says why."""

    value: float
    reason: str = ""


def known_answers(edits: Edits, claims: dict[str, Claims]) -> Iterator[Measured]:
    """``asked`` and ``kept`` of every edit."""
    from likeness.world.reader.read import Reader

    known = [claims.get(pair, Claims()) for pair in _pairs(edits)]
    for metric, found in read_scores(Reader.load(READER), known, *_pictures(edits)).items():
        paper = passports.of_reader(metric, "sources read rightly", READER)
        yield _measured(edits, paper, found)


def to_the_true_edit(edits: Edits) -> Iterator[Measured]:
    """``after_ssim`` of every edit to the true one, and ``untouched_ssim``, that of its source."""
    files = [edits.afters.get(pair) for pair in _pairs(edits)]
    truths = [None if file is None else pixels_of(file) for file in files]
    widths = edits.table["width"][edits.good]
    paper = passports.of_ssim("corrected", int(widths.min()) if len(widths) else 0)
    for metric, found in true_scores(truths, *_pictures(edits)).items():
        yield _measured(edits, paper.model_copy(update={"metric": metric}), found)


def read_scores(
    reader: "Reader", claims: Sequence[Claims], sources: np.ndarray, edited: np.ndarray
) -> dict[str, list[Score]]:
    """``asked`` and ``kept`` of N edits: N x H x W x 3 uint8 before and after.

    ``asked``: 1 where the reader reads the edited picture as asked, else 0; only of edits whose
    source it reads rightly, and not yet as asked. ``kept``: of the attributes that
    have to stay and that it reads rightly in the source, the share that it reads the same
    afterwards, 0..1. The reader errs: what it says of the true edits is the ceiling of both.
    """
    before, after = reader.read(sources), reader.read(edited)
    read = [(one, before[number], after[number]) for number, one in enumerate(claims)]
    return {ASKED: [_asked(*one) for one in read], KEPT: [_kept(*one) for one in read]}


def true_scores(
    truths: Sequence[np.ndarray | None], sources: np.ndarray, edited: np.ndarray
) -> dict[str, list[Score]]:
    """SSIM of each edited picture to the true edit, and of its source, which is no edit at all.

    N x H x W x 3 uint8; ``truths``: H x W x 3, None unknown. SSIM of luma by Wang's Gaussian window
    at native size, -1..1 with 1 the true edit. Only what is above the source's is done by an
    editor.
    """
    return {
        metric: [_to_truth(one, truth) for one, truth in zip(pictures, truths, strict=True)]
        for metric, pictures in ((TRUE_EDIT, edited), (UNTOUCHED, sources))
    }


def _asked(claims: Claims, before: "Reading", after: "Reading") -> Score:
    from likeness.world.reader.read import agreement

    if not claims.asked:
        return Score(math.nan, "nobody knows what should be read")
    right = agreement(before, claims.was)
    wrong = [name for name in claims.was if not right.get(name, False)]
    if wrong:
        name = wrong[0]
        read = before.values.get(name, "nothing")
        return Score(math.nan, f"{name} of the source is read as {read}")
    # objects are found anywhere, so a source may be read both ways
    if all(agreement(before, claims.asked).values()):
        return Score(math.nan, "the source reads as asked already")
    return Score(float(all(agreement(after, claims.asked).values())))


def _kept(claims: Claims, before: "Reading", after: "Reading") -> Score:
    from likeness.world.reader.read import agreement

    if not claims.kept:
        return Score(math.nan, "nobody knows what should be kept")
    right = [name for name, agrees in agreement(before, claims.kept).items() if agrees]
    if not right:
        return Score(math.nan, "the reader reads nothing of the source rightly")
    still = agreement(after, {name: claims.kept[name] for name in right})
    return Score(float(np.mean([still[name] for name in right])))


def _to_truth(picture: np.ndarray, truth: np.ndarray | None) -> Score:
    if truth is None:
        return Score(math.nan, "nobody knows the true edit")
    if picture.shape != truth.shape or picture.shape[0] != picture.shape[1]:
        return Score(math.nan, f"sizes differ: {picture.shape} and {truth.shape}")
    try:
        one, other = (
            prepare(Image.fromarray(x), "corrected", x.shape[0])[None] for x in (picture, truth)
        )
        return Score(float(cross(one, other, "corrected")[0, 0]))
    except BadInput as error:
        return Score(math.nan, str(error))


def _pairs(edits: Edits) -> list[str]:
    """Of the good edits, in their order."""
    return [str(pair) for pair in edits.table["pair_id"][edits.good]]


def _pictures(edits: Edits) -> tuple[np.ndarray, np.ndarray]:
    """Sources and edits of the good ones, N x H x W x 3 uint8."""
    before, after = (
        [pixels_of(file) for file in files] for files in (edits.source_files, edits.files)
    )
    if not before:
        return np.zeros((0, 1, 1, 3), np.uint8), np.zeros((0, 1, 1, 3), np.uint8)
    return np.stack(before), np.stack(after)


def _measured(edits: Edits, paper: Passport, found: list[Score]) -> Measured:
    values = np.array([one.value for one in found], float)
    return edits.measured(paper, values, [one.reason for one in found])
