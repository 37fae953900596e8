"""CLIP directional similarity: does a picture change in the direction in which the text does?"""

from typing import NamedTuple

import numpy as np

from likeness.metrics.features import paired, unit

# Of unit vectors. What one picture differs by from itself in another batch is near 1e-6; a smaller
# change than this has no direction but that of rounding.
LEAST_CHANGE = 1e-4


class Directional(NamedTuple):
    """One value a pair; where there is none it is NaN and the reason says why."""

    values: np.ndarray  # N float64, -1..1
    reasons: tuple[str, ...]

    @property
    def loss(self) -> np.ndarray:
        """1 - value, 0..2: what is minimised (Gal et al. 2021, arXiv 2108.00946)."""
        return 1.0 - self.values


def directional_similarity(
    image_before: np.ndarray,
    image_after: np.ndarray,
    text_before: np.ndarray,
    text_after: np.ndarray,
) -> Directional:
    """Cosine of the change of picture i with the change of text i; all four N x D of any length.

    Features are normalised first, then subtracted (Brooks et al. 2023, *InstructPix2Pix*, arXiv
    2211.09800). A picture that stands still has gone no way, and has 0: left out, an editor that
    does nothing would seem as good as its other pairs. Without features, or a change of the text,
    there is no value.
    Raises ``BadInput`` for different shapes.
    """
    paired(image_before, image_after, text_before, text_after)
    image = unit(image_after) - unit(image_before)
    text = unit(text_after) - unit(text_before)
    reasons = tuple(map(_reason, np.linalg.norm(image, axis=1), np.linalg.norm(text, axis=1)))
    values = np.clip(np.einsum("nd,nd->n", unit(image), unit(text)), -1.0, 1.0)
    values[np.linalg.norm(image, axis=1) < LEAST_CHANGE] = 0.0
    return Directional(np.where([not why for why in reasons], values, np.nan), reasons)


def _reason(image_change: float, text_change: float) -> str:
    if np.isnan(image_change) or np.isnan(text_change):
        return "a picture or a text has no features"
    return "the text did not change" if text_change < LEAST_CHANGE else ""
