import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_pipeline
import torch
from PIL import Image

from likeness.errors import BadInput
from likeness.faces.backend import Face
from likeness.finetune import tasks
from likeness.finetune.recipe import LoraSettings
from likeness.finetune.tasks import FinetuneParams, finetune, verified_share, write_model
from likeness.images import image_set
from likeness.models.assemble import load_finetuned, read_reference
from likeness.models.local import model_identity

NORTH, EAST, SOUTH = np.float32([0, 1]), np.float32([1, 0]), np.float32([0, -1])


def face(vector):
    return Face(box=(0, 0, 9, 9), score=1.0, embedding=vector)


class Backend:
    """Reads these faces, whatever the pictures."""

    threshold = 0.5

    def __init__(self, *answers):
        self.answers = list(answers)

    def read(self, pictures):
        some = self.answers.pop(0)
        assert len(some) == len(pictures)
        return some


def test_identity_is_the_share_of_pairs_that_verify():
    # Two pictures of the person, one without a face, one of somebody else beside the person.
    found = [[face(NORTH)], [], [face(EAST), face(NORTH)], [face(SOUTH), Face((0, 0, 1, 1), 1.0)]]
    photos = [np.stack([NORTH]), np.stack([NORTH, EAST])]
    answer = verified_share(Backend(found), np.zeros((4, 8, 8, 3), np.uint8), photos)
    assert answer == {"identity": 4 / 8, "with_face": 3 / 4}


def write_set(folder, count, seed, prefix):
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(count):
        name = f"{prefix}{number}"
        file = f"images/{name}.png"
        picture = rng.integers(0, 256, (24 + number, 20, 3), np.uint8)
        Image.fromarray(picture).save(folder / file)
        rows.append({"image_id": name, "file": file, "status": "accepted"})
    rows.append({"image_id": "broken", "status": "rejected", "reason": "cut short"})
    image_set.write(folder, image_set.frame(rows))
    return folder


@pytest.fixture
def inputs(tmp_path):
    return {
        "photos": write_set(tmp_path / "photos", 4, 0, "photo"),
        "prior": write_set(tmp_path / "prior", 5, 1, "class"),
    }


@pytest.fixture
def train(tiny_model, inputs, recipe, tmp_path, monkeypatch):
    """Calls ``finetune`` with these changes of the recipe; its folder and its summary."""
    (tmp_path / "models.yaml").write_text(tiny_pipeline.settings(tiny_model))
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "models.yaml"))

    def call(name, fields=None, **changes):
        fields = {
            "model": "tiny",
            "identity": model_identity("tiny"),
            "dtype": "float32",
            "resolution": 16,
            "trained_on": ["photo2", "photo0"],
        } | (fields or {})
        params = FinetuneParams(**fields, recipe=recipe(**changes))
        output = tmp_path / name
        output.mkdir()
        return output, finetune(params, inputs, output, tmp_path / f"{name}-scratch")

    return call


JUDGED = {
    "prompts": ["a photo of sks dog"],
    "images_per_prompt": 2,
    "sampling": {"num_inference_steps": 10},
}


def test_the_best_checkpoint_is_what_is_written(train, monkeypatch):
    none = [[], []]
    two, one = [[face(NORTH)], [face(NORTH)]], [[face(NORTH)], [face(EAST)]]
    # The photo held back, then the pictures of the base model and after 3, 6 and 7 steps.
    backend = Backend([[face(NORTH)]], none, one, two, one)
    monkeypatch.setattr(tasks, "open_backend", lambda recipe: backend)
    fields = {"held_back": ["photo1"], "faces": {"backend": "small"}}
    output, summary = train("judged", fields, judged=JUDGED, train_text_encoder=True)
    assert {key: summary[key] for key in ("best_step", "identity", "photos", "class_pictures")} == {
        "best_step": 6,
        "identity": 1.0,
        "photos": 2,
        "class_pictures": 4,
    }
    table = pd.read_parquet(output / "checkpoints.parquet")
    assert table["step"].tolist() == [0, 3, 6, 7]
    assert table["identity"].tolist() == [0.0, 0.5, 1.0, 0.5]
    assert table["with_face"].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert table["published"].tolist() == [False, False, True, False]
    assert table["obedience"].isna().all()
    names = {"unet", "text_encoder", "model_index.json", "base.json", "curve.json"}
    names |= {"checkpoints.parquet", "curve.png", "preview.jpg"}
    assert {path.name for path in output.iterdir()} == names
    reference = read_reference(output)
    assert (reference.model, reference.method, reference.step) == ("tiny", "dreambooth", 6)
    curve = json.loads((output / "curve.json").read_text())
    assert [row["step"] for row in curve["curve"]] == list(range(1, 8))
    assert curve["best_step"] == 6
    assert summary["token"] == ["'sks' is read as 3 pieces, which other words share"]


@pytest.mark.parametrize("lora", [False, True])
def test_the_same_training_is_the_same_bytes_and_can_be_loaded(train, tiny_pipe, lora):
    changes = {"trains": LoraSettings(rank=2)} if lora else {}
    outputs = [train(name, train_text_encoder=True, **changes)[0] for name in ("one", "two")]
    files = [
        {p.relative_to(o): p.read_bytes() for p in o.rglob("*") if _is_weights(p)} for o in outputs
    ]
    assert files[0] == files[1]
    assert not any(b"_name_or_path" in data for p, data in files[0].items() if p.suffix == ".json")
    pipe = load_finetuned(outputs[0], "cpu")
    base = tiny_pipe()
    assert not any(part.training for part in (pipe.unet, pipe.text_encoder))
    assert not np.array_equal(picture(pipe), picture(base))


