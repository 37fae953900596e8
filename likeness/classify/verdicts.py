"""The heavy call of verdicts: on a painter's pictures, and on what experiments have made."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from likeness.classify.params import VerdictParams
from likeness.images import image_set
from likeness.images.made import prepared
from likeness.images.prepare import Preparation


class MadeSet(BaseModel):
    """A test set that an experiment has made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    experiment: str = Field(description="its key, and the name of the input with its pictures")
    role: str | None = Field(None, description="of the pictures; none: all of them")


class JudgeParams(VerdictParams):
    """What verdicts depend on beside the network and the pictures."""

    made: dict[str, MadeSet] = Field({}, description="test set -> whose pictures it is")
    prepare: Preparation = Field(description="how the painter's own pictures were prepared")


def judge_all(
    params: JudgeParams, inputs: dict[str, Path], output: Path, scratch: Path
) -> dict[str, Any]:
    """``classifier/verdicts``: a row per picture the network never learned from.

    ``inputs``: ``network``, ``paintings``, ``classes``, and the pictures of each experiment by its
    key. These are prepared as the painter's own and judged as sets of unseen pictures.
    """
    from likeness.classify.tasks import judge

    table = image_set.read(inputs["classes"])
    room = scratch / "made"
    parts = [
        _prepared(name, one, params.prepare, inputs[one.experiment], room / name)
        for name, one in params.made.items()
    ]
    image_set.write(room, pd.concat([table, *parts], ignore_index=True))
    return judge(params, inputs | {"classes": room}, output, scratch)


def _prepared(
    name: str, one: MadeSet, preparation: Preparation, pictures: Path, room: Path
) -> pd.DataFrame:
    """Rows of a set for the table of classes; its prepared pictures lie in ``room``."""
    table = image_set.accepted(image_set.read(pictures))
    if one.role is not None:
        table = table[table["role"] == one.role]
    # The same bytes twice are one picture, as they are in the intake.
    table = table.drop_duplicates("image_id").reset_index(drop=True)
    files = [str(file) for file in prepared(pictures, table, preparation, room, name)]
    kept = table[["image_id", "sha256", "prompt", "seed", "guidance_scale", "status"]]
    types = {"image_set": "string", "label": "Int64", "group": "Int64", "fold": "Int64"}
    rows = kept.assign(file=files, split="unseen", image_set=name).to_dict("records")
    return image_set.frame(rows, types)
