"""What all pieces of a study are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Keys become partition keys, folder names and S3 keys.
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=60)]
# Of experiments: subject__method__variant.
LongKey = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+([_-][a-z0-9]+|__[a-z0-9]+)*$", max_length=120)
]
SetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][\w-]*$", max_length=60)]
Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Part(BaseModel):
    """Base of every piece of a study: unknown fields are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
