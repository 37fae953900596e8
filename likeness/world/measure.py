"""Measure the shipped models of the small world on pictures and prompts none was trained on."""

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from likeness.generate.sample import Sampling, sample
from likeness.world.book import write_book
from likeness.world.description import Description, Landscape
from likeness.world.grammar import Caption, caption
from likeness.world.picture import draw
from likeness.world.sample import Mixture, base_identity, describe

if TYPE_CHECKING:
    from likeness.faces.small import SmallFace
    from likeness.world.reader.read import Reader

SAMPLING = Sampling(num_inference_steps=25, guidance_scale=4.0)
PROMPTS = Mixture(held_out=True)
RENDERINGS = 4  # of a named person, with which sampled pictures are compared
PER_PAINTER = 2


@dataclass(frozen=True)
class Figure:
    """One measured number: on how many it rests, its 95 % interval, what it is to reach."""

    model: str
    name: str
    value: float
    n: int | None = None
    low: float | None = None
    high: float | None = None
    target: str = ""


def measure(weights: Path, scratch: Path, prompts: int = 200, people: int = 64) -> list[Figure]:
    """All figures of the models below ``weights``; books and samples are left in ``scratch``."""
    figures = [*_of_base(weights, scratch, prompts, people)]
    for model, targets in _TARGETS.items():
        if (weights / model).exists():
            figures += _of_judge(weights / model, scratch, model, targets)
    figures.append(Figure("all", "size_mb", _megabytes(weights), target="<= 40"))
    (scratch / "figures.json").write_text(json.dumps([asdict(f) for f in figures], indent=1))
    return figures


