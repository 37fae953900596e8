"""Each measure of edits: all edits of an experiment at once, a value or a reason for each."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from likeness.edit.table import EDIT, SOURCE
from likeness.images import image_set
from likeness.images.decode import decode
from likeness.images.sheets import ANY_SIZE
from likeness.metrics import passports
from likeness.metrics.background import BackgroundProtocol, background_kept
from likeness.metrics.clip_score import ClipScoreForm
from likeness.metrics.features import once, unit
from likeness.metrics.passports import Passport
from likeness.metrics.tables import OK
from likeness.progress import track

NOT_MADE, NO_MASK = "not made", "no mask"
NO_PROMPT = "no source prompt"
BACKGROUNDS: tuple[BackgroundProtocol, ...] = ("original", "corrected")


class Measured(NamedTuple):
    """One measure of N edits."""

    paper: Passport
    values: np.ndarray  # N float64, NaN: none
    why: Sequence[str]  # status of those without a value
    is_own: bool = True  # False: its passport lies with the pairs


@dataclass(frozen=True, eq=False)
class Edits:
    """The edits of an experiment, good and bad, each with its source's picture."""

    folder: Path
    table: pd.DataFrame  # N rows: of the image set, with source_file
    masks: dict[str, Path]  # by pair_id
    afters: dict[str, Path]

    @classmethod
    def of(cls, inputs: dict[str, Path], masks: dict[str, str], afters: dict[str, str]) -> "Edits":
        """``inputs``: ``made``, and ``sources`` with the masks and the true edits."""
        made = image_set.read(inputs["made"])
        sources = image_set.accepted(made[made["role"] == SOURCE]).drop_duplicates("image_id")
        sources = sources[["image_id", "file"]]
        sources.columns = pd.Index(["source_id", "source_file"])
        table = made[made["role"] == EDIT].merge(sources, on="source_id", how="left")
        found = [
            {pair: inputs["sources"] / name for pair, name in files.items()}
            for files in (masks, afters)
        ]
        return cls(inputs["made"], table.reset_index(drop=True), *found)

    @property
    def good(self) -> np.ndarray:
        """N bool: edit and source are there."""
        whole = (self.table["status"] == image_set.ACCEPTED) & self.table["source_file"].notna()
        return whole.fillna(False).to_numpy(bool)

    @property
    def files(self) -> list[Path]:
        """Of the good ones."""
        return [self.folder / str(file) for file in self.table["file"][self.good]]

    @property
    def source_files(self) -> list[Path]:
        """Of the good ones."""
        return [self.folder / str(file) for file in self.table["source_file"][self.good]]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of the good ones as values of all."""
        whole = np.full(len(self.table), np.nan)
        whole[self.good] = values
        return whole

    def why(self, reasons: Sequence[str]) -> list[str]:
        """Reasons of the good ones as reasons of all."""
        whole = [NOT_MADE] * len(self.table)
        for place, reason in zip(np.flatnonzero(self.good), reasons, strict=True):
            whole[place] = reason or OK
        return whole

    def measured(
        self, paper: Passport, values: np.ndarray, reasons: Sequence[str] | None = None
    ) -> Measured:
        """One measure from what was found of the good ones."""
        return Measured(paper, self.spread(values), self.why(reasons or [""] * len(values)))


def of_pairs(edits: Edits, pairs: pd.DataFrame, folder: Path) -> Iterator[Measured]:
    """SSIM of each edit with its source, as ``scores/pairs`` has found it."""
    papers = {
        row["passport_id"]: Passport.model_validate(
            {name: value for name, value in row.items() if name != "passport_id"}
        )
        for row in json.loads((folder / passports.FILE).read_text())
    }
    known = pairs[(pairs["set_a"] == SOURCE) & (pairs["set_b"] == EDIT)]
    for passport_id, rows in known.groupby("passport_id", sort=False):
        found = {(r.image_a, r.image_b): r.value for r in rows.itertuples()}
        keys = zip(edits.table["source_id"], edits.table["image_id"], strict=True)
        values = np.array([found.get(key, np.nan) for key in keys], float)
        why = [NOT_MADE] * len(values)
        yield Measured(papers[str(passport_id)], values, why, is_own=False)


def clip_measures(edits: Edits, source: str, form: ClipScoreForm) -> Iterator[Measured]:
    """CLIP score with the target, directional similarity, CLIP-I with the source."""
    from likeness.metrics.clip import open_clip_folder
    from likeness.metrics.clip_score import clip_score, texts_for
    from likeness.metrics.directional import directional_similarity

    encoder = open_clip_folder(source)
    after = encoder.embed_images(edits.files)
    before = once(encoder.embed_images, edits.source_files)
    good = edits.table[edits.good]
    sources = [str(text) for text in good["source_prompt"].fillna("")]
    targets = [str(text) for text in good["prompt"]]
    target = encoder.embed_texts(targets).vectors
    spoken = encoder.embed_texts(sources).vectors
    unreadable = [one or other for one, other in zip(after.reason, before.reason, strict=True)]
    said = encoder.embed_texts(texts_for(targets, form))
    paper = encoder.passport("clip_score", form)
    whole = np.array([not reason for reason in said.reason], bool)
    scores = np.where(whole, clip_score(after.vectors, said.vectors, form), np.nan)
    cut = [one or other for one, other in zip(unreadable, said.reason, strict=True)]
    yield edits.measured(paper, scores, cut)
    towards = directional_similarity(before.vectors, after.vectors, spoken, target)
    has_words = np.array([bool(text) for text in sources], bool)
    reasons = [
        why if said else NO_PROMPT for why, said in zip(towards.reasons, has_words, strict=True)
    ]
    paper = encoder.passport("directional", "change of picture and text")
    yield edits.measured(paper, np.where(has_words, towards.values, np.nan), reasons)
    alike = np.einsum("nd,nd->n", unit(before.vectors), unit(after.vectors))
    yield edits.measured(encoder.passport("clip_i", "with the source"), alike, unreadable)


def lpips_measure(edits: Edits, folder: Path) -> Measured:
    """LPIPS to the source, at native size up to 256 px."""
    from likeness.metrics.lpips import open_lpips

    network = open_lpips(folder)
    side = int(min([256, *edits.table["width"][edits.good].astype(int)]))
    found = network.pairs(edits.source_files, edits.files, side)
    return edits.measured(network.passport(side), found.values, found.reasons)


def structure_measure(edits: Edits, source: str) -> Measured:
    """Structure distance to the source."""
    from likeness.metrics.structure import open_keys

    encoder = open_keys(source)
    found = encoder.pairs(edits.source_files, edits.files)
    return edits.measured(encoder.passport("corrected"), found.values, found.reasons)


def backgrounds(edits: Edits) -> Iterator[Measured]:
    """What was kept outside of the mask, by both protocols."""
    good = edits.table[edits.good]
    masks = [edits.masks.get(str(pair)) for pair in good["pair_id"]]
    files = list(zip(edits.source_files, edits.files, masks, strict=True))
    for protocol in BACKGROUNDS:
        found = [
            None
            if mask is None
            else background_kept(pixels_of(before), pixels_of(after), mask_of(mask), protocol)
            for before, after, mask in track(files, f"background, {protocol}", len(files))
        ]
        reasons = [NO_MASK if one is None else one.reason for one in found]
        for metric in ("mse", "psnr", "ssim"):
            values = [np.nan if one is None else getattr(one, metric) for one in found]
            paper = Passport(
                metric=f"background_{metric}",
                protocol=protocol,
                preprocessing="RGB at native size, mask at half white",
                libraries=passports.versions("numpy", "scikit-image"),
            )
            yield edits.measured(paper, np.array(values, float), reasons)


def pixels_of(file: Path) -> np.ndarray:
    """H x W x 3 uint8."""
    return np.asarray(decode(file, ANY_SIZE).convert("RGB"))


def mask_of(file: Path) -> np.ndarray:
    """H x W bool: true where the edit may change the picture."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("L")) > 127
