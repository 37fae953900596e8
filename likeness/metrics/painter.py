"""The heavy call on pictures after a painter: how near they are to his, and to what was asked.

Reconstruction and editability are those of Gal et al. 2022 (``metrics/textual_inversion.py``). The
real set is the painter's own class without the pictures that words were learned from: what is to be
learned is a hand, and a copy of those few shall not count as one.
"""

import logging
import math
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
from likeness.metrics.comparison import mean_score
from likeness.metrics.features import unit
from likeness.metrics.frechet import fid, kid
from likeness.metrics.images import COLUMNS, MEAN_COLUMNS, MEANS, READER, SCORES
from likeness.metrics.pairs import PairMean, mean_between
from likeness.metrics.passports import Passport
from likeness.metrics.ssim import cross, shared_side
from likeness.metrics.ssim import prepare as for_ssim
from likeness.metrics.textual_inversion import (
    COSINE_OF_MEAN,
    MEAN_OF_COSINES,
    editability,
    mean_over_prompts,
    reconstruction,
    reconstruction_bound,
    without_placeholder,
)
from likeness.statistics import Rate, rate

SSIM_SIDE = 256  # px at most
GRAY = 2.0  # levels that the channels of a gray picture are apart, on average
ALL_PAIRS, OF_CLIP = "mean of all pairs", "CLIP features"
# What a CLIP encoder measures, and how; the first two of each picture, too.
BY_CLIP = (
    ("reconstruction", ALL_PAIRS),
    ("editability", MEAN_OF_COSINES),
    ("editability", COSINE_OF_MEAN),
    ("fid", OF_CLIP),
    ("kid", OF_CLIP),
)
OF_EACH = BY_CLIP[:2]
READ = "painter_read"


log = logging.getLogger("likeness")


class PainterScoresParams(BaseModel):
    """What is asked of an experiment's pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    painted: list[str] = Field(
        min_length=2, description="image_id of the painter's own pictures, none learned from"
    )
    own: dict[str, list[str]] = Field(
        {}, description="test set by the painter himself -> image_id; what the reader says of him"
    )
    prepare: Preparation = Field(description="how these were prepared")
    word: str | None = Field(
        None,
        description="what stands in prompts for the painter, learned or not: pictures are compared "
        "with the rest of their prompt",
    )
    clip: str | None = Field(None, description="encoder, such as small-clip; none: SSIM alone")
    encoders: dict[str, str] = Field({}, description="encoder by name -> what its bytes are")
    lacking: str | None = Field(
        None, description="why the encoder is not here; its measures are then rows without a value"
    )
    hand: str | None = Field(None, description="the painter's name to the small world's reader")


class _Measure(NamedTuple):
    """Of N pictures of one role: a value of each, and what stands for all of them."""

    paper: Passport
    values: np.ndarray
    mean: PairMean
    why: str = "not read"  # status of what has no value


def score_painter(
    params: PainterScoresParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``scores/images`` of an experiment about a painter: tables as ``score_images`` writes them.

    ``inputs``: ``made``, and ``images``, the painter's set. A picture's ``reconstruction``: its
    mean cosine with the painter's pictures; ``editability``: its cosine with its prompt without the
    word; ``ssim``: the mean over the painter's pictures (corrected); ``painter_read``: 1 where the
    reader names the painter, and 0 with the reason for one that came out in one colour, which the
    other measures leave out and count. Means per role; of a role also ``fid`` and ``kid`` of CLIP
    features against the painter's pictures and the other reading of editability, without a value
    of each.
    The role ``painter`` has the upper line of reconstruction and, as its parts, what the reader
    says of each of his own test sets. An encoder that is ``lacking`` costs its measures alone.
    Raises ``BadInput`` where one that is here cannot be opened.
    """
    encoder = None
    if params.lacking is not None:
        log.warning("no data for reconstruction, editability, FID and KID: %s", params.lacking)
    elif params.clip is not None:
        encoder = open_clip_folder(params.clip)
    everything = image_set.read(inputs["made"])
    made = image_set.accepted(everything).drop_duplicates("image_id")
    # Pictures that came out in one colour: nobody's hand, and nothing for the other measures.
    lost = everything[(everything["status"] == image_set.REJECTED) & everything["file"].notna()]
    real = image_set.files_of(inputs["images"], params.painted)
    preparation = _as_gray_as(real, params.prepare)
    files = prepared(inputs["made"], made, preparation, scratch / "made", "pictures")
    looked = _Looked(params, inputs["images"], encoder, files)
    scores: list[pd.DataFrame] = []
    means, papers = list[dict[str, Any]](), dict[str, Passport]()
    for part, one in looked.lines():
        papers[one.paper.passport_id] = one.paper
        means.append(_mean_row(one, tables.PAINTER, part))
    for role in sorted({*made["role"], *lost["role"]}):
        rows, gone = made[made["role"] == role], lost[lost["role"] == role]
        mine = [files[place] for place in made.index.get_indexer(rows.index)]
        for found in looked.at(mine, rows["prompt"].tolist()):
            one = _with_lost(found, len(gone))
            papers[one.paper.passport_id] = one.paper
            means.append(_mean_row(one, role))
            if len(one.values):
                scores.append(_score_rows(one, rows["image_id"].tolist()))
            if one.paper.metric == READ:
                # pictures of one colour and size are one file, and so one row
                black = gone.drop_duplicates("image_id")
                zeros = {"value": 0.0, "status": black["reason"]}
                scores.append(black[["image_id"]].assign(**zeros, **one.paper.named))
    table = pd.concat(scores, ignore_index=True) if scores else pd.DataFrame(columns=list(COLUMNS))
    tables.typed(table, COLUMNS).to_parquet(output / SCORES, index=False)
    tables.typed(pd.DataFrame(means), MEAN_COLUMNS).to_parquet(output / MEANS, index=False)
    passports.write(output, list(papers.values()))
    return {
        "pictures": len(made),
        "painted": len(params.painted),
        "no_data": params.lacking or "",
        "means": {
            f"{m['metric']}, {m['role']}": _short(m["value"])
            for m in means
            if m["part"] == "all" and m["protocol"] != COSINE_OF_MEAN
        },
    }


