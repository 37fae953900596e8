"""DeepFace's detectors and recognisers on PyTorch; every face is found and embedded once.

What a face is cut out of and how it is turned upright is DeepFace's own doing, so that the distance
of two pictures is the one that its ``verify`` finds.
"""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.errors import BadInput
from likeness.faces.backend import DeepFaces, Face, largest_first
from likeness.metrics.features import exact
from likeness.models.checksums import sha256_of

if TYPE_CHECKING:
    from deepface.models.Detector import FacialAreaRegion

log = logging.getLogger("likeness")
AT_ONCE = 32  # faces per pass through the recogniser
ENGINE = "DEEPFACE_BACKEND_ENGINE"
LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
RECOGNISER_FILES = {
    "VGG-Face": "vgg_face_weights.pth",
    "ArcFace": "arcface_weights.pth",
    "Facenet": "facenet_weights.pth",
    "Facenet512": "facenet512_weights.pth",
    "SFace": "face_recognition_sface_2021dec.onnx",
    "OpenFace": "openface_weights.pth",
    "DeepID": "deepid_weights.pth",
    "GhostFaceNet": "ghostfacenet_v1.pth",
}
# The others carry their weights in their packages.
DETECTOR_FILES = {
    "ssd": ("deploy.prototxt", "res10_300x300_ssd_iter_140000.caffemodel"),
    "yunet": ("face_detection_yunet_2023mar.onnx",),
    "centerface": ("centerface.onnx",),
    "retinaface": ("retinaface.pth",),
    "dlib": ("shape_predictor_5_face_landmarks.dat",),
}
# What does not come with DeepFace: the module to import and the package to install.
PACKAGES = {
    "mtcnn": ("mtcnn", "mtcnn"),
    "fastmtcnn": ("facenet_pytorch", "facenet-pytorch"),
    "mediapipe": ("mediapipe", "mediapipe"),
    "dlib": ("dlib", "dlib"),
    "yolo": ("ultralytics", "ultralytics"),
}
ON_TENSORFLOW = ("mtcnn",)


class DeepFaceBackend:
    """A detector and a recogniser, ready; see ``FaceBackend``."""

    def __init__(self, recipe: DeepFaces) -> None:
        """Load both, fetching what is missing. Raises ``BadInput`` if that cannot be done."""
        run_on_torch()
        _check_package(recipe.detector)
        self.recipe = recipe
        _load(recipe)
        from deepface.modules.verification import find_threshold

        self.threshold = float(find_threshold(recipe.recogniser, "cosine"))

    def read(self, pictures: Sequence[np.ndarray]) -> list[list[Face]]:
        """All faces of each H x W x 3 uint8 RGB picture, largest first."""
        found = [self._detect(picture) for picture in pictures]
        vectors = iter(self._embed([crop for faces in found for _, crop in faces]))
        return [
            largest_first(_embedded(face, next(vectors)) for face, _ in faces) for faces in found
        ]

    def _detect(self, picture: np.ndarray) -> list[tuple[Face, np.ndarray]]:
        """Faces and their upright cut-outs: h x w x 3 in 0..1, BGR."""
        from deepface.modules.detection import extract_faces
        from deepface.modules.exceptions import FaceNotDetected, ImgNotFound

        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        try:
            found = extract_faces(bgr, detector_backend=self.recipe.detector)
        except (FaceNotDetected, ImgNotFound):
            return []
        return [(self._face(one), one["face"][:, :, ::-1]) for one in found]

    def _face(self, one: dict[str, Any]) -> Face:
        area = one["facial_area"]
        left, top = area["x"], area["y"]
        # The sum of a Haar cascade is no probability, and DeepFace turns it upside down.
        sure = None if self.recipe.detector == "opencv" else min(max(one["confidence"], 0.0), 1.0)
        return Face(
            box=(left, top, left + area["w"], top + area["h"]),
            score=sure,
            landmarks={name: area[name] for name in LANDMARKS if area.get(name) is not None},
        )

    def _embed(self, crops: list[np.ndarray]) -> list[np.ndarray]:
        """The vector of each cut-out, D float32 of any length."""
        from deepface.modules.representation import represent

        vectors: list[np.ndarray] = []
        for start in range(0, len(crops), AT_ONCE):
            some = crops[start : start + AT_ONCE]
            with exact():
                said = represent(some, self.recipe.recogniser, detector_backend="skip")
            # a single picture gives its faces, several give a list for each
            each = [said] if len(some) == 1 else said
            vectors += [np.asarray(faces[0]["embedding"], np.float32) for faces in each]
        return vectors

    def passport(self) -> dict[str, str]:
        """See ``FaceBackend.passport``."""
        revisions = [sha256_of(weights_folder() / name) for name in _detector_files(self.recipe)]
        return {
            "model": f"deepface/{self.recipe.recogniser}",
            "revision": sha256_of(weights_folder() / RECOGNISER_FILES[self.recipe.recogniser]),
            "detector": self.recipe.detector,
            "detector_revision": " ".join(revisions) or "as in its package",
            "distance": "cosine",
        } | libraries()


