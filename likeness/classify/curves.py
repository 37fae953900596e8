"""Loss and accuracy over the epochs, as one picture."""

from pathlib import Path

import pandas as pd


def draw_curves(history: pd.DataFrame, file: Path) -> None:
    """Two panels, a line per round: training dashed, validation solid."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    for axis, measure in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for number, (name, part) in enumerate(history.groupby("round")):
            color = f"C{number}"
            if measure in part:
                axis.plot(part["epoch"], part[measure], "--", color=color, alpha=0.5)
            if f"val_{measure}" in part:
                axis.plot(part["epoch"], part[f"val_{measure}"], color=color, label=name)
        axis.set(xlabel="epoch", title=f"{measure} (dashed: training, solid: validation)")
        axis.title.set_fontsize(9)
        axis.grid(alpha=0.3)
    axis.legend(fontsize=7)
    figure.savefig(file, dpi=90)
