"""Reconstruction and editability of a learned word.

Gal et al. 2022, *An Image is Worth One Word*, arXiv 2208.01618, and its published evaluation: CLIP
ViT-B/32, 64 pictures a prompt, 50 steps. Prompts: "A photo of S*"; of growing difficulty "A photo
of S* on the moon", "An oil painting of S*", "Elmo holding a S*". Studies say how they ask.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likeness.metrics.clip_score import cosines
from likeness.metrics.comparison import mean_score
from likeness.metrics.features import unit
from likeness.metrics.means import FEWEST, RESAMPLES
from likeness.metrics.pairs import PairMean, mean_between, mean_within
from likeness.statistics import Rate

# The two readings of editability, as passports call them.
MEAN_OF_COSINES, COSINE_OF_MEAN = "mean of cosines", "cosine of mean"


class Editability(NamedTuple):
    """The two published readings; they differ by the length of the mean of the unit vectors."""

    mean_of_cosines: PairMean  # as the published evaluation computes it, with a 95 % interval
    cosine_of_mean: float  # as the paper words it: the pictures' mean embedding against the text


def reconstruction(real: np.ndarray, made: np.ndarray) -> PairMean:
    """Mean cosine of all real x made pictures (A x D, B x D).

    With a bootstrap 95 % interval over pictures of both sides; -1..1. The lower line is the same
    measure of pictures of the initializer word.
    """
    return mean_between(cosines(real, made), "corrected")


def reconstruction_bound(real: np.ndarray) -> PairMean:
    """The upper line: mean cosine between the halves of the real pictures, over all ways to halve.

    Any two pictures lie in different halves equally often, so this is the mean over all pairs,
    -1..1.
    """
    return mean_within(cosines(real, real), "corrected")


def editability(made: np.ndarray, text: np.ndarray) -> Editability:
    """Pictures of one prompt (N x D) against that prompt without the learned word (D).

    Embed ``without_placeholder(prompt, placeholder)``. Pictures without features (NaN) are left
    out. Cosines, -1..1. The upper line is the same measure of the prompt with the class word in its
    place.
    """
    pictures, words = unit(made), unit(text[None])[0]
    there = pictures[~np.isnan(pictures).any(axis=1)]
    mean = unit(there.mean(axis=0)[None])[0] if len(there) else np.full(len(words), np.nan)
    return Editability(mean_score(pictures @ words), float(mean @ words))


def mean_over_prompts(cosines_of: Sequence[np.ndarray], seed: int = 0) -> Rate:
    """Mean over prompts, -1..1, of the mean cosine of their pictures: each prompt counts once.

    ``cosines_of``: of each prompt its pictures', NaN where there are no features. The bootstrap
    95 % interval is over the pictures of each prompt, since the prompts are the study's and not
    drawn; it is NaN where a prompt has fewer than 3. n counts pictures.
    """
    known = [one[~np.isnan(one)] for one in cosines_of]
    known = [one for one in known if len(one)]
    n = sum(map(len, known))
    if not known:
        return Rate(math.nan, 0, math.nan, math.nan)
    mean = float(np.mean([one.mean() for one in known]))
    if min(map(len, known)) < FEWEST:
        return Rate(mean, n, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    drawn = [one[rng.integers(len(one), size=(RESAMPLES, len(one)))].mean(1) for one in known]
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    return Rate(mean, n, float(low), float(high))


def without_placeholder(prompt: str, placeholder: str) -> str:
    """The prompt without this word; other words stay, those that only begin with it among them."""
    there = rf"(?<!\w){re.escape(placeholder)}(?!\w)"
    return " ".join(re.sub(there, " ", prompt).split())
