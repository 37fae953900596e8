"""The small world's own bench: pictures, what is asked for, and the picture it should become."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice
from zlib import crc32

import numpy as np

from likeness.bench.changes import CHANGES, Edit
from likeness.bench.prompts import prompts_of
from likeness.bench.sources import WorldBench
from likeness.errors import BadInput
from likeness.progress import track
from likeness.world.book import page_of
from likeness.world.description import Description
from likeness.world.picture import Drawn, draw
from likeness.world.reader.truth import Truth, truth_of
from likeness.world.sample import describe, held_out_in

TRIES = 2000  # descriptions in a row: of a hundred, two show a box, door or car and nothing else
LEAST = 0.01  # share of the picture that has to change: less than that is hardly seen
CLOSED = 1 / 32  # of the side: gaps in a mask that are closed


@dataclass(frozen=True)
class WorldPair:
    """One pair with its pictures (side x side x 3 uint8) and its mask (side x side bool)."""

    kind: str
    edit: Edit
    source_prompt: str
    target_prompt: str
    before: np.ndarray
    after: np.ndarray
    mask: np.ndarray | None
    was: dict[str, str]
    asked: dict[str, str]
    kept: dict[str, str]


def world_pairs(config: WorldBench, side: int) -> Iterator[WorldPair]:
    """``pairs`` pairs, a kind after the other in turn, at side x side px; more begin with the same.

    Their descriptions come from seeds of this bench's own, so none was shown in any training, and
    hold no held-out combination before or after. Outside of a mask both pictures are the same bit
    for bit; the answer keys of the two differ in one attribute.
    """
    kinds = {
        kind: cycle([_of_way(kind, number, config.seed, side) for number in range(len(ways))])
        for kind, ways in CHANGES.items()
    }
    turns = islice(cycle(kinds.values()), config.pairs)
    for ways in track(turns, "drawing pairs", config.pairs):
        yield next(next(ways))


def _of_way(kind: str, way: int, seed: int, side: int) -> Iterator[WorldPair]:
    """Endlessly."""
    mixture, change = CHANGES[kind][way]
    source = f"edits-{kind}-{way}-{seed}"
    failed = 0
    for index in count():
        pair = None
        rng = np.random.default_rng([crc32(source.encode()), index, 1, 1])
        edit = change(describe(source, index, mixture), rng)
        if edit is not None and not (held_out_in(edit.before) | held_out_in(edit.after)):
            pair = _pair(kind, edit, crc32(f"{source}-{index}".encode()), side)
        failed = 0 if pair else failed + 1
        if failed == TRIES:
            raise BadInput(f"{TRIES} descriptions in a row allow no {kind}: take another seed")
        if pair:
            yield pair


def _pair(kind: str, edit: Edit, seed: int, side: int) -> WorldPair | None:
    """The pair of an edit; None where it cannot be said or is not to be seen."""
    before, after = draw(edit.before, side), draw(edit.after, side)
    old, new = _key(edit.before, before), _key(edit.after, after)
    both = {name for name in old if old[name] is not None and new[name] is not None}
    differing = {name for name in both if old[name] != new[name]}
    seen = (before.picture != after.picture).any(axis=2).mean()
    if differing != {edit.attribute} or seen < LEAST:
        return None
    prompts = prompts_of(edit, seed)
    if prompts is None:
        return None
    return WorldPair(
        kind,
        edit,
        *prompts,
        before.picture,
        after.picture,
        None if kind == "style" else mask_of(edit, before, after),
        {edit.attribute: str(old[edit.attribute])},
        {edit.attribute: str(new[edit.attribute])},
        {name: str(old[name]) for name in sorted(both - differing)},
    )


def mask_of(edit: Edit, before: Drawn, after: Drawn) -> np.ndarray:
    """Where the edit may change anything, side x side bool.

    Of a thing: where it is before or after, and its shadow. Of a place: all that is not the
    subject, and the subject's edge, in which both are mixed. Else what differs, without gaps.
    """
    from scipy.ndimage import binary_closing

    differing = (before.picture != after.picture).any(axis=2)
    if edit.attribute == "place":
        return ~(before.foreground & after.foreground) | differing
    if edit.before.things:
        return before.foreground | after.foreground | differing
    radius = max(1, round(CLOSED * len(differing)))
    return differing | binary_closing(differing, np.ones((2 * radius + 1,) * 2))


def _key(description: Description, drawn: Drawn) -> Truth:
    """What a reader should read."""
    return truth_of(page_of(description, drawn))
