"""Resume equality, early stopping, votes: on pictures of two easy textures."""

import zipfile

import numpy as np
import pytest

from likeness.classify import keras_judge
from likeness.classify.recipe import Recipe

RECIPE = Recipe(input_size=32, epochs=4, steps_per_epoch=6, batch_size=8, seed=3)


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
        if len(self.history) == 2:
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


def test_another_seed_gives_other_weights(trained, tmp_path):
    train(tmp_path / "net", tmp_path / "scratch", RECIPE.model_copy(update={"seed": 4}))
    pairs = zip(weights(tmp_path / "net"), weights(trained[0]), strict=True)
    assert any(not np.array_equal(x, y) for x, y in pairs)


def test_training_stops_where_the_loss_gets_no_better(tmp_path):
    # steps so large that the loss is soon exactly zero, which nothing betters
    changed = {"epochs": 8, "learning_rate": 0.1, "early_stopping_patience": 1}
    history = train(tmp_path / "net", tmp_path / "scratch", RECIPE.model_copy(update=changed))
    losses = [row["val_loss"] for row in history]
    assert len(losses) < 8
    assert len(losses) - 1 - int(np.argmin(losses)) == 1
    assert (tmp_path / "net" / keras_judge.FILE).exists()


def test_the_best_epoch_is_kept_until_patience_is_over_and_after_a_kill(tmp_path):
    import keras

    recipe = RECIPE.model_copy(update={"epochs": 9, "early_stopping_patience": 2})
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    state, over = keras_judge.Checkpoint(tmp_path, network), []
    for epoch, loss in enumerate([1.0, 0.5, 0.7, 0.5]):
        network.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        state.add({"val_loss": loss}, recipe)
        over.append(state.patience_is_over(2))
    # as good as the best is no better: the second epoch stays the best
    assert over == [False, False, False, True]
    state.save()
    resumed = keras_judge.Checkpoint.load(tmp_path)
    assert [row["val_loss"] for row in resumed.history] == [1.0, 0.5, 0.7, 0.5]
    assert resumed.network.get_weights()[0] == 3
    assert resumed.best_or_last(recipe).get_weights()[0] == 1
    assert resumed.best_or_last(RECIPE).get_weights()[0] == 3
    assert not resumed.patience_is_over(None)
