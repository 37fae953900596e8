"""How old a face looks to DeepFace's age model, on PyTorch; of faces that were found before."""

from collections.abc import Mapping

import numpy as np

from likeness.faces.deepface_backend import libraries, load, run_on_torch, weights_folder
from likeness.metrics.features import exact
from likeness.models.checksums import sha256_of

WEIGHTS = "age_model_weights.pth"
EYES = ("left_eye", "right_eye")
Box = tuple[float, float, float, float]
Landmarks = Mapping[str, tuple[float, float]]


class DeepFaceAges:
    """DeepFace's age model (Rothe et al. 2018, IJCV 126:144), ready."""

    def __init__(self) -> None:
        """Load it, fetching what is missing. Raises ``BadInput`` if that cannot be done."""
        run_on_torch()
        from deepface.modules.modeling import build_model

        load("the age model", [WEIGHTS], lambda: build_model("facial_attribute", "Age"))

    def read(self, picture: np.ndarray, box: Box, landmarks: Landmarks) -> float:
        """Years, 0..100, of the face at ``box`` of an H x W x 3 uint8 RGB picture.

        That of DeepFace's ``analyze``: the expected age, cut off to whole years. Boxes and eyes are
        in pixels as a face backend gives them; NaN where the box has no pixel in the picture.
        """
        from deepface.modules.demography import analyze

        face = upright(picture, box, landmarks)
        if not face.size:
            return float("nan")
        with exact():
            (said,) = analyze(face, ["age"], enforce_detection=False, detector_backend="skip")
        return float(said["age"])

    def passport(self) -> dict[str, str]:
        """Model, revision (sha256 of its weights), versions of libraries."""
        revision = sha256_of(weights_folder() / WEIGHTS)
        return {"model": "deepface/Age", "revision": revision} | libraries()


def missing_weights() -> bool:
    """Whether its weights are still to be fetched."""
    return not (weights_folder() / WEIGHTS).is_file()


def upright(picture: np.ndarray, box: Box, landmarks: Landmarks) -> np.ndarray:
    """The face at ``box`` as DeepFace cuts it out and turns it: h x w x 3 uint8, BGR.

    ``box``: left, top, right, bottom in pixels of the H x W x 3 uint8 RGB ``picture``. It is turned
    until the eyes are level, where ``landmarks`` have both.
    """
    import cv2
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules.detection import extract_face

    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    # DeepFace looks for faces in a picture with black around it, so that turning loses nothing
    around = (height, height, width, width, cv2.BORDER_CONSTANT)
    bordered = cv2.copyMakeBorder(np.ascontiguousarray(picture[:, :, ::-1]), *around, value=0)
    left, top, right, bottom = (round(value) for value in box)
    eyes = {
        name: (round(landmarks[name][0]) + width, round(landmarks[name][1]) + height)
        for name in EYES
        if name in landmarks
    }
    area = FacialAreaRegion(left + width, top + height, right - left, bottom - top, **eyes)
    # by its name a detector is said to have found all eyes there are: none are looked for here
    found = extract_face(area, bordered, True, 0, width, height, detector_backend="opencv")
    return np.asarray(found.img)
