import numpy as np
import pytest
import tiny_pipeline
from PIL import Image

from likeness.errors import BadInput
from likeness.generate import tasks
from likeness.generate.asked import Asked
from likeness.generate.sample import Sampling, sample_batch
from likeness.generate.tasks import ImagesParams, make_images
from likeness.images import image_set
from likeness.models.local import model_identity


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tiny_pipeline.write_settings(tmp_path_factory.mktemp("models"))


@pytest.fixture
def make(models, tmp_path, monkeypatch):
    """Calls ``make_images`` with these changes; its table and its folder."""
    monkeypatch.setenv("LIKENESS_MODELS", str(models))

    def call(
        name,
        scratch=None,
        prompts=("a dog", "a red cat"),
        seeds=((5, 0), (7, 8)),
        **changes,
    ):
        params = {
            "model": "tiny",
            "identity": model_identity("tiny"),
            "dtype": "float16",
            "asked": [
                {"prompt": prompt, "seeds": some}
                for prompt, some in zip(prompts, seeds, strict=True)
            ],
            "sampling": Sampling(num_inference_steps=10),
            "batch": 4,
            "resolution": 16,
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
    counts = {"images": 4, "rejected": 0, "prompts": 2, "prompts_not_read_whole": 0}
    on_the_sheet = {"0": "a dog", "1": "a red cat"}
    assert figures == counts | {"not_read": {}, "prompts_on_the_sheet": on_the_sheet}
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


def test_what_a_picture_is_for_stands_beside_it(make):
    asked = [
        Asked(prompt="a dog", seeds=[1], role="ages", age=7),
        Asked(prompt="a cat", seeds=[1]),
    ]
    table, _, _ = make("roles", asked=asked)
    assert table["role"].tolist() == ["ages", "made"]
    assert table["age"].fillna(-1).tolist() == [7, -1]


def test_a_prompt_that_is_not_read_whole_is_a_picture_all_the_same(make):
    table, _, figures = make("unread", prompts=["a dog", "a xylophone"])
    assert table["status"].tolist() == ["accepted"] * 4
    assert table["reason"].isna().all()
    assert table["not_read"].isna().tolist() == [True, True, False, False]
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


def test_pictures_are_as_large_as_is_asked_for(make):
    table, _, _ = make("large", prompts=["a dog"], seeds=[[1]], resolution=32)
    assert table[["width", "height"]].to_numpy().tolist() == [[32, 32]]


def test_a_picture_of_one_colour_is_a_row_that_is_not_accepted(make, monkeypatch):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    pictures[2] = 7
    monkeypatch.setattr(tasks, "sample_batch", lambda *args: pictures)
    table, _, figures = make("flat")
    assert table["status"].tolist() == ["accepted", "accepted", "rejected", "accepted"]
    assert table["reason"].fillna("").tolist() == ["", "", "one colour", ""]
    assert (figures["images"], figures["rejected"]) == (4, 1)


def test_the_sheet_names_each_picture_by_number_and_seed(make, monkeypatch):
    said = []
    whole = tasks.contact_sheet
    monkeypatch.setattr(tasks, "contact_sheet", lambda *args: said.extend(args[-1]) or whole(*args))
    make("sheet")
    assert said == ["0 · seed 5", "0 · seed 0", "1 · seed 7", "1 · seed 8"]


class Pipe:
    """Answers with these pictures, or with this error."""

    vae_scale_factor = 8

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, **options):
        if isinstance(self.answer, Exception):
            raise self.answer
        self.images = self.answer
        return self


@pytest.mark.filterwarnings("error")
def test_a_picture_with_a_value_that_is_no_number_is_black_and_the_others_stay():
    values = np.full((3, 2, 2, 3), 0.5, np.float32)
    values[1, 0, 0, 0], values[2, 1, 1, 2] = np.nan, np.inf
    made = sample_batch(Pipe(values), ["a"] * 3, [1, 2, 3], Sampling(), side=16)
    assert [np.unique(picture).tolist() for picture in made] == [[128], [0], [0]]


def test_a_batch_too_large_for_the_gpu_says_which_number_to_lower():
    import torch

    with pytest.raises(BadInput, match=r"2 pictures of 512 px .* lower sampling\.batch"):
        sample_batch(Pipe(torch.OutOfMemoryError("CUDA")), ["a"] * 2, [1, 2], Sampling(), side=512)


def test_how_many_share_a_batch_is_in_no_fingerprint():
    fields = {"model": "tiny", "identity": "x", "dtype": "float32", "resolution": 16}
    two = [
        ImagesParams(
            **fields, asked=[Asked(prompt="a", seeds=[0])], sampling=Sampling(batch=n), batch=n
        )
        for n in (1, 64)
    ]
    dumps = [params.model_dump(mode="json") for params in two]
    assert dumps[0] == dumps[1]
    assert set(dumps[0]["sampling"]) == {"num_inference_steps", "guidance_scale", "negative_prompt"}


def test_each_picture_keeps_its_own_guidance_in_its_row(make):
    asked = [{"prompt": "a dog", "seeds": [5, 6, 7], "guidance_scales": [0.25, 0.5, 8.0]}]
    table, _, _ = make("own", asked=asked, batch=2)
    assert table["guidance_scale"].tolist() == [0.25, 0.5, 8.0]
    plain, _, _ = make("same", prompts=["a dog"], seeds=[[5, 6, 7]], batch=2)
    assert plain["guidance_scale"].tolist() == [4.0] * 3
    assert set(table["sha256"]).isdisjoint(plain["sha256"])


def test_as_many_guidances_as_seeds(make):
    with pytest.raises(ValueError, match="has 2 seeds and 1 guidance scales"):
        make("few", asked=[{"prompt": "a dog", "seeds": [5, 6], "guidance_scales": [0.5]}])
