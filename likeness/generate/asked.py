"""What a model is asked for: a prompt, how often, and what is to be seen."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Asked(BaseModel):
    """A prompt; a picture is made for each of its seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    role: str = Field("made", description="which part of the study its pictures are for")
    age: float | None = Field(None, description="years that the prompt asks for, if it does")
    guidance_scales: list[float] | None = Field(
        None, description="of each picture its own, also below 1; none: that of the sampling"
    )

    @model_validator(mode="after")
    def _one_for_each(self) -> "Asked":
        if self.guidance_scales is not None and len(self.guidance_scales) != len(self.seeds):
            raise ValueError(
                f"'{self.prompt}' has {len(self.seeds)} seeds and {len(self.guidance_scales)} "
                "guidance scales: give one for each"
            )
        return self
