"""The heavy call on sets of edits: how alike a source and its edits are, all with all."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.edit.table import EDIT, SOURCE
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.sheets import ANY_SIZE
from likeness.metrics import passports, tables
from likeness.metrics.comparison import mean_score
from likeness.metrics.heatmap import heat_map
from likeness.metrics.means import mean_of_pictures
from likeness.metrics.pairs import PairMean, mean_within, within
from likeness.metrics.passports import Named
from likeness.metrics.ssim import SsimProtocol, pairwise, prepare, prepare_published, shared_side
from likeness.metrics.tables import mean_row, pair_rows
from likeness.progress import track
from likeness.statistics import Rate

PREVIEW = "preview.png"
# All pictures of one source, it itself among them.
SET = "set"


class EditPairsParams(BaseModel):
    """How the pictures of a source are compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    side: int = Field(500, ge=16, le=2048, description="px of SSIM corrected; never enlarges")


@dataclass(frozen=True, eq=False)
class Group:
    """A source before its edits: those that are compared, then those of other strengths."""

    table: pd.DataFrame
    compared: int  # rows of the table that belong to the set

    @property
    def ids(self) -> list[str]:
        """In the order of the table."""
        return [str(one) for one in self.table["image_id"]]

    @property
    def edits(self) -> list[str]:
        """What the study calls the compared edits; of a bench, their kinds."""
        names = (
            self.table["edit"]
            .fillna("")
            .where(self.table["edit"].fillna("") != "", self.table["kind"].fillna(""))
        )
        return [str(one) for one in names[1 : self.compared]]


def score_edit_pairs(
    params: EditPairsParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/pairs`` of edits: SSIM of every two pictures of a source's set, and source x edit.

    Protocols ``original_256``, as the published tables were made, and ``corrected``, at native
    size. ``inputs``: ``made``. Writes ``pairs.parquet``, ``means.parquet`` (``set`` x ``set`` over
    all sets; ``source`` x ``edit`` over all edits and for each by its name), ``passports.json`` and
    the matrix of the mean set. Intervals are over sources, which are what is independent; of one
    source alone, over its pictures.
    """
    groups = list(groups_of(image_set.accepted(image_set.read(inputs["made"]))))
    rows: list[pd.DataFrame] = []
    means: list[dict[str, object]] = []
    papers, shown = [], {}
    for protocol, paper, matrices in _matrices(params, inputs["made"], groups):
        papers.append(paper)
        named = paper.named
        for group, matrix in zip(groups, matrices, strict=True):
            rows += _rows(group, matrix, named)
        inner = [m[: g.compared, : g.compared] for g, m in zip(groups, matrices, strict=True)]
        means.append(mean_row(mean_of_sets(inner, protocol), (SET, SET), named))
        means += _by_edit(groups, inner, named)
        if len({tuple(group.edits) for group in groups}) == 1 and groups[0].compared > 1:
            shown[f"SSIM, {paper.protocol}"] = np.mean(inner, axis=0)
    empty = tables.typed(pd.DataFrame(), tables.PAIR_COLUMNS)
    pd.concat([*rows, empty]).to_parquet(output / tables.PAIRS, index=False)
    table = tables.typed(pd.DataFrame(means), tables.MEAN_COLUMNS)
    table.to_parquet(output / tables.MEANS, index=False)
    passports.write(output, papers)
    if shown:
        names = [SOURCE, *groups[0].edits]
        heat_map(shown, names, names, output / PREVIEW)
    whole = table[(table["set_a"] == SET) & (table["part"] == "all")]
    return {"sources": len(groups), "pictures": sum(len(g.table) for g in groups)} | {
        f"mean_ssim/{row.protocol}": None if pd.isna(row.value) else round(float(row.value), 4)
        for row in whole.itertuples()
    }


def groups_of(made: pd.DataFrame) -> Iterator[Group]:
    """The accepted pictures of each source that is there and has edits."""
    edits = made[made["role"] == EDIT]
    for source in made[made["role"] == SOURCE].drop_duplicates("image_id")["image_id"]:
        own = made[(made["role"] == SOURCE) & (made["image_id"] == source)].head(1)
        mine = edits[edits["source_id"] == source]
        first = mine[mine["compared"].fillna(False).astype(bool)]
        rest = mine.drop(first.index)
        if len(mine):
            yield Group(pd.concat([own, first, rest], ignore_index=True), 1 + len(first))


def mean_of_sets(matrices: Sequence[np.ndarray], averaging: SsimProtocol) -> PairMean:
    """Mean over the unordered pairs within each N x N matrix, with a bootstrap over matrices.

    Its n are pairs. Of one matrix the interval is over its pictures, of two there is none.
    """
    if len(matrices) == 1:
        return mean_within(matrices[0], averaging)
    values = [within(matrix) for matrix in matrices]
    some = [one for one in values if len(one)]
    if not some:
        return PairMean(Rate(math.nan, 0, math.nan, math.nan), 0)
    counts = np.array([len(one) for one in some])
    known = mean_of_pictures(np.array([one.mean() for one in some]), weights=counts)
    return PairMean(known._replace(n=int(counts.sum())), 0)


def _matrices(
    params: EditPairsParams, folder: Path, groups: Sequence[Group]
) -> Iterator[tuple[SsimProtocol, passports.Passport, list[np.ndarray]]]:
    """By each protocol the similarity of all pictures of each source."""
    tall = [group.table for group in groups]
    sizes = [
        (int(row.width), int(row.height))
        for row in (pd.concat(tall).itertuples() if tall else iter(()))
    ]
    side = shared_side(sizes, "corrected", params.side)
    at_side = partial(prepare, protocol="corrected", side=side)
    prepared: tuple[tuple[SsimProtocol, passports.Passport, Callable[..., np.ndarray]], ...] = (
        ("original", passports.of_published_ssim(), prepare_published),
        ("corrected", passports.of_ssim("corrected", side), at_side),
    )
    for protocol, paper, ready in prepared:
        found = []
        for group in track(groups, f"SSIM of sets, {paper.protocol}", len(groups)):
            files = [folder / str(file) for file in group.table["file"]]
            pictures = np.stack([ready(decode(file, ANY_SIZE)) for file in files])
            found.append(pairwise(pictures, protocol))
        yield protocol, paper, found


def _rows(group: Group, matrix: np.ndarray, named: Named) -> list[pd.DataFrame]:
    ids, inner = group.ids, group.compared
    mine = ids[:inner]
    return [
        pair_rows(matrix[:inner, :inner], (SET, SET), (mine, mine), named),
        pair_rows(matrix[:1, 1:], (SOURCE, EDIT), (ids[:1], ids[1:]), named),
    ]


def _by_edit(
    groups: Sequence[Group], matrices: Sequence[np.ndarray], named: Named
) -> list[dict[str, object]]:
    """How near the edits stay to their sources: all of them, and each by its name."""
    rows = pd.DataFrame(
        [
            {"source": number, "edit": edit, "value": float(value)}
            for number, (group, matrix) in enumerate(zip(groups, matrices, strict=True))
            for edit, value in zip(group.edits, matrix[0, 1:], strict=True)
        ],
        columns=["source", "edit", "value"],
    )
    parts = [("all", rows), *((str(name), some) for name, some in rows.groupby("edit", sort=False))]
    return [
        mean_row(
            mean_score(some["value"].to_numpy(float), some["source"].tolist()),
            (SOURCE, EDIT),
            named,
            part,
        )
        for part, some in parts
        if len(some)
    ]
