"""The heavy call on an experiment's pictures: how alike they are, and like the photos."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.faces import tasks as faces
from likeness.faces.backend import DeepFaces, FacesRecipe, SmallFaces
from likeness.faces.tasks import ReadFacesParams, accepted_pictures, read_faces
from likeness.faces.verification import NO_FACE, best_distance, by_picture, verified
from likeness.metrics import passports, tables
from likeness.metrics.heatmap import Panel, heat_maps
from likeness.metrics.pairs import mean_between, mean_within
from likeness.metrics.passports import Named
from likeness.metrics.photos import PROTOCOLS, prepared, side_of
from likeness.metrics.ssim import SsimProtocol, cross, pairwise
from likeness.metrics.tables import HELD, TRAIN, matrix_of, mean_row, pair_rows

PREVIEW = "preview.png"
Rows = list[pd.DataFrame]
Means = list[dict[str, object]]


class PairsParams(BaseModel):
    """How an experiment's pictures are compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    side: int = Field(500, ge=16, le=2048, description="px of SSIM; corrected never enlarges")
    faces: FacesRecipe | None = Field(None, description="what verifies faces; none: no faces")
    split: str | None = Field(None, description="the photos that were learned from, if any")


@dataclass(frozen=True, eq=False)
class Pictures:
    """A set of pictures that are compared with others."""

    name: str
    folder: Path
    table: pd.DataFrame  # image_id, file, width, height, and age

    @property
    def ids(self) -> list[str]:
        """In the order of the table."""
        return list(self.table["image_id"])

    @property
    def files(self) -> list[str]:
        """In the order of the table."""
        return list(self.table["file"])


