"""Train ``small-reader`` on a book, and count what it confuses on another."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.finetune.loop import Plan, generator_of, train
from likeness.world.learn.keep import some_of, write_results

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from likeness.faces.heatmaps import Marks
    from likeness.world.book import Book
    from likeness.world.reader.read import Reader, Readings

PLAN = Plan(
    steps=5600,
    learning_rate=2e-3,
    weight_decay=0.03,
    ema=0.998,
    precision="bfloat16",
    seed=41,
    optimizer="muon",
)
BATCH = 96
PLANS = {"reader": (PLAN, BATCH)}
OFTEN = 10  # pictures of a value from which its recall is a figure
HIT = 0.5  # overlap from which a box is found


@dataclass(frozen=True)
class Lesson:
    """The truth about N pictures as arrays."""

    values: dict[str, np.ndarray]  # per attribute N int64, -1: not said
    age: np.ndarray  # N float32, years; NaN: not said
    owner: np.ndarray  # M int64, rising: the picture each box lies in
    label: np.ndarray  # M int64: its kind
    boxes: np.ndarray  # M x 4 float32, fractions of the side


def kinds_of() -> tuple[str, ...]:
    """What has a heat map, in order."""
    from likeness.world.description import KINDS

    return (*KINDS, "person", "face")


def lesson_of(book: "Book") -> Lesson:
    """All pages of a book."""
    from likeness.world.reader import truth

    pages = book.pages
    found = [truth.truth_of(page) for page in pages]
    values = {
        name: np.array([-1 if t[name] is None else words.index(t[name]) for t in found])
        for name, words in truth.ATTRIBUTES.items()
    }
    ages = [truth.age_of(page) for page in pages]
    age = np.array([np.nan if a is None else a for a in ages], np.float32)
    kinds = kinds_of()
    all_boxes = [
        (i, kinds.index(kind), box)
        for i, page in enumerate(pages)
        for kind, box in truth.boxes_of(page)
    ]
    owner = np.array([i for i, _, _ in all_boxes], np.int64)
    label = np.array([k for _, k, _ in all_boxes], np.int64)
    boxes = np.array([b for _, _, b in all_boxes], np.float32).reshape(-1, 4)
    return Lesson(values, age, owner, label, boxes)


def make(book: Path, test_book: Path, out: Path, scratch: Path) -> dict[str, float]:
    """Train on one book, measure on another; what was measured. Files of the model in ``out``."""
    from likeness.models.checksums import write_sums
    from likeness.world.book import open_book
    from likeness.world.reader.read import Reader

    curve = train_reader(book, out, scratch)
    write_sums(out)
    measured = measure_reader(Reader.load(out), open_book(test_book), out)
    write_results(out, measured, {"reader": curve})
    return measured


def train_reader(book: Path, out: Path, scratch: Path) -> list[dict[str, float]]:
    """Write ``model.safetensors`` and ``config.json``; the curve."""
    import torch

    from likeness.faces.blocks import measure_statistics, save_weights
    from likeness.world.book import open_book
    from likeness.world.reader.network import ReaderNetwork
    from likeness.world.reader.truth import ATTRIBUTES

    pages = open_book(book)
    lesson = lesson_of(pages)
    torch.manual_seed(PLAN.seed)
    counts = {name: len(values) for name, values in ATTRIBUTES.items()}
    network = ReaderNetwork(counts, len(kinds_of()))
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    every = np.arange(len(pages.pages))

    def loss_of(step: int, chance: "torch.Generator") -> "dict[str, torch.Tensor]":
        rows = some_of(every, BATCH, chance)
        return losses(network, *_views(pages, lesson, rows, chance), lesson, rows)

    curve = train(network, loss_of, PLAN, scratch / "reader", "reader")
    chances = (generator_of(PLAN.seed + 1, i) for i in range(40))
    views = (_views(pages, lesson, some_of(every, BATCH, c), c)[0] for c in chances)
    measure_statistics(network, views)
    config = {
        "model": "small-reader",
        "attributes": {name: list(values) for name, values in ATTRIBUTES.items()},
        "kinds": list(kinds_of()),
    }
    save_weights(out, {"reader": network}, config)
    return curve


def losses(
    network: "torch.nn.Module",
    x: "torch.Tensor",
    marks: "Marks",
    lesson: Lesson,
    rows: np.ndarray,
) -> "dict[str, torch.Tensor]":
    """The loss of one batch and its parts."""
    import torch

    from likeness.world.reader.network import age_loss, attribute_loss, box_loss

    answers = network(x)
    with torch.autocast("cpu", enabled=False):
        parts = [
            attribute_loss(logits, torch.from_numpy(lesson.values[name][rows]))
            for name, logits in answers.logits.items()
        ]
        attributes = torch.stack(parts).sum()
        age = age_loss(answers.age, torch.from_numpy(lesson.age[rows]))
        boxes = box_loss(answers.maps.float(), marks, len(kinds_of()))
        loss = attributes + 0.5 * age + 0.3 * boxes
    return {"loss": loss, "attributes": attributes, "age": age, "boxes": boxes}


def _views(
    book: "Book", lesson: Lesson, rows: np.ndarray, chance: "torch.Generator"
) -> "tuple[torch.Tensor, Marks]":
    """Worn pictures, hardly moved, and the boxes in them.

    Not mirrored: it would turn a painter's strokes. Colours hardly move: they are attributes.
    """
    import torch

    from likeness.faces.blocks import as_input, resized
    from likeness.faces.heatmaps import Marks
    from likeness.world.learn import augment
    from likeness.world.reader.network import SIDE

    count = len(rows)
    scale = augment.uniform(count, 0.95, 1.08, chance)
    shift = augment.uniform(2 * count, -0.04, 0.04, chance).view(-1, 2)
    still = torch.zeros(count, dtype=torch.bool)
    x = resized(as_input(book.pictures[rows]), SIDE, SIDE)
    moved = augment.shift_and_scale(x, scale, shift, still)
    # Half of them stay as they are: moving blurs, and sharp pictures are read too.
    stays = torch.rand(count, generator=chance) < 0.5
    x = torch.where(stays[:, None, None, None], x, moved)
    scale, shift = torch.where(stays, 1.0, scale), torch.where(stays[:, None], 0.0, shift)
    x = augment.worn(x, chance, share=0.15, tint=0.03)
    low, high = np.searchsorted(lesson.owner, rows), np.searchsorted(lesson.owner, rows, "right")
    mine = np.concatenate([np.arange(a, b) for a, b in zip(low, high, strict=True)])
    picture = torch.from_numpy(np.repeat(np.arange(count), high - low))
    boxes = torch.from_numpy(lesson.boxes[mine])
    boxes = augment.boxes_after(boxes, scale[picture], shift[picture], still[picture])
    marks = Marks(picture, torch.from_numpy(lesson.label[mine]), boxes)
    return x.contiguous(memory_format=torch.channels_last), marks


def measure_reader(reader: "Reader", book: "Book", out: Path) -> dict[str, float]:
    """Accuracies with their numbers, age error, boxes; ``confusion.parquet`` in ``out``.

    ``balanced/<attribute>`` is the mean of the recalls of its values: an attribute that is nearly
    always ``no`` is read right often by whoever says no (Brodersen et al. 2010). Values seen less
    than ``OFTEN`` times have no part in it.
    """
    lesson = lesson_of(book)
    readings = reader.read(np.asarray(book.pictures))
    measured: dict[str, float] = {}
    for name, truth in lesson.values.items():
        said = truth >= 0
        right = readings.probabilities[name].argmax(1)[said] == truth[said]
        measured[f"n/{name}"] = int(said.sum())
        if said.any():
            measured[f"accuracy/{name}"] = float(right.mean())
            values, counts = np.unique(truth[said], return_counts=True)
            recalls = [right[truth[said] == v].mean() for v in values[counts >= OFTEN]]
            measured[f"balanced/{name}"] = float(np.mean(recalls)) if recalls else float("nan")
    accuracies = [v for k, v in measured.items() if k.startswith("accuracy/")]
    measured["accuracy_mean"] = float(np.mean(accuracies))
    measured["accuracy_least"] = float(np.min(accuracies))
    known = np.isfinite(lesson.age)
    measured["n/age"] = int(known.sum())
    if known.any():
        measured["age_error"] = float(np.abs(readings.age - lesson.age)[known].mean())
    measured |= _measure_boxes(readings, lesson, book.pictures.shape[1])
    confusion(reader, readings, lesson).to_parquet(out / "confusion.parquet", index=False)
    return measured


def confusion(reader: "Reader", readings: "Readings", lesson: Lesson) -> "pd.DataFrame":
    """A DataFrame: attribute, truth, read, count; pairs that occur."""
    import pandas as pd

    rows = []
    for name, truth in lesson.values.items():
        words = np.array(reader.attributes[name])
        said = truth >= 0
        pairs = pd.DataFrame({"truth": words[truth[said]], "read": readings.values[name][said]})
        counts = pairs.value_counts().rename("count").reset_index()
        counts.insert(0, "attribute", name)
        rows.append(counts.sort_values(["truth", "count"], ascending=[True, False]))
    return pd.concat(rows, ignore_index=True)


def _measure_boxes(readings: "Readings", lesson: Lesson, side: int) -> dict[str, float]:
    """Recall and precision of boxes of the right kind with an overlap of a half."""
    import torch

    from likeness.faces.heatmaps import overlap

    kinds = kinds_of()
    hits = right = found = 0
    for n, objects in enumerate(readings.objects):
        mine = np.flatnonzero(lesson.owner == n)
        found += len(objects)
        if len(mine) == 0 or not objects:
            continue
        true = torch.from_numpy(lesson.boxes[mine] * side)
        common = overlap(torch.tensor([o.box for o in objects]), true)
        alike = torch.tensor([[o.kind == kinds[lesson.label[m]] for m in mine] for o in objects])
        good = (common >= HIT) & alike
        hits += int(good.any(0).sum())
        right += int(good.any(1).sum())
    return {
        "box_recall": hits / max(len(lesson.owner), 1),
        "box_precision": right / max(found, 1),
        "n/boxes": len(lesson.owner),
    }
