"""What finds and embeds faces: the small world's own networks, or DeepFace's, behind one call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Detector = Literal[
    "opencv",
    "ssd",
    "yunet",
    "centerface",
    "retinaface",
    "mtcnn",
    "fastmtcnn",
    "mediapipe",
    "dlib",
    "yolov8n",
    "yolov8m",
    "yolov8l",
    "yolov11n",
    "yolov11s",
    "yolov11m",
    "yolov11l",
    "yolov12n",
    "yolov12s",
    "yolov12m",
    "yolov12l",
]
Recogniser = Literal[
    "VGG-Face",
    "ArcFace",
    "Facenet",
    "Facenet512",
    "SFace",
    "OpenFace",
    "DeepID",
    "GhostFaceNet",
]


class SmallFaces(BaseModel):
    """The small world's own detector and recogniser; nothing about them can be chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Literal["small"] = Field("small", description="for pictures of the small world")


class DeepFaces(BaseModel):
    """A detector and a recogniser of DeepFace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: Literal["deepface"] = Field("deepface", description="for photos")
    detector: Detector = Field(
        "opencv", description="what finds the faces; opencv needs no weights, frontal faces only"
    )
    recogniser: Recogniser = Field("VGG-Face", description="what tells whose face it is")


FacesRecipe = Annotated[SmallFaces | DeepFaces, Field(discriminator="backend")]


@dataclass(frozen=True)
class Face:
    """A face in a picture, and where it points to among all faces."""

    box: tuple[float, float, float, float]  # left, top, right, bottom in pixels
    score: float | None  # 0..1, None where the detector has none that compares
    # ``left_eye`` is the person's own left one, on the right of a picture from the front
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)  # x, y in pixels
    embedding: np.ndarray | None = None  # D float32 of length 1
    reason: str = ""  # why there is no embedding

    @property
    def area(self) -> float:
        """In pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class FaceBackend(Protocol):
    """Finds faces and embeds each once; two are of one person at ``threshold`` or nearer."""

    threshold: float  # cosine distance, 0..2

    def read(self, pictures: Sequence[np.ndarray]) -> list[list[Face]]:
        """All faces of each H x W x 3 uint8 RGB picture, of any sizes, largest first."""
        ...

    def passport(self) -> dict[str, str]:
        """Model, revision (sha256 of its weights), detector, distance, versions of libraries."""
        ...


def vectors_of(faces: Iterable[Face]) -> np.ndarray:
    """F x D of the faces with an embedding; 0 x 0 without any."""
    vectors = [face.embedding for face in faces if face.embedding is not None]
    return np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)


def largest_first(faces: Iterable[Face]) -> list[Face]:
    """By area, then from the left and the top, so that the order is always the same."""
    return sorted(faces, key=lambda face: (-face.area, face.box))


def open_backend(recipe: SmallFaces | DeepFaces) -> FaceBackend:
    """Load detector and recogniser; raises ``BadInput`` if their weights cannot be had."""
    if isinstance(recipe, SmallFaces):
        from likeness.faces.small_backend import SmallBackend

        return SmallBackend.open()
    from likeness.faces.deepface_backend import DeepFaceBackend

    return DeepFaceBackend(recipe)
