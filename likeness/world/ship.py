"""Put trained models into the package, each with a card: what it is, what it reaches."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from likeness.errors import BadInput
from likeness.world.measure import Figure

WEIGHTS = Path(__file__).parent / "weights"
MODELS = ("base", "clip", "face", "reader")
LARGEST_MB = 15.1  # of one file


def ship(model: str, folder: Path, weights: Path = WEIGHTS) -> Path:
    """Copy a trained model's folder into the package, all at once; its place there."""
    too_large = [f.name for f in folder.rglob("*") if f.stat().st_size > LARGEST_MB * 1e6]
    if too_large:
        raise BadInput(f"{model}: {too_large[0]} is larger than {LARGEST_MB} MB: save it in shards")
    place, aside = weights / model, weights / f".{model}"
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(folder, aside)
    for path in aside.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors writes for its owner only
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)
    return place


def write_card(model: str, figures: Sequence[Figure], weights: Path = WEIGHTS) -> None:
    """``README.md`` of a shipped model: data, steps, seconds, hardware, curve, figures."""
    from jinja2 import Environment, FileSystemLoader

    from likeness.models.checksums import write_sums

    folder = weights / model
    training: dict[str, Any] = json.loads((folder / "training.json").read_text())
    _draw_curve(json.loads((folder / "curve.json").read_text()), folder / "curve.png")
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True
    ).get_template("card.md.j2")
    mine = [figure for figure in figures if figure.model == model]
    text = page.render(model=model, training=training, figures=mine)
    (folder / "README.md").write_text(text)
    write_sums(folder)


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
