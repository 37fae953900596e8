"""Pictures at every checkpoint, judged; and which checkpoint is the one to publish."""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from likeness.devices import best_device
from likeness.errors import BadInput
from likeness.finetune.recipe import Judged
from likeness.generate.sample import TooMany, sample_batch
from likeness.images.sheets import contact_sheet
from likeness.models.load import Pipeline

log = logging.getLogger("likeness")
# Pictures sampled together, at most, and their pixels: the training's moments are on the GPU, too.
AT_ONCE, PIXELS_AT_ONCE = 8, 4 * 512**2
SHEET_SIDE = 128

Row = dict[str, Any]
# N x S x S x 3 uint8, prompt by prompt -> "identity" and "obedience", None where unknown, and
# whatever else is worth a column.
Judge = Callable[[np.ndarray], dict[str, float | None]]


def best_checkpoint(rows: Sequence[Row], margin: float) -> Row:
    """The row to publish, of rows with ``step``, ``identity`` and ``obedience`` (or None).

    Both are whatever the judge measures: for a person's face identity is a share, 0..1, for a word
    a cosine, -1..1; obedience, and ``margin`` with it, is a cosine in both.

    The highest identity among the checkpoints whose obedience is at most ``margin`` below the base
    model's (the row of step 0), the earliest of equal ones. Where obedience was not measured, all
    are within the margin; where none is, the most obedient one; and the last one where no identity
    is known. The base model itself is never the answer. Raises ValueError without a checkpoint.
    """
    trained = sorted((row for row in rows if row["step"] > 0), key=lambda row: row["step"])
    if not trained:
        raise ValueError("there is no checkpoint yet")
    judged = [row for row in trained if row.get("identity") is not None]
    if not judged:
        return trained[-1]
    base = next((row.get("obedience") for row in rows if row["step"] == 0), None)
    obeys = [row for row in judged if _obeys(row, base, margin)]
    # max keeps the first of equal ones
    if obeys:
        return max(obeys, key=lambda row: float(row["identity"]))
    return max(judged, key=_obedience)


def _obeys(row: Row, base: float | None, margin: float) -> bool:
    return base is None or _obedience(row) >= base - margin


def _obedience(row: Row) -> float:
    value = row.get("obedience")
    return float("-inf") if value is None else float(value)


