"""Draw ``docs/binding.png`` from ``docs/binding.csv``: what each stage of training brought.

python docs/binding.py
"""

import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
LINES = {
    "agreement": "asked for and found",
    "painters": "painters named right",
    "new_person": "new person verified (DreamBooth)",
    "names_own": "named people verified",
    "names_others": "verified with others",
}


def main() -> None:
    """One line a figure, over the pictures that were shown."""
    with (HERE / "binding.csv").open() as file:
        rows = list(csv.DictReader(file))
    shown = [float(row["pictures_shown"]) / 1000 for row in rows]
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for name, label in LINES.items():
        axis.plot(shown, [float(row[name]) for row in rows], marker="o", label=label)
    axis.set_xticks(
        shown, [f"{k:.0f}k\n{row['behind']}" for k, row in zip(shown, rows, strict=True)]
    )
    axis.set_xlabel("pictures shown, and the last stage")
    axis.set_ylim(0, 1)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(HERE / "binding.png", dpi=90)


if __name__ == "__main__":
    main()
