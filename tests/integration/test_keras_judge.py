"""Resume equality, early stopping, votes: on pictures of two easy textures."""

import zipfile

import numpy as np
import pytest

from likeness.classify import keras_judge
from likeness.classify.recipe import Recipe

RECIPE = Recipe(input_size=32, epochs=8, steps_per_epoch=6, batch_size=8, seed=3)


def textures(n, seed=0):
    """Class 0: fine noise; class 1: the same noise, coarse."""
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 256, (n, 48, 48, 1), dtype=np.uint8)
    coarse = np.repeat(np.repeat(rng.integers(0, 256, (n, 12, 12, 1), dtype=np.uint8), 4, 1), 4, 2)
    return [*fine, *coarse], np.repeat([0, 1], n)


def train(output, scratch, recipe=RECIPE):
    pictures, labels = textures(6)
    checks, truth = textures(2, seed=1)
    return keras_judge.fit(pictures, labels, checks, truth, 2, recipe, output, scratch)


def weights(folder):
    import keras

    return keras.models.load_model(folder / keras_judge.FILE, compile=False).get_weights()


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network trained without a break, and its history."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder, folder / "scratch")


def test_training_killed_in_the_middle_ends_with_bit_equal_weights(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(keras_judge, "CHECKPOINT_SECONDS", 0.0)
    save = keras_judge.Checkpoint.save

    def save_then_die(self):
        save(self)
        if len(self.history) == 4:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(keras_judge.Checkpoint, "save", save_then_die)
        with pytest.raises(Killed):
            train(tmp_path / "net", tmp_path / "scratch")
    assert not (tmp_path / "net" / keras_judge.FILE).exists()
    folder, history = trained
    assert train(tmp_path / "net", tmp_path / "scratch") == history
    for ours, theirs in zip(weights(tmp_path / "net"), weights(folder), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_easy_textures_are_learned_and_probabilities_are_whole(trained):
    unseen, truth = textures(8, seed=9)
    logp = keras_judge.log_probabilities(trained[0], unseen, RECIPE)
    assert logp.shape == (16, 2)
    np.testing.assert_allclose(np.exp(logp).sum(axis=1), 1, atol=1e-9)
    assert (logp.argmax(axis=1) == truth).mean() >= 0.9


def test_a_verdict_does_not_depend_on_the_pictures_beside_it(trained):
    unseen, _ = textures(6, seed=9)
    together = keras_judge.log_probabilities(trained[0], unseen, RECIPE)
    alone = keras_judge.log_probabilities(trained[0], unseen[4:5], RECIPE)
    np.testing.assert_allclose(alone[0], together[4], atol=1e-5)


def test_the_network_file_holds_no_pickle(trained):
    with zipfile.ZipFile(trained[0] / keras_judge.FILE) as archive:
        kinds = {name.rpartition(".")[2] for name in archive.namelist()}
    assert kinds == {"json", "h5"}


def test_early_stopping_keeps_the_best_epoch_and_another_seed_learns_otherwise(trained, tmp_path):
    import keras

    recipe = RECIPE.model_copy(update={"seed": 4, "early_stopping_patience": 2})
    pictures, labels = textures(6)
    # validation that contradicts what is learned: the better the network, the worse its loss
    checks, truth = textures(2, seed=1)
    output, scratch = tmp_path / "net", tmp_path / "scratch"
    history = keras_judge.fit(pictures, labels, checks, 1 - truth, 2, recipe, output, scratch)
    losses = [row["val_loss"] for row in history]
    best = int(np.argmin(losses))
    assert len(history) - 1 - best == 2
    assert len(history) < recipe.epochs
    valid = keras_judge._validation_set(checks, 1 - truth, recipe)
    network = keras.models.load_model(output / keras_judge.FILE)
    kept = network.evaluate(valid, verbose=0, return_dict=True)
    assert kept["loss"] == pytest.approx(losses[best], rel=1e-4)
    # validation teaches nothing, so the seed alone makes the difference
    assert history[0]["loss"] != trained[1][0]["loss"]