class Checkpoints:
    """Rows, pictures and the best weights so far, in a folder that survives a kill."""

    def __init__(
        self,
        pipe: Pipeline,
        judged: Judged | None,
        side: int,
        folder: Path,
        judge: Judge | None,
        save: Callable[[Path], None],
    ) -> None:
        self.pipe, self.judged, self.side, self.folder = pipe, judged, side, folder
        self.judge, self.save = judge, save
        file = folder / "rows.json"
        self.rows: list[Row] = json.loads(file.read_text()) if file.exists() else []

    def see_base(self) -> None:
        """Judge the pipeline before it is trained, as step 0, unless that has been done."""
        if self.judged is not None and not any(row["step"] == 0 for row in self.rows):
            self._keep({"step": 0, "loss": None} | self._looked_at(0))

    def see(self, step: int, curve: list[dict[str, float]]) -> None:
        """Make pictures of the weights as they are now, judge them, keep them if they are best."""
        row = {"step": step, "loss": curve[-1]["loss"] if curve else None}
        row |= self._looked_at(step)
        rows = [*(r for r in self.rows if r["step"] != step), row]
        if self._best(rows)["step"] == step:
            self._write_weights(step)
        self._keep(row)
        # The order of the rule is total: what is not the best now will never be.
        best = self.weights(self.best())
        for other in self.folder.glob("weights-*"):
            if other != best:
                shutil.rmtree(other)

    def best(self) -> Row:
        """The row to publish: ``best_checkpoint``."""
        return self._best(self.rows)

    def _best(self, rows: Sequence[Row]) -> Row:
        return best_checkpoint(rows, self.judged.obedience_margin if self.judged else 0.0)

    def weights(self, row: Row) -> Path:
        """The folder with the weights of the best checkpoint."""
        return self.folder / f"weights-{row['step']:06d}"

    def pictures(self, step: int) -> list[Path]:
        """The pictures of a checkpoint, prompt by prompt."""
        return sorted((self.folder / "pictures" / f"{step:06d}").glob("*.png"))

    def _looked_at(self, step: int) -> dict[str, float | None]:
        if self.judged is None:
            return {}
        pictures = self._sampled(self.judged)
        folder = self.folder / "pictures" / f"{step:06d}"
        folder.mkdir(parents=True, exist_ok=True)
        each = self.judged.images_per_prompt
        for number, picture in enumerate(pictures):
            name = f"{number // each:02d}-{number % each:02d}.png"
            Image.fromarray(picture).save(folder / name)
        import torch

        found: dict[str, float | None] = {"identity": None, "obedience": None}
        if self.judge is not None:
            # Judges compare as they do elsewhere, and not in the training's number format.
            with torch.autocast(best_device(), enabled=False):
                found |= self.judge(pictures)
        log.info("checkpoint at step %d: %s", step, _said(found))
        return found

    def _sampled(self, judged: Judged) -> np.ndarray:
        prompts = [p for p in judged.prompts for _ in range(judged.images_per_prompt)]
        seeds = [judged.seed + number for number in range(len(prompts))]
        at_once = min(AT_ONCE, max(1, PIXELS_AT_ONCE // self.side**2))
        parts, start = list[np.ndarray](), 0
        while start < len(prompts):
            some = slice(start, start + at_once)
            try:
                made = sample_batch(
                    self.pipe, prompts[some], seeds[some], judged.sampling, side=self.side
                )
            except TooMany as error:
                if at_once == 1:
                    raise BadInput(
                        "beside its training the GPU's memory has no room for a picture of a "
                        "checkpoint: leave out judged or ema, or lower resolution"
                    ) from error
                at_once //= 2  # a picture does not depend on its company
                continue
            parts.append(made)
            start += len(made)
        return np.concatenate(parts)

    def _write_weights(self, step: int) -> None:
        folder = self.weights({"step": step})
        half = self.folder / "half"
        for old in (half, folder):
            shutil.rmtree(old, ignore_errors=True)
        half.mkdir(parents=True)
        self.save(half)
        half.rename(folder)

    def _keep(self, row: Row) -> None:
        self.rows = [*(r for r in self.rows if r["step"] != row["step"]), row]
        self.folder.mkdir(parents=True, exist_ok=True)
        half = self.folder / "rows.next"
        half.write_text(json.dumps(self.rows, indent=1))
        half.replace(self.folder / "rows.json")


def _said(found: dict[str, float | None]) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.3f')}"
        for name, value in found.items()
    )


def checkpoint_sheet(checkpoints: Checkpoints) -> Image.Image | None:
    """The first picture of each prompt: a row a checkpoint, the base model's on top.

    None when no pictures were made.
    """
    if checkpoints.judged is None:
        return None
    each = checkpoints.judged.images_per_prompt
    paths, captions = [], []
    for row in checkpoints.rows:
        some = checkpoints.pictures(row["step"])[::each]
        paths += some
        captions += [f"step {row['step']} · {number}" for number in range(len(some))]
    columns = len(checkpoints.judged.prompts)
    return contact_sheet(paths, columns, SHEET_SIDE, captions)


def draw_curve(curve: Sequence[Row], rows: Sequence[Row], best: int, file: Path) -> None:
    """Identity and obedience above, losses below, against steps; a line at the step ``best``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for name in ("identity", "obedience"):
        known = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if known:
            above.plot(*zip(*known, strict=True), marker="o", label=name)
    for name in ("loss", "instance", "prior"):
        known = [(row["step"], row[name]) for row in curve if name in row]
        if known:
            below.plot(*zip(*known, strict=True), label=name, alpha=1 if name == "loss" else 0.5)
    above.axvline(best, color="gray", linestyle=":", label="published")
    above.set(ylim=(-0.02, 1.02))
    below.set(xlabel="step", yscale="log")
    for axis in (above, below):
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    figure.savefig(file, dpi=90)
