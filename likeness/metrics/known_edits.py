"""Edits against the known answer: the small world's reader, and the picture as it should be."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.bench.known import ASKED, KEPT, TRUE_EDIT, UNTOUCHED, KnownScore, read_scores
from likeness.bench.known import true_scores as scores_to_truth
from likeness.metrics import passports
from likeness.metrics.edit_measures import Edits, Measured, pixels_of
from likeness.metrics.images import READER
from likeness.metrics.passports import Passport

# An attribute's word, or a range of years.
Claim = str | tuple[float, float]


class Claims(BaseModel):
    """What the reader should read of a source and of its edit: attribute -> value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    was: dict[str, Claim] = Field({}, description="of the source, where it is known")
    asked: dict[str, Claim] = Field({}, description="of the edit, and not of the source")
    kept: dict[str, Claim] = Field({}, description="of both")


@dataclass(frozen=True)
class _Pair:
    pair_id: str
    claims: Claims

    @property
    def was(self) -> dict[str, Claim]:
        return self.claims.was

    @property
    def asked(self) -> dict[str, Claim]:
        return self.claims.asked

    @property
    def kept(self) -> dict[str, Claim]:
        return self.claims.kept


def known_answers(edits: Edits, claims: dict[str, Claims]) -> Iterator[Measured]:
    """``asked`` and ``kept`` of every edit, as ``likeness.bench.known`` reads them."""
    from likeness.world.reader.read import Reader

    reader = Reader.load(READER)
    pairs = _pairs(edits, claims)
    before, after = _pictures(edits)
    found = read_scores(reader, pairs, before, after)
    for metric in (ASKED, KEPT):
        paper = passports.of_reader(metric, "sources read rightly", READER)
        yield _measured(edits, paper, [one for one in found if one.metric == metric])


def to_the_true_edit(edits: Edits) -> Iterator[Measured]:
    """``after_ssim`` of every edit to the true one, and ``untouched_ssim``, that of its source."""
    good = edits.table[edits.good]
    truths = {
        str(pair): pixels_of(edits.afters[str(pair)])
        for pair in good["pair_id"].unique()
        if str(pair) in edits.afters
    }
    before, after = _pictures(edits)
    found = scores_to_truth(_pairs(edits, {}), before, after, truths)
    side = int(good["width"].min()) if len(good) else 0
    for metric in (TRUE_EDIT, UNTOUCHED):
        paper = passports.of_ssim("corrected", side).model_copy(update={"metric": metric})
        yield _measured(edits, paper, [one for one in found if one.metric == metric])


def _pairs(edits: Edits, claims: dict[str, Claims]) -> list[_Pair]:
    """Of the good edits, in their order."""
    ids = [str(pair) for pair in edits.table["pair_id"][edits.good]]
    return [_Pair(name, claims.get(name, Claims())) for name in ids]


def _pictures(edits: Edits) -> tuple[np.ndarray, np.ndarray]:
    """Sources and edits of the good ones, N x H x W x 3 uint8."""
    before, after = (
        [pixels_of(file) for file in files] for files in (edits.source_files, edits.files)
    )
    if not before:
        return np.zeros((0, 1, 1, 3), np.uint8), np.zeros((0, 1, 1, 3), np.uint8)
    return np.stack(before), np.stack(after)


def _measured(edits: Edits, paper: Passport, found: list[KnownScore]) -> Measured:
    values = np.array([one.value for one in found], float)
    return edits.measured(paper, values, [one.reason for one in found])
