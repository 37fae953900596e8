"""What an editor's knob does: change asked against picture kept, every editor a line."""

from pathlib import Path
from typing import Any

import pandas as pd

# Across: kept. Up: asked.
PANELS = (
    ("ssim", "asked", "SSIM with the source", "asked for, read"),
    ("ssim", "directional", "SSIM with the source", "directional similarity"),
    ("ssim", "clip_score", "SSIM with the source", "CLIP score"),
)


def draw_edit_curves(rows: pd.DataFrame, file: Path) -> bool:
    """Rows of the view ``edit_curves`` as a picture; False where there is nothing to draw.

    A row of panels for each population with a curve: lines over different pairs would tell of the
    pairs. Points are strengths in order; the large one, with its 95 % intervals, is what tables
    compare. An editor without a knob is a point. n counts sources (of asked: edits).
    """
    from matplotlib.figure import Figure

    populations = _with_curves(rows)
    whole = pd.concat(populations) if populations else rows.head(0)
    panels = [one for one in PANELS if whole[[one[0], one[1]]].notna().all(axis=1).any()]
    if not panels:
        return False
    size = (4.2 * len(panels), 3.6 * len(populations))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(populations), len(panels), squeeze=False)
    for axes, mine in zip(grid, populations, strict=True):
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, mine, panel)
    figure.savefig(file, dpi=90, metadata={"Software": None})
    return True


def _with_curves(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each population in which an editor has several strengths."""
    if rows.empty:
        return []
    found = [mine for _, mine in rows.groupby("population", sort=False)]
    return [mine for mine in found if mine.groupby("experiment")["strength"].nunique().max() > 1]


def _draw(axis: Any, mine: pd.DataFrame, panel: tuple[str, str, str, str]) -> None:
    across, up, x, y = panel
    mine, others = _alike(mine, across, up)
    for number, (name, rows) in enumerate(mine.groupby("experiment", sort=True)):
        some = rows.dropna(subset=[across, up]).sort_values("strength", na_position="last")
        if some.empty:
            continue
        colour = f"C{number % 10}"
        label = f"{name}, n={_counted(some[f'{up}_n'])}"
        axis.plot(some[across], some[up], "-o", color=colour, markersize=3, label=label)
        main = some[some["compared"].fillna(False).astype(bool)]
        for row in main.to_dict("records"):
            ends = [_reach(row, name) for name in (across, up)]
            axis.errorbar(
                row[across], row[up], ends[1], ends[0], "o", color=colour, markersize=8, alpha=0.6
            )
    title = f"the same {int(mine['pairs'].iloc[0])} pairs"
    title += f"\nmeasured otherwise: {', '.join(others)}" if others else ""
    axis.set(xlabel=x, ylabel=y)
    axis.set_title(title, fontsize=8 if others else None)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=6)


def _alike(mine: pd.DataFrame, across: str, up: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows measured as most of them are, and the experiments that another encoder measured."""
    some = mine.dropna(subset=[across, up])
    if some.empty:
        return mine, []
    by = some[f"{across}_by"] + " " + some[f"{up}_by"]
    usual = by == by.mode().iloc[0]
    return some[usual], sorted(set(some.loc[~usual, "experiment"]))


def _reach(row: dict[str, Any], name: str) -> list[list[float]] | None:
    """How far an interval goes below and above its value; None where there is none."""
    value, low, high = (row[one] for one in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(low) or pd.isna(high):
        return None
    return [[max(0.0, value - low)], [max(0.0, high - value)]]


def _counted(counts: "pd.Series[int]") -> str:
    few, many = int(counts.min()), int(counts.max())
    return str(few) if few == many else f"{few} to {many}"
