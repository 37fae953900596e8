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
from likeness.world.book import page_of, write_book
from likeness.world.description import Description, Landscape
from likeness.world.grammar import caption
from likeness.world.picture import draw
from likeness.world.sample import UNSEEN, Mixture, base_identity, describe

if TYPE_CHECKING:
    from likeness.faces.small import SmallFace
    from likeness.world.reader.read import Reader

SAMPLING = Sampling(num_inference_steps=25, guidance_scale=4.0)
PROMPTS = Mixture(unseen=UNSEEN)
LEAST_ASKED = 10  # attributes asked for less often have no part in the mean over attributes
RENDERINGS = 4  # of a named person, with which sampled pictures are compared
PER_PAINTER = 2
AGES = (
    {"male": "a young man", "female": "a young woman"},
    {"male": "an adult man in his forties", "female": "an adult woman in her forties"},
)


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
    from likeness.models.checksums import verify
    from likeness.models.load import load_folder
    from likeness.world.learn.vae import psnr
    from likeness.world.reader.read import Reader

    verify(weights / "base")
    pipe = load_folder(weights / "base", "float32")
    reader = Reader.load(weights / "reader")
    book = write_book(scratch / "books/eyes", "measure-eyes", 500, PROMPTS)
    figures = [_mean("base", "vae_psnr_db", psnr(pipe.vae, np.asarray(book.pictures)), ">= 25")]
    figures += prompts_followed(pipe, reader, prompts, scratch)
    figures.append(_speed(pipe))
    figures += names_bound(pipe, SmallFace.load(weights / "face"), people, scratch)
    figures.append(painters_bound(pipe, reader, scratch))
    return figures


def _mean(model: str, name: str, values: np.ndarray, target: str = "") -> Figure:
    from likeness.statistics import mean_interval

    mean = mean_interval([float(v) for v in values])
    return Figure(model, name, mean.value, len(values), mean.low, mean.high, target)


def _rate(model: str, name: str, hits: Sequence[bool] | np.ndarray, target: str = "") -> Figure:
    from likeness.statistics import rate

    one = rate(int(np.sum(hits)), len(hits))
    return Figure(model, name, one.value, one.n, one.low, one.high, target)


@dataclass(frozen=True)
class Asked:
    """A held-out prompt, the claims of it that can be read, and the picture it describes."""

    prompt: str
    claims: dict[str, Any]
    rendering: np.ndarray


def held_out_prompts(count: int) -> list[Asked]:
    """Captions of descriptions that no model was trained on."""
    from likeness.world.reader.truth import age_of, truth_of

    asked = []
    for index in range(count):
        page = describe("prompts", index, PROMPTS)
        drawn = draw(page, 64)
        known = page_of(page, drawn)
        truth = truth_of(known) | {"age": age_of(known)}
        one = caption(page, np.random.default_rng(index))
        claims = {name: value for name, value in one.said.items() if truth.get(name) is not None}
        asked.append(Asked(one.text, claims, drawn.picture))
    return asked


def prompts_followed(pipe: Any, reader: "Reader", count: int, scratch: Path) -> list[Figure]:
    """Of what held-out prompts ask for: how much the reader finds, per attribute and in all.

    The mean is over attributes asked for at least ``LEAST_ASKED`` times, each with the same weight;
    its interval is a bootstrap over prompts (Efron 1979). The ceiling is what the reader finds in
    the pictures that the prompts describe.
    """
    asked = held_out_prompts(count)
    made = sample(pipe, [a.prompt for a in asked], list(range(count)), SAMPLING, "held-out prompts")
    drawn = np.stack([a.rendering for a in asked])
    _keep(scratch / "prompts.png", made[:48], drawn[:48])
    hits, ceiling = (_hits(reader, pictures, asked) for pictures in (made, drawn))
    each = [
        _rate("base", f"agreement/{name}", hits[name][~np.isnan(hits[name])], ">= 0.75 in the mean")
        for name in sorted(hits)
    ]
    low, high = _bootstrap(hits, count)
    mean = _mean_of_attributes(hits)
    known = sum(figure.n is not None and figure.n >= LEAST_ASKED for figure in each)
    return [
        Figure("base", "agreement_mean_of_attributes", mean, known, low, high, ">= 0.75"),
        Figure("base", "agreement_ceiling", _mean_of_attributes(ceiling), known),
        *each,
    ]


