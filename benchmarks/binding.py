"""Does a rare word come to mean a person whom the small base model has never seen?

python benchmarks/binding.py

Plain DreamBooth by a quick recipe, for each of a few people of ``unseen_by_base``: seconds, and the
shares of pairs of a sampled picture and a held-out rendering that verify at the threshold of
``small-face``, with the token and without it. The last weights count: no checkpoint is chosen.
"""

import csv
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import RESULTS

from likeness.faces.small import SmallFace
from likeness.finetune.dreambooth import dreambooth
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.generate.sample import Pipeline, sample
from likeness.models.load import load_folder, on_device
from likeness.statistics import mean_interval
from likeness.world.figures.figure import SAMPLING
from likeness.world.figures.names import portrait
from likeness.world.people.identities import identity
from likeness.world.ship import WEIGHTS

PEOPLE, PHOTOS, HELD_OUT, SAMPLES, CLASS_PICTURES = 3, 8, 4, 12, 16


def recipe_for(noun: str) -> DreamBoothRecipe:
    """The quick recipe."""
    return DreamBoothRecipe(
        instance_prompt=f"a photo of sks {noun}",
        class_prompt=f"a photo of a {noun}",
        num_class_images=CLASS_PICTURES,
        train_text_encoder=True,
        learning_rate=5e-4,
        steps=300,
        batch=4,
        checkpoint_steps=300,
    )


def share_verified(face: SmallFace, pictures: np.ndarray, renderings: np.ndarray) -> float:
    """Of the pairs of a picture and a rendering; no face is no match."""
    one, other = (face.embed(p, face.detect(p)).vectors for p in (pictures, renderings))
    return float((1 - one @ other.T <= face.threshold).mean())


def sampled(pipe: Pipeline, prompt: str) -> np.ndarray:
    """Pictures by the seeds from 0."""
    return sample(pipe, [prompt] * SAMPLES, list(range(SAMPLES)), SAMPLING, prompt)


def bind(number: int, face: SmallFace) -> dict[str, float]:
    """What one person's training takes and reaches."""
    person = identity("unseen_by_base", number)
    recipe = recipe_for("man" if person.sex == "male" else "woman")
    drawn = np.stack([portrait(person, k) for k in range(PHOTOS + HELD_OUT)])
    photos, held_out = drawn[:PHOTOS], drawn[PHOTOS:]
    pipe = on_device(load_folder(WEIGHTS / "base", "float32"), "cpu")
    before = sampled(pipe, recipe.class_prompt)
    prompts = [recipe.class_prompt] * CLASS_PICTURES
    of_class = sample(pipe, prompts, list(range(100, 100 + CLASS_PICTURES)), SAMPLING, "class")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        dreambooth(pipe, photos, of_class, recipe, Path(scratch))
    seconds = time.perf_counter() - began
    return {
        "person": number,
        "seconds": seconds,
        "with_token": share_verified(face, sampled(pipe, recipe.instance_prompt), held_out),
        "without": share_verified(face, sampled(pipe, recipe.class_prompt), held_out),
        "base": share_verified(face, before, held_out),
        "renderings": share_verified(face, photos, held_out),
    }


def main() -> None:
    """A row per person, then means with their intervals over people."""
    torch.set_num_threads(2)
    face = SmallFace.load(WEIGHTS / "face")
    rows = [bind(number, face) for number in range(PEOPLE)]
    for name in list(rows[0])[1:]:
        one = mean_interval([row[name] for row in rows])
        print(f"binding: {name} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}], {one.n} people")
    with (RESULTS / "binding.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
