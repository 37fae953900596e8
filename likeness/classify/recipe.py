"""How one judge of paintings is trained: the study's schema, the launchpad's form, the argument."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Architecture = Literal["tiles", "probe", "mobilenet", "efficientnet_b7", "efficientnet_v2l"]


class Recipe(BaseModel):
    """Settings of one training.

    ``protocol: original`` is the published one, faults included: every network is fed through
    EfficientNetV2's identity preprocessing and MobileNet's head sits on its 1000-way softmax.
    ``corrected`` gives each network its own preprocessing and a head on pooled features.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: Architecture = Field(
        "tiles", description="which network judges; tiles and probe see luma, the others colour"
    )
    protocol: Literal["corrected", "original"] = Field(
        "corrected", description="our settings, or as published with its faults"
    )
    weights: str = Field(
        "none", description="'imagenet', 'none', or the path of a Keras weights file"
    )
    input_size: int = Field(128, ge=32, le=1024, description="side in px of what the network sees")
    tile_overlap: float = Field(
        0.25, ge=0, lt=1, description="overlap of neighbouring tiles when a painting is judged"
    )
    epochs: int = Field(60, ge=1, le=1000, description="passes, see steps_per_epoch")
    steps_per_epoch: int | None = Field(
        None, ge=1, le=10_000, description="batches per epoch; none = one look at every picture"
    )
    batch_size: int = Field(64, ge=1, le=1024, description="tiles or pictures per step")
    learning_rate: float = Field(3e-3, gt=0, le=1, description="peak learning rate")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="cosine with a short warm-up, or constant as published"
    )
    weight_decay: float = Field(1e-3, ge=0, le=1, description="AdamW's decoupled weight decay")
    trainable_layers: int | None = Field(
        None, ge=0, description="last layers of a pretrained network that learn; none = all"
    )
    class_weights: Literal["balanced", "none"] = Field(
        "balanced", description="classes drawn equally often, or as often as they occur"
    )
    augment: Literal["flip", "flip_light", "none"] = Field(
        "flip_light", description="mirror left-right; and vary brightness and contrast a little"
    )
    early_stopping_patience: int | None = Field(
        None,
        ge=1,
        description="epochs without a better validation loss before stopping; the "
        "best epoch is kept. none = all epochs, the last one is kept",
    )
    inner_validation: float = Field(
        0.1, gt=0, lt=0.5, description="share of a fold's training part held out for calibration"
    )
    seed: int = Field(0, ge=0, description="seed of weights, order and augmentation")

    @model_validator(mode="after")
    def _fits(self) -> "Recipe":
        if self.architecture in ("tiles", "probe") and self.weights != "none":
            raise ValueError(f"'{self.architecture}' starts from nothing: leave out weights")
        return self