def _hits(reader: "Reader", pictures: np.ndarray, asked: Sequence[Asked]) -> dict[str, np.ndarray]:
    """Per attribute a value for each prompt: 1 found, 0 not, NaN not asked for."""
    from likeness.world.reader.read import agreement

    readings = reader.read(pictures)
    hits: dict[str, np.ndarray] = defaultdict(lambda: np.full(len(asked), np.nan))
    for index, one in enumerate(asked):
        for name, right in agreement(readings[index], one.claims).items():
            hits[name][index] = right
    return dict(hits)


def _mean_of_attributes(hits: dict[str, np.ndarray]) -> float:
    often = [found for found in hits.values() if np.isfinite(found).sum() >= LEAST_ASKED]
    return float(np.mean([np.nanmean(found) for found in often])) if often else float("nan")


def _bootstrap(hits: dict[str, np.ndarray], count: int) -> tuple[float, float]:
    """95 % percentile interval of the mean of attributes over prompts drawn with repetition."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(count, size=count) for _ in range(500)]
    means = [_mean_of_attributes({k: v[rows] for k, v in hits.items()}) for rows in draws]
    low, high = np.nanpercentile(means, (2.5, 97.5))
    return float(low), float(high)


def _speed(pipe: Any) -> Figure:
    """Seconds for 32 pictures with 25 steps and guidance."""
    began = time.monotonic()
    sample(pipe, ["a photo of a dog"] * 32, list(range(32)), SAMPLING, "speed")
    return Figure("base", "seconds_for_32_pictures", time.monotonic() - began, 32, target="<= 12")


def names_bound(pipe: Any, face: "SmallFace", people: int, scratch: Path) -> list[Figure]:
    """Whether a name means a person: sampled pictures verified against renderings.

    For each of ``people`` named people a picture per age is sampled and ``RENDERINGS`` are drawn.
    Shares of pairs that verify at the threshold of ``small-face``: with the right person's
    renderings, with everybody else's, and renderings among themselves (the ceiling); means over
    people, who are what is independent here.
    """
    who = [base_identity(number) for number in range(people)]
    prompts = [
        f"a photo of {one.name} as {words[one.sex]}, looking at the camera"
        for one in who
        for words in AGES
    ]
    made = sample(pipe, prompts, list(range(len(prompts))), SAMPLING, "named people")
    drawn = np.stack([_portrait(one, k) for one in who for k in range(RENDERINGS)])
    _keep(scratch / "names.png", made[:: len(AGES)][:24], drawn[::RENDERINGS][:24])
    sampled, rendered = (face.embed(p, face.detect(p)).vectors for p in (made, drawn))
    whose = np.repeat(np.arange(people), RENDERINGS)
    near = 1 - sampled @ rendered.T <= face.threshold  # NaN: no face is no match
    among = 1 - rendered @ rendered.T <= face.threshold
    found = ~np.isnan(sampled[:, 0])
    own, others, ceiling = [], [], []
    for person in range(people):
        mine = near[person * len(AGES) : (person + 1) * len(AGES)]
        own.append(mine[:, whose == person].mean())
        others.append(mine[:, whose != person].mean())
        one = among[whose == person][:, whose == person]
        ceiling.append(one[~np.eye(RENDERINGS, dtype=bool)].mean())
    return [
        _rate("base", "names/face_found", found),
        _mean("base", "names/verified_with_own", np.array(own)),
        _mean("base", "names/verified_with_others", np.array(others)),
        _mean("base", "names/renderings_among_themselves", np.array(ceiling)),
    ]


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
        kind, _, attribute = name.rpartition("/")
        if kind == "n":
            continue
        count = found.get(f"n/{attribute}", found.get("n"))
        n = None if count is None else int(count)
        figure = Figure(model, name, float(value), n, target=targets.get(name, ""))
        if kind == "accuracy" and n:
            figure = _rate(model, name, np.arange(n) < round(value * n), ">= 0.97")
        figures.append(figure)
    return figures


def _clip(folder: Path, scratch: Path) -> dict[str, float]:
    from transformers import CLIPModel, CLIPProcessor

    from likeness.models.checksums import verify
    from likeness.world.learn.clip import measure_clip
    from likeness.world.learn.judges import test_book

    verify(folder)
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
