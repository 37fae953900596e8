"""The command on real files, held against DeepFace's ``verify`` and scikit-learn's area."""

from itertools import combinations

import numpy as np
import pytest
from drawn_weights import write_deepid
from PIL import Image
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from likeness.world.album import AlbumParams, write_album
from pipelines.cli import app
from pipelines.console import console

STRICT = 0.005  # cosine distance


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """So that no cell of a table is broken into lines."""
    monkeypatch.setattr(console, "width", 400)


def run(*words):
    return CliRunner().invoke(app, ["faces", "compare", *map(str, words)])


def rows_of(done):
    """Cells of the printed table by its first column."""
    lines = [line for line in done.output.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    return {first: rest for first, *rest in cells}


def by_hand(own, other, threshold):
    """Own pairs verified, pairs with others verified, area under the curve: as they are printed."""
    truth = np.repeat([1, 0], [len(own), len(other)])
    area = roc_auc_score(truth, -np.concatenate([own, other]))
    shares = [f"{np.mean(some <= threshold):.3f} of {len(some)}" for some in (own, other)]
    return [*shares, f"{area:.3f}"]


def without_intervals(cells):
    return [cell.split(" (")[0] for cell in cells]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Photos of two people of the small world."""
    folders = []
    for number in (0, 1):
        folder = tmp_path_factory.mktemp("person")
        write_album(AlbumParams(person=number, photos=20, held_out=5), folder)
        folders.append(folder / "held_out" / "images")
    return folders


def test_the_small_worlds_own_recogniser(people):
    from likeness.faces.small_backend import SmallBackend

    backend = SmallBackend.open()
    vectors = []
    for folder in people:
        pictures = [
            np.asarray(Image.open(file).convert("RGB")) for file in sorted(folder.iterdir())
        ]
        found = backend.read(pictures)
        vectors.append([np.stack([face.embedding for face in faces]) for faces in found])
    one, other = vectors

    def nearest(a, b):
        """Of all faces in two photos."""
        return (1 - a.astype(np.float64) @ b.T).min()

    own = np.array([nearest(a, b) for a, b in combinations(one, 2)])
    across = np.array([nearest(a, b) for a in one for b in other])
    done = run(people[0], "--recogniser", "small", "--others", people[1])
    assert done.exit_code == 0, done.output
    seen, *rates, remark = rows_of(done)["small"]
    assert without_intervals(rates) == by_hand(own, across, backend.threshold)
    assert all(" to " in rate for rate in rates)
    assert (seen, remark) == ("5 of 5", "")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    write_deepid(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFACE_HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A face as it is, brighter and mirrored; leaning and mirrored, as somebody else; a cup."""
    from skimage.data import astronaut, coffee

    face = Image.fromarray(astronaut()).crop((90, 0, 350, 260))
    mirrored = face.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    taken = {
        "one": [
            face,
            face.point(lambda v: int(255 * (v / 255) ** 0.5)),
            mirrored.point(lambda v: v // 2),
        ],
        "other": [face.rotate(8, Image.Resampling.BICUBIC), mirrored],
    }
    root = tmp_path_factory.mktemp("photos")
    for name, pictures in taken.items():
        (root / name).mkdir()
        for number, picture in enumerate(pictures):
            picture.save(root / name / f"{number}.png")
    Image.fromarray(coffee()[:200, :200]).save(root / "one" / "cup.png")
    (root / "one" / "notes.txt").write_text("no photo")
    return root


@pytest.fixture
def offline(monkeypatch):
    from deepface.commons import weight_utils

    def unreachable(url):
        raise ValueError("no network")

    monkeypatch.setattr(weight_utils, "ensure_source_is_reachable", unreachable)


@pytest.fixture
def strict(monkeypatch):
    """A threshold among the distances: drawn weights tell nobody, and all pairs would be verified."""
    monkeypatch.setattr("deepface.modules.verification.find_threshold", lambda *names: STRICT)


@pytest.mark.usefixtures("home", "offline", "strict")
def test_a_recogniser_of_deepface_and_one_whose_weights_are_missing(photos):
    names = ("--recogniser", "OpenFace", "--recogniser", "DeepID")
    done = run(photos / "one", *names, "--others", photos / "other")
    assert done.exit_code == 0, done.output

    from deepface.modules.verification import verify

    def distance(a, b):
        said = verify(str(a), str(b), model_name="DeepID", detector_backend="opencv")
        assert said["threshold"] == STRICT
        return said["distance"]

    mine = [photos / "one" / f"{n}.png" for n in range(3)]
    theirs = [photos / "other" / f"{n}.png" for n in range(2)]
    own = [distance(a, b) for a, b in combinations(mine, 2)]
    across = [distance(a, b) for a in mine for b in theirs]
    wanted = by_hand(np.array(own), np.array(across), STRICT)
    # so that the comparison is one of something
    assert not {"0.000", "1.000"} & {figure.split()[0] for figure in wanted}
    rows = rows_of(done)
    # what cannot be had comes last, whatever was asked for first
    assert list(rows) == ["DeepID", "OpenFace"]
    seen, *rates, remark = rows["DeepID"]
    assert without_intervals(rates) == wanted
    assert (seen, remark) == ("3 of 4", "")
    *empty, remark = rows["OpenFace"]
    assert not any(empty)
    assert "OpenFace with opencv needs openface_weights.pth" in remark


@pytest.mark.usefixtures("home")
def test_without_others_their_columns_are_left_out(photos):
    done = run(photos / "one", "--recogniser", "DeepID")
    assert done.exit_code == 0, done.output
    seen, verified, remark = rows_of(done)["DeepID"]
    assert (seen, remark) == ("3 of 4", "")
    assert "of 3 (" in verified
    assert "AUC" not in done.output
    assert "--others FOLDER" in done.output


def test_mistakes_are_one_sentence(tmp_path):
    (tmp_path / "inner").mkdir()
    for words, sentence in (
        ((tmp_path, "--recogniser", "Nobody"), "no recogniser is called 'Nobody'"),
        ((tmp_path, "--others", tmp_path / "inner"), "lie in one another"),
        ((tmp_path / "absent",), "There is no folder"),
        ((tmp_path / "inner",), "There is no file to take in"),
    ):
        done = run(*words)
        assert done.exit_code == 2, done.output
        assert sentence in done.output
        assert len(done.output.strip().splitlines()) == 1


def test_all_recognisers_of_deepface_are_compared_where_none_is_named(photos, monkeypatch):
    asked = []

    def seen(params, inputs, output, scratch):
        asked.extend(params.recipes)
        raise SystemExit(0)

    monkeypatch.setattr("likeness.faces.compare.compare_recognisers", seen)
    run(photos / "one")
    names = {recipe.recogniser for recipe in asked}
    assert len(names) == len(asked) == 8
    assert {"VGG-Face", "ArcFace", "Facenet512"} < names
