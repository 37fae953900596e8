"""The pairs of a bench: which picture is to be edited how, what may change, and the known answer.

A bench is an image set of sources with ``pairs.parquet`` beside it, one row per edit.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validator

from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.image_set import ACCEPTED, REJECTED

TABLE = "pairs.parquet"
MASKS, AFTERS = "masks", "after"
KINDS = ("pose", "state", "replace", "colour", "background", "style", "add", "remove")
COLUMNS = {
    "pair_id": "string",
    "kind": "string",
    "label": "string",
    "image_id": "string",
    "source_prompt": "string",
    "target_prompt": "string",
    "mask": "string",
    "after": "string",
    "was": "string",
    "asked": "string",
    "kept": "string",
    "status": "string",
    "reason": "string",
}
JSON = ("was", "asked", "kept")

Answers = dict[str, str]
PairId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


MaskFile = Annotated[str, StringConstraints(pattern=rf"^{MASKS}/[\w-]+\.png$")]
AfterFile = Annotated[str, StringConstraints(pattern=rf"^{AFTERS}/[\w-]+\.png$")]


class EditPair(BaseModel):
    """One edit: a picture, words for it before and after, and what is known of the right result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pair_id: PairId = Field(description="of what it holds: image and prompts")
    kind: str = Field("", description=f"own world: one of {', '.join(KINDS)}; else the bench's own")
    label: str = Field("", description="what the bench itself calls the pair")
    image_id: PairId | None = Field(None, description="of the source; none: there is no such file")
    source_prompt: str = Field("", description="empty where the bench has none")
    target_prompt: str = Field("")
    mask: MaskFile | None = Field(
        None, description="gray PNG, white where the edit may change; none: unknown, or everything"
    )
    after: AfterFile | None = Field(None, description="the truly edited picture; none: unknown")
    was: Answers | None = Field(None, description="what a reader reads of the asked in the source")
    asked: Answers | None = Field(None, description="attribute -> value after the edit")
    kept: Answers | None = Field(None, description="attribute -> value before and after")
    status: Literal["accepted", "rejected"] = ACCEPTED
    reason: str | None = Field(
        None, description="why it is rejected; of an accepted pair, what it lacks"
    )

    @validator(mode="after")
    def _whole(self) -> "EditPair":
        if self.status == REJECTED:
            if not self.reason:
                raise ValueError("a rejected pair needs a reason")
            return self
        if self.image_id is None or not self.target_prompt.strip():
            raise ValueError("an accepted pair needs a source picture and a target prompt")
        known = [answers is not None for answers in (self.was, self.asked, self.kept)]
        if any(known) and not all(known):
            raise ValueError("was, asked and kept are known together or not at all")
        was, asked, kept = self.was or {}, self.asked or {}, self.kept or {}
        if was.keys() != asked.keys() or any(was[name] == asked[name] for name in asked):
            raise ValueError("what is asked has to be otherwise in the source")
        if asked.keys() & kept.keys():
            raise ValueError("an attribute cannot both change and be kept")
        return self


def pair_id(image: str, source_prompt: str, target_prompt: str) -> str:
    """16 hex digits of a pair: of its image_id (or the name it is missed by) and both prompts."""
    said = json.dumps([image, source_prompt, target_prompt], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def write_pairs(folder: Path, pairs: Sequence[EditPair]) -> pd.DataFrame:
    """Write ``pairs.parquet`` beside the image set in ``folder``; the table."""
    _fit(pairs, set(image_set.accepted(image_set.read(folder))["image_id"]))
    rows = [
        {**pair.model_dump(), **{name: _as_json(getattr(pair, name)) for name in JSON}}
        for pair in pairs
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    table.to_parquet(folder / TABLE, index=False)
    return table


def read_pairs(folder: Path) -> list[EditPair]:
    """All rows of a bench, rejected ones too. Raises ``BadInput`` where the table is not of the
    form, or does not fit the image set beside it."""
    if not (folder / TABLE).is_file():
        raise BadInput(f"there is no {TABLE} in {folder}: this is no bench of edit pairs")
    table = pd.read_parquet(folder / TABLE, dtype_backend="numpy_nullable")
    if lacking := [name for name in COLUMNS if name not in table]:
        raise BadInput(f"{folder / TABLE} has no column {lacking[0]}: make the bench again")
    try:
        pairs = [_pair(row) for row in table[list(COLUMNS)].to_dict("records")]
    except (ValidationError, json.JSONDecodeError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise BadInput(f"a row of {folder / TABLE} cannot be used: {said}") from error
    _fit(pairs, set(image_set.accepted(image_set.read(folder))["image_id"]))
    return pairs


def accepted(pairs: Iterable[EditPair]) -> list[EditPair]:
    """Only the pairs that can be edited."""
    return [pair for pair in pairs if pair.status == ACCEPTED]


def _fit(pairs: Sequence[EditPair], images: set[str]) -> None:
    """Every accepted pair has a picture, and is there once."""
    seen: set[str] = set()
    for pair in accepted(pairs):
        if pair.image_id not in images:
            raise BadInput(
                f"pair {pair.pair_id} edits {pair.image_id}, which is no accepted image of the set"
            )
        if pair.pair_id in seen:
            raise BadInput(f"pair {pair.pair_id} is there twice: keep one of them")
        seen.add(pair.pair_id)


def _as_json(answers: Answers | None) -> str | None:
    return None if answers is None else json.dumps(answers, ensure_ascii=False, sort_keys=True)


def _pair(row: dict[str, Any]) -> EditPair:
    values = {name: None if pd.isna(value) else value for name, value in row.items()}
    for name in JSON:
        values[name] = None if values[name] is None else json.loads(str(values[name]))
    return EditPair.model_validate(values)
