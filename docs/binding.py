"""Draw ``docs/binding.png``: what each stage of training brought, and what sizes learn.

python docs/binding.py

From ``docs/binding.csv`` and ``benchmarks/results/base_sizes.csv``.
"""

import csv
from itertools import groupby
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

HERE = Path(__file__).parent
SIZES = HERE.parent / "benchmarks" / "results" / "base_sizes.csv"
LINES = {
    "agreement": "asked for and found",
    "painters": "painters named right",
    "new_person": "new person verified (DreamBooth)",
    "names_own": "named people verified",
    "names_others": "verified with others",
}


def main() -> None:
    """Stages above, sizes below over minutes and over steps."""
    figure = plt.figure(figsize=(8, 7))
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 2))
    draw_stages(figure.add_subplot(grid[0, :]), rows_of(HERE / "binding.csv"))
    minutes, steps = figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
    trained = [row for row in rows_of(SIZES) if row["steps"]]
    draw_sizes(minutes, trained, "seconds", 60)
    draw_sizes(steps, trained, "steps", 1)
    minutes.set_xlabel("minutes")
    minutes.set_ylabel("what a name takes off the error")
    steps.set_xlabel("steps")
    steps.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(HERE / "binding.png", dpi=90)


def rows_of(file: Path) -> list[dict[str, str]]:
    """Lines of a table by column."""
    with file.open() as lines:
        return list(csv.DictReader(lines))


def draw_stages(axis: Axes, rows: list[dict[str, str]]) -> None:
    """One line a figure, over the pictures that were shown."""
    shown = [float(row["pictures_shown"]) / 1000 for row in rows]
    for name, label in LINES.items():
        axis.plot(shown, [float(row[name]) for row in rows], marker="o", label=label)
    names = [f"{k:.0f}k\n{row['behind']}" for k, row in zip(shown, rows, strict=True)]
    axis.set_xticks(shown, names)
    axis.set_xlabel("pictures shown, and the last stage")
    axis.set_ylim(0, 1)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def draw_sizes(axis: Axes, rows: list[dict[str, str]], over: str, unit: float) -> None:
    """One line a size."""
    for name, some in groupby(rows, lambda row: row["size"]):
        mine = list(some)
        label = f"{name}: {float(mine[0]['parameters']) / 1e6:.1f} M"
        xs = [float(row[over]) / unit for row in mine]
        axis.plot(xs, [float(row["name_gain"]) for row in mine], marker="o", label=label)
    axis.set_ylim(bottom=0)
    axis.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
