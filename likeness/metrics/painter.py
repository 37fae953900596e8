"""The heavy call on pictures after a painter: how near they are to his, and to what was asked.

Reconstruction and editability are those of Gal et al. 2022 (``metrics/textual_inversion.py``). The
real set is every picture of the painter's own class: what is to be learned is a hand, and not the
few pictures that it was learned from.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.made import prepared
from likeness.images.prepare import Preparation
from likeness.images.sheets import ANY_SIZE
from likeness.metrics import passports, tables
from likeness.metrics.clip import ClipEncoder, open_clip_folder
from likeness.metrics.clip_score import cosines
from likeness.metrics.features import unit
from likeness.metrics.frechet import fid, kid
from likeness.metrics.images import COLUMNS, MEAN_COLUMNS, MEANS, READER, SCORES
from likeness.metrics.pairs import PairMean, mean_between
from likeness.metrics.passports import Passport
from likeness.metrics.ssim import cross, shared_side
from likeness.metrics.ssim import prepare as for_ssim
from likeness.metrics.textual_inversion import (
    editability,
    mean_over_prompts,
    reconstruction,
    reconstruction_bound,
    without_placeholder,
)
from likeness.statistics import Rate, wilson

SSIM_SIDE = 256  # px at most


class PainterScoresParams(BaseModel):
    """What is asked of an experiment's pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    painted: list[str] = Field(min_length=2, description="image_id of the painter's own pictures")
    prepare: Preparation = Field(description="how these were prepared")
    word: str | None = Field(None, description="learned word, which no prompt is compared with")
    clip: str | None = Field(None, description="encoder, such as small-clip; none: SSIM alone")
    hand: str | None = Field(None, description="the painter's name to the small world's reader")


class _Measure(NamedTuple):
    """Of N pictures of one role: a value of each, and what stands for all of them."""

    paper: Passport
    values: np.ndarray
    mean: PairMean


