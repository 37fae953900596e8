"""The heavy calls of the classifier: train a judge, and hear its verdicts."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from likeness.classify import keras_judge, probe_judge
from likeness.classify.curves import draw_curves
from likeness.classify.params import TrainParams, VerdictParams
from likeness.classify.pictures import load
from likeness.classify.recipe import Recipe
from likeness.classify.rounds import Round, rounds
from likeness.images import image_set
from likeness.statistics import (
    apply_temperature,
    expected_calibration_error,
    mean_interval,
    temperature,
)

log = logging.getLogger("likeness")


def _judge(recipe: Recipe) -> Any:
    return probe_judge if recipe.architecture == "probe" else keras_judge


def train(
    params: TrainParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``classifier/network``: a model per round, its temperature, its curves."""
    recipe = params.recipe
    table = image_set.accepted(image_set.read(inputs["classes"]))
    # These have no part in training.
    table = table[~table["split"].isin(["unseen", "test"])].reset_index(drop=True)
    pictures = load(inputs["paintings"], table, recipe)
    truth = _positions(table, params.labels)
    curves = []
    for one in rounds(table, params.rounds, recipe):
        log.info(
            "%s: %d pictures to learn, %d to calibrate", one.name, len(one.fit), len(one.valid)
        )
        curves.append(_train_round(one, pictures, truth, params, output, scratch))
    history = pd.concat(curves, ignore_index=True)
    history.to_parquet(output / "curves.parquet", index=False)
    if history["epoch"].nunique() > 1:  # what learns in one go has no curve
        draw_curves(history, output / "curves.png")
    (output / "network.json").write_text(params.model_dump_json(indent=1))
    kept = history[history["kept"]].drop(columns=["epoch", "kept"]).mean(numeric_only=True)
    # of tiles a painting has many, of which each counts here
    of_what = "_of_tiles" if recipe.architecture == "tiles" else ""
    figures = {f"{name}{of_what}": float(value) for name, value in kept.items()}
    return figures | {"pictures": len(table), "rounds": len(curves)}


def _train_round(
    one: Round,
    pictures: list[np.ndarray],
    truth: np.ndarray,
    params: TrainParams,
    output: Path,
    scratch: Path,
) -> pd.DataFrame:
    """Train one round, or take it from scratch if a killed run had finished it."""
    folder, judge = output / one.name, _judge(params.recipe)
    fit, valid = [pictures[i] for i in one.fit], [pictures[i] for i in one.valid]
    rows = judge.fit(
        fit,
        truth[one.fit],
        valid,
        truth[one.valid],
        len(params.labels),
        params.recipe,
        folder,
        scratch / one.name,
    )
    logp = judge.log_probabilities(folder, valid, params.recipe)
    warmth = {"temperature": temperature(logp, truth[one.valid])}
    (folder / "temperature.json").write_text(json.dumps(warmth))
    table = pd.DataFrame(rows).assign(round=one.name)
    table.insert(0, "epoch", range(1, len(rows) + 1))
    best = len(rows) - 1
    if params.recipe.early_stopping_patience is not None and "val_loss" in table:
        best = int(table["val_loss"].argmin())
    return table.assign(kept=table.index == best)


def _positions(table: pd.DataFrame, labels: list[int]) -> np.ndarray:
    """Position of each row's label among ``labels``; -1 for pictures of unknown truth."""
    place = {label: position for position, label in enumerate(labels)}
    return np.array([-1 if pd.isna(v) else place[int(v)] for v in table["label"]])


def judge(
    params: VerdictParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``classifier/verdicts``: a row per picture the network never learned from."""
    model = inputs["network"]
    trained = TrainParams.model_validate_json((model / "network.json").read_text())
    table = image_set.accepted(image_set.read(inputs["classes"]))
    parts = []
    for one in rounds(table, trained.rounds, trained.recipe):
        rows = np.concatenate(list(one.report.values()))
        log.info("%s: judging %d pictures", one.name, len(rows))
        part = _verdicts(trained, model / one.name, inputs["paintings"], table.iloc[rows], params)
        sizes = [len(mine) for mine in one.report.values()]
        part.insert(0, "image_set", np.repeat(list(one.report), sizes))
        known = [params.truths.get(name) for name in part["image_set"]]
        part["truth"] = part["truth"].fillna(pd.Series(known, part.index, dtype="Int64"))
        seen = set(table.iloc[one.fit]["group"].dropna())
        parts.append(part.assign(round=one.name, straddles=part.pop("group").isin(seen)))
    verdicts = pd.concat(parts, ignore_index=True)
    verdicts.to_parquet(output / "verdicts.parquet", index=False)
    return _summary(verdicts, trained.labels)


def _verdicts(
    trained: TrainParams, model: Path, folder: Path, table: pd.DataFrame, params: VerdictParams
) -> pd.DataFrame:
    """Calibrated probabilities and the class they name, in the order of the table."""
    recipe = trained.recipe
    logp = _judge(recipe).log_probabilities(model, load(folder, table, recipe), recipe)
    warmth = json.loads((model / "temperature.json").read_text())["temperature"]
    probabilities = apply_temperature(np.exp(logp), warmth)
    predicted = [trained.labels[i] for i in probabilities.argmax(axis=1)]
    return pd.DataFrame(
        {
            "image_id": table["image_id"].to_numpy(),
            "truth": pd.array(table["label"], dtype="Int64"),
            "predicted": predicted,
            "label": [params.names[label] for label in predicted],
            "probabilities": list(probabilities),
            "confidence": probabilities.max(axis=1),
            "group": table["group"].to_numpy(),
        }
    )


def _summary(verdicts: pd.DataFrame, labels: list[int]) -> dict[str, Any]:
    """Accuracy and calibration of every part whose truth is known; how many pictures of each."""
    figures: dict[str, Any] = {}
    for name, part in verdicts.groupby("image_set"):
        figures[f"n/{name}"] = len(part)
        if part["truth"].notna().all():
            truth = [labels.index(int(label)) for label in part["truth"]]
            rows = np.stack(part["probabilities"].to_list())
            figures[f"accuracy/{name}"] = float((rows.argmax(axis=1) == truth).mean())
            figures[f"calibration_error/{name}"] = expected_calibration_error(rows, truth)
    folds = verdicts[verdicts["image_set"] == "folds"]
    if len(folds):
        hits = (folds["truth"] == folds["predicted"]).groupby(folds["round"]).mean()
        mean = mean_interval(hits.astype(float).tolist())
        figures |= {"fold_mean": mean.value, "fold_mean_low": mean.low, "fold_mean_high": mean.high}
    return figures
