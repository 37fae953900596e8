"""How edits compare with the known answer: what a reader reads, and the picture as it should be."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from likeness.errors import BadInput

if TYPE_CHECKING:
    from likeness.world.reader.read import Reader, Reading

OK = "ok"
NO_ANSWER, NOT_ELIGIBLE, NOT_COMPARED = "no answer", "not eligible", "not compared"
ASKED, KEPT = "asked", "kept"
TRUE_EDIT, UNTOUCHED = "after_ssim", "untouched_ssim"


class Known(Protocol):
    """What should be read of a source and of its edit, as of a pair of a bench."""

    @property
    def pair_id(self) -> str:
        """Names it."""

    @property
    def was(self) -> Mapping[str, Any] | None:
        """Of the source, of what is asked; where it is known."""

    @property
    def asked(self) -> Mapping[str, Any] | None:
        """Of the edit."""

    @property
    def kept(self) -> Mapping[str, Any] | None:
        """Of both."""


class KnownScore(NamedTuple):
    """One measure of one edited picture; NaN where there is none, and the reason says why."""

    pair_id: str
    metric: str
    value: float
    status: str
    reason: str


def read_scores(
    reader: "Reader", pairs: Sequence[Known], sources: np.ndarray, edited: np.ndarray
) -> list[KnownScore]:
    """``asked`` and ``kept`` of each pair: N x H x W x 3 uint8 before and after the edit.

    ``asked``: 1 where the reader reads the edited picture as asked, else 0; only of pairs whose
    source it reads rightly, and not yet as asked. ``kept``: of the attributes that
    have to stay and that it reads rightly in the source, the share that it reads the same
    afterwards, 0..1. The reader errs: what it says of the true edits is the ceiling of both.
    Raises ``BadInput`` where pairs and pictures are not as many.
    """
    if not len(pairs) == len(sources) == len(edited):
        raise BadInput(
            f"{len(pairs)} pairs, {len(sources)} sources and {len(edited)} edited pictures do not "
            "belong together: give one of each for every pair"
        )
    if not len(pairs):
        return []
    before, after = reader.read(sources), reader.read(edited)
    found = []
    for number, pair in enumerate(pairs):
        readings = before[number], after[number]
        found += [
            KnownScore(pair.pair_id, ASKED, *_asked(pair, *readings)),
            KnownScore(pair.pair_id, KEPT, *_kept(pair, *readings)),
        ]
    return found


def true_scores(
    pairs: Sequence[Known],
    sources: np.ndarray,
    edited: np.ndarray,
    truths: Mapping[str, np.ndarray],
) -> list[KnownScore]:
    """SSIM of each edited picture to the true edit, and of its source, which is no edit at all.

    N x H x W x 3 uint8; ``truths``: pair_id -> H x W x 3. SSIM of luma by Wang's Gaussian window at
    native size, -1..1 with 1 the true edit. Only what is above the source's is done by an editor.
    """
    found = []
    for pair, source, picture in zip(pairs, sources, edited, strict=True):
        truth = truths.get(pair.pair_id)
        for metric, one in ((TRUE_EDIT, picture), (UNTOUCHED, source)):
            found.append(KnownScore(pair.pair_id, metric, *_to_truth(one, truth)))
    return found


Score = tuple[float, str, str]


def _asked(pair: Known, before: "Reading", after: "Reading") -> Score:
    from likeness.world.reader.read import agreement

    if not pair.asked:
        return math.nan, NO_ANSWER, "nobody knows what should be read"
    was = pair.was or {}
    right = agreement(before, was)
    wrong = [name for name in was if not right.get(name, False)]
    if wrong:
        name = wrong[0]
        read = before.values.get(name, "nothing")
        return math.nan, NOT_ELIGIBLE, f"{name} of the source is read as {read}"
    # objects are found anywhere, so a source may be read both ways
    if all(agreement(before, pair.asked).values()):
        return math.nan, NOT_ELIGIBLE, "the source reads as asked already"
    return float(all(agreement(after, pair.asked).values())), OK, ""


def _kept(pair: Known, before: "Reading", after: "Reading") -> Score:
    from likeness.world.reader.read import agreement

    if not pair.kept:
        return math.nan, NO_ANSWER, "nobody knows what should be kept"
    right = [name for name, agrees in agreement(before, pair.kept).items() if agrees]
    if not right:
        return math.nan, NOT_ELIGIBLE, "the reader reads nothing of the source rightly"
    still = agreement(after, {name: pair.kept[name] for name in right})
    return float(np.mean([still[name] for name in right])), OK, ""


def _to_truth(picture: np.ndarray, truth: np.ndarray | None) -> Score:
    from PIL import Image

    from likeness.metrics.ssim import cross, prepare

    if truth is None:
        return math.nan, NO_ANSWER, "nobody knows the true edit"
    if picture.shape != truth.shape or picture.shape[0] != picture.shape[1]:
        return math.nan, NOT_COMPARED, f"sizes differ: {picture.shape} and {truth.shape}"
    try:
        one, other = (
            prepare(Image.fromarray(x), "corrected", x.shape[0])[None] for x in (picture, truth)
        )
        return float(cross(one, other, "corrected")[0, 0]), OK, ""
    except BadInput as error:
        return math.nan, NOT_COMPARED, str(error)
