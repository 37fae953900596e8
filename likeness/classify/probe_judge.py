"""The shortcut probe: a support-vector machine on the *photograph*, blind to the painting.

It sees only capture statistics (``capture.py``). What it gets right, a network may get right for
the same reason; a claim about painting begins where a network beats it.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from likeness.classify.capture import capture_features
from likeness.classify.recipe import Recipe
from likeness.progress import track
from likeness.workers import workers

FILE = "probe.skops"

# Capture statistics by the sha256 of a picture's pixels: rounds and sets ask for the same ones.
_known: dict[bytes, np.ndarray] = {}


def features(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Capture statistics ``(N, F)`` of gray pictures ``(H, W, 1)``, each measured once."""
    names = [hashlib.sha256(picture.tobytes()).digest() for picture in pictures]
    new = {n: p[..., 0] for n, p in zip(names, pictures, strict=True) if n not in _known}
    # Spawned, not forked: a forked child of a process with threads can hang.
    if new:
        with ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool:
            rows = pool.map(capture_features, new.values(), chunksize=8)
            _known.update(zip(new, track(rows, "capture statistics", len(new)), strict=True))
    return np.stack([_known[name] for name in names])


def fit(
    pictures: Sequence[np.ndarray],
    labels: np.ndarray,
    valid_pictures: Sequence[np.ndarray],
    valid_labels: np.ndarray,
    classes: int,
    recipe: Recipe,
    output: Path,
    scratch: Path,
) -> list[dict[str, float]]:
    """Fit on capture statistics and write ``probe.skops`` (no pickle); one row of figures."""
    from skops.io import dump

    machine = _machine(recipe)
    machine.fit(features(pictures), labels)
    output.mkdir(parents=True, exist_ok=True)
    dump(machine, output / FILE)
    accuracy = float(np.mean(machine.predict(features(valid_pictures)) == valid_labels))
    return [{"val_accuracy": accuracy}]


def log_probabilities(model: Path, pictures: Sequence[np.ndarray], recipe: Recipe) -> np.ndarray:
    """``(N, classes)`` log-softmax of the one-versus-rest decision values."""
    from skops.io import load

    scores = load(model / FILE).decision_function(features(pictures))
    if scores.ndim == 1:
        # Two classes have one decision value.
        scores = np.stack([-scores, scores], axis=1)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def _machine(recipe: Recipe) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    weight = "balanced" if recipe.class_weights == "balanced" else None
    return make_pipeline(StandardScaler(), SVC(C=10, gamma="scale", class_weight=weight))
