"""``small-face``: the small world's own detector and verifier, for pictures of any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from likeness.faces.detector import Detector
    from likeness.faces.embedding import Embedding

AT_ONCE = 64  # pictures per pass through a network
NEAR, FAR = 64, 128  # longer sides at which faces are looked for
FAR_LARGEST = 40.0  # of what is found at 128: larger faces are found at 64
LARGEST_IN_CROP = 40.0  # height of a face: larger ones are averaged down to what training saw
SMALLEST = 8.0  # height of a face in pixels below which nobody can be told by it

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class Detection:
    """A face: box in pixels of the picture (left, top, right, bottom), score 0..1, eyes."""

    box: Box
    score: float
    eyes: tuple[tuple[float, float], tuple[float, float]]

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class Embedded:
    """One face per picture: ``vectors`` N x 64 of length 1, rows of NaN where there is none."""

    vectors: np.ndarray
    status: tuple[str, ...]  # "ok" or "no_face"


class SmallFace:
    """Find faces, turn them into vectors, compare those."""

    def __init__(
        self, detector: "Detector", embedding: "Embedding", config: dict[str, Any]
    ) -> None:
        self.detector, self.embedding, self.config = detector, embedding, config
        self.threshold = float(config["threshold"])
        self.least_score = float(config["least_score"])

    @classmethod
    def load(cls, folder: Path) -> "SmallFace":
        """From a folder with ``model.safetensors`` and ``config.json``; sha256 is verified."""
        from likeness.faces.blocks import load_weights, read_config
        from likeness.faces.detector import Detector
        from likeness.faces.embedding import Embedding

        config = read_config(folder)
        detector, embedding = Detector(), Embedding()
        load_weights(folder, {"detector": detector, "embedding": embedding})
        return cls(detector, embedding, config)

    def detect(self, pictures: np.ndarray) -> list[list[Detection]]:
        """Faces of each of N x H x W x 3 uint8, best first.

        Pictures are looked at with a longer side of 64 and, if they are larger, of at most 128,
        where small faces are found; they are never enlarged.
        """
        from likeness.faces.blocks import checked

        pictures = checked(pictures)
        found: list[list[Detection]] = []
        for start in range(0, len(pictures), AT_ONCE):
            found += self._detect(pictures[start : start + AT_ONCE])
        return found

    def _detect(self, pictures: np.ndarray) -> list[list[Detection]]:
        from likeness.faces.blocks import as_input

        x = as_input(pictures)
        longer = max(x.shape[2:])
        found = self._at_side(x, min(longer, NEAR), largest=float("inf"))
        if longer > NEAR:
            far = self._at_side(x, min(longer, FAR), largest=FAR_LARGEST)
            found = [near + more for near, more in zip(found, far, strict=True)]
        return [_without_doubles(faces) for faces in found]

    def _at_side(self, x: "torch.Tensor", side: int, largest: float) -> list[list[Detection]]:
        """Faces up to ``largest`` pixels high at this longer side."""
        import torch

        from likeness.faces.blocks import resized
        from likeness.faces.detector import STRIDE
        from likeness.faces.heatmaps import boxes_of, peaks_of

        scale = side / max(x.shape[2:])
        small = resized(x, *(max(1, round(n * scale)) for n in x.shape[2:]))
        with torch.inference_mode():
            maps = self.detector(_padded(small))
        peaks = peaks_of(maps[:, :1], self.least_score)
        picture, _, row, column = peaks.where.T
        said = maps[picture, :, row, column]
        boxes = boxes_of(said[:, 1:5], row, column) * STRIDE
        size = (boxes[:, 2:] - boxes[:, :2])[:, None]
        eyes = (boxes[:, :2] + boxes[:, 2:])[:, None] / 2 + said[:, 5:].view(-1, 2, 2) * size
        grown = torch.tensor([x.shape[3] / small.shape[3], x.shape[2] / small.shape[2]])
        found: list[list[Detection]] = [[] for _ in range(len(x))]
        for i, n in enumerate(picture.tolist()):
            if float(size[i, 0, 1]) <= largest:
                box_left, top, box_right, bottom = (boxes[i].view(2, 2) * grown).flatten().tolist()
                left, right = (eyes[i] * grown).tolist()
                pair = ((left[0], left[1]), (right[0], right[1]))
                box = (box_left, top, box_right, bottom)
                found[n].append(Detection(box, float(peaks.score[i]), pair))
        return found

    def embed(self, pictures: np.ndarray, detections: list[list[Detection]]) -> Embedded:
        """The largest face of each picture as a unit vector, if it is large enough to tell."""
        from likeness.faces.blocks import checked
        from likeness.faces.embedding import DIMENSIONS

        pictures = checked(pictures)
        faces = [max(found, key=_area, default=None) for found in detections]
        usable = {
            i: face.box
            for i, face in enumerate(faces)
            if face is not None and face.height >= SMALLEST
        }
        vectors = np.full((len(pictures), DIMENSIONS), np.nan, np.float32)
        vectors[list(usable)] = self.vectors(pictures, list(usable), list(usable.values()))
        status = tuple("ok" if i in usable else "no_face" for i in range(len(faces)))
        return Embedded(vectors, status)

    def vectors(
        self, pictures: np.ndarray, which: Sequence[int], boxes: Sequence[Box]
    ) -> np.ndarray:
        """M x 64 float32 of length 1: the face in each box; box i lies in ``pictures[which[i]]``.

        ``pictures`` are N x H x W x 3 uint8; a picture may have any number of boxes.
        """
        from likeness.faces.blocks import as_input, checked
        from likeness.faces.embedding import DIMENSIONS

        pictures = checked(pictures)
        vectors = np.empty((len(boxes), DIMENSIONS), np.float32)
        for start in range(0, len(boxes), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            vectors[some] = self._embed(
                as_input(pictures[list(which[some])]), np.array(boxes[some])
            )
        return vectors

    def _embed(self, x: "torch.Tensor", boxes: np.ndarray) -> np.ndarray:
        import torch

        from likeness.faces.blocks import resized
        from likeness.faces.embedding import crops

        where = torch.from_numpy(boxes).float()
        shrink = (LARGEST_IN_CROP / (where[:, 3] - where[:, 1])).clamp_max(1.0)
        with torch.inference_mode():
            cropped = crops(x, where)
            for i in (shrink < 1).nonzero().flatten().tolist():
                size = [max(1, round(n * float(shrink[i]))) for n in x.shape[2:]]
                small = resized(x[i : i + 1], size[0], size[1])
                ratio = torch.tensor([size[1] / x.shape[3], size[0] / x.shape[2]]).repeat(2)
                cropped[i : i + 1] = crops(small, where[i : i + 1] * ratio)
            return self.embedding(cropped).numpy()


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 - cosine of every row of A x D with every row of B x D (of length 1): A x B, 0..2."""
    return np.clip(1 - a @ b.T, 0, 2)


def _padded(x: "torch.Tensor") -> "torch.Tensor":
    from torch.nn import functional as F

    from likeness.faces.detector import MULTIPLE, NEUTRAL

    height, width = x.shape[2:]
    return F.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE), value=NEUTRAL)


def _without_doubles(faces: list[Detection]) -> list[Detection]:
    import torch

    from likeness.faces.heatmaps import best_of

    if len(faces) < 2:
        return faces
    boxes = torch.tensor([face.box for face in faces])
    kept = best_of(boxes, torch.tensor([face.score for face in faces]))
    return [faces[i] for i in kept]


def _area(face: Detection) -> float:
    left, top, right, bottom = face.box
    return (right - left) * (bottom - top)
