"""Any two folders of pictures held against each other: pairs of one name, all pairs, whole sets."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from likeness.errors import BadInput
from likeness.faces.backend import FaceBackend, FacesRecipe, open_backend, vectors_of
from likeness.faces.verification import best_distance, verified
from likeness.images.decode import Undecodable, decode
from likeness.images.inventory import is_clutter
from likeness.images.sheets import ANY_SIZE
from likeness.metrics.clip import open_clip_folder
from likeness.metrics.clip_score import cosines
from likeness.metrics.comparison import mean_score, mean_share
from likeness.metrics.frechet import fid, kid
from likeness.metrics.lpips import SMALLEST, open_lpips
from likeness.metrics.pairs import PairMean, mean_between, mean_within
from likeness.metrics.ssim import SsimProtocol, cross, pairwise, prepare, shared_side
from likeness.metrics.structure import open_keys
from likeness.progress import track
from likeness.statistics import Rate
from likeness.workers import workers

T = TypeVar("T", np.ndarray, list[np.ndarray])
SSIM: SsimProtocol = "corrected"
BY_NAME, WITHIN_A, WITHIN_B, BETWEEN, SETS = "by name", "within A", "within B", "A with B", "sets"
VERIFIED = "verified"
FACES_AT_ONCE = 16  # pictures


class ScoreParams(BaseModel):
    """What is measured; what needs a model only where one is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    named: bool = Field(False, description="only pairs of one name, not all pairs of pictures")
    side: int = Field(500, ge=16, le=2048, description="px of SSIM and LPIPS; nothing is enlarged")
    faces: FacesRecipe | None = Field(None, description="what verifies faces; none: not measured")
    clip: str | None = Field(
        None, description="encoder of CLIP-I, FID and KID, such as small-clip; none: not measured"
    )
    lpips: Path | None = Field(None, description="folder of LPIPS weights; none: not measured")
    structure: str | None = Field(
        None, description="encoder of structure distance, as for clip, or a ViT; none: not measured"
    )
    seed: int = Field(0, ge=0, description="of the resamples of intervals")


class Score(NamedTuple):
    """One row: ``pictures`` says which were compared; ``left_out`` are pairs without a score."""

    measure: str
    pictures: str
    value: float
    n: int
    low: float
    high: float
    left_out: int


class Unreadable(NamedTuple):
    """A file that is no picture, and why."""

    file: Path
    reason: str


class _Set(NamedTuple):
    files: list[Path]
    names: list[str]  # path below the folder, without suffix
    sizes: list[tuple[int, int]]  # px, upright


class _Two(NamedTuple):
    """Both sets, and the places in them of the pictures that have one name."""

    a: _Set
    b: _Set
    named: tuple[np.ndarray, np.ndarray]


def score_folders(
    a: Path, b: Path, params: ScoreParams
) -> tuple[list[Score], list[Unreadable], list[str]]:
    """All scores, the files that are no pictures, and a sentence on what could not be measured.

    Pictures of one name are those at the same path below both folders, whatever their suffixes;
    a name that stands twice in a folder pairs with nothing. Raises ``BadInput`` where a folder has
    no picture or both are one.
    """
    if a.resolve() == b.resolve():
        raise BadInput(f"{a} and {b} are one folder: name two")
    unreadable: list[Unreadable] = []
    two = _paired(_opened(a, unreadable), _opened(b, unreadable))
    notes = []
    if not len(two.named[0]):
        notes.append("no picture of A has the name of one of B: nothing is compared by name")
    scores = [*_ssim(two, params)]
    if params.faces:
        scores += _faces(two, params, open_backend(params.faces))
    if params.clip:
        scores += _clip(two, params)
    if params.lpips and len(two.named[0]):
        try:
            scores += _lpips(two, params, params.lpips)
        except _TooSmall as error:
            notes.append(str(error))
    if params.structure and len(two.named[0]):
        scores += _structure(two, params, params.structure)
    return scores, unreadable, notes


class _TooSmall(Exception):
    pass


def _opened(folder: Path, unreadable: list[Unreadable]) -> _Set:
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}; name one with pictures.")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in found if not any(map(is_clutter, path.relative_to(folder).parts))]

    def size(file: Path) -> tuple[int, int] | str:
        try:
            return decode(file, ANY_SIZE).size
        except Undecodable as error:
            return error.reason

    with ThreadPoolExecutor(workers()) as pool:
        sizes = list(track(pool.map(size, files), f"reading {folder.name}", len(files)))
    good = [(file, one) for file, one in zip(files, sizes, strict=True) if not isinstance(one, str)]
    for file, one in zip(files, sizes, strict=True):
        if isinstance(one, str):
            unreadable.append(Unreadable(file, one))
    if not good:
        raise BadInput(f"No file in {folder} is a picture that can be read; name another folder.")
    names = [file.relative_to(folder).with_suffix("").as_posix() for file, _ in good]
    return _Set([file for file, _ in good], names, [one for _, one in good])


def _paired(a: _Set, b: _Set) -> _Two:
    mine, theirs = _places(a.names), _places(b.names)
    both = [name for name in mine if name in theirs]
    places = [[one[name] for name in both] for one in (mine, theirs)]
    return _Two(a, b, (np.array(places[0], int), np.array(places[1], int)))


def _places(names: list[str]) -> dict[str, int]:
    """Of the names that stand once."""
    often = Counter(names)
    return {name: place for place, name in enumerate(names) if often[name] == 1}


