import numpy as np
import pandas as pd
import pytest

from likeness.faces.verification import (
    best_distance,
    by_picture,
    separation,
    verified,
)


def unit(rng, *counts, dimensions=6):
    sets = [rng.normal(size=(n, dimensions)).astype(np.float32) for n in counts]
    return [x / np.linalg.norm(x, axis=1, keepdims=True) for x in sets]


def nearest(a, b):
    """One pair of pictures, by hand."""
    pairs = [1 - float(np.dot(x, y)) for x in a for y in b]
    return min(pairs) if pairs else np.nan


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_nearest_faces_of_each_pair(rng):
    a, b = unit(rng, 1, 0, 3, 2), unit(rng, 0, 2, 1, 4, 0)
    by_hand = [[nearest(x, y) for y in b] for x in a]
    np.testing.assert_allclose(best_distance(a, b), by_hand, atol=1e-6)
    np.testing.assert_allclose(best_distance(b, a), np.transpose(by_hand), atol=1e-6)
    np.testing.assert_allclose(np.diag(best_distance(a, a))[[0, 2, 3]], 0, atol=1e-6)


def test_pictures_without_faces_are_unknown(rng):
    empty = [np.zeros((0, 0), np.float32)]
    assert np.isnan(best_distance(unit(rng, 2), empty)).all()
    assert best_distance([], unit(rng, 2)).shape == (0, 1)
    distance = np.array([[0.2, 0.3], [0.31, np.nan]])
    np.testing.assert_array_equal(verified(distance, 0.3), [[1, 1], [0, np.nan]])


def test_separation_is_the_area_under_the_curve(rng):
    from sklearn.metrics import roc_auc_score

    own = np.round(rng.random((7, 7)), 1)  # with ties
    own = np.maximum(own, own.T)
    other = np.round(rng.random((7, 5)) + 0.2, 1)
    own[0, 1] = own[1, 0] = other[2, 2] = np.nan
    pairs = own[np.triu_indices(7, 1)]
    pairs, across = pairs[~np.isnan(pairs)], other[~np.isnan(other)]
    truth = np.repeat([1, 0], [len(pairs), len(across)])
    rate = separation(own, other, seed=0)
    assert rate.value == pytest.approx(roc_auc_score(truth, -np.concatenate([pairs, across])))
    assert rate.low < rate.value < rate.high
    assert separation(own, other + 9, seed=0)[:1] == (1.0,)


def test_table_to_one_array_a_picture(rng):
    first, _, second = vectors = unit(rng, 2, 0, 1)
    rows = [("a", first[0], "ok"), ("a", first[1], "ok"), ("c", None, "no_face")]
    rows.append(("b", second[0], "ok"))
    table = pd.DataFrame(rows, columns=["file", "embedding", "status"])
    found = by_picture(table.assign(image_id=table["file"] + "0"))
    assert found.files == ["a", "c", "b"]
    assert found.image_ids == ["a0", "c0", "b0"]
    for got, wanted in zip(found.embeddings, vectors, strict=True):
        assert len(got) == len(wanted)
        if len(wanted):
            np.testing.assert_array_equal(got, wanted)
