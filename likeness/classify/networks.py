"""The networks: a compact one on tiles, and three of ``keras.applications``.

Every network takes pixels 0..255, ``(B, side, side, channels)``, does its own preprocessing inside,
and gives logits ``(B, classes)``; so a saved ``.keras`` file needs nothing beside it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.classify.recipe import Recipe
from likeness.errors import BadInput

if TYPE_CHECKING:
    import keras

# Widths behind the cosine front; wider or deeper gained nothing in the time two cores have.
WIDTHS = (96, 128)


def channels_of(recipe: Recipe) -> int:
    """Gray for the network of our own, three equal or real channels for the published ones."""
    return 1 if recipe.architecture == "tiles" else 3


def build(recipe: Recipe, classes: int) -> "keras.Model":
    """An untrained network (or one on ImageNet weights) that maps pixels to ``classes`` logits.

    Raises ``BadInput`` before any other work where the weights asked for cannot be had.
    """
    if recipe.architecture == "tiles":
        return _tiles(recipe.input_size, classes)
    return _pretrained(recipe, classes)


def cosine_basis() -> np.ndarray:
    """The 64 cosines of 8x8 pixels (orthonormal DCT-II) as convolution kernels (8, 8, 1, 64)."""
    frequency, place = np.arange(8)[:, None], np.arange(8)[None]
    basis = 0.5 * np.cos(np.pi * (2 * place + 1) * frequency / 16)
    basis[0] /= np.sqrt(2)
    return np.einsum("ui,vj->ijuv", basis, basis).reshape(8, 8, 1, 64).astype(np.float32)


def _tiles(side: int, classes: int) -> "keras.Model":
    """Log-energies of local cosines, then two learned layers; all three pooled over the tile.

    A first layer learned from 330 pictures needs ten times the steps to find what the fixed
    cosines give at once: how strong each stroke width and direction is at each place.
    """
    from keras import Model, layers, ops

    pixels = layers.Input((side, side, 1))
    cosines = layers.Conv2D(64, 8, strides=4, use_bias=False, trainable=False, name="cosines")
    energy = ops.log(ops.abs(cosines(layers.Rescaling(1, offset=-128)(pixels))) + 1)
    cosines.set_weights([cosine_basis()])
    seen = [layers.BatchNormalization(momentum=0.9)(energy)]
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)(seen[-1])
        seen.append(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)))
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(x) for x in seen])
    return Model(pixels, layers.Dense(classes)(layers.Dropout(0.3)(pooled)), name="tiles")


def _pretrained(recipe: Recipe, classes: int) -> "keras.Model":
    from keras import Model, layers

    original = recipe.protocol == "original"
    # As published, MobileNet's new head sits on the 1000-way softmax.
    on_softmax = original and recipe.architecture == "mobilenet"
    base = _application(recipe, include_top=on_softmax)
    if recipe.trainable_layers is not None:
        frozen = len(base.layers) - recipe.trainable_layers
        for layer in base.layers[: max(0, frozen)]:
            layer.trainable = False
    side = recipe.input_size
    pixels = layers.Input((side, side, 3))
    x = pixels
    if recipe.architecture == "mobilenet" and not original:
        # MobileNet wants -1..1; the EfficientNets rescale inside.
        x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    logits = layers.Dense(classes, name="head")(base(x))
    return Model(pixels, logits, name=recipe.architecture)


def _application(recipe: Recipe, include_top: bool) -> Any:
    """The network of ``keras.applications``, pooled features or (as published) 1000 classes."""
    from keras import applications

    makers = {
        "mobilenet": applications.MobileNet,
        "efficientnet_b7": applications.EfficientNetB7,
        "efficientnet_v2l": applications.EfficientNetV2L,
    }
    weights = None if recipe.weights == "none" else recipe.weights
    size = (recipe.input_size, recipe.input_size, 3)
    top: dict[str, Any] = (
        {"include_top": True} if include_top else {"include_top": False, "pooling": "avg"}
    )
    try:
        return makers[recipe.architecture](weights=weights, input_shape=size, **top)
    except Exception as error:
        if weights is None:
            raise
        raise BadInput(
            f"the weights '{recipe.weights}' of {recipe.architecture} cannot be had "
            f"({' '.join(str(error).split())[:200]}): set recipe.weights to 'none' or to the path "
            "of a Keras weights file"
        ) from error
