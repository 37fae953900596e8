"""Where encoders come from: small-clip, folders in the hub's layout, and the hub itself."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from likeness.devices import best_device
from likeness.errors import BadInput
from likeness.metrics.passports import Passport, versions
from likeness.models import checksums
from likeness.models.load import refuse_missing
from likeness.models.pickles import refuse_pickles
from likeness.models.registry import PACKAGE

SMALL = "small-clip"
# By the names that papers use. The commits are those of the published weights.
KNOWN = {
    SMALL: str(PACKAGE / "world/weights/clip"),
    "clip-vit-b-32": "openai/clip-vit-base-patch32@3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
    "clip-vit-l-14": "openai/clip-vit-large-patch14@32bd64288804d66eefd0ccbe215aa642df71cc41",
}
HUB = re.compile(r"([\w.-]+/[\w.-]+)(?:@([0-9a-f]{40}))?")
CONFIG = "config.json"
WORDS = ["*.json", "merges.txt"]
WEIGHTS, SHARDS, LEGACY = "model.safetensors", "model-*.safetensors", "pytorch_model.bin"


def folder_of(source: str | Path) -> Path:
    """The folder of a model, fetched first where it is on the hub and not on this machine.

    ``source``: a name in ``KNOWN``, a folder, or ``owner/name`` with or without ``@commit``. Raises
    ``BadInput`` where there is no such model, or a folder holds a pickle.
    """
    place = KNOWN.get(str(source), str(source))
    folder = Path(place)
    if folder.is_dir():
        refuse_pickles(folder)
        found = folder
    elif (named := HUB.fullmatch(place)) and not isinstance(source, Path):
        found = _fetched(named[1], named[2])
    else:
        hint = "run make world" if source == SMALL else "name a folder, owner/name or small-clip"
        raise BadInput(f"there is no encoder '{source}' in {folder}: {hint}")
    if not (found / CONFIG).is_file() or not weight_files(found):
        raise BadInput(f"{found} holds no {CONFIG} or no {WEIGHTS}: put the whole model there")
    if (found / checksums.SUMS).is_file():
        checksums.verify(found)
    return found


def weight_files(folder: Path) -> list[Path]:
    """The weights a folder is loaded from, safetensors before anything else; empty without any."""
    whole, legacy = folder / WEIGHTS, folder / LEGACY
    if whole.is_file():
        return [whole]
    return sorted(folder.glob(SHARDS)) or ([legacy] if legacy.is_file() else [])


def revision_of(folder: Path) -> str:
    """Hex sha256 over the weights: the identity of a model wherever it came from."""
    return checksums.digest({file.name: checksums.sha256_of(file) for file in weight_files(folder)})


def identities(*sources: str | Path | None) -> dict[str, str]:
    """Encoder -> what its bytes are, in one line, of those that are named.

    A name does not say it: a folder may hold another model by now. ``content://sha256`` of what is
    read of a folder, or ``hub://owner/name@commit``; a model of the hub without a pinned commit is
    fetched first. Left out is the one that ships, whose files are known to whoever uses it. Raises
    ``BadInput`` where there is no such model.
    """
    named = [source for source in sources if source is not None and str(source) != SMALL]
    return {str(source): _identity(source) for source in named}


def _identity(source: str | Path) -> str:
    place = KNOWN.get(str(source), str(source))
    folder, named = Path(place), HUB.fullmatch(place)
    if folder.is_dir():
        files = [file for file in folder.iterdir() if file.is_file()]
        read = [f for f in files if any(fnmatch(f.name, pattern) for pattern in checksums.TOP)]
        sums = {file.name: checksums.sha256_of(file) for file in [*read, *weight_files(folder)]}
        return f"content://{checksums.digest(sums)}"
    if named and named[2] and isinstance(source, str):
        return f"hub://{place}"
    # the name of a snapshot is its commit
    return f"hub://{place}@{folder_of(source).name}"


def _fetched(repository: str, commit: str | None) -> Path:
    """The snapshot in the hub's cache, complete. Some published weights exist as a pickle only."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    def brought(patterns: list[str], here: bool) -> Path:
        found = snapshot_download(
            repository, revision=commit, allow_patterns=patterns, local_files_only=here
        )
        return Path(found)

    patterns = [*WORDS, WEIGHTS, SHARDS]
    try:
        try:
            folder = brought(patterns, here=True)
            if (folder / CONFIG).is_file() and weight_files(folder):
                return folder
        except FileNotFoundError:
            pass
        folder = brought(patterns, here=False)
        return folder if weight_files(folder) else brought([*patterns, LEGACY], here=False)
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(
            f"the encoder {repository} could not be fetched from the hub ({first}): check the "
            "connection, or name the folder of a copy"
        ) from error


def config_of(folder: Path) -> dict[str, Any]:
    """``config.json`` of a model."""
    try:
        return dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{folder / CONFIG} cannot be read: restore the model") from error


def load_network(kind: Any, folder: Path, device: str | None, **how: Any) -> Any:
    """A model of class ``kind`` in float32 on the device (the GPU if there is one), for use.

    Raises ``BadInput`` when weights are missing: the library would draw them at random.
    """
    import torch
    from safetensors import SafetensorError

    try:
        # a legacy file is read as tensors only, never as a program
        safe = any(file.suffix == ".safetensors" for file in weight_files(folder))
        network, said = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=safe,
            local_files_only=True,
            output_loading_info=True,
            **how,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{folder} is no {kind.__name__} ({first}): restore the model") from error
    refuse_missing(folder, said)
    return network.requires_grad_(False).eval().to(device or best_device())


def image_processor(kind: Any, folder: Path) -> Any:
    """The processor of a model's folder, by the Pillow class ``kind`` that needs no torchvision."""
    try:
        return kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{folder} does not say how to prepare pictures: put its preprocessor_config.json there"
        ) from error


def framing(processor: Any) -> str:
    """What a processor does to a picture, in one line for a passport."""
    size = {name: value for name, value in dict(processor.size).items() if value}
    steps = [f"resize {size} by Pillow filter {int(processor.resample)}"]
    if processor.do_center_crop:
        crop = {name: value for name, value in dict(processor.crop_size).items() if value}
        steps.append(f"centre crop {crop}")
    mean, std = (list(map(float, v)) for v in (processor.image_mean, processor.image_std))
    return ", ".join([*steps, f"mean {mean}", f"std {std}", "float32"])


def passport(
    metric: str, protocol: str, source: str | Path, folder: Path, preprocessing: str
) -> Passport:
    """The passport of a measure that an encoder of this folder takes part in."""
    is_folder = str(source) == SMALL or Path(source).is_dir()
    named = str(source) if str(source) == SMALL else Path(source).name
    hub = KNOWN.get(str(source), str(source)).partition("@")[0]
    return Passport(
        metric=metric,
        protocol=protocol,
        model=named if is_folder else hub,
        revision=revision_of(folder),
        preprocessing=preprocessing,
        libraries=versions("torch", "transformers", "pillow", "numpy"),
    )
