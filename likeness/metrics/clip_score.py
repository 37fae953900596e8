"""Agreement of pictures with texts (CLIP score) and with pictures (CLIP-I), as cosines."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from likeness.metrics.features import paired, unit

# clamped: max(cos, 0). hessel: 2.5 times that, the text read behind a prefix.
ClipScoreForm = Literal["clamped", "hessel"]
PREFIX = "A photo depicts"
SCALE = 2.5


def texts_for(texts: Sequence[str], form: ClipScoreForm) -> list[str]:
    """The texts as they are to be embedded: Hessel's form puts ``A photo depicts`` before each."""
    return [f"{PREFIX} {text}" for text in texts] if form == "hessel" else list(texts)


def clip_score(
    images: np.ndarray, texts: np.ndarray, form: ClipScoreForm = "clamped"
) -> np.ndarray:
    """Picture i against text i: two N x D of any length -> N float64, NaN where one is missing.

    ``clamped``: max(cos, 0), 0..1. ``hessel``: 2.5 max(cos, 0), 0..2.5, with texts embedded as
    ``texts_for`` says (Hessel et al. 2021, *CLIPScore*, arXiv 2104.08718, section 3). Clamped each
    on its own, before any mean. Raises ``BadInput`` for different shapes.
    """
    paired(images, texts)
    cosine = np.einsum("nd,nd->n", unit(images), unit(texts))
    return _clamped(cosine) * (SCALE if form == "hessel" else 1.0)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of each row of A x D with each of B x D: A x B float64 in -1..1, NaN where missing.

    Between real and made pictures this is CLIP-I (Ruiz et al. 2022, *DreamBooth*, section 4), whose
    mean is over all pairs: ``pairs.mean_between``; within one set ``pairs.mean_within``.
    """
    return np.clip(unit(a) @ unit(b).T, -1.0, 1.0)


def _clamped(cosine: np.ndarray) -> np.ndarray:
    return np.clip(cosine, 0.0, 1.0)
