"""Classes that a model paints, and pictures that went through its autoencoder."""

import numpy as np
import pandas as pd
import pytest
import tiny_pipeline
from PIL import Image

from likeness.errors import BadInput
from likeness.generate.guidance_classes import GuidanceParams, make_classes
from likeness.images import image_set
from likeness.images.inventory import take_inventory
from likeness.models.local import model_identity

MODEL = {"model": "tiny", "dtype": "float32", "resolution": 16}
SCALES = [0.125, 0.5, 8.0]


@pytest.fixture
def make(tmp_path_factory, tmp_path, monkeypatch):
    """Calls ``make_classes``; its table, its folder and what it says."""
    folder = tmp_path_factory.mktemp("models")
    tiny_pipeline.write_settings(folder)
    monkeypatch.setenv("LIKENESS_MODELS", str(folder / "models.yaml"))
    model = MODEL | {"identity": model_identity("tiny")}
    asked = [{"prompt": "a <zarin> dog", "seeds": [3, 4, 5], "guidance_scales": SCALES}]
    sampled = model | {"asked": asked, "sampling": {"num_inference_steps": 10}}

    def call(name, rebuilt=None, **changes):
        sets = {"sampled": {"3": sampled}}
        sets["rebuilt"] = {
            key: model | {"of": of, "limits": {"min_side": 1}} | changes
            for key, of in (rebuilt or {}).items()
        }
        output = tmp_path / name
        output.mkdir()
        inputs = {"raw": tmp_path / "raw", "files": tmp_path / "raw" / "files"}
        said = make_classes(
            GuidanceParams.model_validate(sets), inputs, output, tmp_path / f"{name}-scratch"
        )
        return image_set.read(output), output, said

    return call


@pytest.fixture
def raw(tmp_path):
    """Two raw pictures of a set M, one file there that is none, and one of another set."""
    files = tmp_path / "raw" / "files"
    rng = np.random.default_rng(0)
    for name in ("M/1.png", "M/0.png", "0/2.png"):
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(files / name)
    (files / "M" / "2.png").write_bytes(b"words")
    listing = take_inventory(files, ["M", "0"])
    listing["label_key"] = listing["folder"]
    listing.to_parquet(tmp_path / "raw" / "inventory.parquet")
    return files


def test_sampled_pictures_have_their_label_prompt_and_guidance(make):
    table, folder, said = make("one")
    assert table["label_key"].tolist() == ["3"] * 3
    assert table["guidance_scale"].tolist() == SCALES
    assert table["file"].tolist() == [f"images/3/000-{seed}.png" for seed in (3, 4, 5)]
    assert (table["prompt"] == "a <zarin> dog").all()
    assert said["sets"] == {"3": 3}
    assert said["not_read"] == ["unknown words: zarin"]
    for row in table.itertuples():
        with Image.open(folder / row.file) as picture:
            assert picture.size == (16, 16)
    again, _, _ = make("two")
    pd.testing.assert_frame_equal(again, table)


def test_rebuilt_pictures_are_the_autoencoders_of_the_centre_squares(make, raw, tmp_path):
    import torch

    from likeness.models.load import load_pipeline

    table, folder, said = make("both", {"M_REBUILT": "M"})
    mine = table[table["label_key"] == "M_REBUILT"]
    assert mine["rebuilt_from"].tolist() == ["M/0.png", "M/1.png", "M/2.png"]
    assert mine["status"].tolist() == ["accepted", "accepted", "rejected"]
    assert mine["file"].isna().tolist() == [False, False, True]
    assert (said["accepted"], said["rejected"]) == (5, 1)
    vae = load_pipeline("tiny", "cpu").vae
    for row in mine[mine["status"] == "accepted"].itertuples():
        with Image.open(raw / row.rebuilt_from) as picture:
            pixels = np.asarray(picture.crop((4, 0, 20, 16)))
        x = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
        with torch.no_grad():
            y = vae.decode(vae.encode(x).latent_dist.mode()).sample
        wanted = ((y[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().numpy()
        with Image.open(folder / row.file) as picture:
            assert np.abs(np.asarray(picture).astype(int) - wanted).max() <= 1


def test_nothing_to_rebuild_and_another_model_are_sentences(make, raw):
    with pytest.raises(BadInput, match="'U' is 'NEW' rebuilt, of which there is no picture"):
        make("none", {"U": "NEW"})
    with pytest.raises(BadInput, match=r"model 'tiny' is content://.* by now and no longer x"):
        make("other", {"U": "M"}, identity="x")


@pytest.mark.parametrize("change", ["other", "gone"])
def test_a_raw_picture_that_has_changed_since_it_was_listed_is_not_rebuilt(make, raw, change):
    file = raw / "M" / "1.png"
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes((raw / "M" / "0.png").read_bytes())
    with pytest.raises(BadInput, match=r"M/1\.png .*: materialise painters/raw_paintings again"):
        make(change, {"M_REBUILT": "M"})
