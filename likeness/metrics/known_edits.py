"""Whether an edit shows what was asked, where the answer is known: the small world's reader."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.metrics import passports
from likeness.metrics.edit_measures import Edits, Measured, pixels_of
from likeness.metrics.passports import Passport
from likeness.models.registry import PACKAGE

READER = PACKAGE / "world" / "weights" / "reader"
NO_CLAIM = "nobody knows what it should show"
MISREAD = "the reader reads the source otherwise"
# An attribute's word, or a range of years.
Claim = str | tuple[float, float]


class Claims(BaseModel):
    """What the reader should read of a source and of its edit: attribute -> value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    was: dict[str, Claim] = Field({}, description="of the source, where it is known")
    asked: dict[str, Claim] = Field({}, description="of the edit, and not of the source")
    kept: dict[str, Claim] = Field({}, description="of both")


def known_answers(edits: Edits, claims: dict[str, Claims]) -> Iterator[Measured]:
    """``asked``: 1 where all that was asked is read in the edit; ``kept``: share of what stays.

    An edit counts for ``asked`` only where the reader reads the source rightly, and not as what was
    asked; an attribute counts for ``kept`` only where it is read rightly in the source.
    """
    from likeness.models.checksums import sha256_of
    from likeness.world.reader.read import Reader, agreement

    reader = Reader.load(READER)
    revision = sha256_of(READER / "model.safetensors")
    wanted = [claims.get(str(pair)) for pair in edits.table["pair_id"][edits.good]]
    pictures = [[pixels_of(file) for file in files] for files in (edits.source_files, edits.files)]
    before, after = (reader.read(np.stack(some)) if some else [] for some in pictures)
    asked, kept = [], []
    for old, new, one in zip(before, after, wanted, strict=True):
        asked.append(NO_CLAIM if one is None else _asked(old, new, one, agreement))
        kept.append(NO_CLAIM if one is None else _kept(old, new, one, agreement))
    for metric, found in (("asked", asked), ("kept", kept)):
        paper = Passport(
            metric=metric,
            protocol="sources read rightly",
            model="small-reader",
            revision=revision,
            preprocessing="area to 64 x 64",
            libraries=passports.versions("torch", "numpy"),
        )
        values, reasons = _parted(found)
        yield edits.measured(paper, values, reasons)


def _asked(old: Any, new: Any, claims: Claims, agreement: Any) -> float | str:
    if not claims.asked:
        return NO_CLAIM
    rightly = agreement(old, claims.was).values()
    already = agreement(old, claims.asked).values()
    if not all(rightly) or all(already):
        return MISREAD
    return float(all(agreement(new, claims.asked).values()))


def _kept(old: Any, new: Any, claims: Claims, agreement: Any) -> float | str:
    if not claims.kept:
        return NO_CLAIM
    there = {
        name: claims.kept[name] for name, right in agreement(old, claims.kept).items() if right
    }
    if not there:
        return MISREAD
    return float(np.mean(list(agreement(new, there).values())))


def _parted(found: Sequence[float | str]) -> tuple[np.ndarray, list[str]]:
    values = np.array([np.nan if isinstance(one, str) else one for one in found], float)
    return values, [one if isinstance(one, str) else "" for one in found]
