import numpy as np
import pytest
import tiny_pipeline

from likeness.finetune.recipe import DreamBoothRecipe


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a tiny model whose tokenizer knows ``tiny_pipeline.WORDS``."""
    return tiny_pipeline.write(tmp_path_factory.mktemp("finetune") / "model")


@pytest.fixture
def tiny_pipe(tiny_model):
    """Makes a fresh pipeline, frozen, on the CPU."""
    from likeness.models.load import load_folder, on_device

    return lambda: on_device(load_folder(tiny_model, "float32"), "cpu")


@pytest.fixture
def pictures():
    """Three pictures of the subject and four of the class, 16 px."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, 16, 16, 3), np.uint8), rng.integers(
        0, 256, (4, 16, 16, 3), np.uint8
    )


@pytest.fixture
def recipe():
    """A short training; changes by name."""

    def make(**changes):
        fields = {
            "instance_prompt": "a photo of sks dog",
            "class_prompt": "a photo of a dog",
            "num_class_images": 4,
            "learning_rate": 1e-3,
            "steps": 7,
            "batch": 2,
            "precision": "float32",
            "checkpoint_steps": 3,
        }
        return DreamBoothRecipe(**fields | changes)

    return make
