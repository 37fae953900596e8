"""Published benches in their own formats, with what goes wrong in them."""

import json
from io import BytesIO

import numpy as np
import pytest
import yaml
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from likeness.bench.gather import COVERS_ALL
from likeness.bench.pairs import read_pairs
from likeness.bench.photos import Photos, square_mask
from likeness.bench.sources import BenchSource
from likeness.bench.tasks import PREVIEW, BenchParams, edit_pairs
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.inventory import take_inventory
from likeness.metrics.background import mask_of_runs

SIDE = 32


def photo(seed, size=(48, 48), mode="RGB"):
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).convert(mode)


def encoded(image, format="PNG", **options):
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def put(root, files):
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def listed(tmp_path):
    """The inputs of a bench: its folder, and what lies there."""
    (tmp_path / "listing").mkdir(exist_ok=True)
    take_inventory(tmp_path / "raw", ["."]).to_parquet(tmp_path / "listing" / "inventory.parquet")
    return {"raw": tmp_path / "raw", "listing": tmp_path / "listing"}


def run(tmp_path, **source):
    output, scratch = tmp_path / "output", tmp_path / "scratch"
    params = BenchParams(source=source, resolution=SIDE)
    summary = edit_pairs(params, listed(tmp_path), output, scratch)
    return summary, {pair.label: pair for pair in read_pairs(output)}, output


def ted(tmp_path, entries, files, **more):
    listing = entries if isinstance(entries, str) else json.dumps(entries)
    put(tmp_path / "raw", {"input_list.json": listing, **files})
    return run(tmp_path, bench="tedbench", **more)


def test_tedbench_is_read_as_it_is_published(tmp_path):
    entries = [
        {"img_name": "dog2_standing.jpeg", "target_text": "A photo of a sitting dog."},
        {"img_name": "dog2_standing.jpeg", "target_text": "A photo of a jumping dog."},
        {"img_name": "cat_1", "target_text": "A photo of a sleeping cat."},
    ]
    files = {
        "originals/dog2_standing.jpeg": encoded(photo(0, (60, 40)), "JPEG"),
        "originals/cat_1.png": encoded(photo(1)),
        # results of others are no sources
        "imagic/dog2_standing.jpeg-A_photo_of_a_sitting_dog.png": encoded(photo(2)),
    }
    summary, pairs, output = ted(tmp_path, entries, files)
    assert (summary["images"], summary["pairs"], summary["pairs_rejected"]) == (2, 3, 0)
    assert summary["with_source_prompt"] == 0
    pair = pairs["dog2_standing.jpeg-A_photo_of_a_sitting_dog."]
    assert (pair.source_prompt, pair.mask, pair.asked) == ("", None, None)
    assert "no source prompt" in pair.reason
    table = image_set.accepted(image_set.read(output)).set_index("image_id")
    assert table.loc[pair.image_id, "path"] == "originals/dog2_standing.jpeg"
    with Image.open(output / table.loc[pair.image_id, "file"]) as picture:
        assert (picture.size, picture.mode) == ((SIDE, SIDE), "RGB")
    assert (output / PREVIEW).stat().st_size > 0


def test_a_prompt_for_all_sources_can_be_given(tmp_path):
    entries = [{"img_name": "a.png", "target_text": "a cat"}]
    given = {"source_prompt": "a dog"}
    _, pairs, output = ted(tmp_path, entries, {"originals/a.png": encoded(photo(0))}, **given)
    assert pairs["a.png-a_cat"].source_prompt == "a dog"
    assert pairs["a.png-a_cat"].reason is None
    assert list(image_set.read(output)["prompt"]) == ["a dog"]


def test_what_goes_wrong_with_one_edit_is_said_in_its_row(tmp_path):
    entries = [
        {"img_name": "good.png", "target_text": "fine"},
        {"img_name": "good.png", "target_text": "fine"},
        {"img_name": "missing.png", "target_text": "missing"},
        {"img_name": "broken.png", "target_text": "broken"},
        {"img_name": "text.png", "target_text": "text"},
        {"img_name": "../secret.png", "target_text": "outside"},
        {"img_name": "link.png", "target_text": "link"},
        {"img_name": "good.png"},
        {"target_text": "nothing"},
        "no entry at all",
    ]
    secret = encoded(photo(5))
    put(tmp_path, {"secret.png": secret, "raw/secret.png": secret})
    (tmp_path / "raw/originals").mkdir()
    (tmp_path / "raw/originals/link.png").symlink_to(tmp_path / "secret.png")
    files = {
        "originals/good.png": encoded(photo(0)),
        "originals/broken.png": encoded(photo(1))[:90],
        "originals/text.png": "no picture",
    }
    summary, pairs, output = ted(tmp_path, entries, files)
    assert (summary["pairs"], summary["pairs_rejected"]) == (10, 9)
    found = [(pair.status, pair.reason) for pair in read_pairs(output)]
    words = [
        "no source",
        "listed before",
        "there is no 'missing.png'",
        "damaged",
        "not a picture",
        "leads out of the raw folder",
        "link that leaves",
        "entry 7 has no target_text",
        "entry 8 has no img_name",
        "entry 9 has no img_name",
    ]
    assert [status for status, _ in found] == ["accepted"] + ["rejected"] * 9
    for (_, reason), said in zip(found, words, strict=True):
        assert said in reason
    # of a photo that is there but cannot be read, the image set has a row as well
    table = image_set.read(output)
    assert sorted(table["status"]) == ["accepted", "rejected", "rejected"]
    assert pairs["broken.png-broken"].image_id in set(table["image_id"])


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        ("{", "no JSON"),
        ("{}", "no list"),
        ("[]", "its list is empty"),
        ('[{"img_name": "a.png", "target_text": "b"}]', "there is no 'a.png'"),
    ],
)
def test_a_bench_of_which_nothing_can_be_used_is_refused(tmp_path, listing, said):
    with pytest.raises(BadInput, match=said):
        ted(tmp_path, listing, {})


