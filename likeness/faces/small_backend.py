"""The small world's own detector and recogniser behind the call that all backends share."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from likeness.errors import BadInput
from likeness.faces.backend import Face, largest_first
from likeness.faces.small import SMALLEST, Detection, SmallFace

FOLDER = Path(__file__).parents[1] / "world" / "weights" / "face"
NAME = "small-face"


class SmallBackend:
    """``SmallFace`` for pictures of any sizes; ``revision`` is the sha256 of its weights."""

    def __init__(self, small: SmallFace, revision: str) -> None:
        self.small, self.revision = small, revision
        self.threshold = small.threshold

    @classmethod
    def open(cls, folder: Path = FOLDER) -> "SmallBackend":
        """From the folder of the shipped model. Raises ``BadInput`` if it is not there."""
        from likeness.faces.blocks import WEIGHTS
        from likeness.models.checksums import sha256_of

        if not (folder / WEIGHTS).is_file():
            raise BadInput(
                f"the small world's face model is not in {folder}: run make world, "
                "or read the faces with backend deepface"
            )
        return cls(SmallFace.load(folder), sha256_of(folder / WEIGHTS))

    def read(self, pictures: Sequence[np.ndarray]) -> list[list[Face]]:
        """All faces of each H x W x 3 uint8 picture, largest first; tiny ones not embedded."""
        found: list[list[Face]] = [[] for _ in pictures]
        shapes = sorted({picture.shape for picture in pictures})
        for shape in shapes:
            same = [i for i, picture in enumerate(pictures) if picture.shape == shape]
            read = self._read(np.stack([pictures[i] for i in same]))
            for i, faces in zip(same, read, strict=True):
                found[i] = largest_first(faces)
        return found

    def _read(self, pictures: np.ndarray) -> list[list[Face]]:
        """Of N x H x W x 3 uint8."""
        detections = self.small.detect(pictures)
        clear = [(n, d) for n, all_of_n in enumerate(detections) for d in all_of_n if _clear(d)]
        which = [n for n, _ in clear]
        vectors = iter(self.small.vectors(pictures, which, [d.box for _, d in clear]))
        return [
            [_face(d, next(vectors) if _clear(d) else None) for d in all_of_n]
            for all_of_n in detections
        ]

    def passport(self) -> dict[str, str]:
        """See ``FaceBackend.passport``."""
        import torch

        return {
            "model": NAME,
            "revision": self.revision,
            "detector": NAME,
            "distance": "cosine",
            "torch": str(torch.__version__),
        }


def _clear(detection: Detection) -> bool:
    return detection.height >= SMALLEST


def _face(detection: Detection, vector: np.ndarray | None) -> Face:
    first, second = detection.eyes
    reason = f"the face is {detection.height:.1f} px high, {SMALLEST:.0f} are needed"
    return Face(
        box=detection.box,
        score=detection.score,
        # the first is the one on the left of the picture, the person's right
        landmarks={"right_eye": first, "left_eye": second},
        embedding=vector,
        reason="" if vector is not None else reason,
    )
