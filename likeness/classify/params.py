"""Arguments of the classifier's heavy calls; light to import, so that definitions load fast."""

from typing import Literal

from pydantic import BaseModel, Field

from likeness.classify.recipe import Recipe


class TrainParams(BaseModel):
    """What a training depends on beside its pictures."""

    recipe: Recipe
    rounds: Literal["split", "folds"]
    labels: list[int]
    weights_sha256: str | None = Field(None, description="of a weights file: its bytes count")


class VerdictParams(BaseModel):
    """What verdicts depend on beside the network and the pictures."""

    names: dict[int, str]
    truths: dict[str, int] = Field({}, description="the right class of unseen sets that have one")
