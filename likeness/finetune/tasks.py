"""The heavy call of fine-tuning: what of a base model changed, and how that came about."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import Field, model_validator

from likeness.devices import best_device
from likeness.errors import BadInput
from likeness.faces.backend import FaceBackend, FacesRecipe, open_backend, vectors_of
from likeness.finetune.checkpoints import Judge, checkpoint_sheet, draw_curve
from likeness.finetune.dreambooth import TrainedModel, dreambooth
from likeness.finetune.recipe import DreamBoothRecipe, Judged, checked_token
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.prepare import Preparation, prepare
from likeness.images.sheets import ANY_SIZE, save_preview
from likeness.models.assemble import BASE, LORA, Reference
from likeness.models.load import Pipeline, load_pipeline
from likeness.models.local import INDEX, needed_identity
from likeness.models.params import OfPictures
from likeness.models.registry import DType

log = logging.getLogger("likeness")
PREVIEW, CURVE, CURVE_PICTURE = "preview.jpg", "curve.json", "curve.png"
CHECKPOINTS = "checkpoints.parquet"

# How well N pictures, prompt by prompt, show what their prompts ask for.
Obedience = Callable[[np.ndarray], float]


class FinetuneParams(OfPictures):
    """Which model is taught whom, and by which photos it is judged."""

    dtype: DType = Field(description="of the weights that are kept; training is in float32")
    recipe: DreamBoothRecipe
    trained_on: list[str] = Field(min_length=1, description="image_id of each training photo")
    held_back: list[str] = Field([], description="image_id of each photo for judging alone")
    faces: FacesRecipe | None = Field(None, description="what verifies faces; none: no identity")
    clip: str | None = Field(
        None, description="encoder of obedience, such as small-clip; none: no obedience"
    )
    encoders: dict[str, str] = Field({}, description="encoder by name -> what its bytes are")

    @model_validator(mode="after")
    def _nothing_judges_itself(self) -> "FinetuneParams":
        both = set(self.trained_on) & set(self.held_back)
        if both:
            raise ValueError(f"photo {min(both)} is trained on and held back: take it from one")
        return self


def finetune(
    params: FinetuneParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``models/finetuned``: changed components, ``base.json``, curve, checkpoints and preview.

    Inputs: ``photos``, an image set; ``prior``, class pictures, unless ``prior_loss_weight`` is 0;
    optionally ``faces``, the table of the photos' faces by the same backend. Raises BadInput when
    the model on this machine is not the one that is asked for, for photos that are not there, and
    where what judges checkpoints cannot be had; all of it before the first step.
    """
    needed_identity(params.model, params.identity)
    recipe = params.recipe
    images = _stack(image_set.files_of(inputs["photos"], params.trained_on), params.resolution)
    prior = class_pictures(recipe, params.resolution, inputs)
    pipe = load_pipeline(params.model, best_device(), "float32")
    warnings = checked_token(pipe.tokenizer, recipe)
    for warning in warnings:
        log.warning("the rare token: %s", warning)
    judge = None if recipe.judged is None else _judge(params, recipe.judged, inputs)
    trained = dreambooth(pipe, images, prior, recipe, scratch, judge)
    write_model(trained.folder, output, params.dtype)
    _write_index(pipe, output)
    reference = Reference(
        model=params.model, reference=params.identity, method=recipe.name, step=trained.step
    )
    (output / BASE).write_text(reference.model_dump_json(indent=2) + "\n", encoding="utf-8")
    write_curves(trained, output)
    best = {name: value for name, value in trained.best.items() if name != "step"}
    return {
        "photos": len(images),
        "class_pictures": 0 if prior is None else len(prior),
        "steps": recipe.steps,
        "best_step": trained.step,
        "token": warnings,
        **best,
    }


def class_pictures(
    recipe: DreamBoothRecipe, resolution: int, inputs: dict[str, Path]
) -> np.ndarray | None:
    """The input ``prior`` as N x side x side x 3 uint8; None when the recipe wants none."""
    wanted = recipe.num_class_images
    if recipe.prior_loss_weight == 0:
        return None
    if "prior" not in inputs:
        raise BadInput("there are no class pictures: make some, or set prior_loss_weight to 0")
    table = image_set.accepted(image_set.read(inputs["prior"]))
    if len(table) < wanted / 2:
        raise BadInput(
            f"only {len(table)} of {wanted} class pictures (num_class_images) came out: see their "
            "reasons in images/class_prior"
        )
    if len(table) < wanted:
        # Seeds are fixed: a picture that came out black does so again.
        log.warning("%d class pictures of %d came out: learning goes on", len(table), wanted)
    files = [inputs["prior"] / str(file) for file in table["file"][:wanted]]
    return _stack(files, resolution)


def _stack(files: Sequence[Path], side: int) -> np.ndarray:
    """The centre squares of pictures as N x side x side x 3 uint8."""
    square = Preparation(size=side, resize="crop", color="color")
    return np.stack([np.asarray(prepare(decode(file, ANY_SIZE), square)) for file in files])


