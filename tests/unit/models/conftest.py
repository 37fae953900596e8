import json
import shutil

import pytest
import yaml
from hub import TEMPLATE, Hub


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A whole diffusers folder in the layout of Stable Diffusion, with networks of a few kB."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as UNet
    from transformers import CLIPTextConfig, CLIPTextModel

    from likeness.models import configs
    from likeness.models.random_weights import byte_tokenizer

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    text = CLIPTextConfig(**configs.TEXT["sd15"] | sizes | {"num_attention_heads": 2})
    unet = UNet(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    blocks = {
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
    }
    vae = AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, **blocks)
    pipe = StableDiffusionPipeline(
        unet=unet,
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=byte_tokenizer("<|endoftext|>"),
        scheduler=DDIMScheduler(**configs.SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
    )
    folder = tmp_path_factory.mktemp("tiny") / "model"
    pipe.save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, for this process."""
    from huggingface_hub import constants

    folder = tmp_path / "home" / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def served(tiny, tmp_path, monkeypatch):
    """A hub that holds ``some/tiny``."""
    from huggingface_hub import constants

    published = shutil.copytree(tiny, tmp_path / "published")
    # What the published folders also hold, and must not be fetched.
    (published / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    hub = Hub({"some/tiny": published})
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + TEMPLATE)
    yield hub
    hub.close()


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Writes the settings' file and returns it."""

    def write(**models):
        file = tmp_path / "models.yaml"
        file.write_text(yaml.safe_dump(models))
        monkeypatch.setenv("LIKENESS_MODELS", str(file))
        return file

    return write


TINY = {
    "source": "some/tiny",
    "architecture": "sd15",
    "resolution": 16,
}


@pytest.fixture
def known(settings):
    """A model ``tiny`` of the hub, not pinned."""
    return settings(tiny=TINY)
