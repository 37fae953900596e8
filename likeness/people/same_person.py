"""Which photos show the same person: the largest set in which each verifies with most others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

VERIFIED = "verified.parquet"
COLUMNS = {
    "image_id": "string",
    "verified": "boolean",
    "verifies_with": "Int64",
    "of": "Int64",
    "reason": "string",
}
NO_FACE = "no face was found"
# below the rounding of a share times a count
_SLACK = 1e-9


class SamePersonRecipe(BaseModel):
    """When a photo counts as one of the person's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="of the person's other photos, a photo must verify with at least so many; "
        "1 = with every one",
    )


def same_person(
    image_ids: Sequence[str], distances: np.ndarray, threshold: float, recipe: SamePersonRecipe
) -> pd.DataFrame:
    """A row per photo: image_id, verified, verifies_with, of (how many others), reason.

    ``distances`` is N x N, symmetric, NaN where a photo has no face; two photos verify where their
    distance is at most ``threshold``. The set wanted is the largest one in which every photo
    verifies with at least ``share`` of the others: a quasi-clique (Pei et al. 2005, section 2). The
    largest clique, ``share`` 1, breaks where a single pair fails, as pairs of one person far apart
    in years do, and to find either is NP-hard. So the set is peeled (smallest last, Matula and Beck
    1983): of all photos with a face the one that verifies with the fewest is taken out, on a tie
    the one with the larger image_id, until the rule holds for all that are left; then photos taken
    out come back, the best first, as long as it holds for all. The order of the photos does not
    matter, and a stranger who verifies with nobody changes nothing. A set needs two photos: one
    alone proves nothing. Raises ``ValueError`` for distances that are not N x N and symmetric.
    """
    _check(distances, image_ids)
    order = np.argsort(np.asarray(image_ids, dtype=str))
    found = np.asarray(distances, dtype=np.float64)[np.ix_(order, order)]
    has_face = ~np.isnan(found.diagonal())
    # a product of matrices may round the two halves differently
    verifies = (found + found.T) / 2 <= threshold
    np.fill_diagonal(verifies, False)
    members = _readmitted(verifies, _peeled(verifies, has_face, recipe.share), has_face, recipe)
    rows: list[dict[str, object]] = [{} for _ in order]
    for place, k in enumerate(order):
        rows[k] = _row(str(image_ids[k]), verifies[place], members, place, has_face, recipe.share)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _check(distances: np.ndarray, image_ids: Sequence[str]) -> None:
    count = len(image_ids)
    if distances.shape != (count, count) or len(set(image_ids)) < count:
        raise ValueError(f"{count} photos, once each, need {count} x {count} distances")
    if not np.allclose(distances, distances.T, equal_nan=True):
        raise ValueError("the distances of a and b and of b and a differ")


def enough(degrees: np.ndarray, size: int | np.ndarray, share: float) -> np.ndarray:
    """Whether photos that verify with ``degrees`` others of a set of ``size`` may be in it."""
    return np.asarray(degrees >= share * (size - 1) - _SLACK)


def _peeled(verifies: np.ndarray, has_face: np.ndarray, share: float) -> np.ndarray:
    """N bool: what is left when nobody has to go any more; photos are in the order of their ids."""
    members = has_face.copy()
    degrees = (verifies & members).sum(1)
    while members.sum() > 1:
        # the last one of the fewest
        backwards = np.where(members, degrees, len(members))[::-1]
        worst = len(members) - 1 - int(np.argmin(backwards))
        if enough(degrees[worst], int(members.sum()), share):
            return members
        members[worst] = False
        degrees = degrees - verifies[worst]
    return np.zeros_like(members)


def _readmitted(
    verifies: np.ndarray, members: np.ndarray, has_face: np.ndarray, recipe: SamePersonRecipe
) -> np.ndarray:
    """With those who had to go early, for the strangers who were still there."""
    members = members.copy()
    while members.any():
        degrees = (verifies & members).sum(1)
        outside = np.flatnonzero(has_face & ~members)
        best_first = outside[np.argsort(-degrees[outside], kind="stable")]
        size = int(members.sum()) + 1
        for one in best_first:
            inside = members | (np.arange(len(members)) == one)
            if enough((verifies & inside).sum(1)[inside], size, recipe.share).all():
                members = inside
                break
        else:
            break
    return members


def _row(
    image_id: str,
    verifies: np.ndarray,
    members: np.ndarray,
    place: int,
    has_face: np.ndarray,
    share: float,
) -> dict[str, object]:
    degree, verified = int((verifies & members).sum()), bool(members[place])
    of = int(members.sum()) - verified
    row: dict[str, object] = {"image_id": image_id, "verified": verified, "reason": None}
    if not has_face[place]:
        return row | {"verifies_with": None, "of": None, "reason": NO_FACE}
    if not members.any():
        row["reason"] = "there are no photos that verify with each other as often as is needed"
    elif not verified:
        needed = f"{share:.0%} are needed".replace("%", " %")
        row["reason"] = f"verifies with {degree} of {of} of the person's photos, {needed}"
        if enough(np.array(degree), of + 1, share):
            row["reason"] = (
                f"verifies with {degree} of {of} of the person's photos, but with it another of "
                f"them would verify with too few"
            )
    return row | {"verifies_with": degree, "of": of}
