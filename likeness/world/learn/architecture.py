"""The shapes of the small base model: Stable Diffusion's classes, a hundredth of its size."""

from pathlib import Path
from typing import TYPE_CHECKING

from likeness.world.tokenizer import END, POSITIONS, START

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

SIDE = 64  # px; latents are 16 x 16 x 4
CHANNELS = 4
# The autoencoder is trained with twice as many, of which the best four are kept (latents.py):
# trained with four, edges and eyes were lost (23.4 dB after 1500 steps).
WIDE = 8
TEXT_WIDTH = 192


def new_vae(channels: int = CHANNELS) -> "AutoencoderKL":
    """64 px -> 16 x 16 x channels, 1.7 M parameters, random weights of torch's global generator."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(32, 64, 96),
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=16,
        sample_size=SIDE,
    )


def new_unet(channels: tuple[int, int, int] = (64, 128, 160)) -> "UNet2DConditionModel":
    """16 x 16 x 4; self and cross-attention at 16, 8 and 4. As it ships 9.1 M parameters."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=SIDE // 4,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        layers_per_block=1,
        block_out_channels=channels,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=TEXT_WIDTH,
        # diffusers reads this as the number of heads: 32 wide each, eight times faster here than
        # eight narrow ones
        attention_head_dim=tuple(width // 32 for width in channels),
        norm_num_groups=16,
    )


def new_text_encoder(tokenizer: "CLIPTokenizer") -> "CLIPTextModel":
    """77 positions, 192 wide, 3 layers."""
    from transformers import CLIPTextConfig, CLIPTextModel

    first, last = tokenizer.convert_tokens_to_ids([START, END])
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=6,
            max_position_embeddings=POSITIONS,
            hidden_act="quick_gelu",
            bos_token_id=first,
            eos_token_id=last,
            pad_token_id=last,
        )
    )


def new_scheduler() -> "DDIMScheduler":
    """The noise schedule and the DDIM settings of Stable Diffusion, predicting v as 2.x does.

    A network that predicts the noise has to copy it to within a hundredth before a word can make a
    difference in the first steps of sampling: after 1700 steps ours had not. Velocity (Salimans
    and Ho 2022) is the picture where there is only noise.
    """
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
    )


def read_tokenizer(folder: Path) -> "CLIPTokenizer":
    """The tokenizer of a model folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder)
