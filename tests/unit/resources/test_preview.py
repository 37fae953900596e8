import re
import shutil
from io import BytesIO

import pytest
from PIL import Image
from small_tasks import artifacts
from starlette.testclient import TestClient

from resources.manifest import Work
from resources.preview import link, pictures_app

FINGERPRINT = "0" * 63 + "1"
# what a word's pictures, or those of a role, may be called
WORD = "style of <Cézanne> [100 %] #1.png"
FOUND = f"/images/made/{FINGERPRINT}"


@pytest.fixture
def store(tmp_path):
    return artifacts(tmp_path, "inline").store


@pytest.fixture
def manifest(store, tmp_path):
    """An artefact with a picture, a table, and a folder with a picture."""
    folder = tmp_path / "output"
    (folder / "images").mkdir(parents=True)
    for name in ("preview.jpg", "curves.png", "images/0.png", WORD):
        Image.new("RGB", (8, 8), "red").save(folder / name)
    (folder / "table.csv").write_text("a,b")
    work = Work(asset="images/made", fingerprint=FINGERPRINT, code_version="1")
    return store.publish(folder, work)


@pytest.fixture
def pictures(store, manifest):
    return TestClient(pictures_app(store))


def test_a_link_leads_to_the_picture_and_is_short_enough_to_be_shown_inline(pictures, manifest):
    text = link("http://testserver/", manifest, "preview.jpg").value
    assert text == f"![preview.jpg](http://testserver{FOUND}/preview.jpg)"
    assert len(text) < 1000
    answer = pictures.get(f"{FOUND}/preview.jpg")
    assert Image.open(BytesIO(answer.content)).size == (8, 8)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert pictures.get(f"{FOUND}/curves.png").headers["content-type"] == "image/png"


def test_a_name_that_no_url_can_hold_leads_to_its_picture_all_the_same(pictures, manifest):
    text = link("http://testserver", manifest, WORD).value
    said, address = re.fullmatch(r"!\[(.*)\]\(([!-~]+)\)", text).groups()
    assert re.sub(r"\\(.)", r"\1", said) == WORD
    assert not re.search(r"(?<!\\)[<>\[\]]", said)
    assert not set("<>()[] ") & set(address)
    answer = pictures.get(address)
    assert Image.open(BytesIO(answer.content)).size == (8, 8)
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/images/made/",
        f"{FOUND}/",
        f"{FOUND}/other.jpg",
        f"{FOUND}/table.csv",
        f"/images/made/{FINGERPRINT[:-1]}2/preview.jpg",
        f"/images/other/{FINGERPRINT}/preview.jpg",
        f"/images/{FINGERPRINT}/preview.jpg",
        f"/x/..%2F..%2Fimages/made/{FINGERPRINT}/preview.jpg",
        f"/%2Ftmp/made/{FINGERPRINT}/preview.jpg",
        f"{FOUND}/..%2Fpreview.jpg",
        f"{FOUND}/images%2F0.png",
    ],
)
def test_all_else_is_not_there(pictures, path):
    assert pictures.get(path).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_it_only_shows(pictures, method):
    assert getattr(pictures, method)(f"{FOUND}/preview.jpg").status_code == 405


def test_what_was_damaged_or_removed_is_not_shown(pictures, manifest, tmp_path):
    folder = tmp_path / "store" / manifest.location
    file = folder / "preview.jpg"
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    assert pictures.get(f"{FOUND}/preview.jpg").status_code == 404
    assert pictures.get(f"{FOUND}/curves.png").status_code == 200
    shutil.rmtree(folder)
    assert pictures.get(f"{FOUND}/curves.png").status_code == 404