def test_a_list_is_read_below_the_raw_folder_alone(tmp_path):
    put(tmp_path / "raw", {"originals/a.png": encoded(photo(0))})
    with pytest.raises(BadInput, match=r"no input_list\.json"):
        run(tmp_path, bench="tedbench")
    put(tmp_path, {"list.json": "[]"})
    (tmp_path / "raw/input_list.json").symlink_to(tmp_path / "list.json")
    with pytest.raises(BadInput, match=r"no input_list\.json"):
        run(tmp_path, bench="tedbench")
    for field in ({"listing": "../list.json"}, {"photos": "/etc"}):
        with pytest.raises(ValidationError, match="leads out"):
            TypeAdapter(BenchSource).validate_python({"bench": "tedbench", **field})


def test_pictures_of_any_mode_become_upright_colour(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn to the right
    tall = np.zeros((40, 60, 3), np.uint8)
    tall[:, 30:] = 255  # lies on its side: white on the right, upright at the bottom
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    files = {
        "originals/gray.png": encoded(photo(0, mode="L")),
        "originals/cmyk.jpg": encoded(photo(1, mode="CMYK"), "JPEG"),
        "originals/turned.png": encoded(Image.fromarray(tall), exif=turned),
        "originals/clear.png": encoded(clear),
    }
    entries = [{"img_name": name.split("/")[1], "target_text": "x"} for name in files]
    summary, pairs, output = ted(tmp_path, entries, files)
    assert summary["pairs_rejected"] == 0

    def pixels(name):
        with Image.open(output / f"images/{pairs[f'{name}-x'].image_id}.png") as picture:
            assert picture.mode == "RGB"
            return np.asarray(picture)

    assert (pixels("clear.png") == 255).all()
    upright = pixels("turned.png")
    assert upright[:10].max() < 50
    assert upright[-10:].min() > 200
    assert (pixels("gray.png")[..., 0] == pixels("gray.png")[..., 2]).all()


def test_wild_ti2i_is_read_with_its_irregularities(tmp_path):
    entries = [
        {
            "init_img": "/home/Someone/Wild-TI2I/DATA/Horse.PNG",
            "target_prompts": ["a photo of a zebra", "a bronze horse"],
            "source_prompt": "a horse in mud",
        },
        {"init_img": "data/bear.png", "target_prompts": ["a polar bear"]},
        {"target_prompts": ["a robot"]},
        {"seed": 3, "source_prompt": "a cat", "target_prompts": ["a tiger"]},
        {"init_img": "bear.png"},
        {"init_img": "bear.png", "target_prompts": [7, "a panda"]},
    ]
    raw = {
        "wild-ti2i-real.yaml": yaml.safe_dump(entries),
        "data/horse.png": encoded(photo(0)),
        "data/bear.png": encoded(photo(1)),
    }
    put(tmp_path / "raw", raw)
    summary, pairs, _ = run(tmp_path, bench="wild_ti2i")
    assert (summary["images"], summary["pairs"], summary["pairs_rejected"]) == (2, 8, 4)
    name = "wild-ti2i-real"
    assert pairs[f"{name}/0/1"].source_prompt == "a horse in mud"
    assert pairs[f"{name}/0/1"].target_prompt == "a bronze horse"
    assert pairs[f"{name}/1/0"].source_prompt == ""
    assert "no init_img" in pairs[f"{name}/2/0"].reason
    assert "sampled from a seed" in pairs[f"{name}/3/0"].reason
    assert "no target_prompts" in pairs[f"{name}/4"].reason
    assert "no text" in pairs[f"{name}/5/0"].reason
    assert pairs[f"{name}/5/1"].status == "accepted"


def test_a_photo_is_never_taken_for_one_of_the_same_name_elsewhere(tmp_path):
    put(tmp_path, {"panda/1.jpg": "a", "tiger/2.jpg": "b", "lion/1.jpg": "c", "lion/1.JPG": "d"})
    photos = Photos(tmp_path, ".")
    assert photos.find("/x/imnetr/panda/1.jpg").path == "panda/1.jpg"
    assert photos.find("Panda/1.jpg").path == "panda/1.jpg"
    assert "there is no" in photos.find("tiger/1.jpg")
    assert "may be" in photos.find("1.jpg")
    assert photos.find("lion/1.JPG").path == "lion/1.JPG"
    assert "may be" in photos.find("lion/1.Jpg")
    assert photos.find("2").path == "tiger/2.jpg"
    assert "leads out" in photos.find("panda/../tiger/2.jpg")
    assert "names no photo" in photos.find("")


def pie(**more):
    return {
        "image_path": "0_random_140/000000000000.jpg",
        "original_prompt": "a [dog] on the grass",
        "editing_prompt": "a [cat] on the grass",
        "editing_instruction": "Change the dog into a cat",
        "editing_type_id": "1",
        "blended_word": "dog cat",
        "mask": [0, 512 * 256],
    } | more


def test_pie_bench_is_read_as_it_is_published(tmp_path):
    path = "3_delete_object_80/1.png"
    entries = {
        "000000000000": pie(),
        "odd": pie(editing_prompt="odd", mask=[0, 10, 20]),
        "outside": pie(editing_prompt="outside", mask=[600 * 600, 4]),
        "words": pie(editing_prompt="words", mask="0 10"),
        "all": pie(editing_prompt="all", mask=[0, 512 * 512]),
        "longer": pie(editing_prompt="longer", mask=[512 * 256, 10**9]),
        "oblong": pie(image_path=path, editing_type_id="3"),
        "plain": pie(image_path=path, editing_prompt="plain", mask=None, original_prompt=""),
        "missing": pie(image_path="1_change/2.jpg"),
        "bare": {},
    }
    raw = {
        "mapping_file.json": json.dumps(entries),
        "annotation_images/0_random_140/000000000000.jpg": encoded(photo(0, (512, 512)), "JPEG"),
        f"annotation_images/{path}": encoded(photo(1, (60, 40))),
    }
    put(tmp_path / "raw", raw)
    summary, pairs, output = run(tmp_path, bench="pie_bench")
    assert (summary["images"], summary["pairs"], summary["pairs_rejected"]) == (2, 10, 2)
    first = pairs["000000000000"]
    assert first.source_prompt == "a dog on the grass"
    assert (first.target_prompt, first.kind) == ("a cat on the grass", "change object")
    assert first.reason is None

    def mask(name):
        with Image.open(output / pairs[name].mask) as picture:
            assert picture.mode == "L"
            return np.asarray(picture)

    assert (mask("000000000000")[: SIDE // 2] == 255).all()
    assert (mask("000000000000")[SIDE // 2 :, 1:-1] == 0).all()
    assert (mask("longer")[SIDE // 2 :] == 255).all()
    for name, said in (
        ("odd", "3 numbers"),
        ("outside", "outside of 512 x 512"),
        ("words", "no whole numbers"),
        ("oblong", "does not fit a picture of 60 x 40"),
        ("plain", "no source prompt; no mask"),
    ):
        assert pairs[name].status == "accepted"
        assert pairs[name].mask is None
        assert said in pairs[name].reason
    assert pairs["all"].reason == COVERS_ALL
    assert (mask("all") == 255).all()
    assert [pairs[name].status for name in ("missing", "bare")] == ["rejected"] * 2


def test_a_mask_is_squared_as_its_picture():
    """Against the middle columns, every second pixel of which the nearest is."""
    mask = np.random.default_rng(0).random((40, 60)) < 0.5
    found = np.asarray(square_mask(mask, (60, 40), 20))
    assert set(np.unique(found)) == {0, 255}
    assert ((found > 0) == mask[1::2, 11:50:2]).all()
    doubled = np.asarray(square_mask(np.eye(8, dtype=bool), (16, 16), 16))
    assert ((doubled > 0) == np.kron(np.eye(8), np.ones((2, 2)))).all()
    assert (mask_of_runs([], (8, 8)).sum(), square_mask(mask, (40, 60), 20)) == (
        28,
        "a mask of 60 x 40 does not fit a picture of 40 x 60",
    )


def test_a_bench_of_files_needs_its_folder(tmp_path):
    params = BenchParams(source={"bench": "pie_bench"}, resolution=SIDE)
    with pytest.raises(BadInput, match="name the folder"):
        edit_pairs(params, {}, tmp_path / "output", tmp_path / "scratch")


def test_a_bench_that_is_no_longer_the_listed_one_is_refused(tmp_path):
    entries = [{"img_name": "dog.png", "target_text": "A photo of a cat."}]
    ted(tmp_path, entries, {"dog.png": encoded(photo(0))}, photos=".")
    before = listed(tmp_path)
    put(tmp_path / "raw", {"dog.png": encoded(photo(1))})
    params = BenchParams(source={"bench": "tedbench", "photos": "."}, resolution=SIDE)
    with pytest.raises(BadInput, match="changed while they were read"):
        edit_pairs(params, before, tmp_path / "again", tmp_path / "scratch")


def test_a_list_that_is_in_no_listing_is_refused(tmp_path):
    put(tmp_path / "raw", {".git/list.json": "[]", "dog.png": encoded(photo(0))})
    with pytest.raises(BadInput, match=r"\.git/list\.json is hidden"):
        run(tmp_path, bench="tedbench", photos=".", listing=".git/list.json")
