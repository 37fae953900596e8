"""Whether a rare word comes to mean a person whom the base model has never seen."""

import time
from pathlib import Path

import numpy as np

from likeness.faces.small import SmallFace
from likeness.finetune.dreambooth import dreambooth
from likeness.finetune.recipe import DreamBoothRecipe
from likeness.generate.sample import Pipeline, sample
from likeness.models.load import load_folder, on_device
from likeness.world.figures.figure import SAMPLING, Figure, mean
from likeness.world.figures.names import portrait
from likeness.world.people.identities import identity

PHOTOS, HELD_OUT, SAMPLES, CLASS_PICTURES = 8, 4, 12, 16


def recipe_for(noun: str) -> DreamBoothRecipe:
    """The quick recipe, chosen on the first three people of ``unseen_by_base``."""
    return DreamBoothRecipe(
        instance_prompt=f"a photo of sks {noun}",
        class_prompt=f"a photo of a {noun}",
        num_class_images=CLASS_PICTURES,
        train_text_encoder=True,
        learning_rate=8e-4,
        steps=330,
        batch=4,
        ema=0.98,
        checkpoint_steps=330,
    )


def bind(base: Path, number: int, face: SmallFace, scratch: Path) -> dict[str, float]:
    """What plain DreamBooth on one person of ``unseen_by_base`` takes and reaches.

    Seconds, and the shares of pairs of a sampled picture and a held-out rendering that verify at
    the threshold of ``small-face``, with the token and without it. The last weights count: no
    checkpoint is chosen.
    """
    person = identity("unseen_by_base", number)
    recipe = recipe_for("man" if person.sex == "male" else "woman")
    drawn = np.stack([portrait(person, k) for k in range(PHOTOS + HELD_OUT)])
    photos, held_out = drawn[:PHOTOS], drawn[PHOTOS:]
    pipe = on_device(load_folder(base, "float32"), "cpu")
    before = _sampled(pipe, recipe.class_prompt)
    prompts = [recipe.class_prompt] * CLASS_PICTURES
    of_class = sample(pipe, prompts, list(range(100, 100 + CLASS_PICTURES)), SAMPLING, "class")
    began = time.perf_counter()
    dreambooth(pipe, photos, of_class, recipe, scratch)
    seconds = time.perf_counter() - began
    return {
        "person": number,
        "seconds": seconds,
        "with_token": _verified(face, _sampled(pipe, recipe.instance_prompt), held_out),
        "without": _verified(face, _sampled(pipe, recipe.class_prompt), held_out),
        "base": _verified(face, before, held_out),
        "renderings": _verified(face, photos, held_out),
    }


def new_people_bound(rows: list[dict[str, float]]) -> list[Figure]:
    """Means over people, who are what is independent here."""
    targets = {"seconds": "<= 90", "with_token": ">= 0.50", "without": "<= 0.20"}
    names = ("seconds", "with_token", "without", "base", "renderings")
    return [
        mean(
            "base",
            f"new_person/{name}",
            np.array([row[name] for row in rows]),
            targets.get(name, ""),
        )
        for name in names
    ]


def _verified(face: SmallFace, pictures: np.ndarray, renderings: np.ndarray) -> float:
    """Of the pairs of a picture and a rendering; no face is no match."""
    one, other = (face.embed(p, face.detect(p)).vectors for p in (pictures, renderings))
    return float((1 - one @ other.T <= face.threshold).mean())


def _sampled(pipe: Pipeline, prompt: str) -> np.ndarray:
    """Pictures by the seeds from 0."""
    return sample(pipe, [prompt] * SAMPLES, list(range(SAMPLES)), SAMPLING, prompt)
