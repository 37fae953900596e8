import numpy as np
import pytest
import torch

from likeness.errors import BadInput
from likeness.faces.detector import Detector
from likeness.faces.embedding import Embedding
from likeness.faces.small import Detection, SmallFace
from likeness.faces.small_backend import SmallBackend


class Placed(SmallFace):
    """Its faces lie where the first pixels of the picture say: how many."""

    BOXES = ((10, 12, 30, 34), (2, 2, 44, 46), (40, 40, 44, 45))

    def detect(self, pictures):
        eyes = ((20.0, 25.0), (28.0, 25.0))
        return [
            [Detection(tuple(map(float, box)), 0.9, eyes) for box in self.BOXES[: p[0, 0, 0]]]
            for p in pictures
        ]


@pytest.fixture(scope="module")
def backend():
    torch.manual_seed(0)
    networks = Detector(8, 8).eval(), Embedding().eval()
    return SmallBackend(Placed(*networks, {"threshold": 0.4, "least_score": 0.3}), "0" * 64)


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    made = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in [(64, 64), (50, 80)] * 3]
    for n, picture in enumerate(made):
        picture[0, 0, 0] = n % 4
    return made


def test_pictures_of_all_sizes_in_any_order(backend, pictures):
    together = backend.read(pictures)
    assert [len(found) for found in together] == [0, 1, 2, 3, 0, 1]
    alone = [backend.read([picture])[0] for picture in pictures]
    backwards = backend.read(pictures[::-1])[::-1]
    for other in (alone, backwards):
        for a, b in zip(together, other, strict=True):
            assert [face.box for face in a] == [face.box for face in b]
            for x, y in zip(a, b, strict=True):
                if x.embedding is None:
                    assert y.embedding is None
                else:
                    np.testing.assert_allclose(x.embedding, y.embedding, atol=1e-5)
    assert backend.read([]) == []


def test_every_face_is_embedded_as_if_it_were_the_only_one(backend, pictures):
    picture = pictures[3]
    faces = backend.read([picture])[0]
    assert [face.box for face in faces] == [Placed.BOXES[i] for i in (1, 0, 2)]
    for face in faces[:2]:
        only = [[Detection(face.box, 0.9, ((0.0, 0.0), (0.0, 0.0)))]]
        vector = backend.small.embed(picture[None], only).vectors[0]
        np.testing.assert_allclose(face.embedding, vector, atol=1e-5)
        assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
    assert faces[2].embedding is None
    assert "5.0 px high" in faces[2].reason
    # the person's right eye is on the left
    assert faces[0].landmarks["right_eye"][0] < faces[0].landmarks["left_eye"][0]


def test_absent_weights_are_one_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"face model is not in .* run make world"):
        SmallBackend.open(tmp_path)
