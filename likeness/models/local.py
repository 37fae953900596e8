"""What of a model lies on this machine, found without importing torch."""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

from likeness.errors import BadInput
from likeness.models import checksums
from likeness.models.registry import BaseModelSpec, spec_of
from likeness.new_folder import new_folder

log = logging.getLogger("likeness")
INDEX = "model_index.json"
# Parts that judge or embed the pictures: never fetched, never loaded.
LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")
# A pipeline's configurations, vocabularies and weights; pickles are none of them.
READ = (".json", ".txt", ".safetensors")


def storage_of(spec: BaseModelSpec) -> Path:
    """The folder of a hub model's repository in the hub's cache (below ``HF_HOME``)."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{spec.source.replace('/', '--')}"


def lock_file(spec: BaseModelSpec) -> Path:
    """Where the commit of a model without a pinned revision is kept, beside its snapshots."""
    return storage_of(spec) / f"likeness-{spec.name}.lock.json"


def commit_of(spec: BaseModelSpec) -> str | None:
    """The pinned commit, or the one in the lock file; None for a model that was never fetched."""
    if spec.revision is not None:
        return spec.revision
    file = lock_file(spec)
    try:
        commit = json.loads(file.read_text(encoding="utf-8"))["revision"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file} is damaged: remove it and fetch '{spec.name}' again") from error
    if not isinstance(commit, str) or not re.fullmatch("[0-9a-f]{40}", commit):
        raise BadInput(f"{file} holds no commit: remove it and fetch '{spec.name}' again")
    return commit


def local_folder(spec: BaseModelSpec) -> Path | None:
    """The folder to load from; None when files are missing, and for random weights."""
    if spec.is_random:
        return None
    folder = spec.own_folder
    if folder is not None:
        return folder if (folder / INDEX).is_file() else None
    commit = commit_of(spec)
    if commit is None:
        return None
    folder = storage_of(spec) / "snapshots" / commit
    needed = [file for file in spec.files if "*" not in file]
    # Either form of vocabulary will do.
    needed = [file for file in needed if not file.endswith("merges.txt")]
    there = all((folder / file).is_file() for file in needed)
    patterns = [file for file in spec.files if "*" in file]
    return folder if there and all(any(folder.glob(p)) for p in patterns) else None


def needed_folder(spec: BaseModelSpec) -> Path:
    """As ``local_folder``; raises BadInput saying what to do when the model is not here."""
    folder = local_folder(spec)
    if folder is not None:
        return folder
    if spec.is_hub:
        raise BadInput(
            f"model '{spec.name}' is not on this machine: run likeness models fetch {spec.name}"
        )
    raise BadInput(
        f"model '{spec.name}' is not on this machine: there is no {INDEX} in {spec.own_folder}; "
        + ("run make world" if spec.architecture == "small" else "put a diffusers folder there")
    )


def pipeline_files(folder: Path) -> list[str]:
    """Paths of what a pipeline reads of a diffusers folder: the index and the parts it names."""
    parts = [
        name
        for name, kind in _index(folder).items()
        if isinstance(kind, list) and any(kind) and name not in LEFT_OUT
    ]
    found = (path for part in parts for path in (folder / part).rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in found if path.suffix in READ)
    return sorted([INDEX, *names])


def _index(folder: Path) -> dict[str, Any]:
    file = folder / INDEX
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} cannot be read: restore the model") from error
    if not isinstance(found, dict):
        raise BadInput(f"{file} names no parts: restore the model")
    return found


def model_identity(name: str) -> str:
    """What the weights of a model are, in one line.

    ``hub://owner/name@commit`` (with ``#fp16`` for weights stored so), ``content://sha256`` of
    what a pipeline reads of a folder, or ``random://architecture@seed``. Raises BadInput when that
    is not known: the model has no pinned commit and was never fetched, or its folder is not there.
    """
    spec = spec_of(name)
    if spec.is_random:
        return f"random://{spec.architecture}@{spec.seed}"
    if spec.is_hub:
        commit = commit_of(spec)
        if commit is None:
            needed_folder(spec)
        return f"hub://{spec.source}@{commit}" + (f"#{spec.variant}" if spec.variant else "")
    folder = needed_folder(spec)
    sums = {file: checksums.sha256_of(folder / file) for file in pipeline_files(folder)}
    return f"content://{checksums.digest(sums)}"


def needed_identity(name: str, identity: str) -> None:
    """Raises BadInput when the model on this machine is by now another one than was referred to."""
    found = model_identity(name)
    if found != identity:
        raise BadInput(
            f"model '{name}' is {found} by now and no longer {identity}: materialise models/base "
            "again, and what was made from it"
        )


def export(name: str, folder: Path) -> None:
    """Write a model as a whole folder that stock diffusers loads; there is all of it or nothing.

    Raises BadInput when the model is not on this machine or the folder exists.
    """
    spec = spec_of(name)
    source = None if spec.is_random else needed_folder(spec)
    own = spec.own_folder
    if own is not None and folder.absolute().is_relative_to(own.resolve()):
        raise BadInput(f"{folder} lies inside the model itself: name another folder")
    with new_folder(folder) as scratch:
        if source is None:
            from likeness.models.random_weights import build

            build(spec.architecture, spec.seed, folder=scratch)
        else:
            _copy(spec, source, scratch)


def _copy(spec: BaseModelSpec, source: Path, target: Path) -> None:
    if spec.is_hub:
        files = sorted({p for pattern in spec.files for p in source.glob(pattern) if p.is_file()})
    else:
        files = [source / name for name in pipeline_files(source)]
    for file in files:
        relative = file.relative_to(source)
        # Plain names: stock diffusers then needs no word about the variant.
        copy = target / relative.with_name(relative.name.replace(f".{spec.variant}.", "."))
        copy.parent.mkdir(parents=True, exist_ok=True)
        log.info("copying %s (%.1f MB)", relative, file.stat().st_size / 1e6)
        shutil.copyfile(file, copy)
    text = json.dumps(without_left_out(_index(target)), indent=2, sort_keys=True) + "\n"
    (target / INDEX).write_text(text, encoding="utf-8")
    if (source / checksums.SUMS).is_file():
        checksums.write_sums(target)


def without_left_out(index: dict[str, Any]) -> dict[str, Any]:
    """The content of a ``model_index.json`` that no longer asks for the parts left out."""
    changed: dict[str, Any] = {key: [None, None] for key in LEFT_OUT if key in index}
    changed |= {"requires_safety_checker": False} if "requires_safety_checker" in index else {}
    return index | changed
