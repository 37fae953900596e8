"""What every heavy call is told of the base model that it uses."""

from pydantic import BaseModel, ConfigDict, Field

from likeness.models.registry import DType


class OfModel(BaseModel):
    """Which base model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="name of the base model")
    identity: str = Field(description="what the base model's weights are: model_identity")


class OfPictures(OfModel):
    """Which base model, and how it makes pictures."""

    dtype: DType = Field(description="of the weights on a GPU; a CPU takes float32")
    resolution: int = Field(ge=8, multiple_of=8, description="side of the pictures, px")
