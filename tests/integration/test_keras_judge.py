"""Resume equality, early stopping, votes: on pictures of two easy textures."""

import numpy as np
import pytest

from likeness.classify import keras_judge
from likeness.classify.recipe import Recipe

RECIPE = Recipe(input_size=32, epochs=4, steps_per_epoch=3, batch_size=8, seed=3)


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


def test_training_killed_at_any_epoch_ends_with_bit_equal_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_judge, "CHECKPOINT_SECONDS", 0.0)
    whole = train(tmp_path / "whole", tmp_path / "scratch_whole")
    save = keras_judge.Checkpoint.save
    for killed_after in (1, 3):

        def save_then_die(self, after=killed_after):
            save(self)
            if len(self.history) == after:
                raise Killed

        name = f"killed{killed_after}"
        with monkeypatch.context() as patch:
            patch.setattr(keras_judge.Checkpoint, "save", save_then_die)
            with pytest.raises(Killed):
                train(tmp_path / name, tmp_path / f"scratch_{name}")
        resumed = train(tmp_path / name, tmp_path / f"scratch_{name}")
        assert resumed == whole
        for ours, theirs in zip(weights(tmp_path / name), weights(tmp_path / "whole"), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_another_seed_gives_other_weights(tmp_path):
    train(tmp_path / "a", tmp_path / "sa")
    train(tmp_path / "b", tmp_path / "sb", RECIPE.model_copy(update={"seed": 4}))
    assert any(
        not np.array_equal(x, y)
        for x, y in zip(weights(tmp_path / "a"), weights(tmp_path / "b"), strict=True)
    )


def test_easy_textures_are_learned_and_probabilities_are_whole(tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 8, "steps_per_epoch": 6})
    train(tmp_path / "net", tmp_path / "s", recipe)
    unseen, truth = textures(8, seed=9)
    logp = keras_judge.log_probabilities(tmp_path / "net", unseen, recipe)
    assert logp.shape == (16, 2)
    np.testing.assert_allclose(np.exp(logp).sum(axis=1), 1, atol=1e-9)
    assert (logp.argmax(axis=1) == truth).mean() >= 0.9


def test_a_verdict_does_not_depend_on_the_pictures_beside_it(tmp_path):
    train(tmp_path / "net", tmp_path / "s")
    unseen, _ = textures(6, seed=9)
    together = keras_judge.log_probabilities(tmp_path / "net", unseen, RECIPE)
    alone = keras_judge.log_probabilities(tmp_path / "net", unseen[4:5], RECIPE)
    np.testing.assert_allclose(alone[0], together[4], atol=1e-5)


def test_early_stopping_keeps_the_best_epoch(tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 12, "early_stopping_patience": 2})
    history = train(tmp_path / "net", tmp_path / "s", recipe)
    losses = [row["val_loss"] for row in history]
    best = int(np.argmin(losses))
    assert len(history) == 12 or len(history) - 1 - best == 2
    checks, truth = textures(2, seed=1)
    valid = keras_judge._validation_set(checks, truth, recipe)
    import keras

    network = keras.models.load_model(tmp_path / "net" / keras_judge.FILE)
    assert network.evaluate(valid, verbose=0, return_dict=True)["loss"] == pytest.approx(
        losses[best], rel=1e-4
    )
