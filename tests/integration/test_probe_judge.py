"""The probe tells how a picture was taken, whatever it shows, and keeps no pickle."""

import json
import zipfile

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from likeness.classify import probe_judge
from likeness.classify.recipe import Recipe

RECIPE = Recipe(architecture="probe")
STYLES = (0.0, 0.8)


def photographs(n, seed, styles=STYLES):
    """Noise that shows nothing, ``n`` per style: sharp, or blurred (and as strong as before)."""
    rng = np.random.default_rng(seed)
    pictures = []
    for sigma in styles:
        for _ in range(n):
            noise = gaussian_filter(rng.normal(size=(72, 80, 1)), (sigma, sigma, 0))
            pictures.append((128 + 40 * noise / noise.std()).clip(0, 255).astype(np.uint8))
    return pictures, np.repeat(np.arange(len(styles)), n)


def trained(output, styles=STYLES):
    fit, labels = photographs(8, 0, styles)
    valid, truth = photographs(2, 1, styles)
    history = probe_judge.fit(
        fit, labels, valid, truth, len(styles), RECIPE, output, output / "scratch"
    )
    return output, history


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("probe") / "model")


@pytest.fixture(scope="module")
def judged(model):
    """Log-probabilities of six unseen pictures of each style."""
    return probe_judge.log_probabilities(model[0], photographs(6, 2)[0], RECIPE)


def test_two_ways_to_photograph_are_told_apart(model, judged):
    assert model[1] == [{"val_accuracy": 1.0}]
    assert judged.argmax(axis=1).tolist() == [0] * 6 + [1] * 6


def test_probabilities_of_two_classes_are_two_and_sum_to_one(judged):
    assert judged.shape == (12, 2)
    np.testing.assert_allclose(np.exp(judged).sum(axis=1), 1, atol=1e-12)


def test_a_verdict_does_not_depend_on_the_pictures_beside_it(model, judged):
    alone = probe_judge.log_probabilities(model[0], photographs(6, 2)[0][7:8], RECIPE)
    np.testing.assert_allclose(alone, judged[7:8], atol=1e-12)


def test_the_model_is_a_zip_with_a_schema_and_has_no_pickle(model):
    with zipfile.ZipFile(model[0] / probe_judge.FILE) as archive:
        schema = json.loads(archive.read("schema.json"))
        arrays = [name for name in archive.namelist() if name != "schema.json"]
        assert all(name.endswith(".npy") for name in arrays)
        # a .npy of objects would be a pickle
        for name in arrays:
            with archive.open(name) as file:
                np.load(file, allow_pickle=False)
    assert schema["__class__"] == "Pipeline"


def test_every_class_of_three_has_its_probability(tmp_path):
    folder, history = trained(tmp_path / "three", (0.0, 0.8, 2.0))
    logp = probe_judge.log_probabilities(folder, photographs(2, 3, (0.0, 0.8, 2.0))[0], RECIPE)
    assert logp.argmax(axis=1).tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(np.exp(logp).sum(axis=1), 1, atol=1e-12)
    assert history == [{"val_accuracy": 1.0}]
