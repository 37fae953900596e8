"""sha256 sums of model files: kept beside shipped weights and verified before they are loaded."""

import hashlib
import json
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path, PurePosixPath

from likeness.digests import sha256_file
from likeness.errors import BadInput

SUMS = "SHA256SUMS"
# What of a model may lie beside its folders. Cards, curves and figures come and go beside weights
# that stay what they are.
TOP = (
    "model_index.json",
    "*config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in pieces; a file that has not changed is read once a process."""
    stat = path.stat()
    return _sha256(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _sha256(path: Path, mtime_ns: int, size: int) -> str:
    return sha256_file(path)


def sums_of(folder: Path) -> dict[str, str]:
    """Path in a model's folder -> hex sha256, by name; of what ``TOP`` says and of sub-folders."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: sha256_of(path) for name, path in named.items() if _is_of_model(name)}


def _is_of_model(name: str) -> bool:
    return "/" in name or any(fnmatch(name, pattern) for pattern in TOP)


def digest(sums: Mapping[str, str]) -> str:
    """Hex sha256 over the sorted (path, sha256) lines: the identity of these files together."""
    lines = sorted(sums.items())
    text = "".join(
        json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines
    )
    return hashlib.sha256(text.encode()).hexdigest()


def write_sums(folder: Path) -> Path:
    """Write the list beside the files, as ``sha256sum --check`` reads it."""
    list_file = folder / SUMS
    lines = [f"{value}  {name}\n" for name, value in sums_of(folder).items()]
    list_file.write_text("".join(lines), encoding="utf-8")
    return list_file


def verify(folder: Path) -> None:
    """Compare every file of the list with its sum. Raises BadInput naming the first wrong file."""
    for name, wanted in _read_sums(folder / SUMS).items():
        path = folder / name
        if not path.is_file():
            raise BadInput(f"{path} is missing: restore it, or install likeness again")
        if sha256_of(path) != wanted:
            raise BadInput(
                f"{path} is damaged, its sha256 is not the one in {SUMS}: "
                "restore it, or install likeness again"
            )


def _read_sums(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: restore it, or install likeness again") from error
    sums = {}
    for number, line in enumerate(lines, 1):
        value, _, name = line.partition("  ")
        inside = bool(name) and not {"..", "/"} & set(PurePosixPath(name).parts)
        if len(value) != 64 or set(value) - set("0123456789abcdef") or not inside:
            raise BadInput(f"{file}, line {number}: is not 'sha256  path': restore the file")
        sums[name] = value
    return sums
