"""How good ``small-face`` is: its thresholds, and what is measured with them."""

from typing import TYPE_CHECKING

import numpy as np

from likeness.errors import BadInput
from likeness.world.learn.face_pages import COUNTED, Faces, faces_of

if TYPE_CHECKING:
    from likeness.faces.small import Detection, SmallFace
    from likeness.world.book import Book

FALSE_ACCEPTS = 0.02  # rate at which strangers may pass for one person


def calibrate(
    face: "SmallFace", book: "Book", faces: Faces, rows: np.ndarray
) -> dict[str, float | str]:
    """The threshold of distances at the false-accept rate, and that of scores at the best F1."""
    pictures = np.asarray(book.pictures[rows])
    boxes = faces.boxes[rows]
    found = face.detect(pictures)
    scores = np.arange(0.1, 0.9, 0.05)
    quality = [_found(found, boxes, pictures.shape[1], least) for least in scores]
    f1 = [2 * r * p / max(r + p, 1e-9) for r, p, *_ in quality]
    face.least_score = float(scores[int(np.argmax(f1))])
    kept = [[d for d in some if d.score >= face.least_score] for some in found]
    clear = faces.clear[rows]
    vectors = face.embed(pictures[clear], [one for one, c in zip(kept, clear, strict=True) if c])
    near, far, _ = _pair_distances(vectors.vectors, faces.who[rows][clear])
    if not len(near) or not len(far):
        raise BadInput(
            "the held-back pages show no two faces to compare: use a book with more people, each "
            "in several pictures, or train for more steps"
        )
    threshold = float(np.quantile(far, FALSE_ACCEPTS))
    face.threshold = threshold
    return {
        "model": "small-face",
        "threshold": threshold,
        "least_score": face.least_score,
        "false_accept_rate": FALSE_ACCEPTS,
        "true_accept_rate": float(np.mean(near <= threshold)),
        "pairs_same": len(near),
        "pairs_different": len(far),
    }


def _pair_distances(
    vectors: np.ndarray, who: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances of all pairs of pictures of one person, of all of two; and whose the former are."""
    from likeness.faces.small import distances

    good = np.isfinite(vectors[:, 0]) & (who != "")
    vectors, who = vectors[good], who[good]
    first, second = np.triu_indices(len(who), 1)
    apart = distances(vectors, vectors)[first, second]
    same = who[first] == who[second]
    return apart[same], apart[~same], who[first][same]


def _found(
    found: list[list["Detection"]], boxes: np.ndarray, side: int, least: float
) -> tuple[float, float, int, int]:
    """Recall, precision; faces that had to be found (overlap above a half), and that were said.

    Faces smaller than counted are neither missed nor wrongly found.
    """
    import torch

    from likeness.faces.heatmaps import overlap

    hits = wrong = wanted = 0
    for detections, box in zip(found, boxes, strict=True):
        said = torch.tensor([d.box for d in detections if d.score >= least]).view(-1, 4)
        there = bool(np.isfinite(box[0]))
        true = torch.tensor(box * side)[None].nan_to_num(-1.0)
        right = bool((overlap(said, true) > 0.5).any()) if there else False
        if there and (box[3] - box[1]) * side < COUNTED:
            continue
        wanted += there
        hits += right
        wrong += len(said) - right
    return hits / max(wanted, 1), hits / max(hits + wrong, 1), wanted, hits + wrong


def measure_face(face: "SmallFace", book: "Book") -> dict[str, float]:
    """Detection and verification on a book of identities never trained on.

    Verification: all pairs of sharp photos with a face of at least ``CLEAR`` px, over all ages and
    head turns; and, as ``any_true_accept_rate``, of all pictures in which a face was found.
    """
    faces = faces_of(book)
    pictures = np.asarray(book.pictures)
    found = face.detect(pictures)
    recall, precision, wanted, said = _found(
        found, faces.boxes, pictures.shape[1], face.least_score
    )
    embedded = face.embed(pictures, found)
    any_near, _, _ = _pair_distances(embedded.vectors, faces.who)
    near, far, whose = _pair_distances(embedded.vectors[faces.clear], faces.who[faces.clear])
    low, high = _over_people(near <= face.threshold, whose)
    return {
        "detection_recall": recall,
        "n/detection_recall": wanted,
        "detection_precision": precision,
        "n/detection_precision": said,
        "faces_embedded": sum(status == "ok" for status in embedded.status),
        "threshold": face.threshold,
        "false_accept_rate": float(np.mean(far <= face.threshold)),
        "true_accept_rate": float(np.mean(near <= face.threshold)),
        "n/true_accept_rate": len(near),
        "low/true_accept_rate": low,
        "high/true_accept_rate": high,
        "true_accept_rate_at_exact_threshold": float(
            np.mean(near <= np.quantile(far, FALSE_ACCEPTS))
        ),
        "any_true_accept_rate": float(np.mean(any_near <= face.threshold)),
        "n/any_true_accept_rate": len(any_near),
        "n/false_accept_rate": len(far),
    }


def _over_people(hits: np.ndarray, whose: np.ndarray) -> tuple[float, float]:
    """95 % percentile interval of the share of pairs that hit, over people drawn anew.

    Pairs of one person are not independent of each other.
    """
    names, number = np.unique(whose, return_inverse=True)
    if not len(names):
        return float("nan"), float("nan")
    right, pairs = np.bincount(number, hits), np.bincount(number)
    draws = np.random.default_rng(0).integers(len(names), size=(1000, len(names)))
    low, high = np.percentile(right[draws].sum(1) / pairs[draws].sum(1), (2.5, 97.5))
    return float(low), float(high)
