"""Pictures as rows of an array: read and embedded once in batches, scored by arithmetic after."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from likeness.errors import BadInput
from likeness.images.decode import Undecodable, decode
from likeness.images.sheets import ANY_SIZE
from likeness.progress import track
from likeness.workers import workers

AT_ONCE = 64  # pictures per pass through a network
Picture = Path | Image.Image
Ready = Callable[[Image.Image], np.ndarray]
Embed = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Features:
    """A row for each picture or text, in order; what could not be read is a row of NaN."""

    vectors: np.ndarray  # N x D float32
    reason: tuple[str, ...]  # what went wrong; empty where all is well

    def __len__(self) -> int:
        return len(self.vectors)


class PairDistances(NamedTuple):
    """One value a pair; where there is none it is NaN and the reason says why."""

    values: np.ndarray  # N float64, 0 or more
    reasons: tuple[str, ...]


def once(embed: Callable[[Sequence[Picture]], Features], pictures: Sequence[Picture]) -> Features:
    """A row for each picture, of which each is looked at once: many edits have one source."""
    # a picture that is no file is known by itself alone
    keys = [one if isinstance(one, Path) else id(one) for one in pictures]
    unique = dict(zip(keys, pictures, strict=True))
    found = embed(list(unique.values()))
    place = {key: number for number, key in enumerate(unique)}
    rows = [place[key] for key in keys]
    return Features(found.vectors[rows], tuple(found.reason[row] for row in rows))


def of_pictures(
    pictures: Sequence[Picture],
    ready: Ready,
    embed: Embed,
    width: int,
    what: str,
    at_once: int = AT_ONCE,
) -> Features:
    """N files or pictures -> N x ``width``, with at most two batches of pictures in memory.

    ``ready`` makes the array of one picture that a batch is stacked of, in threads, and may raise
    ``Undecodable``; ``embed`` makes B x width of a batch. A picture without features has a reason.
    """
    vectors = np.full((len(pictures), width), np.nan, np.float32)
    reasons: list[str] = []
    batches = _batches(pictures, ready, at_once)
    for batch in track(batches, what, -(-len(pictures) // at_once)):
        good = [place for place, one in enumerate(batch) if isinstance(one, np.ndarray)]
        if good:
            vectors[len(reasons) + np.array(good)] = embed(np.stack([batch[i] for i in good]))
        reasons += ["" if isinstance(one, np.ndarray) else one for one in batch]
    return Features(vectors, tuple(reasons))


def _batches(
    pictures: Sequence[Picture], ready: Ready, at_once: int
) -> Iterator[list[np.ndarray | str]]:
    """Arrays, or why there is none; the next batch is decoded while one is embedded."""

    def read(picture: Picture) -> np.ndarray | str:
        try:
            opened = decode(picture, ANY_SIZE) if isinstance(picture, Path) else picture
            return ready(opened.convert("RGB"))
        except Undecodable as error:
            return error.reason

    ahead: list[Future[np.ndarray | str]] = []
    with ThreadPoolExecutor(workers()) as pool:
        for start in range(0, len(pictures), at_once):
            coming = [pool.submit(read, one) for one in pictures[start : start + at_once]]
            if ahead:
                yield [future.result() for future in ahead]
            ahead = coming
        if ahead:
            yield [future.result() for future in ahead]


@contextmanager
def exact() -> Iterator[None]:
    """Inference in true float32: the ten bits of TF32 would move a score's third decimal."""
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
            torch.autocast("cuda", enabled=False),
            torch.autocast("cpu", enabled=False),
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of N x D as float64 of length 1; a row of zeros or of NaN is NaN."""
    rows = np.asarray(vectors, np.float64)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 0, length, np.nan)


def paired(*arrays: np.ndarray) -> None:
    """Raise ``BadInput`` unless all arrays have the same shape: row i of each belongs together."""
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise BadInput(
            f"features of shapes {sorted(shapes)} cannot be compared row by row: embed as many "
            "pictures as texts, with one encoder"
        )


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all rows of A x D to all of B x D: A x B float64.

    By one product, whose float32 errs by about 1e-7 of the rows' own squared lengths.
    """
    own, other = (np.einsum("nd,nd->n", x, x, dtype=np.float64) for x in (a, b))
    return np.maximum(own[:, None] + other[None, :] - 2.0 * (a @ b.T), 0.0)


def paired_squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distance of rows i of two N x D: N float64, exactly 0 of equals."""
    paired(a, b)
    # row by row: the difference of two large arrays need not be in memory at once
    return np.array(
        [
            np.square(x - y, dtype=np.float32).sum(dtype=np.float64)
            for x, y in zip(a, b, strict=True)
        ]
    )