def _is_weights(path):
    return path.is_file() and (path.suffix == ".safetensors" or path.name.endswith("config.json"))


def picture(pipe):
    generator = torch.Generator().manual_seed(3)
    size = {"height": 16, "width": 16, "num_inference_steps": 4, "output_type": "np"}
    return pipe("a photo of sks dog", generator=generator, **size).images


def test_whole_networks_are_kept_in_the_models_own_format(tmp_path):
    from safetensors.torch import load_file, save_file

    (tmp_path / "trained" / "unet").mkdir(parents=True)
    weights = {"a": torch.tensor([1 / 3, 2.0])}
    save_file(weights, tmp_path / "trained" / "unet" / "x.safetensors", {"format": "pt"})
    write_model(tmp_path / "trained", tmp_path / "out", "float16")
    kept = load_file(tmp_path / "out" / "unet" / "x.safetensors")
    assert torch.equal(kept["a"], weights["a"].half())


def test_photos_are_squares_of_their_middle(inputs):
    table = image_set.read(inputs["photos"])
    file = inputs["photos"] / table["file"][3]  # 20 x 27
    found = tasks._stack([file], 20)
    with Image.open(file) as whole:
        assert np.array_equal(found[0], np.asarray(whole)[3:23])


def test_mistakes_are_one_sentence(train, inputs):
    with pytest.raises(BadInput, match="no longer content://old: materialise models/base"):
        train("a", {"identity": "content://old"})
    with pytest.raises(BadInput, match="2 of 3 pictures are no accepted ones of the set, broken"):
        train("b", {"trained_on": ["photo1", "broken", "other"]})
    with pytest.raises(BadInput, match="only 5 of 12 class pictures"):
        train("c", num_class_images=12)
    with pytest.raises(ValueError, match="photo photo1 is trained on and held back"):
        train("d", {"trained_on": ["photo1"], "held_back": ["photo1"]})
    del inputs["prior"]
    with pytest.raises(BadInput, match="no class pictures: make some"):
        train("e")


def test_an_encoder_that_cannot_be_had_is_one_sentence_before_the_first_step(
    train, monkeypatch, tmp_path
):
    def never(*args):
        raise AssertionError("training began")

    monkeypatch.setattr(tasks, "dreambooth", never)
    with pytest.raises(BadInput, match="there is no encoder 'no-clip'"):
        train("blind", {"clip": "no-clip"}, judged=JUDGED)


def test_photos_held_back_without_a_face_cannot_judge(train, monkeypatch):
    monkeypatch.setattr(tasks, "open_backend", lambda recipe: Backend([[]]))
    fields = {"held_back": ["photo1"], "faces": {"backend": "small"}}
    with pytest.raises(BadInput, match="no face is found in the 1 photos held back"):
        train("faceless", fields, judged=JUDGED)


def test_faces_that_were_read_before_are_not_read_again(inputs, tmp_path):
    rows = [
        {"file": f"{i}.png", "image_id": i, "status": status, "embedding": vector}
        for i, status, vector in (
            ("photo0", "ok", SOUTH),
            ("photo1", "ok", NORTH),
            ("photo1", "ok", EAST),
            ("photo3", "no_face", None),
        )
    ]
    (tmp_path / "faces").mkdir()
    pd.DataFrame(rows).to_parquet(tmp_path / "faces" / "faces.parquet")
    params = SimpleNamespace(held_back=["photo1", "photo3"])
    known = tasks._references(params, inputs | {"faces": tmp_path / "faces"}, Backend())
    assert [faces.tolist() for faces in known] == [[[0, 1], [1, 0]]]


def test_obedience_is_the_mean_cosine_of_each_picture_and_its_prompt_without_the_token(
    tiny_pipe, recipe, tmp_path
):
    from transformers import CLIPModel, CLIPProcessor

    from likeness.world.learn.clip import build, save

    words = tiny_pipe().tokenizer
    torch.manual_seed(0)
    save(build(words, hidden=40, projection=16).eval(), words, tmp_path)
    prompts = ["a photo of sks dog on beach", "a red sks dog"]
    wanted = recipe(judged={"prompts": prompts, "images_per_prompt": 2})
    params = SimpleNamespace(clip=str(tmp_path), recipe=wanted)
    measure = tasks._obedience(params, wanted.judged)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    model = CLIPModel.from_pretrained(tmp_path, dtype="float32").eval()
    processor = CLIPProcessor.from_pretrained(tmp_path)
    cosines = []
    asked = ["a photo of dog on beach"] * 2 + ["a red dog"] * 2
    for one, prompt in zip(pictures, asked, strict=True):
        with torch.no_grad():
            pixels = processor(images=one, return_tensors="pt")
            image = model.get_image_features(**pixels).pooler_output
            text = model.get_text_features(**words(prompt, return_tensors="pt")).pooler_output
        cosines.append(float(torch.cosine_similarity(image, text)))
    assert measure(pictures) == pytest.approx(np.mean(cosines), abs=1e-5)
    params.clip = None
    assert tasks._obedience(params, wanted.judged) is None
