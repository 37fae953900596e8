from fnmatch import fnmatch

import pytest

from likeness.errors import BadInput
from likeness.models.registry import model_names, spec_of

NAMES = ["small", "sd15", "sd2", "sd2-768", "sdxl", "sd15-random", "sd2-random", "sdxl-random"]


def test_every_shipped_model_is_valid():
    assert list(model_names()) == NAMES
    assert [spec_of(name).name for name in NAMES] == NAMES


def test_only_one_model_of_the_hub_is_not_pinned():
    hub = [spec_of(name) for name in NAMES if spec_of(name).is_hub]
    assert [spec.name for spec in hub if spec.revision is None] == ["sd2-768"]


@pytest.mark.parametrize("name", ["sd15", "sd2-768", "sdxl"])
def test_pickles_are_never_fetched(name):
    for file in (
        "unet/diffusion_pytorch_model.bin",
        "v1-5-pruned.ckpt",
        "vae/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_flax_model.msgpack",
        "safety_checker/model.safetensors",
    ):
        assert not any(fnmatch(file, pattern) for pattern in spec_of(name).files)


def test_only_one_variant_of_the_weights_is_fetched():
    assert "unet/diffusion_pytorch_model.safetensors" in spec_of("sd15").files
    assert "text_encoder_2/model.fp16.safetensors" in spec_of("sdxl").files
    assert "text_encoder_2/model.safetensors" not in spec_of("sdxl").files
    assert len(spec_of("sd15").weight_files) == 3
    assert len(spec_of("sdxl").weight_files) == 4


def test_another_source_is_not_pinned_by_the_old_commit(settings):
    settings(sd15={"source": "mirror/sd15"}, sd2={"resolution": 256})
    assert (spec_of("sd15").source, spec_of("sd15").revision) == ("mirror/sd15", None)
    assert spec_of("sd15").resolution == 512
    assert spec_of("sd2").revision is not None
    assert spec_of("sd2").resolution == 256


def test_a_model_like_another_in_a_folder_beside_the_settings(settings):
    file = settings(mine={"like": "sdxl", "source": "folder:faces"})
    mine = spec_of("mine")
    assert mine.own_folder == (file.parent / "faces").resolve()
    assert (mine.resolution, mine.variant, mine.two_encoders) == (1024, None, True)
    assert model_names() == (*NAMES, "mine")


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ({"sd15": {"revision": "main"}}, "sd15: revision"),
        ({"sd15": {"sourse": "a/b"}}, "sd15: sourse"),
        ({"sd15": {"source": "https://a/b"}}, "sd15: source"),
        ({"sd15": 3}, "sd15 must map fields"),
        ({"new": {"source": "a/b"}}, "new: architecture"),
        ({"new": {"like": "sd3"}}, "new is like 'sd3'"),
        ({"new": {"like": "small", "source": "random:1"}}, "random weights are built for"),
        ({"sd15-random": {"revision": "0" * 40}}, "for models of the hub only"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence_with_file_and_place(settings, entry, part):
    file = settings(**entry)
    with pytest.raises(BadInput) as error:
        spec_of(next(iter(entry)))
    assert str(file) in str(error.value)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_unreadable_settings_and_unknown_names(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="no base model 'sd3': choose one of small, sd15"):
        spec_of("sd3")
    monkeypatch.setenv("LIKENESS_MODELS", str(tmp_path / "none.yaml"))
    with pytest.raises(BadInput, match=r"LIKENESS_MODELS names .*none\.yaml"):
        spec_of("sd15")
    (tmp_path / "none.yaml").write_text("- a\n")
    with pytest.raises(BadInput, match="must map"):
        model_names()
    (tmp_path / "none.yaml").write_text("a: [\n")
    with pytest.raises(BadInput, match="not readable YAML"):
        model_names()
