"""All mistakes in a study file at once, each with its line and its field."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from likeness.errors import BadInput
from likeness.studies.load import PARTS, read_raw, registry_of
from likeness.studies.schema import Study

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]
QUOTED = re.compile(r"'([^']+)'")
LINE = re.compile(r"line (\d+)")


class Mistake(BaseModel):
    """One thing to put right; ``line`` counts from 1 and is None where no line is to blame."""

    model_config = ConfigDict(frozen=True)

    line: int | None
    field: str
    message: str


def mistakes_in(file: Path, others: Sequence[Path] = ()) -> list[Mistake]:
    """What is wrong with a study file, in the order of its lines; empty where nothing is.

    Fields are checked first; then what the study and ``others``, files of studies that it stands
    beside, say about each other. Raises BadInput where there is no such file.
    """
    if not file.is_file():
        raise BadInput(f"there is no file {file}: name a study file, such as my_study.yaml")
    try:
        raw = read_raw(file)
    except BadInput as error:
        line = LINE.search(str(error))
        return [Mistake(line=int(line[1]) if line else None, field="", message=str(error))]
    lines = _Lines(yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader))
    try:
        Study.model_validate(raw)
    except ValidationError as error:
        return sorted(
            (_mistake(lines, one) for one in error.errors()),
            key=lambda one: one.line or 0,
        )
    try:
        registry_of([*(one for one in others if one.resolve() != file.resolve()), file])
    except BadInput as error:
        return [_named(lines, str(raw["name"]), str(error))]
    return []


def _mistake(lines: "_Lines", error: "ErrorDetails") -> Mistake:
    place = error["loc"]
    known, line = lines.find(place)
    # what a choice between kinds puts into a place stands nowhere in the file either
    field = [*known, *(place[-1:] if error["type"] == "missing" else ())]
    text = error["msg"].removeprefix("Value error, ")
    return Mistake(line=line, field=".".join(map(str, field)), message=text)


def _named(lines: "_Lines", study: str, sentence: str) -> Mistake:
    """The first entry of this study that a sentence names."""
    for quoted in QUOTED.findall(sentence):
        key = quoted.removeprefix(f"{study}__")
        for part in PARTS:
            known, line = lines.find((part, key))
            if len(known) == 2:
                return Mistake(line=line, field=f"{part}.{key}", message=sentence)
    return Mistake(line=None, field="", message=sentence)


class _Found(NamedTuple):
    known: list[int | str]  # the steps of the place that are written down
    line: int
    node: yaml.Node


class _Lines:
    """Where in a file the fields of a study stand, those that an entry inherits among them."""

    def __init__(self, root: yaml.Node) -> None:
        self.root = root

    def find(self, place: Place) -> tuple[list[int | str], int]:
        """As much of ``place`` as is written down, and its line."""
        known, line, _ = _walk(self.root, place)
        if len(place) > 2 and place[0] in PARTS:
            for entry in self._ancestors(str(place[0]), str(place[1])):
                found = _walk(entry, place[2:])
                # among equals the entry's own field stays: it overrides what is inherited
                if 2 + len(found.known) > len(known):
                    known, line = [*place[:2], *found.known], found.line
        return known, line

    def _ancestors(self, part: str, key: str) -> list[yaml.Node]:
        """What an entry extends, the nearest first."""
        entries: list[yaml.Node] = []
        parent = _walk(_walk(self.root, (part, key)).node, ("extends",))
        while parent.known:
            entries.append(_walk(self.root, (part, parent.node.value)).node)
            parent = _walk(entries[-1], ("extends",))
        return entries


def _walk(node: yaml.Node, place: Place) -> _Found:
    """Go down ``place`` as far as it is written; steps that are not are left out."""
    known: list[int | str] = []
    line = node.start_mark.line
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [both for both in node.value if str(both[0].value) == str(step)]
            if pairs:
                # a reader looks for the key, not for the first line of its value
                line, node = pairs[0][0].start_mark.line, pairs[0][1]
                known.append(step)
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line
            known.append(step)
    return _Found(known, line + 1, node)
