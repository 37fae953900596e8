"""The networks: what they do to pixels, what of them learns, and that each can be trained."""

import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.fft import dctn

from likeness.classify.networks import build, channels_of, cosine_basis
from likeness.classify.params import TrainParams, VerdictParams
from likeness.classify.recipe import Recipe
from likeness.classify.tasks import judge, train
from likeness.errors import BadInput
from likeness.images import image_set

pytestmark = pytest.mark.slow

TINY = {"input_size": 32, "epochs": 1, "steps_per_epoch": 1, "batch_size": 2}


def test_the_cosine_kernels_are_orthonormal_and_give_the_dct_of_a_patch():
    kernels = cosine_basis().reshape(64, 64)
    np.testing.assert_allclose(kernels.T @ kernels, np.eye(64), atol=1e-6)
    patch = np.random.default_rng(0).uniform(-128, 128, (8, 8))
    np.testing.assert_allclose(
        patch.reshape(64) @ kernels, dctn(patch, norm="ortho").ravel(), rtol=1e-5, atol=1e-3
    )


def test_the_tiles_network_begins_with_the_log_energies_of_the_cosines():
    import keras

    network = build(Recipe(input_size=32), 3)
    cosines = network.get_layer("cosines")
    assert not cosines.trainable
    pixels = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 1)).astype(np.float32)
    found = keras.ops.convert_to_numpy(cosines(pixels - 128))
    # stride 4: the place (2, 5) is the patch at (8, 20)
    patch = pixels[0, 8:16, 20:28, 0] - 128
    np.testing.assert_allclose(found[0, 2, 5], dctn(patch, norm="ortho").ravel(), atol=1e-2)


def test_a_saved_tiles_network_needs_nothing_beside_it_and_gives_the_same_logits(tmp_path):
    import keras

    network = build(Recipe(input_size=32), 5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False)
    pixels = np.random.default_rng(2).uniform(0, 255, (3, 32, 32, 1)).astype(np.float32)
    logits = network.predict(pixels, verbose=0)
    assert logits.shape == (3, 5)
    np.testing.assert_array_equal(loaded.predict(pixels, verbose=0), logits)


def painted(folder, recipe, unseen_set=True):
    """Twelve bright or dark pictures, four of them for validation, and perhaps one unseen."""
    (folder / "images").mkdir()
    rng, rows = np.random.default_rng(0), []
    for k in range(12 + unseen_set):
        shape = (40, 36, channels_of(recipe))
        pixels = rng.integers(0, 128, shape, dtype=np.uint8) + 127 * (k % 2)
        file = f"images/{k}.png"
        Image.fromarray(pixels.astype(np.uint8).squeeze()).save(folder / file)
        unseen = k == 12
        rows.append(
            {
                "image_id": f"{k:016x}",
                "file": file,
                "status": "accepted",
                "split": "unseen" if unseen else "valid" if k >= 8 else "train",
                "image_set": "TISD1" if unseen else "classes",
                "label": None if unseen else 2 * (k % 2),
                # 11, for validation, is nearly the same as 1, for training
                "group": 1 if k == 11 else k,
                "fold": None,
            }
        )
    extra = {"image_set": "string", "label": "Int64", "group": "Int64", "fold": "Int64"}
    image_set.write(folder, image_set.frame(rows, extra))
    return {"classes": folder, "paintings": folder}


