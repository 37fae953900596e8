"""What an editor's knob does: change asked against picture kept, every editor a line."""

from pathlib import Path

import pandas as pd

# Across: kept. Up: asked.
PANELS = (
    ("ssim", "asked", "SSIM with the source", "asked for, read"),
    ("ssim", "directional", "SSIM with the source", "directional similarity"),
    ("ssim", "clip_score", "SSIM with the source", "CLIP score"),
)


def draw_edit_curves(rows: pd.DataFrame, file: Path) -> bool:
    """Rows of the view ``edit_curves`` as a picture; False where there is nothing to draw.

    Points are strengths in order; the large one is what tables compare. An editor without a knob is
    a point.
    """
    from matplotlib.figure import Figure

    panels = [one for one in PANELS if len(rows) and rows[[one[0], one[1]]].notna().all(1).any()]
    if not panels:
        return False
    figure = Figure(figsize=(4.2 * len(panels), 3.6), layout="constrained")
    for axis, (across, up, x, y) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        for number, (name, mine) in enumerate(rows.groupby("experiment", sort=True)):
            some = mine.dropna(subset=[across, up]).sort_values("strength", na_position="last")
            colour = f"C{number % 10}"
            axis.plot(some[across], some[up], "-o", color=colour, markersize=3, label=name)
            main = some[some["compared"].fillna(False).astype(bool)]
            axis.plot(main[across], main[up], "o", color=colour, markersize=8)
        axis.set(xlabel=x, ylabel=y)
        axis.grid(alpha=0.3)
    axis.legend(fontsize=6)
    figure.savefig(file, dpi=90, metadata={"Software": None})
    return True
