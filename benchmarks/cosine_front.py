"""The tile network with its fixed cosine front against one that learns its first layer.

Same pictures (our own painter), same steps, same tiles: tile accuracy on unseen pictures after each
budget of steps, and seconds per step.

python benchmarks/cosine_front.py
"""

import csv
import time

import numpy as np
from common import RESULTS

from likeness.classify import networks
from likeness.classify.batches import draw_order, training_batch
from likeness.classify.pictures import all_views
from likeness.classify.recipe import Recipe
from likeness.world.landscapes import CLASSES, paint_class

RECIPE = Recipe(input_size=64, batch_size=64)
BUDGETS = (60, 120, 240)


def learned_front(side: int, classes: int) -> object:
    """The same shape with a learned 8x8 first layer instead of cosines."""
    from keras import Model, layers

    pixels = layers.Input((side, side, 1))
    x = layers.Rescaling(1 / 64, offset=-2)(pixels)
    seen = []
    for width, kernel, stride in ((64, 8, 4), *((width, 3, 2) for width in networks.WIDTHS)):
        x = layers.Conv2D(width, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        seen.append(x)
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(x) for x in seen])
    return Model(pixels, layers.Dense(classes)(layers.Dropout(0.3)(pooled)))


def pictures(first: int, count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Gray pictures of all five classes."""
    made = [
        np.asarray(paint_class(name, index, 128, 0).convert("L"))[..., None]
        for name in CLASSES
        for index in range(first, first + count)
    ]
    return made, np.repeat(np.arange(len(CLASSES)), count)


def race(network: object, train: tuple, valid: tuple) -> tuple[list[float], float]:
    """Accuracy after each budget, and seconds per step."""
    import keras

    keras.utils.set_random_seed(0)
    network.compile(
        optimizer=keras.optimizers.AdamW(2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    seen, owner = all_views(valid[0], RECIPE, 0.0)
    accuracies, step, spent = [], 0, 0.0
    for budget in BUDGETS:
        began = time.perf_counter()
        while step < budget:
            rng = np.random.default_rng([0, step])
            chosen = draw_order(train[1], RECIPE.batch_size, True, rng)
            network.train_on_batch(*training_batch(train[0], train[1], chosen, RECIPE, rng))
            step += 1
        spent += time.perf_counter() - began
        figures = network.evaluate(seen.astype(np.float32), valid[1][owner], verbose=0)
        accuracies.append(float(figures[1]))
    return accuracies, spent / step


def main() -> None:
    """Race both and write results/cosine_front.csv."""
    train, valid = pictures(0, 60), pictures(5000, 20)
    with (RESULTS / "cosine_front.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["front", *(f"accuracy_after_{b}_steps" for b in BUDGETS), "seconds_per_step"]
        )
        for name, network in (
            ("learned", learned_front(64, len(CLASSES))),
            ("cosines", networks.build(RECIPE, len(CLASSES))),
        ):
            accuracies, seconds = race(network, train, valid)
            rows.writerow([name, *(f"{a:.3f}" for a in accuracies), f"{seconds:.3f}"])
            print(name, [f"{a:.3f}" for a in accuracies], f"{seconds:.3f} s per step")


if __name__ == "__main__":
    main()
