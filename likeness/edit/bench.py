"""The pairs of a bench as editors and measures want them."""

from pathlib import Path
from typing import NamedTuple

from likeness.bench.pairs import EditPair, read_pairs
from likeness.edit.change import Change
from likeness.edit.wanted import Wanted
from likeness.images.image_set import REJECTED
from likeness.metrics.known_edits import Claims

NO_WORDS = "(no words)"


class KnownOfPairs(NamedTuple):
    """What a bench knows of its right edits, by pair_id; files lie below the bench's folder."""

    claims: dict[str, Claims]
    masks: dict[str, str]
    afters: dict[str, str]


def wanted_of(folder: Path) -> list[Wanted]:
    """Every pair once, those of one source one behind another; rejected ones with their reason.

    Noise, where an editor begins with some, depends on the pair alone: all editors begin alike.
    """
    pairs: dict[str, EditPair] = {}
    for pair in read_pairs(folder):
        if pair.pair_id not in pairs or pairs[pair.pair_id].status == REJECTED:
            pairs[pair.pair_id] = pair
    order: dict[str | None, int] = {}
    for pair in pairs.values():
        order.setdefault(pair.image_id, len(order))
    return [_wanted(one) for one in sorted(pairs.values(), key=lambda one: order[one.image_id])]


def known_of(folder: Path) -> KnownOfPairs:
    """Claims, masks and true edits of the accepted pairs, where there are any."""
    good = [pair for pair in read_pairs(folder) if pair.status != REJECTED]
    return KnownOfPairs(
        claims={
            pair.pair_id: Claims(was=pair.was or {}, asked=pair.asked, kept=pair.kept or {})
            for pair in good
            if pair.asked is not None
        },
        masks={pair.pair_id: pair.mask for pair in good if pair.mask is not None},
        afters={pair.pair_id: pair.after for pair in good if pair.after is not None},
    )


def _wanted(pair: EditPair) -> Wanted:
    return Wanted(
        pair_id=pair.pair_id,
        kind=pair.kind,
        label=pair.label,
        source_prompt=pair.source_prompt,
        change=Change(target=pair.target_prompt or NO_WORDS),
        seed=int(pair.pair_id[:8], 16),
        image_id=pair.image_id or "none",
        reason=pair.reason if pair.status == REJECTED else None,
    )
