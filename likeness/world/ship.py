"""Put trained models into the package, each with a card: what it is, what it reaches."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from likeness.errors import BadInput
from likeness.world.figures.figure import Figure

WEIGHTS = Path(__file__).parent / "weights"
MODELS = ("base", "clip", "face", "reader")
CONFUSION = "confusion.parquet"
LARGEST_MB = 15.0  # of one file
LARGEST_TOTAL_MB = 40.0


def ship(model: str, folder: Path, weights: Path = WEIGHTS) -> Path:
    """Copy a trained model's folder into the package, all at once; its place there."""
    too_large = [f.name for f in folder.rglob("*") if f.stat().st_size > LARGEST_MB * 1e6]
    if too_large:
        raise BadInput(f"{model}: {too_large[0]} is larger than {LARGEST_MB} MB: save it in shards")
    place, aside, old = weights / model, weights / f".{model}", weights / f".{model}.old"
    for leftover in (aside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(folder, aside)
    for path in aside.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes for its owner only
    others = sum(_bytes(weights / name) for name in MODELS if name != model)
    if (total := (others + _bytes(aside)) / 1e6) > LARGEST_TOTAL_MB:
        shutil.rmtree(aside)
        raise BadInput(
            f"{model}: with it the models would be {total:.1f} MB together, and at most "
            f"{LARGEST_TOTAL_MB:.0f} MB ship: make it smaller"
        )
    if place.exists():
        place.rename(old)
    aside.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_card(
    model: str, figures: Sequence[Figure], measured: Path, weights: Path = WEIGHTS
) -> None:
    """``README.md`` of a shipped model: data, steps, seconds, hardware, curve, figures.

    ``measured``: where the figures were measured; what the reader confuses lies there.
    """
    from jinja2 import Environment, FileSystemLoader

    from likeness.models.checksums import write_sums

    folder = weights / model
    if model == "reader":
        shutil.copy(measured / CONFUSION, folder)
    training: dict[str, Any] = json.loads((folder / "training.json").read_text())
    _draw_curve(json.loads((folder / "curve.json").read_text()), folder / "curve.png")
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True
    ).get_template("card.md.j2")
    mine = [figure for figure in figures if figure.model == model]
    text = page.render(model=model, training=training, figures=mine, confusions=_confusions(folder))
    (folder / "README.md").write_text(text)
    write_sums(folder)


def _confusions(folder: Path, least: int = 10, rows: int = 15) -> list[dict[str, Any]]:
    """What is most often taken for something else, if the model comes with such a table."""
    import pandas as pd

    if not (folder / CONFUSION).exists():
        return []
    table = pd.read_parquet(folder / CONFUSION)
    table["n"] = table.groupby(["attribute", "truth"])["count"].transform("sum")
    table["share"] = table["count"] / table["n"]
    wrong = table[(table["truth"] != table["read"]) & (table["n"] >= least)]
    worst = wrong.sort_values("share", ascending=False).head(rows)
    return worst.rename(columns={"truth": "true"}).to_dict("records")


def _draw_curve(curves: dict[str, list[dict[str, float]]], file: Path) -> None:
    """Loss against steps, one panel for each training."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(3.2 * len(curves), 2.6), squeeze=False)
    for axis, (name, rows) in zip(axes[0], curves.items(), strict=True):
        axis.plot([row["step"] for row in rows], [row["loss"] for row in rows])
        axis.set_title(name)
        axis.set_xlabel("step")
    axes[0][0].set_ylabel("loss")
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    plt.close(figure)
