"""The published shapes of Stable Diffusion 1.5, 2 and XL, as their libraries' configurations."""

from typing import Any

_CROSS_DOWN, _CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"

_UNET: dict[str, Any] = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": (_CROSS_DOWN, _CROSS_DOWN, _CROSS_DOWN, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", _CROSS_UP, _CROSS_UP, _CROSS_UP),
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
UNET: dict[str, dict[str, Any]] = {
    "sd15": _UNET,
    "sd2": _UNET
    | {
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "sdxl": _UNET
    | {
        "sample_size": 128,
        "down_block_types": ("DownBlock2D", _CROSS_DOWN, _CROSS_DOWN),
        "up_block_types": (_CROSS_UP, _CROSS_UP, "UpBlock2D"),
        "block_out_channels": (320, 640, 1280),
        "transformer_layers_per_block": (1, 2, 10),
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "use_linear_projection": True,
        # The pooled prompt (1280) and six numbers of size and crop (256 each).
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}

_VAE: dict[str, Any] = {
    "sample_size": 512,
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "scaling_factor": 0.18215,
}
VAE: dict[str, dict[str, Any]] = {
    "sd15": _VAE | {"force_upcast": False},
    "sd2": _VAE | {"force_upcast": False},
    # Its published weights overflow in float16, hence the upcast.
    "sdxl": _VAE | {"sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
}

_TEXT: dict[str, Any] = {
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
    "hidden_act": "quick_gelu",
    "bos_token_id": 0,
    # 2 stands for "the highest id of the prompt", which the end token 49407 has.
    "eos_token_id": 2,
    "pad_token_id": 1,
}
TEXT: dict[str, dict[str, Any]] = {
    "sd15": _TEXT,
    # OpenCLIP ViT-H without its last layer
    "sd2": _TEXT
    | {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 23,
        "num_attention_heads": 16,
        "projection_dim": 512,
        "hidden_act": "gelu",
    },
    "sdxl": _TEXT,
}
# OpenCLIP ViT-bigG, the second text encoder of XL
TEXT_2: dict[str, Any] = _TEXT | {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
}

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}
# What fills a prompt up to 77 tokens: 1.5 and the first encoder of XL repeat the end token.
PAD: dict[str, str] = {"sd15": "<|endoftext|>", "sd2": "!", "sdxl": "<|endoftext|>"}
PAD_2 = "!"
