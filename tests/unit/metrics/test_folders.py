"""Two folders on the disk, held against the measures themselves and scikit-image."""

import math
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from likeness.errors import BadInput
from likeness.faces.backend import Face, SmallFaces
from likeness.metrics import folders
from likeness.metrics.folders import ScoreParams, score_folders


def noise(seed, side=32):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (side // 4, side // 4, 3), np.uint8)
    return Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def two(tmp_path):
    """Three pictures in A, four in B, of which two have a name in A, one with another suffix."""
    for folder, names in {
        "a": ("one.png", "deep/two.png", "only.png"),
        "b": ("one.bmp", "deep/two.png", "two.png", "other.png"),
    }.items():
        for number, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(10 * number + (folder == "b")).save(path)
    return tmp_path / "a", tmp_path / "b"


def table(found):
    scores, unreadable, notes = found
    assert not unreadable
    return {(one.measure, one.pictures): one for one in scores}, notes


def ssim(a, b):
    one, other = (np.asarray(p.convert("L"), np.float64) for p in (a, b))
    return structural_similarity(
        one, other, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )


def opened(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Image.open(path).convert("RGB") for path in files]


def test_ssim_of_one_name_of_each_set_and_of_all_pairs(two):
    found, notes = table(score_folders(*two, ScoreParams()))
    a, b = map(opened, two)  # deep/two, one, only; deep/two, one, other, two
    wanted = {
        "by name": [ssim(a[0], b[0]), ssim(a[1], b[1])],
        "within A": [ssim(x, y) for x, y in combinations(a, 2)],
        "within B": [ssim(x, y) for x, y in combinations(b, 2)],
        "A with B": [ssim(x, y) for x in a for y in b],
    }
    assert {pictures for _, pictures in found} == set(wanted)
    for pictures, values in wanted.items():
        score = found["SSIM, 32 px", pictures]
        # whole gray levels there, fractions of them here
        assert score.value == pytest.approx(np.mean(values), abs=2e-3)
        assert score.n == len(values)
    assert notes == []


def test_by_name_alone_the_same_pairs_have_the_same_score(two):
    whole, _ = table(score_folders(*two, ScoreParams()))
    named, _ = table(score_folders(*two, ScoreParams(named=True)))
    assert set(named) == {("SSIM, 32 px", "by name")}
    key = ("SSIM, 32 px", "by name")
    assert named[key].value == pytest.approx(whole[key].value, abs=1e-12)


def test_by_name_alone_clip_and_faces_have_the_same_scores_too(two, monkeypatch):
    """Pair by pair, without a matrix of all."""
    asked = {"clip": "small-clip", "faces": SmallFaces()}

    def scored(named):
        eyes = Eyes([0.0], [0.0], [], [0.1], [0.1], [0.1, 2.0], [])
        monkeypatch.setattr(folders, "open_backend", lambda recipe: eyes)
        return table(score_folders(*two, ScoreParams(named=named, **asked)))[0]

    whole, named = scored(False), scored(True)
    for measure in ("verified", "CLIP-I, small-clip"):
        one, other = named[measure, "by name"], whole[measure, "by name"]
        assert (one.value, one.n) == (pytest.approx(other.value, abs=1e-6), other.n)
    # two of two: a doubt remains
    assert named["verified", "by name"].value == 1.0


def test_folders_change_places_and_the_scores_stay(two):
    there, _ = table(score_folders(*two, ScoreParams()))
    back, _ = table(score_folders(*reversed(two), ScoreParams()))
    for mine, theirs in (("by name",) * 2, ("A with B",) * 2, ("within A", "within B")):
        one, other = there["SSIM, 32 px", mine], back["SSIM, 32 px", theirs]
        assert (one.value, one.n) == (pytest.approx(other.value, abs=1e-12), other.n)


class Eyes:
    """Sees in each picture the faces that a test gives it, in the order of reading."""

    threshold = 0.5

    def __init__(self, *angles):
        self.coming = iter(angles)

    def read(self, pictures):
        return [
            [
                Face((0, 0, 9, 9), None, embedding=np.array([math.cos(v), math.sin(v)], np.float32))
                for v in next(self.coming)
            ]
            for _ in pictures
        ]


def test_faces_are_verified_and_pictures_without_one_are_left_out(two, monkeypatch):
    near, far = 0.0, math.pi
    # A: deep/two, one, only; B: deep/two, one, other, two; a picture with two faces among them
    eyes = Eyes([near], [far], [], [near], [near], [far, near], [])
    monkeypatch.setattr(folders, "open_backend", lambda recipe: eyes)
    found, _ = table(score_folders(*two, ScoreParams(faces=SmallFaces())))
    named = found["verified", "by name"]
    assert (named.value, named.n) == (0.5, 2)
    both = found["verified", "A with B"]
    # near: 3 of 3; far: 1 of 3; only: has no face; nobody verifies with the last of B
    assert (both.value, both.n, both.left_out) == (pytest.approx(4 / 6), 6, 6)
    assert (found["verified", "within A"].value, found["verified", "within A"].n) == (0.0, 1)


def test_what_is_no_picture_is_told_and_left_out(two):
    (two[0] / "notes.txt").write_text("no picture")
    (two[0] / ".hidden.png").write_text("nobody's")
    (two[1] / "broken.png").write_bytes((two[1] / "two.png").read_bytes()[:200])
    scores, unreadable, _ = score_folders(*two, ScoreParams())
    assert [one.file.name for one in unreadable] == ["notes.txt", "broken.png"]
    assert all(one.reason for one in unreadable)
    assert {one.n for one in scores} == {2, 3, 6, 12}


def test_a_name_that_stands_twice_pairs_with_nothing(two):
    noise(99).save(two[1] / "one.png")
    found, _ = table(score_folders(*two, ScoreParams()))
    assert found["SSIM, 32 px", "by name"].n == 1


def test_without_a_common_name_the_sets_are_still_compared(two):
    for name in ("one.bmp", "deep/two.png"):
        (two[1] / name).rename(two[1] / f"x{name.replace('/', '')}")
    found, notes = table(score_folders(*two, ScoreParams()))
    assert {pictures for _, pictures in found} == {"within A", "within B", "A with B"}
    assert notes == ["no picture of A has the name of one of B: nothing is compared by name"]


def test_the_shortest_side_of_any_picture_is_the_side_of_all(two):
    noise(5, 40).save(two[0] / "large.png")
    found, _ = table(score_folders(*two, ScoreParams(side=24)))
    assert {measure for measure, _ in found} == {"SSIM, 24 px"}


def test_one_folder_twice_and_folders_without_pictures_are_refused(two, tmp_path):
    (tmp_path / "empty").mkdir()
    for a, b, sentence in (
        (two[0], two[0] / ".." / "a", "are one folder"),
        (two[0], tmp_path / "empty", "No file in .* is a picture"),
        (tmp_path / "nowhere", two[0], "There is no folder"),
    ):
        with pytest.raises(BadInput, match=sentence):
            score_folders(a, b, ScoreParams())


class Distances:
    """Stands for LPIPS: the distance of two pictures is 1 where their names differ, else 0."""

    backbone = "alex"

    def pairs(self, a, b, side):
        values = [float(x.stem != y.stem) for x, y in zip(a, b, strict=True)]
        return type("Found", (), {"values": np.array(values)})


def test_perceptual_distance_is_of_pictures_of_one_name(two, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "open_lpips", lambda folder: Distances())
    _, notes = table(score_folders(*two, ScoreParams(lpips=tmp_path)))
    assert notes == ["LPIPS needs 64 px and the smallest picture has 32: left out"]
    for folder in two:
        for path in (path for path in folder.rglob("*") if path.is_file()):
            Image.open(path).resize((64, 64)).save(path)
    found, _ = table(score_folders(*two, ScoreParams(lpips=tmp_path)))
    score = found["LPIPS (alex), 64 px", "by name"]
    assert (score.value, score.n) == (0.0, 2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A tiny CLIP in the real format."""
    import torch
    from transformers import CLIPTokenizer

    from likeness.world.learn.clip import build, save
    from likeness.world.tokenizer import write_tokenizer

    place = tmp_path_factory.mktemp("clip")
    write_tokenizer(("a", "photo"), place / "words")
    tokenizer = CLIPTokenizer.from_pretrained(place / "words")
    torch.manual_seed(0)
    save(build(tokenizer, hidden=48, projection=8), tokenizer, place / "model")
    return place / "model"


def test_clip_measures_are_those_of_its_vectors(two, clip):
    from likeness.metrics.clip import open_clip_folder
    from likeness.metrics.frechet import frechet_distance, kernel_distance

    found, _ = table(score_folders(*two, ScoreParams(clip=str(clip))))
    encoder = open_clip_folder(clip)
    a, b = (encoder.embed_images(opened(folder)).vectors.astype(np.float64) for folder in two)
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (a, b))
    score = found[f"CLIP-I, {clip}", "A with B"]
    assert (score.value, score.n) == (pytest.approx((x @ y.T).mean(), abs=1e-6), 12)
    assert found[f"CLIP-I, {clip}", "by name"].value == pytest.approx(
        np.mean([x[0] @ y[0], x[1] @ y[1]]), abs=1e-6
    )
    whole = found[f"FID of {clip}", "sets"]
    assert (whole.value, whole.n) == (pytest.approx(frechet_distance(a, b), rel=1e-4), 3)
    assert found[f"KID of {clip}", "sets"].value == pytest.approx(kernel_distance(a, b), rel=1e-4)
