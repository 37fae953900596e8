"""A training in a process of its own, which kills itself at a step: for test_dreambooth.py.

python killed_training.py MODEL SCRATCH RECIPE_JSON PICTURES_NPZ STEP
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

from likeness.finetune import dreambooth as module
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.models.load import load_folder, on_device

model, scratch, recipe, file, die_at = sys.argv[1:]
original = module.loss_on_latents


def deadly(*arguments):
    loss_of = original(*arguments)

    def one(step, generator):
        if step == int(die_at):
            os.kill(os.getpid(), signal.SIGKILL)
        return loss_of(step, generator)

    return one


module.loss_on_latents = deadly
held = np.load(file)
module.dreambooth(
    on_device(load_folder(Path(model), "float32"), "cpu"),
    held["images"],
    held["of_class"],
    DreamBoothRecipe.model_validate_json(recipe),
    Path(scratch),
)