def needed_files(recipe: DeepFaces) -> list[Path]:
    """Weight files of this recipe that are missing under ``DEEPFACE_HOME`` (or the home folder)."""
    return _missing([RECOGNISER_FILES[recipe.recogniser], *_detector_files(recipe)])


def _missing(names: Sequence[str]) -> list[Path]:
    return [file for name in names if not (file := weights_folder() / name).is_file()]


def _detector_files(recipe: DeepFaces) -> tuple[str, ...]:
    if recipe.detector.startswith("yolo"):
        return (f"{recipe.detector}-face.pt",)
    return DETECTOR_FILES.get(recipe.detector, ())


def weights_folder() -> Path:
    """Where DeepFace looks for weight files and puts those that it fetches."""
    return Path(os.environ.get("DEEPFACE_HOME") or Path.home()) / ".deepface" / "weights"


def libraries() -> dict[str, str]:
    """Versions of what computes here, by distribution; that of OpenCV has one of several names."""
    from importlib.metadata import packages_distributions

    cv = sorted(set(packages_distributions().get("cv2", [])))
    return {name: version(name) for name in ("deepface", "torch", *cv)}


def run_on_torch() -> None:
    """One framework owns a process; DeepFace would take TensorFlow wherever it is installed."""
    os.environ[ENGINE] = "pytorch"
    from deepface.commons import backend_utils

    if not backend_utils.is_pytorch():
        raise RuntimeError("DeepFace already runs on another framework in this process")


def _check_package(detector: str) -> None:
    module, package = PACKAGES.get(detector[:4] if "yolo" in detector else detector, ("cv2", ""))
    if find_spec(module) is None:
        raise BadInput(
            f"the face detector {detector} needs the package {package}, which is not installed: "
            f"run pip install {package}, or choose another detector"
        )


def _load(recipe: DeepFaces) -> None:
    """Build both networks where DeepFace looks for them."""
    names = [RECOGNISER_FILES[recipe.recogniser], *_detector_files(recipe)]
    load(f"{recipe.recogniser} with {recipe.detector}", names, lambda: _build(recipe))


def load(what: str, names: Sequence[str], build: Callable[[], object]) -> None:
    """Build networks of DeepFace from the weight files ``names``; it fetches those it lacks.

    Raises ``BadInput`` where files are missing and cannot be fetched, or cannot be read.
    """
    from deepface.commons.folder_utils import initialize_folder

    if missing := _missing(names):
        log.info("fetching %s to %s", ", ".join(file.name for file in missing), weights_folder())
        initialize_folder()
    try:
        build()
        reason: Exception | None = None
    except Exception as error:  # whatever a download or a damaged file makes its reader raise
        reason = error
    if lacking := _missing(names):
        raise BadInput(
            f"{what} needs {', '.join(file.name for file in lacking)} in {weights_folder()}, and "
            "it could not be fetched: put it there, or set DEEPFACE_HOME to the folder that "
            ".deepface is in"
        ) from reason
    if reason is not None:
        raise BadInput(
            f"{what} cannot be loaded from {weights_folder()} "
            f"({' '.join(str(reason).split())[:200]}): delete its files there to fetch them anew"
        ) from reason


def _build(recipe: DeepFaces) -> None:
    from deepface.modules import modeling

    modeling.build_model("facial_recognition", recipe.recogniser)
    if recipe.detector in ON_TENSORFLOW:
        detectors = modeling.cached_models["face_detector"]
        detectors.setdefault(recipe.detector, ApartDetector(recipe.detector))
        return
    detector = modeling.build_model("face_detector", recipe.detector)
    if recipe.detector == "centerface":
        detector.build_model()  # it would fetch its weights only at the first picture


class ApartDetector:
    """A detector of DeepFace in a process of its own, for those that run on TensorFlow."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def detect_faces(self, img: np.ndarray) -> list["FacialAreaRegion"]:
        """As DeepFace's detectors: faces in H x W x 3 uint8 BGR."""
        return self.process.submit(_detect_here, self.name, img).result()


def _detect_here(name: str, img: np.ndarray) -> list["FacialAreaRegion"]:
    # as DeepFace sets it before TensorFlow is imported
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    from deepface.modules.modeling import build_model

    return list(build_model("face_detector", name).detect_faces(img))


def _embedded(face: Face, vector: np.ndarray) -> Face:
    length = float(np.linalg.norm(vector))
    if not length > 0:
        return replace(face, reason="the recogniser found nothing in the face")
    return replace(face, embedding=(vector / length).astype(np.float32))
