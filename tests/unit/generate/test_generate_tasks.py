import pytest
import tiny_pipeline
from PIL import Image

from likeness.generate.sample import Sampling
from likeness.generate.tasks import ImagesParams, make_images
from likeness.images import image_set
from likeness.models.local import model_identity


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny_pipeline.write(folder / "model")
    (folder / "models.yaml").write_text(tiny_pipeline.settings(folder / "model"))
    return folder / "models.yaml"


@pytest.fixture
def make(models, tmp_path, monkeypatch):
    """Calls ``make_images`` with these changes; its table and its folder."""
    monkeypatch.setenv("LIKENESS_MODELS", str(models))

    def call(name, scratch=None, **changes):
        sampling = Sampling(num_inference_steps=2, batch=changes.pop("batch", 4))
        params = {
            "model": "tiny",
            "identity": model_identity("tiny"),
            "dtype": "float16",
            "prompts": ["a dog", "a red cat"],
            "seeds": [[5, 0], [7, 8]],
            "sampling": sampling,
        }
        output = tmp_path / name
        output.mkdir()
        scratch = scratch or tmp_path / f"{name}-scratch"
        figures = make_images(ImagesParams(**params | changes), {}, output, scratch)
        return image_set.read(output), output, figures

    return call


def test_each_prompt_gets_its_own_seeds_in_their_order(make):
    table, folder, figures = make("one")
    shots = list(zip(table["prompt"], table["seed"], strict=True))
    assert shots == [("a dog", 5), ("a dog", 0), ("a red cat", 7), ("a red cat", 8)]
    assert sorted(path.name for path in (folder / "images").iterdir()) == sorted(
        ["000-5.png", "000-0.png", "001-7.png", "001-8.png"]
    )
    assert figures == {"images": 4, "prompts": 2, "prompts_not_read_whole": 0, "not_read": {}}
    assert table["sha256"].nunique() == 4


def test_pictures_that_are_there_are_not_sampled_again_and_the_batch_of_others_is(make, tmp_path):
    scratch = tmp_path / "kept"
    (scratch / "images").mkdir(parents=True)
    marks = {"000-5.png": "red", "000-0.png": "green", "001-7.png": "blue"}
    for name, colour in marks.items():
        Image.new("RGB", (16, 16), colour).save(scratch / "images" / name)
    _, folder, _ = make("resumed", scratch, batch=2)
    _, whole, _ = make("whole", batch=2)

    def same(name):
        return (folder / "images" / name).read_bytes() == (whole / "images" / name).read_bytes()

    # the first batch was whole; of the second one picture was missing
    assert [same(name) for name in ("000-5.png", "000-0.png")] == [False, False]
    assert [same(name) for name in ("001-7.png", "001-8.png")] == [True, True]


def test_a_prompt_that_is_not_read_whole_is_a_picture_all_the_same(make):
    table, _, figures = make("unread", prompts=["a dog", "a xylophone"])
    assert table["status"].tolist() == ["accepted"] * 4
    assert table["reason"].isna().tolist() == [True, True, False, False]
    assert figures["not_read"] == {"a xylophone": "unknown words: xylophone"}


def test_the_sheet_has_a_row_for_each_prompt_or_more_prompts_in_a_row(make):
    def cells(folder):
        with Image.open(folder / "preview.jpg") as sheet:
            return sheet.width // 132, sheet.height // 148

    prompts = [f"a dog {number}" for number in range(5)]
    # two each: three prompts side by side
    _, folder, _ = make("two", prompts=prompts, seeds=[[1, 2]] * 5)
    assert cells(folder) == (6, 2)
    # four each: one prompt a row
    _, folder, _ = make("four", prompts=prompts, seeds=[[1, 2, 3, 4]] * 5)
    assert cells(folder) == (4, 5)