def score_painter(
    params: PainterScoresParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/images`` of an experiment about a painter: tables as ``score_images`` writes them.

    ``inputs``: ``made``, and ``images``, the painter's set. A picture's ``reconstruction``: its
    mean cosine with the painter's pictures; ``editability``: its cosine with its prompt without the
    word; ``ssim``: the mean over the painter's pictures (corrected); ``painter_read``: 1 where the
    reader names the painter. Means per role; of a role also ``fid`` and ``kid`` of CLIP features
    against the painter's pictures, without a value of each. The role ``painter`` has the upper line
    of reconstruction. Raises ``BadInput`` where the encoder cannot be had.
    """
    encoder = open_clip_folder(params.clip) if params.clip else None
    real = image_set.files_of(inputs["images"], params.painted)
    made = image_set.accepted(image_set.read(inputs["made"])).drop_duplicates("image_id")
    files = prepared(inputs["made"], made, params.prepare, scratch / "made", "pictures")
    looked = _Looked(params, real, encoder)
    scores: list[pd.DataFrame] = []
    means, papers = [*looked.lines()], dict[str, Passport]()
    for role, rows in made.groupby("role", sort=True):
        mine = [files[place] for place in made.index.get_indexer(rows.index)]
        for one in looked.at(mine, rows["prompt"].tolist()):
            papers[one.paper.passport_id] = one.paper
            named = {
                "metric": one.paper.metric,
                "protocol": one.paper.protocol,
                "passport_id": one.paper.passport_id,
            }
            means.append(_mean_row(one, str(role)))
            if len(one.values):
                ids = rows["image_id"].tolist()
                scores.append(pd.DataFrame({"image_id": ids, "value": one.values}).assign(**named))
    table = pd.concat(scores, ignore_index=True) if scores else pd.DataFrame(columns=list(COLUMNS))
    table["status"] = np.where(table["value"].isna(), "not read", tables.OK)
    tables.typed(table, COLUMNS).to_parquet(output / SCORES, index=False)
    tables.typed(pd.DataFrame(means), MEAN_COLUMNS).to_parquet(output / MEANS, index=False)
    passports.write(output, list(papers.values()))
    return {
        "pictures": len(made),
        "painted": len(real),
        "means": {f"{m['metric']}, {m['role']}": _short(m["value"]) for m in means},
    }


class _Looked:
    """The painter's pictures, looked at once; then those of role after role."""

    def __init__(
        self, params: PainterScoresParams, real: list[Path], encoder: ClipEncoder | None
    ) -> None:
        self.params, self.encoder = params, encoder
        self.side = shared_side([_size(file) for file in real], "corrected", SSIM_SIDE)
        self.gray = self._gray(real)
        self.vectors = np.zeros((0, 0), np.float32)
        if encoder is not None:
            self.vectors = encoder.embed_images(real).vectors

    def at(self, files: list[Path], prompts: list[str]) -> Iterator[_Measure]:
        """All measures of the pictures of one role, whose prompts these are."""
        alike = cross(self._gray(files), self.gray, "corrected")
        paper = passports.of_ssim("corrected", self.side)
        yield _Measure(paper, alike.mean(1), mean_between(alike, "corrected"))
        if self.encoder is not None:
            yield from self._by_clip(self.encoder, files, prompts)
        if self.params.hand is not None:
            yield self._read(files, self.params.hand)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What pictures by the painter himself reach."""
        if self.encoder is not None:
            paper = self.encoder.passport("reconstruction", "mean of all pairs")
            bound = reconstruction_bound(self.vectors)
            yield _mean_row(_Measure(paper, np.zeros(0), bound), tables.PAINTER)

    def _by_clip(
        self, encoder: ClipEncoder, files: list[Path], prompts: list[str]
    ) -> Iterator[_Measure]:
        made = encoder.embed_images(files).vectors
        alike = cosines(made, self.vectors)
        yield _Measure(
            encoder.passport("reconstruction", "mean of all pairs"),
            alike.mean(1),
            reconstruction(self.vectors, made),
        )
        yield self._obedience(encoder, made, prompts)
        for name, found in (
            ("fid", fid(made, self.vectors)),
            ("kid", kid(made, self.vectors).value),
        ):
            paper = encoder.passport(name, "CLIP features")
            yield _Measure(paper, np.zeros(0), PairMean(found, 0))

    def _obedience(self, encoder: ClipEncoder, made: np.ndarray, prompts: list[str]) -> _Measure:
        """Of several prompts each counts once."""
        word = self.params.word
        asked = [without_placeholder(text, word) if word else text for text in prompts]
        texts = encoder.embed_texts(asked).vectors
        each = np.einsum("nd,nd->n", unit(made), unit(texts))
        known = pd.Series(range(len(asked))).groupby(asked).indices.values()
        results = [editability(made[rows], texts[rows[0]]) for rows in known]
        mean = results[0].mean_of_cosines
        if len(results) > 1:
            left_out = sum(one.mean_of_cosines.left_out for one in results)
            mean = PairMean(mean_over_prompts(results), left_out)
        return _Measure(encoder.passport("editability", "mean of cosines"), each, mean)

    def _read(self, files: list[Path], hand: str) -> _Measure:
        """Share of pictures that the small world's reader takes for the painter's."""
        from likeness.world.reader.read import Reader

        pictures = np.stack([np.asarray(decode(file, ANY_SIZE).convert("RGB")) for file in files])
        named = (Reader.load(READER).read(pictures).painter == hand).astype(float)
        paper = passports.of_reader("painter_read", f"named {hand}", READER)
        right, n = int(named.sum()), len(named)
        return _Measure(paper, named, PairMean(Rate(right / n, n, *wilson(right, n)), 0))

    def _gray(self, files: list[Path]) -> np.ndarray:
        return np.stack(
            [for_ssim(decode(file, ANY_SIZE), "corrected", self.side) for file in files]
        )


def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def _mean_row(one: _Measure, role: str) -> dict[str, Any]:
    value, n, low, high = one.mean.mean
    return {
        "metric": one.paper.metric,
        "protocol": one.paper.protocol,
        "passport_id": one.paper.passport_id,
        "role": role,
        "part": "all",
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "left_out": one.mean.left_out,
    }


def _short(value: Any) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)
