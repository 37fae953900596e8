import sys
from importlib.util import find_spec

import numpy as np
import pytest
from drawn_weights import write_deepid

from likeness.errors import BadInput
from likeness.faces import deepface_backend
from likeness.faces.backend import DeepFaces, open_backend
from likeness.faces.deepface_backend import ApartDetector, needed_files
from likeness.faces.verification import best_distance, verified

# The recogniser of 1.6 MB; its weights are drawn, so it tells nobody, but always the same.
RECIPE = DeepFaces(recogniser="DeepID")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    write_deepid(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFACE_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def backend(home):
    return open_backend(RECIPE)


@pytest.fixture(scope="module")
def pictures():
    """One face; the same leaning, larger and darker; both side by side; none."""
    from PIL import Image
    from skimage.data import astronaut

    one = Image.fromarray(astronaut()).crop((90, 0, 350, 260))
    other = one.rotate(8, Image.Resampling.BICUBIC, expand=True).resize((364, 364))
    other = other.point(lambda v: int(255 * (v / 255) ** 1.6))
    both = Image.new("RGB", (624, 364))
    both.paste(one, (0, 50))
    both.paste(other, (260, 0))
    return [np.asarray(one), np.asarray(other), np.asarray(both), np.zeros((200, 180, 3), np.uint8)]


@pytest.fixture(scope="module")
def faces(backend, pictures):
    return backend.read(pictures)


def embeddings(faces):
    return [np.array([face.embedding for face in found]) for found in faces]


def test_pairs_are_what_verify_says(backend, faces, pictures):
    from deepface.modules.verification import verify

    assert [len(found) for found in faces] == [1, 1, 2, 0]
    ours = best_distance(*[embeddings(faces)] * 2)
    assert np.isnan(ours[3]).all()
    pairs = [(0, 1), (1, 2), (2, 0)]
    between = float(np.mean([ours[pair] for pair in pairs]))
    answers = set()
    for i, j in pairs:
        a, b = (np.ascontiguousarray(pictures[k][:, :, ::-1]) for k in (i, j))
        theirs = verify(a, b, model_name="DeepID", detector_backend="opencv")
        assert ours[i, j] == pytest.approx(theirs["distance"], abs=1e-5)
        assert verified(ours, backend.threshold)[i, j] == theirs["verified"]
        assert backend.threshold == theirs["threshold"]
        # drawn weights tell nobody: their own threshold would not try both answers
        theirs = verify(a, b, "DeepID", threshold=between)
        assert verified(ours, between)[i, j] == theirs["verified"]
        answers.add(theirs["verified"])
    assert answers == {True, False}
    # so that the comparison is one of something
    assert ours[0, 1] > 1e-3
    both = embeddings(faces)[2]
    assert 1 - both[0] @ both[1] > 1e-3


def test_faces_come_largest_first_with_boxes_inside(faces, pictures):
    for found, picture in zip(faces, pictures, strict=True):
        assert sorted((face.area for face in found), reverse=True) == [f.area for f in found]
        for face in found:
            left, top, right, bottom = face.box
            assert 0 <= left < right <= picture.shape[1]
            assert 0 <= top < bottom <= picture.shape[0]
            assert face.embedding.dtype == np.float32
            assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
            assert face.score is None
    eyes = faces[0][0].landmarks
    assert eyes["right_eye"][0] < eyes["left_eye"][0]


def test_nothing_depends_on_order_or_company(backend, faces, pictures):
    backwards = backend.read(pictures[::-1])[::-1]
    alone = [backend.read([picture])[0] for picture in pictures]
    for other in (backwards, alone):
        for a, b in zip(faces, other, strict=True):
            assert [face.box for face in a] == [face.box for face in b]
            for x, y in zip(a, b, strict=True):
                np.testing.assert_allclose(x.embedding, y.embedding, atol=1e-5)


def test_a_photo_of_a_cup_has_no_face(backend):
    from skimage.data import coffee

    assert backend.read([coffee()[:200, :200]])[0] == []


def test_a_detector_in_its_own_process_finds_the_same(pictures):
    from deepface.modules.modeling import build_model

    here = build_model("face_detector", "opencv").detect_faces(pictures[0])
    apart = ApartDetector("opencv")
    assert apart.detect_faces(pictures[0]) == here
    apart.process.shutdown()


def test_passport_names_the_weights(backend, home):
    import hashlib

    passport = backend.passport()
    file = home / ".deepface" / "weights" / "deepid_weights.pth"
    assert passport["revision"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert passport["model"] == "deepface/DeepID"
    assert passport["deepface"]
    assert passport["torch"]
    assert any("opencv" in name for name in passport)


def test_missing_weights_are_one_sentence_before_any_work(home, tmp_path, monkeypatch):
    from deepface.commons import weight_utils

    def offline(url):
        raise ValueError("no network")

    monkeypatch.setattr(weight_utils, "ensure_source_is_reachable", offline)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    recipe = DeepFaces(recogniser="SFace", detector="yunet")
    folder = tmp_path / ".deepface" / "weights"
    names = ["face_recognition_sface_2021dec.onnx", "face_detection_yunet_2023mar.onnx"]
    assert needed_files(recipe) == [folder / name for name in names]
    with pytest.raises(BadInput, match=f"(?s){names[0]}.*{folder}.*DEEPFACE_HOME"):
        open_backend(recipe)


def test_damaged_weights_are_said_to_be(home, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    recipe = DeepFaces(recogniser="OpenFace")
    (file,) = needed_files(recipe)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"<html>Not found</html>")
    with pytest.raises(BadInput, match="delete"):
        open_backend(recipe)


@pytest.mark.skipif(find_spec("dlib") is not None, reason="dlib is installed")
def test_a_detector_whose_package_is_missing_is_one_sentence(home):
    with pytest.raises(BadInput, match="pip install dlib"):
        open_backend(DeepFaces(detector="dlib", recogniser="DeepID"))


def test_file_names_are_those_that_deepface_loads():
    """Its modules name their files in their sources."""
    from pathlib import Path

    import deepface

    sources = "".join(path.read_text() for path in Path(deepface.__file__).parent.rglob("*.py"))
    detectors = [name for files in deepface_backend.DETECTOR_FILES.values() for name in files]
    for name in [*deepface_backend.RECOGNISER_FILES.values(), *detectors]:
        assert name in sources or name == "retinaface.pth"


def test_tensorflow_stays_outside(home):
    """In a process of its own, since other tests of this one may have imported it."""
    import os
    import subprocess

    code = (
        "import sys; from likeness.faces.backend import DeepFaces, open_backend;"
        "import numpy as np; b = open_backend(DeepFaces(recogniser='DeepID'));"
        "assert b.read([np.zeros((64, 64, 3), np.uint8)]) == [[]];"
        "assert 'torch' in sys.modules and 'tensorflow' not in sys.modules"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("DEEPFACE_BACKEND")}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
