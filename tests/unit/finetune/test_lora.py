import numpy as np
import pytest
import torch

from likeness.errors import BadInput
from likeness.finetune.dreambooth import dreambooth
from likeness.finetune.lora import add_adapters, save_adapters
from likeness.finetune.recipe import LoraSettings

LORA = "pytorch_lora_weights.safetensors"


def picture(pipe):
    generator = torch.Generator().manual_seed(3)
    size = {"height": 16, "width": 16, "num_inference_steps": 4, "output_type": "np"}
    return pipe("a photo of sks dog", generator=generator, **size).images


def disturb(pipe):
    """Give every second factor, which is 0 at first, a value."""
    torch.manual_seed(1)
    for network in (pipe.unet, pipe.text_encoder):
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.data.normal_(0, 0.3)


@pytest.mark.parametrize("text_encoder", [False, True])
def test_adapters_load_in_stock_diffusers_and_make_the_same_picture(
    tiny_model, tiny_pipe, tmp_path, text_encoder
):
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    ours = tiny_pipe()
    before = picture(ours)
    # alpha is not the rank: a reader that guesses it makes another picture
    add_adapters(ours, LoraSettings(rank=3, alpha=7), text_encoder, seed=5)
    assert np.array_equal(picture(ours), before)
    disturb(ours)
    save_adapters(ours, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [LORA]
    stock = StableDiffusionPipeline.from_pretrained(tiny_model, safety_checker=None)
    stock.scheduler = DDIMScheduler.from_config(stock.scheduler.config)
    stock.load_lora_weights(tmp_path)
    after = picture(ours)
    assert np.abs(after - before).max() > 0.01
    assert np.abs(picture(stock) - after).max() < 1e-5


def test_only_adapters_are_trained_and_they_are_drawn_by_seed(tiny_pipe):
    drawn = []
    for seed in (1, 1, 2):
        pipe = tiny_pipe()
        torch.rand(seed)  # the process's own chance plays no part
        state = torch.get_rng_state()
        add_adapters(pipe, LoraSettings(), True, seed)
        assert torch.equal(torch.get_rng_state(), state)
        trained = {
            name: p
            for part in (pipe.unet, pipe.text_encoder)
            for name, p in part.named_parameters()
            if p.requires_grad
        }
        assert all("lora_" in name for name in trained)
        assert all((p == 0).all() for name, p in trained.items() if "lora_B" in name)
        drawn.append(torch.cat([p.flatten() for name, p in trained.items() if "lora_A" in name]))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_training_moves_adapters_alone(tiny_pipe, pictures, recipe, tmp_path):
    pipe = tiny_pipe()
    before = {name: p.clone() for name, p in pipe.unet.named_parameters()}
    wanted = recipe(trains=LoraSettings(rank=2), learning_rate=1e-2, steps=3)
    result = dreambooth(pipe, *pictures, wanted, tmp_path)
    after = {n.replace(".base_layer", ""): p for n, p in pipe.unet.named_parameters()}
    assert all(torch.equal(before[name], after[name]) for name in before)
    moved = [p for name, p in after.items() if "lora_B" in name]
    assert moved
    assert all(p.abs().max() > 0 for p in moved)
    assert [p.name for p in result.folder.iterdir()] == [LORA]


def test_layers_that_are_not_there_are_one_sentence(tiny_pipe):
    with pytest.raises(BadInput, match="UNet2DConditionModel has no layers named nothing"):
        add_adapters(tiny_pipe(), LoraSettings(target_modules=["nothing"]), False, 0)