def _megabytes(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def _of_base(weights: Path, scratch: Path, prompts: int, people: int) -> list[Figure]:
    from likeness.faces.small import SmallFace
    from likeness.models.load import load_folder
    from likeness.world.learn.vae import psnr
    from likeness.world.reader.read import Reader

    pipe = load_folder(weights / "base", "float32")
    reader = Reader.load(weights / "reader")
    book = write_book(scratch / "books/eyes", "measure-eyes", 500, Mixture(held_out=True))
    figures = [_mean("base", "vae_psnr_db", psnr(pipe.vae, np.asarray(book.pictures)), ">= 25")]
    figures += prompts_followed(pipe, reader, prompts, scratch)
    figures.append(_speed(pipe))
    figures += names_bound(pipe, SmallFace.load(weights / "face"), people, scratch)
    figures.append(painters_bound(pipe, reader, scratch))
    return figures


def _mean(model: str, name: str, values: np.ndarray, target: str = "") -> Figure:
    from likeness.classify.statistics import mean_interval

    mean = mean_interval([float(v) for v in values])
    return Figure(model, name, mean.value, len(values), mean.low, mean.high, target)


def _rate(model: str, name: str, hits: Sequence[bool] | np.ndarray, target: str = "") -> Figure:
    from likeness.classify.statistics import rate

    one = rate(int(np.sum(hits)), len(hits))
    return Figure(model, name, one.value, one.n, one.low, one.high, target)


def held_out_prompts(count: int) -> tuple[list[Description], list[Caption]]:
    """Descriptions no model was trained on, and what is asked of the base model."""
    pages = [describe("prompts", index, PROMPTS) for index in range(count)]
    return pages, [caption(page, np.random.default_rng(i)) for i, page in enumerate(pages)]


def prompts_followed(pipe: Any, reader: "Reader", count: int, scratch: Path) -> list[Figure]:
    """Of what held-out prompts ask for: how much the reader finds, per attribute and in all.

    The mean is over attributes, each with the same weight: rare ones count as much as common ones.
    """
    from likeness.world.reader.read import agreement

    pages, asked = held_out_prompts(count)
    made = sample(pipe, [c.text for c in asked], list(range(count)), SAMPLING, "held-out prompts")
    _keep(scratch / "prompts.png", made[:48], [draw(page, 64).picture for page in pages[:48]])
    readings = reader.read(made)
    hits: dict[str, list[bool]] = defaultdict(list)
    for index, one in enumerate(asked):
        for name, right in agreement(readings[index], one.said).items():
            hits[name].append(right)
    each = [_rate("base", f"agreement/{name}", found) for name, found in sorted(hits.items())]
    all_of = [hit for found in hits.values() for hit in found]
    mean = float(np.mean([figure.value for figure in each]))
    return [
        Figure("base", "agreement_mean_of_attributes", mean, len(each), target=">= 0.75"),
        _rate("base", "agreement_of_all_claims", all_of),
        *each,
    ]


def _speed(pipe: Any) -> Figure:
    """Seconds for 32 pictures with 25 steps and guidance."""
    began = time.monotonic()
    sample(pipe, ["a photo of a dog"] * 32, list(range(32)), SAMPLING, "speed")
    return Figure("base", "seconds_for_32_pictures", time.monotonic() - began, 32, target="<= 12")


def names_bound(pipe: Any, face: "SmallFace", people: int, scratch: Path) -> list[Figure]:
    """Whether a name means a person: sampled pictures verified against renderings.

    For each of ``people`` named people: two pictures are sampled, ``RENDERINGS`` are drawn. Shares
    of pairs that verify at the threshold of ``small-face``: with the right person's renderings,
    with everybody else's, and renderings among themselves (the ceiling).
    """
    who = [base_identity(number) for number in range(people)]
    ages = (28, 45)
    prompts = [f"a photo of {one.name} as an adult, looking at the camera" for one in who]
    prompts = [
        p.replace("an adult", _age_words(one.sex, a))
        for one, p in zip(who, prompts, strict=True)
        for a in ages
    ]
    made = sample(pipe, prompts, list(range(len(prompts))), SAMPLING, "named people")
    drawn = np.stack([_portrait(one, k) for one in who for k in range(RENDERINGS)])
    _keep(scratch / "names.png", made[:: len(ages)][:24], drawn[::RENDERINGS][:24])
    sampled, rendered = (face.embed(p, face.detect(p)).vectors for p in (made, drawn))
    near = 1 - sampled @ rendered.T <= face.threshold  # NaN: no face is no match
    mine = np.repeat(np.arange(people), len(ages))[:, None] == np.repeat(
        np.arange(people), RENDERINGS
    )
    among = 1 - rendered @ rendered.T <= face.threshold
    same = np.repeat(np.arange(people), RENDERINGS)
    pairs = (same[:, None] == same) & ~np.eye(len(same), dtype=bool)
    return [
        _rate("base", "names/face_found", ~np.isnan(sampled[:, 0])),
        _rate("base", "names/verified_with_own", near[mine]),
        _rate("base", "names/verified_with_others", near[~mine]),
        _rate("base", "names/renderings_among_themselves", among[pairs]),
    ]


def _age_words(sex: str, age: int) -> str:
    man = "man" if sex == "male" else "woman"
    return f"a young {man}" if age < 30 else f"an adult {man}"


def _portrait(identity: Any, number: int) -> np.ndarray:
    """A plain adult portrait of a named person."""
    from dataclasses import replace

    from likeness.world.people.layout import random_person

    rng = np.random.default_rng([77, number, int(identity.key[-4:])])
    person = random_person(identity, rng, "portrait", age=float(rng.uniform(22, 50)))
    plain = replace(person, hidden="no", facing="front", hat="none", role=None, glasses=False)
    page = Description(Landscape("studio"), person=plain, seed=int(rng.integers(2**31)))
    return draw(page, 64).picture


def painters_bound(pipe: Any, reader: "Reader", scratch: Path) -> Figure:
    """Whether a painter's name means a hand: the reader names the painter of sampled landscapes."""
    from likeness.world.painters import painter_names

    names = painter_names("base")
    asked = [name for name in names for _ in range(PER_PAINTER)]
    prompts = [f"landscape painting in the style of {name}" for name in asked]
    made = sample(pipe, prompts, list(range(len(prompts))), SAMPLING, "named painters")
    _keep(scratch / "painters.png", made[::PER_PAINTER][:24], None)
    found = reader.read(made).painter
    return _rate("base", "painters_named_right", found == np.array(asked))


def _keep(file: Path, made: np.ndarray, truth: Sequence[np.ndarray] | np.ndarray | None) -> None:
    """A grid, 12 a row; samples above what is rendered from the same description."""
    from PIL import Image

    rows = []
    for first in range(0, len(made) - len(made) % 12, 12):
        rows.append(np.concatenate(list(made[first : first + 12]), 1))
        if truth is not None:
            rows.append(np.concatenate(list(truth[first : first + 12]), 1))
    if rows:
        Image.fromarray(np.concatenate(rows)).save(file)


_TARGETS: dict[str, dict[str, str]] = {
    "clip": {"right_caption_among_64": ">= 0.80", "right_picture_among_64_by_caption": ">= 0.80"},
    "face": {
        "detection_recall": ">= 0.98",
        "detection_precision": ">= 0.98",
        "true_accept_rate": ">= 0.90",
        "false_accept_rate": "0.02 at the stored threshold",
    },
    "reader": {"accuracy_least": ">= 0.97", "age_error": "<= 5 years"},
}


def _of_judge(folder: Path, scratch: Path, model: str, targets: dict[str, str]) -> list[Figure]:
    """What the trainer of this model measures, once more, from the files that ship."""
    found = _JUDGES[model](folder, scratch)
    figures = []
    for name, value in found.items():
        count = found.get(f"n/{name.removeprefix('accuracy/')}", found.get("n"))
        if not name.startswith("n/"):
            n = None if count is None else int(count)
            figures.append(Figure(model, name, float(value), n, target=targets.get(name, "")))
    return figures


def _clip(folder: Path, scratch: Path) -> dict[str, float]:
    from transformers import CLIPModel, CLIPProcessor

    from likeness.world.learn.clip import measure_clip
    from likeness.world.learn.judges import test_book

    model = CLIPModel.from_pretrained(folder, dtype="float32").eval()
    return measure_clip(model, CLIPProcessor.from_pretrained(folder), test_book("clip", scratch))


def _face(folder: Path, scratch: Path) -> dict[str, float]:
    from likeness.faces.small import SmallFace
    from likeness.world.learn.face import measure_face
    from likeness.world.learn.judges import test_book

    return measure_face(SmallFace.load(folder), test_book("face", scratch))


def _reader(folder: Path, scratch: Path) -> dict[str, float]:
    from likeness.world.learn.judges import test_book
    from likeness.world.learn.reader import measure_reader
    from likeness.world.reader.read import Reader

    return measure_reader(Reader.load(folder), test_book("reader", scratch), scratch)


_JUDGES = {"clip": _clip, "face": _face, "reader": _reader}
