"""A recipe takes what can be trained and refuses the rest by name."""

import pytest
from pydantic import ValidationError

from likeness.classify.recipe import Recipe


@pytest.mark.parametrize(
    ("field", "allowed", "refused"),
    [
        ("input_size", (32, 1024), (31, 1025)),
        ("tile_overlap", (0, 0.99), (-0.01, 1)),
        ("epochs", (1, 1000), (0, 1001)),
        ("steps_per_epoch", (None, 1, 10_000), (0, 10_001)),
        ("batch_size", (1, 1024), (0, 1025)),
        ("learning_rate", (1e-9, 1), (0, 1.1)),
        ("weight_decay", (0, 1), (-1, 1.1)),
        ("trainable_layers", (None, 0), (-1,)),
        ("early_stopping_patience", (None, 1), (0,)),
        ("inner_validation", (0.01, 0.49), (0, 0.5)),
        ("seed", (0,), (-1,)),
        ("architecture", ("probe", "mobilenet"), ("resnet",)),
        ("protocol", ("original", "corrected"), ("published",)),
    ],
)
def test_bounds_are_kept_and_the_field_is_named(field, allowed, refused):
    for value in allowed:
        assert getattr(Recipe(**{field: value}), field) == value
    for value in refused:
        with pytest.raises(ValidationError) as caught:
            Recipe(**{field: value})
        assert [error["loc"] for error in caught.value.errors()] == [(field,)]


def test_a_field_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValidationError, match="learning_rte"):
        Recipe(learning_rte=0.1)


@pytest.mark.parametrize("architecture", ["tiles", "probe"])
def test_imagenet_weights_are_refused_in_a_sentence_where_there_are_none(architecture):
    with pytest.raises(
        ValidationError, match=f"'{architecture}' starts from nothing: leave out weights"
    ):
        Recipe(architecture=architecture, weights="imagenet")
    assert Recipe(architecture="mobilenet", weights="imagenet").weights == "imagenet"


def test_a_recipe_survives_json_unchanged():
    recipe = Recipe(architecture="efficientnet_b7", trainable_layers=20, learning_rate=1e-4)
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
