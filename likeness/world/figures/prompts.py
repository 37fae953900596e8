"""Whether pictures show what their prompts ask for, read by the answer key."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.world.book import page_of
from likeness.world.figures.figure import PROMPTS, Figure, keep, mean, rate
from likeness.world.grammar import caption
from likeness.world.picture import draw
from likeness.world.sample import describe, held_out_in

if TYPE_CHECKING:
    from likeness.world.reader.read import Reader

LEAST_ASKED = 10  # attributes asked for less often have no part in the mean over attributes


@dataclass(frozen=True)
class Asked:
    """A held-out prompt, the claims of it that can be read, and the picture it describes."""

    prompt: str
    claims: dict[str, Any]
    rendering: np.ndarray
    unseen: bool  # holds a combination that was held out of all training


def held_out_prompts(count: int) -> list[Asked]:
    """Captions of descriptions that no model was trained on; some hold unseen combinations."""
    from likeness.world.reader.truth import age_of, truth_of

    asked = []
    for index in range(count):
        page = describe("prompts", index, PROMPTS)
        drawn = draw(page, 64)
        known = page_of(page, drawn)
        truth = truth_of(known) | {"age": age_of(known)}
        one = caption(page, np.random.default_rng(index))
        claims = {name: value for name, value in one.said.items() if truth.get(name) is not None}
        asked.append(Asked(one.text, claims, drawn.picture, bool(held_out_in(page))))
    return asked


def prompts_followed(
    reader: "Reader", asked: Sequence[Asked], made: np.ndarray, scratch: Path
) -> list[Figure]:
    """Of what prompts ask for: how much the reader finds in ``made``, per attribute and in all.

    The mean is over attributes asked for at least ``LEAST_ASKED`` times, each with the same weight;
    its interval is a bootstrap over prompts (Efron 1979). The ceiling is what the reader finds in
    the pictures that the prompts describe. ``agreement_of_unseen``: mean over the prompts that
    hold an unseen combination of the share of their claims that is found;
    ``agreement_of_others`` beside.
    """
    drawn = np.stack([a.rendering for a in asked])
    keep(scratch / "prompts.jpg", made[:48], drawn[:48])
    hits, ceiling = (_hits(reader, pictures, asked) for pictures in (made, drawn))
    each = [
        rate("base", f"agreement/{name}", hits[name][~np.isnan(hits[name])], ">= 0.80")
        for name in sorted(hits)
    ]
    often = [name for name, found in hits.items() if np.isfinite(found).sum() >= LEAST_ASKED]
    overall = _mean_of(often, hits)
    low, high = _bootstrap(often, hits, len(asked))
    return [
        Figure("base", "agreement_mean_of_attributes", overall, len(often), low, high, ">= 0.90"),
        Figure("base", "agreement_ceiling", _mean_of(often, ceiling), len(often)),
        *_by_whether_seen(hits, asked),
        *each,
    ]


def _by_whether_seen(hits: dict[str, np.ndarray], asked: Sequence[Asked]) -> list[Figure]:
    table = np.stack(list(hits.values()))
    told = ~np.isnan(table).all(0)
    shares = np.full(len(asked), np.nan)
    shares[told] = np.nanmean(table[:, told], 0)
    unseen = np.array([one.unseen for one in asked])
    parts = {"unseen": told & unseen, "others": told & ~unseen}
    return [
        mean("base", f"agreement_of_{name}", shares[rows])
        for name, rows in parts.items()
        if rows.any()
    ]


def _hits(reader: "Reader", pictures: np.ndarray, asked: Sequence[Asked]) -> dict[str, np.ndarray]:
    """Per attribute a value for each prompt: 1 found, 0 not, NaN not asked for."""
    from likeness.world.reader.read import agreement

    readings = reader.read(pictures)
    hits: dict[str, np.ndarray] = defaultdict(lambda: np.full(len(asked), np.nan))
    for index, one in enumerate(asked):
        for name, right in agreement(readings[index], one.claims).items():
            hits[name][index] = right
    return dict(hits)


def _mean_of(names: Sequence[str], hits: dict[str, np.ndarray]) -> float:
    """Mean over attributes of the share that is found; without those that nobody asked for."""
    shares = [hits[n][~np.isnan(hits[n])].mean() for n in names if np.isfinite(hits[n]).any()]
    return float(np.mean(shares)) if shares else float("nan")


def _bootstrap(
    names: Sequence[str], hits: dict[str, np.ndarray], count: int
) -> tuple[float, float]:
    """95 % percentile interval of the mean of attributes over prompts drawn with repetition."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(count, size=count) for _ in range(500)]
    means = [_mean_of(names, {n: hits[n][rows] for n in names}) for rows in draws]
    low, high = np.nanpercentile(means, (2.5, 97.5))
    return float(low), float(high)
