"""Splits that keep every class's share and never part pictures that belong together.

A *group* holds the pictures of one thing (one painting photographed twice, a replica and its
original): it goes into one part as a whole, whatever classes it spans. Results depend on the ids,
their labels, who shares a group with whom, and the seed; neither on the order of the rows nor on
how groups are named.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from likeness.errors import BadInput

SPLITS = ("train", "valid", "test")


class Made(BaseModel):
    """A split made here: below 1 a fraction of each class, from 1 on pictures of each class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid: float = Field(0.15, gt=0, description="validation part: fraction, or count per class")
    test: float = Field(0.15, ge=0, description="test part: fraction, or count per class; 0 = none")

    @model_validator(mode="after")
    def _possible(self) -> "Made":
        parts = (self.valid, self.test)
        if any(part >= 1 and part != int(part) for part in parts):
            raise ValueError("valid and test are fractions below 1 or whole numbers of pictures")
        if sum(part for part in parts if part < 1) >= 1:
            raise ValueError("the fractions of valid and test leave nothing to train on")
        return self


class Straddle(NamedTuple):
    """A group found in more than one split, and the rows of its members."""

    group: object
    members: list[int]


def make_split(
    ids: Sequence[str], labels: Sequence, groups: Sequence, made: Made, seed: int
) -> np.ndarray:
    """'train', 'valid' or 'test' per picture, stratified by label, groups kept whole.

    Sizes are as near to ``made`` as whole groups allow; big groups tend to go to train. Every class
    is in every split, else BadInput names the class and its count.
    """

    def shares(size: int) -> list[float]:
        held = [part if part >= 1 else part * size for part in (made.valid, made.test) if part]
        return [size - sum(held), *held]

    return np.array(SPLITS)[_deal(ids, labels, groups, shares, seed)]


def make_folds(
    ids: Sequence[str], labels: Sequence, groups: Sequence, k: int, seed: int
) -> np.ndarray:
    """Fold 0..k-1 per picture, under the laws of ``make_split``; all folds about equally big."""
    return _deal(ids, labels, groups, lambda size: [size / k] * k, seed)


def hold_out(
    ids: Sequence[str], labels: Sequence, groups: Sequence, fraction: float, seed: int
) -> np.ndarray:
    """True for about ``fraction`` of every class, under the laws of ``make_split``."""
    parts = _deal(ids, labels, groups, lambda n: [n * (1 - fraction), n * fraction], seed)
    return parts == 1


def straddling(splits: Sequence[str], groups: Sequence) -> list[Straddle]:
    """The groups that are in more than one split, in order of first appearance."""
    found, members = list(splits), dict[object, list[int]]()
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    return [
        Straddle(group, rows)
        for group, rows in members.items()
        if len({found[row] for row in rows}) > 1
    ]


def _deal(
    ids: Sequence[str],
    labels: Sequence,
    groups: Sequence,
    shares: Callable[[int], list[float]],
    seed: int,
) -> np.ndarray:
    """Part of each row; ``shares`` says how many of a class of that size each part should get."""
    classes, label_codes = np.unique(np.asarray(labels), return_inverse=True)
    owner = _group_numbers(ids, label_codes, groups)
    sizes = np.zeros((owner.max(initial=-1) + 1, len(classes)))
    np.add.at(sizes, (owner, label_codes), 1)
    wanted = np.array([shares(int(size)) for size in sizes.sum(0)]).T
    _refuse(classes, sizes, wanted.min(0) <= 0, len(wanted))
    part, missing = _place(sizes, wanted, np.random.default_rng(seed))
    _refuse(classes, sizes, missing, len(wanted))
    return part[owner]


def _refuse(classes: np.ndarray, sizes: np.ndarray, bad: np.ndarray, parts: int) -> None:
    for label in np.flatnonzero(bad):
        raise BadInput(
            f"class {classes[label]} has {int(sizes[:, label].sum())} pictures in "
            f"{np.count_nonzero(sizes[:, label])} groups, too few for the {parts} parts asked for: "
            f"add pictures or ask for fewer or smaller parts"
        )


def _group_numbers(ids: Sequence[str], label_codes: np.ndarray, groups: Sequence) -> np.ndarray:
    """Group of each row as 0..G-1, numbered by the smallest id in it."""
    # plain lists: a pandas Series would look rows up by its index
    names, number = list(groups), dict[object, int]()
    owner = np.empty(len(ids), np.int64)
    for row in np.lexsort((label_codes, np.asarray(ids, dtype=str))):
        owner[row] = number.setdefault(names[row], len(number))
    return owner


def _place(
    sizes: np.ndarray, wanted: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Part of each group, and which classes are missing from a part.

    ``sizes`` is (groups, classes), ``wanted`` (parts, classes). Groups are dealt the biggest first,
    each to the part where it helps most; then single groups move as long as that is better.
    """
    # the column of totals keeps the leftovers of all classes from piling up in the same part
    sizes = np.column_stack([sizes, sizes.sum(1)])
    wanted = np.column_stack([wanted, wanted.sum(1)])
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order, -1], kind="stable")]
    part = np.zeros(len(sizes), np.int64)
    held = np.zeros_like(wanted)
    for group in order:
        part[group] = int(np.argmin(_added_error(held, wanted, sizes[group])))
        held[part[group]] += sizes[group]
    while any([_move(group, part, held, sizes, wanted) for group in order]):
        pass
    return part, (held[:, :-1] == 0).any(0)


def _move(
    group: int, part: np.ndarray, held: np.ndarray, sizes: np.ndarray, wanted: np.ndarray
) -> bool:
    """Move one group, in place, where fewer cells are empty, or as few and sizes come closer."""
    here, size = part[group], sizes[group]
    held[here] -= size
    fills = ((held == 0) & (size > 0)).sum(1)
    error = _added_error(held, wanted, size)
    best = min(range(len(held)), key=lambda p: (-fills[p], error[p]))
    better = (-fills[best], error[best] + 1e-9) < (-fills[here], error[here])
    part[group] = best if better else here
    held[part[group]] += size
    return better


def _added_error(held: np.ndarray, wanted: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Per part: change of the squared, relative error of its sizes if it took the group."""
    short = wanted - held
    return ((size**2 - 2 * size * short) / np.maximum(wanted, 1)).sum(1)
