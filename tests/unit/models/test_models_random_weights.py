import numpy as np
import pytest
import torch

from likeness.errors import BadInput
from likeness.models import configs
from likeness.models.load import load_folder
from likeness.models.random_weights import (
    VOCABULARY,
    build,
    byte_letters,
    byte_tokenizer,
    materialise,
    shapes,
)

# parameters of the published weights
PUBLISHED = {
    "sd15": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
    "sd2": {"unet": 865_910_724, "vae": 83_653_863, "text_encoder": 340_387_840},
    "sdxl": {
        "unet": 2_567_463_684,
        "vae": 83_653_863,
        "text_encoder": 123_060_480,
        "text_encoder_2": 694_659_840,
    },
}


@pytest.mark.parametrize("architecture", PUBLISHED)
def test_the_shapes_have_the_published_numbers_of_parameters(architecture):
    modules = shapes(architecture)
    counts = {name: sum(p.numel() for p in m.parameters()) for name, m in modules.items()}
    assert counts == PUBLISHED[architecture]
    assert all(p.is_meta for module in modules.values() for p in module.parameters())


def drawn(seed, dtype="float32"):
    from accelerate import init_empty_weights

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(400, 300)
            self.conv = torch.nn.Conv2d(16, 64, 3)
            self.norm = torch.nn.LayerNorm(7)
            self.embedding = torch.nn.Embedding(1000, 50)
            self.register_buffer("ids", torch.arange(5))

    with init_empty_weights(include_buffers=False):
        net = Net()
    return materialise(net, seed, "cpu", dtype)


def test_drawn_weights_keep_the_scale_of_what_they_multiply():
    net = drawn(1)
    assert net.linear.weight.std().item() == pytest.approx(1 / 20, rel=0.02)
    assert net.conv.weight.std().item() == pytest.approx(1 / 12, rel=0.05)
    assert net.embedding.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert net.norm.weight.tolist() == [1.0] * 7
    assert net.linear.bias.abs().sum().item() == 0
    assert net.ids.tolist() == [0, 1, 2, 3, 4]
    out = net.linear(torch.randn(500, 400, generator=torch.Generator().manual_seed(0)))
    assert out.std().item() == pytest.approx(1.0, rel=0.03)


def test_the_seed_decides_and_the_format_is_the_wanted_one():
    a, b, c = drawn(1), drawn(1), drawn(2)
    assert torch.equal(a.conv.weight, b.conv.weight)
    assert not torch.equal(a.conv.weight, c.conv.weight)
    assert {p.dtype for p in drawn(1, "bfloat16").parameters()} == {torch.bfloat16}


def test_the_tokenizer_has_the_ids_of_the_published_one():
    tokenizer = byte_tokenizer("!")
    assert len(tokenizer) == VOCABULARY
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (49406, 49407)
    assert tokenizer.pad_token_id == 0
    # "a" alone is 320 in every published CLIP vocabulary
    assert tokenizer("A").input_ids == [49406, 320, 49407]
    cut = tokenizer("x" * 200, truncation=True, padding="max_length").input_ids
    assert (len(cut), cut[0], cut[-1]) == (77, 49406, 49407)


def test_any_text_comes_back(tmp_path):
    from transformers import CLIPTokenizer

    byte_tokenizer("<|endoftext|>").save_pretrained(tmp_path)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path)
    for text in ("a portrait of cézanne", "猫 and dog", "ünïcode — dash"):
        ids = tokenizer(text).input_ids
        assert tokenizer.unk_token_id not in ids[:-1]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.pad_token_id == 49407


def test_every_byte_has_one_letter():
    letters = byte_letters()
    assert len(set(letters)) == len(letters) == 256
    assert not any(letter.isspace() for letter in letters)


def test_other_architectures_are_refused():
    with pytest.raises(BadInput, match="built for sd15, sd2, sdxl, not small"):
        build("small", 0)


@pytest.fixture
def small(monkeypatch):
    """The configurations of sd2 and sdxl, cut down to a few kB."""
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "projection_dim": 16}
    blocks = {"block_out_channels": (32, 32), "layers_per_block": 1, "sample_size": 8}
    kinds = {"down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D")}
    kinds |= {"up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "attention_head_dim": (2, 2)}
    vae = {"down_block_types": ("DownEncoderBlock2D",) * 2, "block_out_channels": (32, 32)}
    vae |= {"up_block_types": ("UpDecoderBlock2D",) * 2}
    for name, width in (("sd2", 16), ("sdxl", 32)):
        unet = configs.UNET[name] | blocks | kinds | {"cross_attention_dim": width}
        if name == "sdxl":
            unet |= {"transformer_layers_per_block": (1, 2), "addition_time_embed_dim": 8}
            unet |= {"projection_class_embeddings_input_dim": 16 + 6 * 8}
        monkeypatch.setitem(configs.UNET, name, unet)
        monkeypatch.setitem(configs.VAE, name, configs.VAE[name] | vae)
        monkeypatch.setitem(configs.TEXT, name, configs.TEXT[name] | text)
    monkeypatch.setattr(configs, "TEXT_2", configs.TEXT_2 | text)


def picture(pipe):
    size = {"height": 16, "width": 16, "num_inference_steps": 2, "output_type": "np"}
    return pipe("a dog", generator=torch.Generator().manual_seed(0), **size).images


@pytest.mark.parametrize("architecture", ["sd2", "sdxl"])
def test_a_built_pipeline_paints_and_is_the_same_from_its_folder(small, tmp_path, architecture):
    pipe = build(architecture, 5, folder=tmp_path)
    pipe.set_progress_bar_config(disable=True)
    first = picture(pipe)
    assert np.isfinite(first).all()
    assert first.std() > 0.01
    again = load_folder(tmp_path, "float32", two_encoders=architecture == "sdxl")
    assert (picture(again) == first).all()
    assert not list(tmp_path.rglob("*.bin"))
    other = build(architecture, 6)
    assert not torch.equal(other.unet.conv_in.weight, pipe.unet.conv_in.weight)
