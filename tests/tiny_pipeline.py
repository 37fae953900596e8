"""A whole model folder in the layout of the small base model, with networks of a few kB."""

from pathlib import Path

SIDE = 16
WORDS = ("a", "photo", "of", "dog", "cat", "red", "on", "beach")


def write(folder: Path, seed: int = 0) -> Path:
    """Random weights, a tokenizer that knows ``WORDS``; pictures of 16 px."""
    import torch
    from diffusers import AutoencoderKL, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as UNet
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    from likeness.world.learn.architecture import new_scheduler
    from likeness.world.tokenizer import write_tokenizer

    write_tokenizer(WORDS, folder / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    torch.manual_seed(seed)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    unet = UNet(
        sample_size=SIDE // 2,
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    StableDiffusionPipeline(
        unet=unet,
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
    ).save_pretrained(folder)
    return folder


def settings(model: Path) -> str:
    """What LIKENESS_MODELS must say for the name ``tiny`` to be this model."""
    return (
        f"tiny: {{source: 'folder:{model}', architecture: small, resolution: {SIDE}, "
        "dtype: float32, prediction_type: v_prediction}\n"
    )


def write_settings(folder: Path) -> Path:
    """The tiny model in ``folder``, and the file of settings that names it."""
    file = folder / "models.yaml"
    file.write_text(settings(write(folder / "model")))
    return file