def score_pairs(
    params: PairsParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/pairs``: SSIM (both protocols) and verification of an experiment's pictures.

    ``inputs``: ``made``; and where there is a subject ``photos``, ``faces``, ``splits`` and
    ``variety``. Every role of the pictures is compared within itself, with the photos that were
    learned from (``train``) and, by faces only, with photos held back (``held``). Writes
    ``pairs.parquet``, ``means.parquet`` (over all, and per age asked for), ``passports.json``,
    ``faces.parquet`` and heat maps. Pairs without a face are rows with status no_face. Raises
    BadInput where every picture was rejected.
    """
    made = accepted_pictures(inputs["made"]).sort_values(
        ["role", "age", "file"], na_position="last"
    )
    roles = [
        Pictures(str(role), inputs["made"], rows) for role, rows in made.groupby("role", sort=False)
    ]
    others = _photos(inputs, params.split) if "photos" in inputs else []
    papers: list[passports.Passport] = []
    train = [one for one in others if one.name == TRAIN]
    known = tables.read(inputs["variety"], tables.PAIRS) if train else pd.DataFrame()
    photos = [accepted_pictures(inputs["photos"])] if train else []
    sizes = pd.concat([one[["width", "height"]] for one in [made, *photos]])
    rows, means = _similar(params, roles, train, known, sizes, papers)
    same = None if params.faces is None else _Same(params.faces, inputs, output, scratch)
    if same is not None:
        more, their_means = _verified(same, roles, others)
        rows, means = [*rows, *more], [*means, *their_means]
        papers.append(same.paper)
    pd.concat(rows).to_parquet(output / tables.PAIRS, index=False)
    table = tables.typed(pd.DataFrame(means), tables.MEAN_COLUMNS)
    table.to_parquet(output / tables.MEANS, index=False)
    passports.write(output, papers)
    _draw(roles, others, rows, output / PREVIEW)
    return _summary(made, same, table)


def _photos(inputs: dict[str, Path], split: str | None) -> list[Pictures]:
    """Training photos (of the split) and held-back ones, youngest first."""
    known = tables.read(inputs["splits"], "photos.parquet").sort_values(["age", "image_id"])
    members = tables.read(inputs["splits"], "splits.parquet")
    mine = set(members.loc[members["split"] == split, "image_id"])
    found = []
    for name, rows in (
        (TRAIN, known[known["image_id"].isin(mine)]),
        (HELD, known[known["held_back"].fillna(False).astype(bool)]),
    ):
        if len(rows):
            found.append(Pictures(name, inputs["photos"], rows.drop_duplicates("image_id")))
    return found


def _similar(
    params: PairsParams,
    roles: Sequence[Pictures],
    train: Sequence[Pictures],
    known: pd.DataFrame,
    sizes: pd.DataFrame,
    papers: list[passports.Passport],
) -> tuple[Rows, Means]:
    """SSIM by both protocols; all sets at one side, so that all numbers compare.

    ``sizes``: of all that are compared, and of the person's photos that feed other models, which
    are to be compared with these. ``known``: pairs of photos that were compared before; they count
    if their passport is the same.
    """
    rows, means = [], []
    for protocol in PROTOCOLS:
        side = side_of(sizes, protocol, params.side)
        papers.append(passports.of_ssim(protocol, side))
        named = papers[-1].named
        learned = [(one, _ready(one, protocol, side)) for one in train]
        for one, photos in learned:
            before = known[known["passport_id"] == named["passport_id"]]
            matrix = pairwise(photos, protocol) if before.empty else matrix_of(before, one.ids)
            rows.append(pair_rows(matrix, (one.name, one.name), (one.ids, one.ids), named))
            means += _means_within(matrix, one, named, by_age=False)
        for role in roles:
            pictures = _ready(role, protocol, side)
            matrix = pairwise(pictures, protocol)
            rows.append(pair_rows(matrix, (role.name, role.name), (role.ids, role.ids), named))
            means += _means_within(matrix, role, named)
            for one, photos in learned:
                matrix = cross(pictures, photos, protocol)
                rows.append(pair_rows(matrix, (role.name, one.name), (role.ids, one.ids), named))
                means += _means_between(matrix, role, one.name, named)
    return rows, means


def _ready(pictures: Pictures, protocol: SsimProtocol, side: int) -> np.ndarray:
    return prepared(pictures.folder, pictures.files, protocol, side)


class _Same:
    """Who is who: embeddings of the pictures made now, and of the photos as they were read."""

    def __init__(
        self,
        recipe: SmallFaces | DeepFaces,
        inputs: dict[str, Path],
        output: Path,
        scratch: Path,
    ) -> None:
        read = ReadFacesParams(recipe=recipe)
        self.read = read_faces(read, {"images": inputs["made"]}, output, scratch / "faces")
        (output / faces.PREVIEW).rename(output / "faces.jpg")
        said = json.loads((output / faces.PASSPORT).read_text())
        self.threshold = float(self.read["threshold"])
        self.paper = passports.of_faces(said, self.threshold)
        folders = [output, *([inputs["faces"]] if "faces" in inputs else [])]
        self.known: dict[str, np.ndarray] = {}
        for folder in folders:
            if json.loads((folder / faces.PASSPORT).read_text()) != said:
                raise ValueError(f"{folder} was read by another face model than the pictures now")
            found = by_picture(pd.read_parquet(folder / faces.TABLE))
            self.known |= dict(zip(found.image_ids, found.embeddings, strict=True))

    def matrix(self, a: Pictures, b: Pictures) -> np.ndarray:
        """A x B: 1 verified, 0 not, NaN where one has no face."""
        mine, theirs = ([self.known[i] for i in one.ids] for one in (a, b))
        return verified(best_distance(mine, theirs), self.threshold)


def _verified(
    same: _Same, roles: Sequence[Pictures], others: Sequence[Pictures]
) -> tuple[Rows, Means]:
    named = same.paper.named
    rows, means = [], []
    for role in [*others, *roles]:
        matrix = same.matrix(role, role)
        rows.append(pair_rows(matrix, (role.name, role.name), (role.ids, role.ids), named, NO_FACE))
        means += _means_within(matrix, role, named, by_age=role in roles)
        for one in others if role in roles else []:
            matrix = same.matrix(role, one)
            sets, ids = (role.name, one.name), (role.ids, one.ids)
            rows.append(pair_rows(matrix, sets, ids, named, NO_FACE))
            means += _means_between(matrix, role, one.name, named)
    return rows, means


def _parts(role: Pictures, by_age: bool) -> Iterator[tuple[str, np.ndarray]]:
    """All of the pictures, and those of each age asked for."""
    yield "all", np.arange(len(role.table))
    if not by_age:
        return
    ages = role.table["age"].to_numpy(float, na_value=np.nan)
    for age in np.unique(ages[~np.isnan(ages)]):
        yield f"{age:g}", np.flatnonzero(ages == age)


def _means_within(matrix: np.ndarray, role: Pictures, named: Named, by_age: bool = True) -> Means:
    sets, averaging = (role.name, role.name), _averaging(named)
    return [
        mean_row(mean_within(matrix[np.ix_(rows, rows)], averaging), sets, named, part)
        for part, rows in _parts(role, by_age)
    ]


def _means_between(matrix: np.ndarray, role: Pictures, other: str, named: Named) -> Means:
    averaging = _averaging(named)
    return [
        mean_row(mean_between(matrix[rows], averaging), (role.name, other), named, part)
        for part, rows in _parts(role, by_age=True)
    ]


def _averaging(named: Named) -> SsimProtocol:
    return "original" if named["protocol"] == "original" else "corrected"


def _draw(roles: Sequence[Pictures], others: Sequence[Pictures], rows: Rows, file: Path) -> None:
    """The first role with itself and with the photos learned from, and these; a line a metric."""
    first, learned = roles[0], [one for one in others if one.name == TRAIN]
    wanted = [(first, first), *((one, other) for other in learned for one in (first, other))]
    lines: dict[str, list[Panel]] = {}
    for a, b in wanted:
        for one in rows:
            sets = (one["set_a"].iat[0], one["set_b"].iat[0]) if len(one) else None
            if sets == (a.name, b.name) and one["protocol"].iat[0] != "original":
                metric = str(one["metric"].iat[0])
                matrix = _as_matrix(one["value"].to_numpy(float, na_value=np.nan), a, b)
                title = f"{metric}, {a.name} x {b.name}"
                lines.setdefault(metric, []).append(Panel(title, matrix, _names(a), _names(b)))
    if lines:
        heat_maps(list(lines.values()), file)


def _as_matrix(values: np.ndarray, a: Pictures, b: Pictures) -> np.ndarray:
    if a is not b:
        return values.reshape(len(a.table), len(b.table))
    matrix = np.eye(len(a.table))
    first, second = np.triu_indices(len(matrix), k=1)
    matrix[first, second] = matrix[second, first] = values
    return matrix


def _names(one: Pictures) -> list[str]:
    return ["" if pd.isna(age) else f"{age:.0f}" for age in one.table["age"]]


def _summary(made: pd.DataFrame, same: _Same | None, means: pd.DataFrame) -> dict[str, Any]:
    everything = means[means["part"] == "all"]
    return {
        "pictures": len(made),
        "without_face": None if same is None else same.read["without_face"],
        "means": {
            f"{row.metric} {row.protocol}: {row.set_a} x {row.set_b}": (
                None if pd.isna(row.value) else round(float(row.value), 4)
            )
            for row in everything.itertuples()
        },
    }
