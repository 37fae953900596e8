"""Photos that a bench lists by their names: found below the raw folder, and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.images.inventory import FOUND, take_inventory
from likeness.images.prepare import centre_square


@dataclass(frozen=True)
class Listed:
    """An edit as its bench lists it. ``photo``: as named there; ``reason``: why it is of no use."""

    label: str
    photo: str = ""
    source_prompt: str = ""
    target_prompt: str = ""
    kind: str = ""
    mask: np.ndarray | None = None  # H x W bool, of the whole photo: true where the edit may change
    reason: str | None = None
    lacks: str | None = None  # what is missing of an edit that can be used all the same


@dataclass(frozen=True)
class Photo:
    """A file below the raw folder; ``reason``: why it cannot be read."""

    path: str
    sha256: str
    reason: str | None = None


class Photos:
    """The files below a folder of the raw folder, as a bench names them."""

    def __init__(self, raw: Path, folder: str) -> None:
        self.folder = folder
        table = take_inventory(raw, [folder])
        depth = len(_parts(folder))
        self.files = [
            Photo(str(row.path), str(row.sha256), None if row.status == FOUND else str(row.reason))
            for row in table.itertuples()
            if len(_parts(str(row.path))) > depth  # else the folder itself is refused
        ]
        self.below = [_parts(one.path)[depth:] for one in self.files]

    def find(self, name: str) -> Photo | str:
        """The photo that is meant, or the reason why there is none.

        Names and files fit when one path ends with the other, whatever the case, because lists
        carry absolute paths of the machine that they were made on; the ending of a name may be
        left out. Absolute paths are looked up below the folder too, and never opened.
        """
        parts = _parts(name)
        if not parts:
            return "the list names no photo"
        if ".." in parts:
            return f"'{name}' leads out of the raw folder"
        fitting = self._fitting(parts, self.below) or self._fitting(
            parts, [(*below[:-1], PurePosixPath(below[-1]).stem) for below in self.below]
        )
        exact = [one for one in fitting if one.path.endswith(name)]
        if len(fitting) > 1 and len(exact) == 1:
            fitting = exact
        if len(fitting) > 1:
            return f"'{name}' may be {fitting[0].path} or {fitting[1].path}"
        return fitting[0] if fitting else f"there is no '{name}' below {self.folder}"

    def _fitting(
        self, parts: tuple[str, ...], candidates: Sequence[tuple[str, ...]]
    ) -> list[Photo]:
        """Those of which most parts of the path agree."""
        wanted = _folded(parts)
        best: list[Photo] = []
        most = 0
        for photo, below in zip(self.files, candidates, strict=True):
            mine = _folded(below)
            count = min(len(mine), len(wanted))
            if mine[-count:] != wanted[-count:] or count < most:
                continue
            best = [*best, photo] if count == most else [photo]
            most = count
        return best


def read_list(raw: Path, listing: str) -> str:
    """The text of a bench's list. Raises ``BadInput`` where it cannot be read."""
    file = raw / listing
    if any(part.startswith(".") for part in PurePosixPath(listing).parts):
        raise BadInput(f"{listing} is hidden, and hidden files are in no listing: rename it")
    if not file.is_file() or not file.resolve().is_relative_to(raw.resolve()):
        raise BadInput(f"there is no {listing} in {raw}: is this the folder of the bench?")
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no readable text in UTF-8 ({error}): get it again") from error


def text_of(entry: object, name: str) -> str:
    """A field of a list's entry as one line of text; '' where it is missing or no text."""
    value = entry.get(name) if isinstance(entry, dict) else None
    return " ".join(value.split()) if isinstance(value, str) else ""


def square_mask(mask: np.ndarray, size: tuple[int, int], side: int) -> Image.Image | str:
    """A mask cropped and resized (nearest) as the picture of ``size`` (width, height) will be.

    H x W bool -> 'L', 0 or 255; or the reason why it does not fit. Both may be squares of
    different scale.
    """
    height, width = mask.shape
    if (width, height) != size and (width != height or size[0] != size[1]):
        return f"a mask of {width} x {height} does not fit a picture of {size[0]} x {size[1]}"
    white = Image.fromarray(mask.astype(np.uint8) * 255)
    return centre_square(white).resize((side, side), Image.Resampling.NEAREST)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path).parts if part not in ("/", "//", "."))


def _folded(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in parts)