class _Looked:
    """The painter's pictures, looked at once; then those of role after role."""

    def __init__(
        self,
        params: PainterScoresParams,
        images: Path,
        encoder: ClipEncoder | None,
        made: list[Path],
    ) -> None:
        real = image_set.files_of(images, params.painted)
        self.params, self.images, self.encoder = params, images, encoder
        sizes = [_size(file) for file in [*real, *made]]
        self.side = shared_side(sizes, "corrected", SSIM_SIDE)
        self.gray = self._gray(real)
        self.vectors = np.zeros((0, 0), np.float32)
        if encoder is not None:
            self.vectors = encoder.embed_images(real).vectors

    def at(self, files: list[Path], prompts: list[str]) -> Iterator[_Measure]:
        """All measures of the pictures of one role, whose prompts these are.

        Where all came out in one colour, there is none but what the reader says.
        """
        if not files:
            if self.params.hand is not None:
                yield self._read(files, self.params.hand)
            return
        alike = cross(self._gray(files), self.gray, "corrected")
        paper = passports.of_ssim("corrected", self.side)
        yield _Measure(paper, alike.mean(1), mean_between(alike, "corrected"))
        if self.encoder is not None:
            yield from self._by_clip(self.encoder, files, prompts)
        elif self.params.clip is not None:
            yield from self._without_clip(self.params.clip, len(files))
        if self.params.hand is not None:
            yield self._read(files, self.params.hand)

    def lines(self) -> Iterator[tuple[str, _Measure]]:
        """What pictures by the painter himself reach, all of them and set by set."""
        if self.encoder is not None:
            paper = self.encoder.passport("reconstruction", ALL_PAIRS)
            yield "all", _Measure(paper, np.zeros(0), reconstruction_bound(self.vectors))
        for name, ids in self.params.own.items():
            if self.params.hand is not None:
                files = image_set.files_of(self.images, ids)
                yield name, self._read(files, self.params.hand)

    def _without_clip(self, clip: str, count: int) -> Iterator[_Measure]:
        """What the encoder would have measured, without values and with the reason."""
        unknown = PairMean(Rate(math.nan, 0, math.nan, math.nan), count)
        for metric, protocol in BY_CLIP:
            paper = Passport(metric=metric, protocol=protocol, model=clip)
            values = np.full(count if (metric, protocol) in OF_EACH else 0, math.nan)
            yield _Measure(paper, values, unknown, str(self.params.lacking))

    def _by_clip(
        self, encoder: ClipEncoder, files: list[Path], prompts: list[str]
    ) -> Iterator[_Measure]:
        made = encoder.embed_images(files).vectors
        alike = cosines(made, self.vectors)
        yield _Measure(
            encoder.passport("reconstruction", ALL_PAIRS),
            alike.mean(1),
            reconstruction(self.vectors, made),
        )
        yield from self._obedience(encoder, made, prompts)
        for name, distance in (("fid", fid), ("kid", kid)):
            paper = encoder.passport(name, OF_CLIP)
            yield _Measure(paper, np.zeros(0), PairMean(distance(made, self.vectors), 0))

    def _obedience(
        self, encoder: ClipEncoder, made: np.ndarray, prompts: list[str]
    ) -> Iterator[_Measure]:
        """By both readings; of several prompts each counts once."""
        word = self.params.word
        asked = [without_placeholder(text, word) if word else text for text in prompts]
        texts = encoder.embed_texts(asked).vectors
        each = np.einsum("nd,nd->n", unit(made), unit(texts))
        known = pd.Series(range(len(asked))).groupby(asked).indices.values()
        results = [editability(made[rows], texts[rows[0]]) for rows in known]
        left_out = sum(one.mean_of_cosines.left_out for one in results)
        mean = PairMean(mean_over_prompts([each[rows] for rows in known]), left_out)
        yield _Measure(encoder.passport("editability", MEAN_OF_COSINES), each, mean)
        of_means = mean_score(np.array([one.cosine_of_mean for one in results])).mean
        # The prompts are the study's: drawn anew, they would tell of nothing.
        of_means = of_means._replace(low=math.nan, high=math.nan)
        paper = encoder.passport("editability", COSINE_OF_MEAN)
        yield _Measure(paper, np.zeros(0), PairMean(of_means, left_out))

    def _read(self, files: list[Path], hand: str) -> _Measure:
        """Share of pictures that the small world's reader takes for the painter's."""
        from likeness.world.reader.read import Reader

        reader = Reader.load(READER)
        # one by one: pictures that are not resized may be of several sizes
        pictures = (np.asarray(decode(file, ANY_SIZE).convert("RGB")) for file in files)
        said = [reader.read(picture[None]).painter[0] for picture in pictures]
        named = np.array([painter == hand for painter in said], float)
        paper = passports.of_reader(READ, f"named {hand}", READER)
        return _Measure(paper, named, PairMean(rate(int(named.sum()), len(named)), 0))

    def _gray(self, files: list[Path]) -> np.ndarray:
        return np.stack(
            [for_ssim(decode(file, ANY_SIZE), "corrected", self.side) for file in files]
        )


