"""Ages against DeepFace's own ``analyze``, by weights of the real layout that were drawn here."""

import hashlib

import numpy as np
import pytest

from likeness.errors import BadInput
from likeness.faces.backend import DeepFaces
from likeness.faces.deepface_ages import WEIGHTS, DeepFaceAges, upright
from likeness.faces.deepface_backend import DeepFaceBackend


def drawn_weights():
    """The layout of the age model; its largest layers are views of little, to keep the file small."""
    import torch
    from deepface.models.demography.pytorch.Age import AgeModel

    with torch.device("meta"):
        layout = AgeModel().state_dict()
    draw = torch.Generator().manual_seed(0)
    weights = {}
    for name, value in layout.items():
        if name.endswith("bias"):
            weights[name] = torch.zeros(value.shape)
        elif "fc6" in name:
            thin = torch.randn((*value.shape[:2], 1, 1), generator=draw) / 60
            weights[name] = thin.expand(value.shape)
        elif "fc7" in name:
            weights[name] = torch.eye(4096, dtype=torch.float16)[:, :, None, None]
        else:
            fan = value[0].numel()
            weights[name] = torch.randn(value.shape, generator=draw) * (2 / fan) ** 0.5
    # between even chances and one sure age, so that faces differ by years
    weights["predictions.weight"] *= 0.25
    return weights


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    import torch

    home = tmp_path_factory.mktemp("home")
    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True)
    torch.save(drawn_weights(), folder / WEIGHTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFACE_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def ages(home):
    return DeepFaceAges()


@pytest.fixture(scope="module")
def pictures():
    """A face; the same leaning, larger and darker, away from the border."""
    from PIL import Image
    from skimage.data import astronaut

    one = Image.fromarray(astronaut()).crop((90, 0, 350, 260))
    other = one.rotate(8, Image.Resampling.BICUBIC, expand=True).resize((364, 364))
    other = other.point(lambda v: int(255 * (v / 255) ** 1.6))
    return [np.asarray(one), np.asarray(other)]


@pytest.fixture(scope="module")
def found(pictures):
    """As the backend for photos finds them, whose recogniser plays no part here."""
    finder = DeepFaceBackend.__new__(DeepFaceBackend)
    finder.recipe = DeepFaces()
    each = [finder._detect(picture) for picture in pictures]
    assert [len(faces) for faces in each] == [1, 1]
    return [faces[0] for faces in each]


def test_ages_are_those_of_analyze(ages, pictures, found):
    from deepface import DeepFace

    years = []
    for picture, (face, _) in zip(pictures, found, strict=True):
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        (said,) = DeepFace.analyze(bgr, actions=["age"], detector_backend="opencv", silent=True)
        years.append(ages.read(picture, face.box, face.landmarks))
        assert years[-1] == said["age"]
    # so that the comparison is one of something
    assert abs(years[0] - years[1]) >= 2


def test_a_face_is_cut_out_as_deepface_does(pictures, found):
    for picture, (face, cut) in zip(pictures, found, strict=True):
        assert set(face.landmarks) >= {"left_eye", "right_eye"}
        ours = upright(picture, face.box, face.landmarks)
        np.testing.assert_array_equal(ours, np.rint(cut * 255).astype(np.uint8))
        lying = upright(picture, face.box, {})
        left, top, right, bottom = face.box
        np.testing.assert_array_equal(lying, picture[top:bottom, left:right, ::-1])
        assert ours.shape != lying.shape or np.abs(ours.astype(int) - lying).max() > 20


def test_boxes_may_be_fractions_and_lie_over_the_border(ages, pictures):
    picture = pictures[0]
    assert upright(picture, (10.4, 20.6, 60.4, 80.6), {}).shape == (60, 50, 3)
    assert 0 <= ages.read(picture, (-30.0, -20.0, 80.0, 90.0), {}) <= 100
    assert np.isnan(ages.read(picture, (40.0, 40.0, 40.0, 60.0), {}))


def test_passport_names_the_weights(ages, home):
    file = home / ".deepface" / "weights" / WEIGHTS
    said = ages.passport()
    assert said["model"] == "deepface/Age"
    assert said["revision"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert {"deepface", "torch"} < set(said)


@pytest.fixture
def afresh(ages, monkeypatch):
    """DeepFace without the model that it keeps."""
    from deepface.modules import modeling

    monkeypatch.delitem(modeling.cached_models["facial_attribute"], "Age")


@pytest.mark.usefixtures("afresh")
def test_missing_weights_are_one_sentence(tmp_path, monkeypatch):
    from deepface.commons import weight_utils

    def offline(url):
        raise ValueError("no network")

    monkeypatch.setattr(weight_utils, "ensure_source_is_reachable", offline)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    folder = tmp_path / ".deepface" / "weights"
    with pytest.raises(BadInput, match=f"the age model needs {WEIGHTS} in {folder}") as caught:
        DeepFaceAges()
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("afresh")
def test_damaged_weights_are_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    file = tmp_path / ".deepface" / "weights" / WEIGHTS
    file.parent.mkdir(parents=True)
    file.write_bytes(b"<html>Not found</html>")
    with pytest.raises(BadInput, match=r"the age model cannot be loaded.*delete"):
        DeepFaceAges()
