"""One measured number, with on how many it rests and its interval; and grids of what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness.generate.sample import Sampling
from likeness.world.sample import UNSEEN, Mixture

SAMPLING = Sampling(num_inference_steps=25, guidance_scale=4.0)
PROMPTS = Mixture(unseen=UNSEEN)


@dataclass(frozen=True)
class Figure:
    """One measured number: on how many it rests, its 95 % interval, what it is to reach."""

    model: str
    name: str
    value: float
    n: int | None = None
    low: float | None = None
    high: float | None = None
    target: str = ""


def mean(model: str, name: str, values: np.ndarray, target: str = "") -> Figure:
    """Mean of N values with its 95 % interval."""
    from likeness.statistics import mean_interval

    one = mean_interval([float(v) for v in values])
    return Figure(model, name, one.value, len(values), one.low, one.high, target)


def rate(model: str, name: str, hits: Sequence[bool] | np.ndarray, target: str = "") -> Figure:
    """Share of N that hit, with its 95 % interval."""
    from likeness.statistics import rate as share

    one = share(int(np.sum(hits)), len(hits))
    return Figure(model, name, one.value, one.n, one.low, one.high, target)


def keep(file: Path, made: np.ndarray, truth: Sequence[np.ndarray] | np.ndarray | None) -> None:
    """A grid, 12 a row, JPEG; samples above what is rendered from the same description."""
    from PIL import Image

    rows = []
    for first in range(0, len(made) - len(made) % 12, 12):
        rows.append(np.concatenate(list(made[first : first + 12]), 1))
        if truth is not None:
            rows.append(np.concatenate(list(truth[first : first + 12]), 1))
    if rows:
        Image.fromarray(np.concatenate(rows)).save(file, quality=92)