def _ssim(two: _Two, params: ScoreParams) -> Iterator[Score]:
    """Wang et al. 2004, gray; all at the shortest side of any picture."""
    side = shared_side([*two.a.sizes, *two.b.sizes], SSIM, params.side)
    measure = f"SSIM, {side} px"
    if params.named:
        rows, columns = two.named
        files = ((two.a.files[i], two.b.files[j]) for i, j in zip(rows, columns, strict=True))
        # a pair at a time: all pictures of two large folders do not fit into memory
        pairs = (np.stack([_ready(file, side) for file in pair]) for pair in files)
        values = [cross(pair[:1], pair[1:], SSIM)[0, 0] for pair in pairs]
        yield from _named(measure, np.array(values, np.float64), params)
        return
    a, b = (_gray(one, side) for one in (two.a, two.b))
    matrix = cross(a, b, SSIM)
    yield from _named(measure, matrix[two.named], params)
    yield _score(measure, WITHIN_A, mean_within(pairwise(a, SSIM), SSIM, params.seed))
    yield _score(measure, WITHIN_B, mean_within(pairwise(b, SSIM), SSIM, params.seed))
    yield _score(measure, BETWEEN, mean_between(matrix, SSIM, params.seed))


def _gray(one: _Set, side: int) -> np.ndarray:
    with ThreadPoolExecutor(workers()) as pool:
        return np.stack(list(pool.map(lambda file: _ready(file, side), one.files)))


def _ready(file: Path, side: int) -> np.ndarray:
    return prepare(decode(file, ANY_SIZE), SSIM, side)


def _faces(two: _Two, params: ScoreParams, backend: FaceBackend) -> Iterator[Score]:
    """Share of pairs that show one person, by the nearest two of their faces."""
    a, b = (_embeddings(backend, one.files) for one in (two.a, two.b))

    def same(x: list[np.ndarray], y: list[np.ndarray]) -> np.ndarray:
        return verified(best_distance(x, y), backend.threshold)

    yield from _of_matrices(VERIFIED, two, params, (a, b), same)


def _embeddings(backend: FaceBackend, files: list[Path]) -> list[np.ndarray]:
    """F x D of each picture's faces; F may be 0."""
    found: list[np.ndarray] = []
    starts = range(0, len(files), FACES_AT_ONCE)
    for start in track(starts, "reading faces", len(starts)):
        some = files[start : start + FACES_AT_ONCE]
        pictures = [np.asarray(decode(file, ANY_SIZE)) for file in some]
        found += [vectors_of(faces) for faces in backend.read(pictures)]
    return found


def _clip(two: _Two, params: ScoreParams) -> Iterator[Score]:
    """CLIP-I (Ruiz et al. 2022), and FID and KID of CLIP features (likeness.metrics.frechet)."""
    encoder = open_clip_folder(str(params.clip))
    a, b = (encoder.embed_images(one.files).vectors for one in (two.a, two.b))
    yield from _of_matrices(f"CLIP-I, {params.clip}", two, params, (a, b), cosines)
    if not params.named:
        yield _whole(f"FID of {params.clip}", fid(a, b, params.seed))
        yield _whole(f"KID of {params.clip}", kid(a, b, params.seed))


def _lpips(two: _Two, params: ScoreParams, folder: Path) -> Iterator[Score]:
    """Zhang et al. 2018, of pictures of one name."""
    side = shared_side([*two.a.sizes, *two.b.sizes], SSIM, params.side)
    if side < SMALLEST:
        raise _TooSmall(f"LPIPS needs {SMALLEST} px and the smallest picture has {side}: left out")
    network = open_lpips(folder)
    rows, columns = two.named
    a, b = [two.a.files[i] for i in rows], [two.b.files[i] for i in columns]
    values = network.pairs(a, b, side).values
    yield from _named(f"LPIPS ({network.backbone}), {side} px", values, params)


def _structure(two: _Two, params: ScoreParams, source: str) -> Iterator[Score]:
    """Structure distance (likeness.metrics.structure) of pictures of one name."""
    encoder = open_keys(source)
    rows, columns = two.named
    a, b = [two.a.files[i] for i in rows], [two.b.files[i] for i in columns]
    yield from _named(f"structure distance, {source}", encoder.pairs(a, b).values, params)


def _of_matrices(
    measure: str, two: _Two, params: ScoreParams, ab: tuple[T, T], of: Callable[[T, T], np.ndarray]
) -> Iterator[Score]:
    """A measure whose matrices are arithmetic."""
    if params.named:
        # pair by pair: all pictures of two large folders do not fit into memory
        places = zip(*two.named, strict=True)
        each = [of(ab[0][i : i + 1], ab[1][j : j + 1])[0, 0] for i, j in places]
        yield from _named(measure, np.array(each, float), params)
        return
    matrix = of(*ab)
    yield from _named(measure, matrix[two.named], params)
    for pictures, one in ((WITHIN_A, ab[0]), (WITHIN_B, ab[1])):
        yield _score(measure, pictures, mean_within(of(one, one), SSIM, params.seed))
    yield _score(measure, BETWEEN, mean_between(matrix, SSIM, params.seed))


def _named(measure: str, values: np.ndarray, params: ScoreParams) -> Iterator[Score]:
    if len(values):
        mean = mean_share if measure == VERIFIED else mean_score
        yield _score(measure, BY_NAME, mean(values, seed=params.seed))


def _score(measure: str, pictures: str, mean: PairMean) -> Score:
    value, n, low, high = mean.mean
    return Score(measure, pictures, value, n, low, high, mean.left_out)


def _whole(measure: str, rate: Rate) -> Score:
    return Score(measure, SETS, rate.value, rate.n, rate.low, rate.high, 0)
