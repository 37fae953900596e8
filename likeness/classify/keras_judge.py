"""Train and ask a Keras network. Killed training resumes and ends with the same weights."""

import json
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.classify.batches import draw_order, steps_of, training_batch
from likeness.classify.networks import build
from likeness.classify.pictures import all_views
from likeness.classify.recipe import Recipe
from likeness.progress import EVERY_SECONDS

if TYPE_CHECKING:
    import keras

log = logging.getLogger("likeness")

FILE = "network.keras"
# Two checkpoints closer than this cost more than the work a kill would lose.
CHECKPOINT_SECONDS = 15.0


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
    """Train, write ``network.keras`` into ``output``, return one row of figures per epoch.

    ``scratch`` keeps the last checkpoint: called again after a kill, training goes on behind it,
    sees the batches it would have seen, and ends with bit-equal weights (CPU, same libraries).
    """
    import keras
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(recipe.seed)
    steps = steps_of(recipe, len(pictures))
    state = Checkpoint.load(scratch)
    if state is None:
        network = build(recipe, classes)
        network.compile(
            optimizer=_optimizer(recipe, steps),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        state = Checkpoint(scratch, network)
    else:
        log.info("going on behind epoch %d", len(state.history))
    batches = _training_set(pictures, labels, recipe, steps)
    valid = _validation_set(valid_pictures, valid_labels, recipe)
    _epochs(state, batches, valid, recipe)
    output.mkdir(parents=True, exist_ok=True)
    state.best_or_last(recipe).save(output / FILE)
    return state.history


def _epochs(state: "Checkpoint", batches: Any, valid: Any, recipe: Recipe) -> None:
    """The epochs that are left, each followed by its row of figures."""
    said = time.monotonic()
    for epoch in range(len(state.history), recipe.epochs):
        if state.patience_is_over(recipe.early_stopping_patience):
            log.info("no better validation loss for %d epochs", recipe.early_stopping_patience)
            break
        batches.epoch = epoch
        _reseed(state.network, recipe.seed, epoch)
        began = time.monotonic()
        figures = state.network.fit(batches, verbose=0, shuffle=False).history
        checked = state.network.evaluate(valid, verbose=0, return_dict=True)
        row = {name: float(values[-1]) for name, values in figures.items()}
        state.add(row | {f"val_{name}": float(value) for name, value in checked.items()}, recipe)
        now = time.monotonic()
        if now - said >= EVERY_SECONDS:
            log.info("%s", _line(state.history[-1], epoch, recipe.epochs, now - began))
            said = now


def _reseed(network: "keras.Model", seed: int, epoch: int) -> None:
    """Give every dropout the state it has at this epoch: a saved network forgets it."""
    states = [v for v in network.variables if v.name == "seed_generator_state"]
    for number, state in enumerate(states):
        state.assign([seed + number, epoch])


def _line(row: dict[str, float], epoch: int, epochs: int, seconds: float) -> str:
    figures = "  ".join(f"{name} {value:.3f}" for name, value in row.items())
    return (
        f"epoch {epoch + 1}/{epochs}  {figures}  about {seconds * (epochs - epoch - 1):.0f} s left"
    )


def log_probabilities(model: Path, pictures: Sequence[np.ndarray], recipe: Recipe) -> np.ndarray:
    """``(N, classes)`` log-probabilities: the mean over a painting's tiles, each a vote."""
    import keras

    network = keras.models.load_model(model / FILE, compile=False)
    rows = []
    # A few paintings at a time keeps the tiles of large scans out of memory.
    for first in range(0, len(pictures), 8):
        seen, owner = all_views(pictures[first : first + 8], recipe, recipe.tile_overlap)
        logits = network.predict(seen.astype(np.float32), batch_size=recipe.batch_size, verbose=0)
        logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        rows += [logp[owner == k].mean(axis=0) for k in range(owner.max() + 1)]
    votes = np.stack(rows).astype(np.float64)
    return votes - np.logaddexp.reduce(votes, axis=1, keepdims=True)


def _optimizer(recipe: Recipe, steps: int) -> "keras.optimizers.Optimizer":
    from keras.optimizers import AdamW, schedules

    total = recipe.epochs * steps
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        warmup = max(1, min(60, total // 10))
        rate = schedules.CosineDecay(
            recipe.learning_rate / 100,
            max(1, total - warmup),
            alpha=0.01,
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup,
        )
    return AdamW(rate, weight_decay=recipe.weight_decay)


def _training_set(
    pictures: Sequence[np.ndarray], labels: np.ndarray, recipe: Recipe, steps: int
) -> Any:
    from keras.utils import PyDataset

    class Batches(PyDataset):
        """Batch i of an epoch depends on (seed, epoch, i) alone."""

        epoch = 0

        def __len__(self) -> int:
            return steps

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            order = draw_order(
                labels,
                steps * recipe.batch_size,
                recipe.class_weights == "balanced",
                np.random.default_rng([recipe.seed, self.epoch]),
            )
            chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            rng = np.random.default_rng([recipe.seed, self.epoch, index])
            return training_batch(pictures, labels, chosen, recipe, rng)

    return Batches()


def _validation_set(pictures: Sequence[np.ndarray], labels: np.ndarray, recipe: Recipe) -> Any:
    from keras.utils import PyDataset

    per_batch = 8

    class Views(PyDataset):
        """Every view of every picture once, without overlap; labels are the paintings'."""

        def __len__(self) -> int:
            return math.ceil(len(pictures) / per_batch)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            mine = slice(index * per_batch, (index + 1) * per_batch)
            seen, owner = all_views(pictures[mine], recipe, 0.0)
            return seen.astype(np.float32), labels[mine][owner]

    return Views()


class Checkpoint:
    """The network being trained, its history and its best epoch, on disk every few seconds."""

    def __init__(self, folder: Path, network: "keras.Model") -> None:
        self.folder, self.network = folder, network
        self.history: list[dict[str, float]] = []
        self.best = -1
        self._saved = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def load(cls, folder: Path) -> "Checkpoint | None":
        """What a killed training left, or None; ``state.json`` is written last and names it."""
        import keras

        file = folder / "state.json"
        if not file.exists():
            return None
        state = json.loads(file.read_text())
        found = cls(folder, keras.models.load_model(folder / state["network"]))
        found.history, found.best = state["history"], state["best"]
        return found

    def add(self, row: dict[str, float], recipe: Recipe) -> None:
        """Note an epoch; keep its weights if it is the best and stopping early is asked for."""
        self.history.append(row)
        if recipe.early_stopping_patience is not None and self._is_best():
            self.best = len(self.history) - 1
            self.network.save(self.folder / f"best-{self.best}.keras")
        last = len(self.history) == recipe.epochs
        if last or time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
            self.save()

    def _is_best(self) -> bool:
        *before, now = [row["val_loss"] for row in self.history]
        return all(now < loss for loss in before)

    def save(self) -> None:
        """Network first, then the state that names it, then what nobody names any more."""
        name = f"last-{len(self.history)}.keras"
        self.network.save(self.folder / name)
        state = {"network": name, "history": self.history, "best": self.best}
        partial = self.folder / "state.partial"
        partial.write_text(json.dumps(state))
        partial.replace(self.folder / "state.json")
        for file in self.folder.glob("*.keras"):
            if file.name not in (name, f"best-{self.best}.keras"):
                file.unlink()
        self._saved = time.monotonic()

    def patience_is_over(self, patience: int | None) -> bool:
        """Whether the best epoch lies ``patience`` or more epochs back."""
        if patience is None or self.best < 0:
            return False
        return len(self.history) - 1 - self.best >= patience

    def best_or_last(self, recipe: Recipe) -> "keras.Model":
        """The best epoch's network where stopping early is asked for, else the last."""
        import keras

        if recipe.early_stopping_patience is None:
            return self.network
        return keras.models.load_model(self.folder / f"best-{self.best}.keras")
