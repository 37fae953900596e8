"""Matrices as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Panel(NamedTuple):
    """A matrix A x B and what lies along its sides; a name that repeats is written once."""

    title: str
    matrix: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


def heat_map(
    matrices: dict[str, np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
    file: Path,
) -> None:
    """One panel a matrix (A x B) with the same sides, as ``heat_maps``."""
    heat_maps([[Panel(title, one, rows, columns) for title, one in matrices.items()]], file)


def heat_maps(lines: Sequence[Sequence[Panel]], file: Path) -> None:
    """Lines of panels, all on the scale 0..1; cells without a value stay gray."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    across = max(len(line) for line in lines)
    height = 3.4 if max(len(panel.rows) for line in lines for panel in line) > 12 else 2.6
    figure, axes = plt.subplots(
        len(lines),
        across,
        figsize=(height * 1.25 * across, height * len(lines)),
        squeeze=False,
    )
    colours = mpl.colormaps["viridis"].with_extremes(bad="lightgray")
    for places, line in zip(axes, lines, strict=True):
        for axis in places[len(line) :]:
            axis.set_axis_off()
        for axis, panel in zip(places, line, strict=False):
            # Nearest: a smoothed yes or no would show shapes that are not there.
            shown = axis.imshow(
                panel.matrix, colours, vmin=0, vmax=1, aspect="auto", interpolation="nearest"
            )
            axis.set_title(panel.title, fontsize=9)
            _name(axis.xaxis, panel.columns)
            _name(axis.yaxis, panel.rows)
            figure.colorbar(shown, ax=axis, fraction=0.045)
    figure.tight_layout()
    figure.savefig(file, dpi=90)
    plt.close(figure)


def _name(axis: Any, names: Sequence[str]) -> None:
    """A tick at the middle of each run of equal names, with a twelfth of the side between two."""
    runs: list[tuple[str, int, int]] = []
    for place, name in enumerate(names):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], place)
        else:
            runs.append((name, place, place))
    shown: list[tuple[float, str]] = []
    for name, first, last in runs:
        middle = (first + last) / 2
        if not shown or middle - shown[-1][0] >= len(names) / 12:
            shown.append((middle, name))
    axis.set_ticks([middle for middle, _ in shown])
    axis.set_ticklabels([name for _, name in shown], fontsize=7)
