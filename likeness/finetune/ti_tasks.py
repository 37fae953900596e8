"""The heavy call of Textual Inversion: a learned word, and how it came about."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image
from pydantic import Field

from likeness.devices import best_device
from likeness.finetune.checkpoints import Judge
from likeness.finetune.dreambooth import dreambooth
from likeness.finetune.recipe import DreamBoothRecipe, Judged
from likeness.finetune.tasks import class_pictures, write_curves, write_model
from likeness.finetune.textual_inversion import first_tokens, textual_inversion, vocabulary_norm
from likeness.finetune.ti_recipe import Crops, TextualInversionRecipe, composed
from likeness.generate.prompts import unread
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE
from likeness.metrics.features import Features, Picture
from likeness.models.assemble import BASE, Reference
from likeness.models.learned_word import EMBEDS, add_word, read_word
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import needed_identity
from likeness.models.params import OfPictures
from likeness.models.registry import DType

log = logging.getLogger("likeness")
NETWORK = "network"


class WordParams(OfPictures):
    """Which model learns which word, and from which pictures."""

    dtype: DType = Field(
        "float32", description="of a network's weights that are kept; training is in float32"
    )
    recipe: TextualInversionRecipe
    trained_on: list[str] = Field(min_length=1, description="image_id of each training picture")
    clip: str | None = Field(
        None, description="encoder that judges checkpoints, such as small-clip; none: no judge"
    )
    encoders: dict[str, str] = Field({}, description="encoder by name -> what its bytes are")


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

    Where the recipe goes on with the network (``then``), its components too, with curves and sheet
    of their own in ``network``. Inputs: ``images``, an image set; ``prior``, class pictures, if
    ``then`` wants some. Raises BadInput when the model on this machine is not the one that is asked
    for, and for pictures that are not there.
    """
    needed_identity(params.model, params.identity)
    recipe = params.recipe
    images = squares(
        image_set.files_of(inputs["images"], params.trained_on),
        params.resolution,
        recipe.crops,
        recipe.seed,
    )
    pipe = load_pipeline(params.model, best_device(), "float32")
    warnings = not_known(pipe, params)
    for warning in warnings:
        log.warning("%s", warning)
    judge = _judge(params, images, recipe.judged)
    learned = textual_inversion(pipe, images, recipe, scratch, judge)
    shutil.copyfile(learned.folder / EMBEDS, output / EMBEDS)
    reference = Reference(
        model=params.model, reference=params.identity, method=recipe.name, step=learned.step
    )
    (output / BASE).write_text(reference.model_dump_json(indent=2) + "\n", encoding="utf-8")
    write_curves(learned, output)
    word = read_word(output / EMBEDS)
    best = {name: value for name, value in learned.best.items() if name != "step"}
    usual, step = vocabulary_norm(pipe, word), learned.step
    # A network is taught on a model of its own: both at once do not fit into every GPU.
    del pipe, learned, judge
    if recipe.then is not None:
        best |= _teach_network(params, recipe.then, images, inputs, output, scratch / "network")
    return {
        "images": len(images),
        "steps": recipe.steps,
        "best_step": step,
        "token": word.token,
        "vectors": len(word.vectors),
        "norm": float(word.vectors.norm(dim=1).mean()),
        "vocabulary_norm": usual,
        "not_known": warnings,
        **best,
    }


def _teach_network(
    params: WordParams,
    recipe: DreamBoothRecipe,
    images: np.ndarray,
    inputs: dict[str, Path],
    output: Path,
    scratch: Path,
) -> dict[str, Any]:
    """DreamBooth under the word as it was published, on a model that is loaded anew."""
    pipe = load_pipeline(params.model, best_device(), "float32")
    add_word(pipe, read_word(output / EMBEDS))
    said = str(pipe.maybe_convert_prompt(composed(recipe.instance_prompt), pipe.tokenizer))
    prior = class_pictures(recipe, params.resolution, inputs)
    trained = dreambooth(
        pipe,
        images,
        prior,
        recipe.model_copy(update={"instance_prompt": said}),
        scratch,
        _judge(params, images, recipe.judged),
    )
    write_model(trained.folder, output, params.dtype)
    (output / NETWORK).mkdir()
    write_curves(trained, output / NETWORK)
    best = {f"network_{name}": value for name, value in trained.best.items() if name != "step"}
    return best | {"network_steps": recipe.steps, "network_best_step": trained.step}


def squares(files: Sequence[Path], side: int, crops: Crops | None, seed: int) -> np.ndarray:
    """Of each picture its centre square, or crops of it: N x side x side x 3 uint8.

    Where a crop lies depends on the seed and on the picture's number alone.
    """
    wanted = Preparation(size=side, resize="crop", color="color")
    found = []
    for number, file in enumerate(files):
        picture = decode(file, ANY_SIZE)
        parts = [picture]
        if crops is not None:
            rng = np.random.default_rng([seed, number])
            parts = [_random_square(picture, crops.share, rng) for _ in range(crops.count)]
        found += [np.asarray(prepare(part, wanted)) for part in parts]
    return np.stack(found)


def _random_square(picture: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    side = max(1, round(share * min(picture.size)))
    left, top = (int(rng.integers(length - side + 1)) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))


def not_known(pipe: Pipeline, params: WordParams) -> list[str]:
    """What of the initializer and the templates the model does not know, as sentences."""
    recipe = params.recipe
    said = {"initializer_token": recipe.initializer_token}
    said |= {sentence: recipe.without_token(sentence) for sentence in recipe.sentences}
    found = [
        f"'{name}': {remark}"
        for name, text in said.items()
        if (remark := unread(pipe.tokenizer, text))
    ]
    tokens = len(first_tokens(pipe, recipe))
    if tokens > recipe.num_vectors:
        found.append(
            f"initializer_token '{recipe.initializer_token}' is read as {tokens} tokens, of which "
            f"{recipe.num_vectors} vectors are means"
        )
    return found


def _judge(params: WordParams, images: np.ndarray, judged: Judged | None) -> Judge | None:
    if params.clip is None or judged is None:
        return None
    from likeness.metrics.clip import open_clip_folder

    asked = [params.recipe.without_token(prompt) for prompt in judged.prompts]
    texts = [text for text in asked for _ in range(judged.images_per_prompt)]
    return likeness_judge(open_clip_folder(params.clip), images, texts)


def likeness_judge(encoder: Encoder, images: np.ndarray, texts: Sequence[str]) -> Judge:
    """Reconstruction as ``identity`` and editability as ``obedience`` (Gal et al. 2022, section 5).

    Identity: mean cosine of all pairs of made and training pictures. Obedience: mean cosine of
    made pictures and their prompts without the word, ``texts``. Both -1..1. Pictures that cannot be
    embedded leave None.
    """
    from likeness.metrics.clip_score import cosines

    real = encoder.embed_images(_pictures(images)).vectors
    known = encoder.embed_texts(texts).vectors

    def judge(pictures: np.ndarray) -> dict[str, float | None]:
        made = encoder.embed_images(_pictures(pictures)).vectors
        return {
            "identity": _mean(cosines(made, real)),
            "obedience": _mean(np.diagonal(cosines(made, known))),
        }

    return judge


def _pictures(arrays: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(one) for one in arrays]


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
