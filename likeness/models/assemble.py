"""Fine-tuned models: what changed lies in one folder, the rest is the base model's."""

import json
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from likeness.errors import BadInput
from likeness.models.learned_word import EMBEDS, add_word, read_word
from likeness.models.load import Pipeline, load_pipeline, on_device
from likeness.models.local import INDEX, model_identity, pipeline_files, without_left_out
from likeness.models.registry import DType
from likeness.new_folder import new_folder

BASE = "base.json"
LORA = "pytorch_lora_weights.safetensors"
PARTS = ("unet", "text_encoder")


class Reference(BaseModel):
    """Which base model the rest of a fine-tuned one comes from (``base.json``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    reference: str
    method: str
    step: int


def read_reference(folder: Path) -> Reference:
    """Of a fine-tuned model's folder. Raises BadInput when it has none."""
    file = folder / BASE
    try:
        return Reference.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise BadInput(
            f"{file} does not say which base model this was: make the model again"
        ) from error


def assemble(changed: Path, base: Path, into: Path) -> None:
    """Make ``into`` a whole diffusers folder: changed components, the rest of ``base``.

    Stock ``StableDiffusionPipeline.from_pretrained`` loads it; adapters and learned words lie
    beside the components, for ``load_lora_weights`` and ``load_textual_inversion``. There is all of
    it or nothing. Raises BadInput when ``into`` exists or a folder is no model.
    """
    ours = {file.relative_to(changed).as_posix(): file for file in _weights_of(changed)}
    replaced = {name.split("/")[0] for name in ours if "/" in name}
    files = {
        # Plain names, whatever the variant: stock diffusers then needs no word about it.
        name.replace(".fp16.", "."): base / name
        for name in pipeline_files(base)
        if name.split("/")[0] not in replaced and name != INDEX
    }
    index = without_left_out(json.loads((base / INDEX).read_text(encoding="utf-8")))
    with new_folder(into) as whole:
        for name, file in sorted((files | ours).items()):
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, whole / name)
        text = json.dumps(index, indent=2, sort_keys=True) + "\n"
        (whole / INDEX).write_text(text, encoding="utf-8")


def _weights_of(changed: Path) -> list[Path]:
    """The files of what was trained. Raises BadInput when there are none."""
    found = [file for part in PARTS for file in sorted((changed / part).glob("*"))]
    found += [changed / name for name in (LORA, EMBEDS) if (changed / name).is_file()]
    if not found:
        raise BadInput(f"{changed} holds no fine-tuned component: make the model again")
    return found


def load_finetuned(folder: Path, device: str, dtype: DType | None = None) -> Pipeline:
    """As ``load_pipeline``, with the components or adapters of ``folder`` in place of the base's.

    A learned word of ``folder`` can be said in prompts. Works for base models without a folder too.
    Raises BadInput when the base model on this machine is not the one that was fine-tuned.
    """
    reference = read_reference(folder)
    found = model_identity(reference.model)
    if found != reference.reference:
        raise BadInput(
            f"model '{reference.model}' is {found} by now and {folder} was made from "
            f"{reference.reference}: make the model again"
        )
    _weights_of(folder)
    pipe = load_pipeline(reference.model, device, dtype)
    if (folder / LORA).is_file():
        pipe.load_lora_weights(folder, weight_name=LORA)
    for part in PARTS:
        if (folder / part).is_dir():
            old = getattr(pipe, part)
            network = type(old).from_pretrained(
                folder / part, dtype=old.dtype, use_safetensors=True, local_files_only=True
            )
            pipe.register_modules(**{part: network})
    if (folder / EMBEDS).is_file():
        add_word(pipe, read_word(folder / EMBEDS))
    return on_device(pipe, device)
