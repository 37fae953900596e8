"""Matrices as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def heat_map(
    matrices: dict[str, np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
    file: Path,
) -> None:
    """One panel a matrix (A x B), all on the scale 0..1; cells without a value stay gray.

    ``rows`` and ``columns`` name what lies along the sides; a name that repeats is written once.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    height = 3.4 if len(rows) > 12 else 2.6
    figure, axes = plt.subplots(
        1, len(matrices), figsize=(height * 1.25 * len(matrices), height), squeeze=False
    )
    colours = mpl.colormaps["viridis"].with_extremes(bad="lightgray")
    for axis, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        shown = axis.imshow(matrix, cmap=colours, vmin=0, vmax=1, aspect="auto")
        axis.set_title(title, fontsize=9)
        _name(axis.xaxis, columns)
        _name(axis.yaxis, rows)
        figure.colorbar(shown, ax=axis, fraction=0.045)
    figure.tight_layout()
    figure.savefig(file, dpi=90)
    plt.close(figure)


def _name(axis: Any, names: Sequence[str]) -> None:
    """A tick at the middle of each run of equal names, at most a dozen."""
    runs: list[tuple[str, int, int]] = []
    for place, name in enumerate(names):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], place)
        else:
            runs.append((name, place, place))
    shown = runs[:: max(1, -(-len(runs) // 12))]
    axis.set_ticks([(first + last) / 2 for _, first, last in shown])
    axis.set_ticklabels([name for name, _, _ in shown], fontsize=7)
