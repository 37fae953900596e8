"""What a model is asked for: a prompt, how often, and what is to be seen."""

from pydantic import BaseModel, ConfigDict, Field


class Asked(BaseModel):
    """A prompt; a picture is made for each of its seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    role: str = Field("made", description="which part of the study its pictures are for")
    age: float | None = Field(None, description="years that the prompt asks for, if it does")