@pytest.fixture
def eager():
    """Without graphs: tracing a thousand layers takes most of a minute, running them seconds."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def room(tmp_path):
    """A folder that is emptied at once: pytest would keep gigabytes of weights of its last runs."""
    yield tmp_path
    shutil.rmtree(tmp_path)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config")
@pytest.mark.parametrize(
    ("architecture", "protocol", "unseen_set"),
    [
        ("mobilenet", "original", True),
        # a large network is read anew for each set it judges: one set is enough
        ("efficientnet_b7", "corrected", False),
    ],
)
def test_each_published_network_trains_and_judges(room, eager, architecture, protocol, unseen_set):
    # little learns, so that the optimizer's state of a large network is not written as well
    recipe = Recipe(
        architecture=architecture, protocol=protocol, trainable_layers=2, augment="none", **TINY
    )
    inputs = painted(room, recipe, unseen_set)
    model, verdicts = room / "model", room / "verdicts"
    model.mkdir()
    verdicts.mkdir()
    params = TrainParams(recipe=recipe, rounds="split", labels=[0, 2])
    figures = train(params, inputs, model, room / "scratch")
    assert (figures["pictures"], figures["rounds"]) == (12, 1)
    assert len(pd.read_parquet(model / "curves.parquet")) == 1
    with zipfile.ZipFile(model / "split" / "network.keras") as archive:
        kinds = {name.rpartition(".")[2] for name in archive.namelist()}
    assert kinds == {"json", "h5"}

    # training has read each network back and asked it already; verdicts are the same code for all
    if not unseen_set:
        return
    truths = {"TISD1": 2}
    names = VerdictParams(names={0: "dark", 2: "bright"}, truths=truths)
    counted = judge(names, inputs | {"network": model}, verdicts, room / "scratch")
    assert counted["n/valid"] == 4
    table = pd.read_parquet(verdicts / "verdicts.parquet")
    valid = table[table["image_set"] == "valid"]
    assert valid["image_id"].tolist() == [f"{k:016x}" for k in (8, 9, 10, 11)]
    assert valid["truth"].tolist() == [0, 2, 0, 2]
    assert valid["straddles"].tolist() == [False, False, False, True]
    assert table["image_set"].tolist() == ["valid"] * 4 + ["TISD1"]
    assert table["truth"].iloc[-1] == 2
    assert counted["accuracy/TISD1"] == (table["predicted"].iloc[-1] == 2)
    probabilities = np.stack(table["probabilities"])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert table["predicted"].tolist() == [2 * int(k) for k in probabilities.argmax(axis=1)]
    assert table["label"].tolist() == [names.names[k] for k in table["predicted"]]


@pytest.mark.filterwarnings("ignore:Even though the `tf.config")
def test_the_largest_network_learns_in_its_last_layers_alone(eager):
    """One step; how networks are kept and asked is the same code for all."""
    import keras

    recipe = Recipe(architecture="efficientnet_v2l", trainable_layers=2, **TINY)
    network = build(recipe, 3)
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = network.get_weights()
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    assert np.isfinite(network.train_on_batch(pixels, np.array([0, 2])))
    changed = [not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True)]
    assert 0 < sum(changed) <= 8
    # kernel and bias of the head
    assert changed[-2:] == [True, True]
    assert network(pixels).shape == (2, 3)


def mobilenet(**recipe):
    return build(Recipe(architecture="mobilenet", input_size=32, **recipe), 4)


def test_corrected_mobilenet_sees_what_its_own_preprocessing_gives():
    import keras

    pixels = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    own = keras.applications.mobilenet.preprocess_input(pixels.copy())
    assert own.min() >= -1
    assert own.max() <= 1

    network = mobilenet()
    base, head = network.get_layer("mobilenet_1.00_32"), network.get_layer("head")
    np.testing.assert_allclose(network(pixels), head(base(own)), rtol=1e-4, atol=1e-5)


def test_original_mobilenet_is_fed_raw_pixels_and_its_head_sits_on_a_softmax_of_1000():
    pixels = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    network = mobilenet(protocol="original")
    *_, base, head = network.layers
    shares = np.asarray(base(pixels))
    assert shares.shape == (2, 1000)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(network(pixels), head(shares), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layers", [None, 0, 5])
def test_only_the_last_trainable_layers_and_the_head_learn(layers):
    network = mobilenet(trainable_layers=layers)
    base, head = network.layers[-2:]
    learns = [layer.trainable for layer in base.layers]
    free = len(base.layers) if layers is None else layers
    assert learns == [False] * (len(base.layers) - free) + [True] * free
    assert head.trainable
    if layers == 0:
        assert [w.shape for w in network.trainable_weights] == [(1024, 4), (4,)]


@pytest.mark.parametrize("weights", ["imagenet", "nowhere/weights.h5"])
def test_weights_that_cannot_be_had_are_refused_in_a_sentence_before_any_training(
    tmp_path, monkeypatch, weights
):
    # nobody listens on port 9, so nothing is fetched, and what was once fetched is not found
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    recipe = Recipe(architecture="mobilenet", weights=weights, **TINY)
    params = TrainParams(recipe=recipe, rounds="split", labels=[0, 2])
    inputs = painted(tmp_path, recipe)
    with pytest.raises(BadInput, match=r"set recipe\.weights to 'none' or") as caught:
        train(params, inputs, tmp_path / "model", tmp_path / "scratch")
    assert str(caught.value).startswith(f"the weights '{weights}' of mobilenet cannot be had")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "scratch").exists()
    assert not (tmp_path / "model").exists()