def _judge(params: FinetuneParams, judged: Judged, inputs: dict[str, Path]) -> Judge | None:
    """What looks at the pictures of a checkpoint; None when nothing is there to compare with."""
    obedience = _obedience(params, judged)
    backend, references = None, list[np.ndarray]()
    if params.faces is not None and params.held_back:
        backend = open_backend(params.faces)
        references = _references(params, inputs, backend)
    if backend is None and obedience is None:
        return None

    def judge(pictures: np.ndarray) -> dict[str, float | None]:
        found: dict[str, float | None] = {"identity": None, "obedience": None}
        if backend is not None:
            found |= verified_share(backend, pictures, references)
        if obedience is not None:
            found["obedience"] = obedience(pictures)
        return found

    return judge


def _references(
    params: FinetuneParams, inputs: dict[str, Path], backend: FaceBackend
) -> list[np.ndarray]:
    """The faces of the photos held back, F x D each; raises BadInput when none has a face."""
    files = image_set.files_of(inputs["photos"], params.held_back)
    if "faces" in inputs:
        from likeness.faces.verification import by_picture

        table = pd.read_parquet(inputs["faces"] / "faces.parquet")
        known = by_picture(table[table["image_id"].isin(params.held_back)]).embeddings
    else:
        photos = [np.asarray(decode(file, ANY_SIZE)) for file in files]
        known = [vectors_of(faces) for faces in backend.read(photos)]
    references = [faces for faces in known if len(faces)]
    if not references:
        raise BadInput(
            f"no face is found in the {len(files)} photos held back: hold others back, or judge "
            "without faces"
        )
    return references


def verified_share(
    backend: FaceBackend, pictures: np.ndarray, references: Sequence[np.ndarray]
) -> dict[str, float | None]:
    """``identity``: share of the pairs picture x photo that verify, 0..1; ``with_face``: share.

    A picture of N x S x S x 3 without a face verifies with no photo: it was to show one, and a
    model is not to be chosen for the few pictures in which it does. ``references`` are the faces
    of each photo, F x D with F at least 1.
    """
    from likeness.faces.verification import best_distance, verified

    found = [vectors_of(faces) for faces in backend.read(list(pictures))]
    distances = best_distance(found, references)
    same = verified(distances, backend.threshold)
    with_face = ~np.isnan(distances).all(1)
    return {"identity": float(np.nan_to_num(same).mean()), "with_face": float(with_face.mean())}


def _obedience(params: FinetuneParams, judged: Judged) -> Obedience | None:
    """Mean CLIP cosine of pictures and prompts without the rare token; None without an encoder.

    CLIP-T of Ruiz et al. 2022, section 4.2. Raises BadInput where the encoder cannot be had.
    """
    if params.clip is None:
        return None
    from likeness.metrics.clip import open_clip_folder
    from likeness.metrics.features import unit

    encoder = open_clip_folder(params.clip)
    asked = [params.recipe.without_token(prompt) for prompt in judged.prompts]
    texts = [text for text in asked for _ in range(judged.images_per_prompt)]
    wanted = unit(encoder.embed_texts(texts).vectors)

    def obedience(pictures: np.ndarray) -> float:
        made = encoder.embed_images([Image.fromarray(one) for one in pictures]).vectors
        return float((unit(made) * wanted).sum(1).mean())

    return obedience


def write_model(trained: Path, output: Path, dtype: DType) -> None:
    """Copy changed components; whole networks in ``dtype``, adapters as they are (float32)."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    for file in sorted(path for path in trained.rglob("*") if path.is_file()):
        copy = output / file.relative_to(trained)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix != ".safetensors":
            _copy_json(file, copy)
            continue
        kind = torch.float32 if file.name == LORA else getattr(torch, dtype)
        with safe_open(file, framework="pt") as held:
            tensors = {name: held.get_tensor(name).to(kind) for name in held.keys()}  # noqa: SIM118
            note = held.metadata()
        if file.name == LORA:
            # Two entries would be written in an order that changes from run to run.
            note = {name: text for name, text in note.items() if name != "format"}
        save_file(tensors, copy, note)


def _copy_json(file: Path, copy: Path) -> None:
    """Without the folder it was read from, which is another one on each machine."""
    known = json.loads(file.read_text(encoding="utf-8"))
    known.pop("_name_or_path", None)
    copy.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_index(pipe: Pipeline, output: Path) -> None:
    pipe.save_config(output)
    _copy_json(output / INDEX, output / INDEX)


def write_curves(trained: TrainedModel, output: Path) -> None:
    """``curve.json``, ``checkpoints.parquet``, ``curve.png`` and, if there are any, pictures."""
    checkpoints = trained.checkpoints
    rows = [row | {"published": row["step"] == trained.step} for row in checkpoints.rows]
    text = json.dumps({"curve": trained.curve, "checkpoints": rows, "best_step": trained.step})
    (output / CURVE).write_text(text + "\n", encoding="utf-8")
    columns = {"identity": "Float64", "obedience": "Float64", "loss": "Float64"}
    table = pd.DataFrame(rows).reindex(columns=list(dict.fromkeys([*rows[-1], *columns])))
    table.astype(columns).to_parquet(output / CHECKPOINTS, index=False)
    draw_curve(trained.curve, rows, trained.step, output / CURVE_PICTURE)
    sheet = checkpoint_sheet(checkpoints)
    if sheet is not None:
        save_preview(sheet, output / PREVIEW)