def _with_lost(one: _Measure, lost: int) -> _Measure:
    """The measure, where so many pictures more were asked for and came out in one colour."""
    mean, left_out = one.mean
    if one.paper.metric == READ:
        named = round(mean.value * mean.n) if mean.n else 0
        return one._replace(mean=PairMean(rate(named, mean.n + lost), left_out))
    return one._replace(mean=PairMean(mean, left_out + lost))


def _as_gray_as(files: list[Path], preparation: Preparation) -> Preparation:
    """Gray where all of the painter's pictures are: else colour would be most of the distance."""
    for file in files:
        with Image.open(file) as picture:
            colours = np.asarray(picture.convert("RGB"), np.int16)
        # a gray photograph may come out of its JPEG with a shade of colour
        if np.ptp(colours, axis=2).mean() > GRAY:
            return preparation
    return preparation.model_copy(update={"color": "gray"})


def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def _score_rows(one: _Measure, ids: list[str]) -> pd.DataFrame:
    status = np.where(np.isnan(one.values), one.why, tables.OK)
    table = pd.DataFrame({"image_id": ids, "value": one.values, "status": status})
    return table.assign(**one.paper.named)


def _mean_row(one: _Measure, role: str, part: str = "all") -> dict[str, Any]:
    return {**one.paper.named, "role": role, "part": part, **one.mean.row}


def _short(value: Any) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)
