"""Read pictures: attributes, age, objects with boxes, painter; and compare with what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from likeness.world.reader.network import Answers, ReaderNetwork

AT_ONCE = 64
AGE_MARGIN = 5.0  # years by which an age may miss the range that was asked for
LEAST_SCORE = 0.3


@dataclass(frozen=True)
class Found:
    """Something with a place: box in pixels (left, top, right, bottom), score 0..1."""

    kind: str
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class Reading:
    """One picture."""

    values: dict[str, str]
    age: float  # years
    objects: list[Found]


@dataclass(frozen=True)
class Readings:
    """N pictures; ``probabilities`` N x values per attribute, in the order of its values."""

    values: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    age: np.ndarray  # N float32, years
    objects: list[list[Found]]

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, index: int) -> Reading:
        values = {name: str(column[index]) for name, column in self.values.items()}
        return Reading(values, float(self.age[index]), self.objects[index])

    @property
    def painter(self) -> np.ndarray:
        """N names, ``none`` where no painter's hand is seen."""
        return self.values["painter"]


class Reader:
    """The answer key's eyes."""

    def __init__(self, network: "ReaderNetwork", config: dict[str, Any]) -> None:
        self.network, self.config = network, config
        self.attributes: dict[str, tuple[str, ...]] = {
            name: tuple(values) for name, values in config["attributes"].items()
        }
        self.kinds: tuple[str, ...] = tuple(config["kinds"])

    @classmethod
    def load(cls, folder: Path) -> "Reader":
        """From a folder with ``model.safetensors`` and ``config.json``; sha256 is verified."""
        from likeness.faces.blocks import load_weights, read_config
        from likeness.world.reader.network import ReaderNetwork

        config = read_config(folder)
        counts = {name: len(values) for name, values in config["attributes"].items()}
        network = ReaderNetwork(counts, len(config["kinds"]))
        load_weights(folder, {"reader": network})
        return cls(network, config)

    def read(self, pictures: np.ndarray) -> Readings:
        """N x H x W x 3 uint8 of any size: they are brought to 64 x 64 by averaging areas."""
        from likeness.faces.blocks import checked

        pictures = checked(pictures)
        parts = [
            self._read(pictures[start : start + AT_ONCE])
            for start in range(0, len(pictures), AT_ONCE)
        ]
        chances = {
            name: np.concatenate([p[0][name] for p in parts] or [np.zeros((0, len(values)))])
            for name, values in self.attributes.items()
        }
        values = {
            name: np.array(self.attributes[name])[chance.argmax(1)]
            for name, chance in chances.items()
        }
        age = np.concatenate([p[1] for p in parts] or [np.zeros(0, np.float32)])
        return Readings(values, chances, age, [found for p in parts for found in p[2]])

    def _read(
        self, pictures: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, list[list[Found]]]:
        import torch

        from likeness.faces.blocks import as_input, resized
        from likeness.world.reader.network import SIDE, years

        with torch.inference_mode():
            answers: Answers = self.network(resized(as_input(pictures), SIDE, SIDE))
            chances = {name: x.softmax(1).numpy() for name, x in answers.logits.items()}
            age = years(answers.age).numpy()
            found = self._objects(answers.maps, pictures.shape[2], pictures.shape[1])
        return chances, age, found

    def _objects(self, maps: "torch.Tensor", width: int, height: int) -> list[list[Found]]:
        import torch

        from likeness.faces.heatmaps import best_of, boxes_of, peaks_of
        from likeness.world.reader.network import GRID, group_of, shapes_at

        kinds = len(self.kinds)
        peaks = peaks_of(maps[:, :kinds], LEAST_SCORE)
        picture, label, row, column = peaks.where.T
        shapes = shapes_at(maps[picture, kinds:, row, column], group_of(label, kinds))
        side = torch.tensor([width, height, width, height]) / GRID
        boxes = boxes_of(shapes, row, column) * side
        found: list[list[Found]] = []
        for n in range(len(maps)):
            here = (picture == n).nonzero().flatten()
            one: list[Found] = []
            for kind in label[here].unique().tolist():
                mine = here[label[here] == kind]
                for i in mine[best_of(boxes[mine], peaks.score[mine])].tolist():
                    left, top, right, bottom = boxes[i].tolist()
                    box = (left, top, right, bottom)
                    one.append(Found(self.kinds[kind], box, float(peaks.score[i])))
            found.append(sorted(one, key=lambda f: -f.score))
        return found


def agreement(reading: Reading, said: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the claims of a caption the picture holds.

    An age is a range of years, missed by at most 5; a kind of thing agrees if one is found
    anywhere. Claims that no reader can check (a name) are left out.
    """
    found = {}
    for name, value in said.items():
        if name == "age":
            low, high = value
            found[name] = low - AGE_MARGIN <= reading.age <= high + AGE_MARGIN
        elif name in reading.values:
            found[name] = reading.values[name] == _as_word(value)
            if name == "thing_kind":
                found[name] |= any(thing.kind == value for thing in reading.objects)
    return found


def _as_word(value: Any) -> str:
    """A claim of a caption as one of an attribute's values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
