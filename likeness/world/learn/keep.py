"""What every training of a judge does at its ends: draw pages, write down what came out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def some_of(rows: np.ndarray, count: int, chance: "torch.Generator") -> np.ndarray:
    """``count`` of the rows, drawn with repetition, in rising order (they lie on disk)."""
    import torch

    drawn = torch.randint(len(rows), (count,), generator=chance).numpy()
    return np.sort(rows[drawn])


def write_results(
    out: Path, measured: dict[str, float], curve: dict[str, list[dict[str, float]]]
) -> None:
    """``measured.json``, ``curve.json`` and, last, the sums of all files of the model."""
    from likeness.models.checksums import write_sums

    (out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n")
    (out / "curve.json").write_text(json.dumps(curve) + "\n")
    write_sums(out)
