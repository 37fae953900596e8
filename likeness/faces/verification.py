"""Who is who, as array arithmetic over embeddings: N x M answers from N + M embeddings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from likeness.faces.small import distances
from likeness.statistics import Rate

OK, NO_FACE = "ok", "no_face"
RESAMPLES = 200


class PictureFaces(NamedTuple):
    """The faces of each picture of a set; ``embeddings[i]`` is F x D of ``files[i]``, F from 0."""

    files: list[str]
    image_ids: list[str]
    embeddings: list[np.ndarray]


def by_picture(table: pd.DataFrame) -> PictureFaces:
    """``faces.parquet`` as one array per picture, in the order of the table."""
    files, ids, embeddings = [], [], []
    for file, rows in table.groupby("file", sort=False):
        vectors = list(rows.loc[rows["status"] == OK, "embedding"])
        files.append(str(file))
        ids.append(str(rows["image_id"].iloc[0]))
        embeddings.append(np.stack(vectors) if vectors else np.zeros((0, 0), np.float32))
    return PictureFaces(files, ids, embeddings)


def best_distance(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    """Cosine distance of every picture of ``a`` from every one of ``b``: N x M, 0..2.

    Each picture is F x D of unit vectors, one per face. Of several faces the nearest pair counts,
    as in DeepFace's ``verify``; NaN where a picture has no face.
    """
    answer = np.full((len(a), len(b)), np.nan)
    rows = [i for i, faces in enumerate(a) if len(faces)]
    columns = [j for j, faces in enumerate(b) if len(faces)]
    if not rows or not columns:
        return answer
    every = distances(np.concatenate([a[i] for i in rows]), np.concatenate([b[j] for j in columns]))
    nearest = np.minimum.reduceat(every, _starts([len(a[i]) for i in rows]), axis=0)
    nearest = np.minimum.reduceat(nearest, _starts([len(b[j]) for j in columns]), axis=1)
    answer[np.ix_(rows, columns)] = nearest
    return answer


def _starts(lengths: list[int]) -> np.ndarray:
    return np.cumsum([0, *lengths[:-1]])


def verified(distance: np.ndarray, threshold: float) -> np.ndarray:
    """1 where two are of one person (distance at most the threshold), 0 where not, NaN unknown."""
    same = (np.asarray(distance) <= threshold).astype(np.float64)
    return np.where(np.isnan(distance), np.nan, same)


def separation(within: np.ndarray, across: np.ndarray, seed: int) -> Rate:
    """Chance that a pair of one person is nearer than one of this person and another: 0..1.

    The area under the ROC curve (ties count half) of distances N x N within a set against N x M
    to other people; interval over pictures, as in likeness.metrics.pairs. ``n``: pairs of both
    kinds.
    """
    i, j = np.nonzero(np.triu(~np.isnan(within), 1))
    k, m = np.nonzero(~np.isnan(across))
    if not len(i) or not len(k):
        return Rate(np.nan, 0, np.nan, np.nan)
    levels, place = np.unique(np.concatenate([within[i, j], across[k, m]]), return_inverse=True)
    own, other = place[: len(i)], place[len(i) :]

    def area(w: np.ndarray, u: np.ndarray) -> tuple[float, float]:
        mine = np.bincount(own, w[i] * w[j], len(levels))
        theirs = np.bincount(other, w[k] * u[m], len(levels))
        return float((np.cumsum(mine) - mine / 2) @ theirs), float(mine.sum() * theirs.sum())

    rng = np.random.default_rng(seed)
    mine, theirs = (_draws(n, rng) for n in across.shape)
    drawn = np.array([area(w, u) for w, u in zip(mine, theirs, strict=True)])
    top, bottom = area(np.ones(across.shape[0]), np.ones(across.shape[1]))
    return Rate(top / bottom, len(i) + len(k), *_interval(*drawn.T))


def _draws(n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n pictures comes when n are drawn with replacement: RESAMPLES x n."""
    return rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64)


def _interval(tops: np.ndarray, bottoms: np.ndarray) -> tuple[float, float]:
    whole = bottoms > 0  # few pictures can be drawn without a single pair
    if not whole.any():
        return np.nan, np.nan
    low, high = np.percentile(tops[whole] / bottoms[whole], [2.5, 97.5])
    return float(low), float(high)
