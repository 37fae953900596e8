"""The heavy call of Textual Inversion: a learned word, and how it came about."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.devices import best_device
from likeness.finetune.checkpoints import Judge
from likeness.finetune.tasks import photos_of, write_curves
from likeness.finetune.textual_inversion import first_tokens, textual_inversion, vocabulary_norm
from likeness.finetune.ti_recipe import TextualInversionRecipe
from likeness.generate.prompts import unread
from likeness.images.decode import decode
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE
from likeness.metrics.features import Features, Picture
from likeness.models.assemble import BASE, Reference
from likeness.models.learned_word import EMBEDS, read_word
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.registry import spec_of

log = logging.getLogger("likeness")


class WordParams(BaseModel):
    """Which model learns which word, and from which pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="name of the base model")
    identity: str = Field(description="what the base model's weights are: model_identity")
    resolution: int = Field(ge=8, multiple_of=8, description="side of the pictures, px")
    recipe: TextualInversionRecipe
    trained_on: list[str] = Field(min_length=1, description="image_id of each training picture")
    clip: str | None = Field(
        None, description="encoder that judges checkpoints, such as small-clip; none: no judge"
    )


class Encoder(Protocol):
    """Pictures and texts as vectors of one space: ``likeness.metrics.clip``."""

    def embed_images(self, pictures: Sequence[Picture]) -> Features:
        """N pictures -> N x D."""

    def embed_texts(self, texts: Sequence[str]) -> Features:
        """N texts -> N x D."""


def learn_word(
    params: WordParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``models/finetuned`` of a word: ``learned_embeds.safetensors``, ``base.json``, curves, sheet.

    Inputs: ``images``, an image set. Raises BadInput when the model on this machine is not the one
    that is asked for, and for pictures that are not there.
    """
    needed_identity(params.model, params.identity)
    recipe = params.recipe
    images = squares(
        photos_of(inputs["images"], params.trained_on),
        params.resolution,
        recipe.random_crops,
        recipe.seed,
    )
    pipe = load_pipeline(params.model, best_device(), "float32")
    warnings = not_known(pipe, params)
    for warning in warnings:
        log.warning("%s", warning)
    judge = None
    if params.clip is not None and recipe.judged is not None:
        from likeness.metrics.clip import open_clip_folder

        judge = likeness_judge(open_clip_folder(params.clip), images, recipe)
    learned = textual_inversion(pipe, images, recipe, scratch, judge)
    shutil.copyfile(learned.folder / EMBEDS, output / EMBEDS)
    reference = Reference(
        model=params.model, reference=params.identity, method=recipe.name, step=learned.step
    )
    (output / BASE).write_text(reference.model_dump_json(indent=2) + "\n", encoding="utf-8")
    write_curves(learned, output)
    word = read_word(output / EMBEDS)
    best = {name: value for name, value in learned.best.items() if name != "step"}
    return {
        "images": len(images),
        "steps": recipe.steps,
        "best_step": learned.step,
        "token": word.token,
        "vectors": len(word.vectors),
        "norm": float(word.vectors.norm(dim=1).mean()),
        "vocabulary_norm": vocabulary_norm(pipe, word),
        "not_known": warnings,
        **best,
    }


def squares(files: Sequence[Path], side: int, random_crops: int, seed: int) -> np.ndarray:
    """Of each picture its centre square, or so many at random places: N x side x side x 3 uint8.

    A square is as wide as the picture's shorter side; where it lies depends on the seed and on the
    picture's number alone.
    """
    wanted = Preparation(size=side, resize="crop", color="color")
    found = []
    for number, file in enumerate(files):
        picture = decode(file, ANY_SIZE)
        parts = [picture]
        if random_crops:
            rng = np.random.default_rng([seed, number])
            parts = [_random_square(picture, rng) for _ in range(random_crops)]
        found += [np.asarray(prepare(part, wanted)) for part in parts]
    return np.stack(found)


def _random_square(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = min(picture.size)
    left, top = (int(rng.integers(length - side + 1)) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))


def not_known(pipe: Pipeline, params: WordParams) -> list[str]:
    """What of the initializer and the templates the model does not know, as sentences."""
    recipe = params.recipe
    # The small world's vocabulary is a list of whole words; the published ones are of pieces.
    whole = spec_of(params.model).architecture == "small"
    said = {"initializer_token": recipe.initializer_token}
    said |= {sentence: recipe.without_token(sentence) for sentence in recipe.sentences}
    found = [
        f"'{name}': {remark}"
        for name, text in said.items()
        if (remark := unread(pipe.tokenizer, text, whole))
    ]
    tokens = len(first_tokens(pipe, recipe))
    if tokens > recipe.num_vectors:
        found.append(
            f"initializer_token '{recipe.initializer_token}' is read as {tokens} tokens, of which "
            f"{recipe.num_vectors} vectors are means"
        )
    return found


def likeness_judge(encoder: Encoder, images: np.ndarray, recipe: TextualInversionRecipe) -> Judge:
    """Reconstruction as ``identity`` and editability as ``obedience`` (Gal et al. 2022, section 5).

    Identity: mean cosine of all pairs of made and training pictures. Obedience: mean cosine of
    made pictures and their prompts without the word. Pictures that cannot be embedded leave None.
    """
    from likeness.metrics.clip_score import cosines

    if recipe.judged is None:
        raise ValueError("the recipe makes no pictures to judge")
    each = recipe.judged.images_per_prompt
    real = encoder.embed_images(_pictures(images)).vectors
    asked = [recipe.without_token(prompt) for prompt in recipe.judged.prompts for _ in range(each)]
    texts = encoder.embed_texts(asked).vectors

    def judge(pictures: np.ndarray) -> dict[str, float | None]:
        made = encoder.embed_images(_pictures(pictures)).vectors
        return {
            "identity": _mean(cosines(made, real)),
            "obedience": _mean(np.diagonal(cosines(made, texts))),
        }

    return judge


def _pictures(arrays: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(one) for one in arrays]


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
