"""Train ``small-face``: the detector on every picture, the embedding on the faces in them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.finetune.loop import Plan, generator_of, train
from likeness.world.learn.face_pages import COUNTED, Faces, faces_of
from likeness.world.learn.face_quality import calibrate, measure_face
from likeness.world.learn.keep import some_of, write_results

if TYPE_CHECKING:
    import torch

    from likeness.faces.detector import Detector
    from likeness.faces.embedding import Embedding
    from likeness.faces.small import SmallFace
    from likeness.world.book import Book

HELD_BACK = 0.1  # of the training identities: for the thresholds
GRID = 16
SCALE, MARGIN = 24.0, 0.15
TRAITS_WEIGHT = 12.0  # of the squared error of the traits beside the classes
DETECT = Plan(
    steps=2500,
    learning_rate=2e-3,
    weight_decay=0.03,
    ema=0.998,
    precision="bfloat16",
    seed=31,
    optimizer="muon",
)
EMBED = DETECT.model_copy(update={"seed": 32, "steps": 2600})
DETECT_BATCH, EMBED_BATCH = 64, 256
PLANS = {"detector": (DETECT, DETECT_BATCH), "embedding": (EMBED, EMBED_BATCH)}


def make(book: Path, test_book: Path, out: Path, scratch: Path) -> dict[str, float]:
    """Train on one book, measure on another; what was measured. Files of the model in ``out``."""
    from likeness.world.book import open_book

    curve = train_face(book, out, scratch)
    measured = measure_face(_just_trained(out), open_book(test_book))
    write_results(out, measured, curve)
    return measured


def train_face(book: Path, out: Path, scratch: Path) -> dict[str, list[dict[str, float]]]:
    """Write ``model.safetensors`` and ``config.json``; the curves of both trainings.

    A tenth of the identities is held back to set the thresholds.
    """
    from likeness.faces.blocks import save_weights
    from likeness.faces.small import SmallFace
    from likeness.world.book import open_book

    pages = open_book(book)
    faces = faces_of(pages)
    held = held_back(faces.who)
    rows = np.flatnonzero(~held)
    detector, seen = _train_detector(pages, faces, rows, DETECT, scratch)
    embedding, known = _train_embedding(pages, faces, rows, EMBED, scratch)
    face = SmallFace(detector, embedding, {"threshold": 1.0, "least_score": 0.1})
    spare = np.flatnonzero(held)
    sharpen(embedding, pages, faces, spare[::2])
    config = calibrate(face, pages, faces, spare[1::2])
    save_weights(out, {"detector": detector, "embedding": embedding}, config)
    return {"detector": seen, "embedding": known}


def held_back(who: np.ndarray) -> np.ndarray:
    """Which pages are kept from training: those of every tenth identity, and of nobody's."""
    keys, number = np.unique(who, return_inverse=True)
    every = round(1 / HELD_BACK)
    nobody = (keys[number] == "") & (np.arange(len(who)) % every == 0)
    return nobody | ((keys[number] != "") & (number % every == 0))


def _train_detector(
    book: "Book", faces: Faces, rows: np.ndarray, plan: Plan, scratch: Path
) -> "tuple[Detector, list[dict[str, float]]]":
    import torch

    from likeness.faces.blocks import measure_statistics
    from likeness.faces.detector import Detector, detector_loss
    from likeness.faces.heatmaps import Marks

    torch.manual_seed(plan.seed)
    network = Detector()
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]

    def loss_of(step: int, chance: "torch.Generator") -> "dict[str, torch.Tensor]":
        drawn = some_of(rows, DETECT_BATCH, chance)
        x, boxes, eyes, whole = _views(book, faces, drawn, chance)
        height = (boxes[:, 3] - boxes[:, 1]) * x.shape[-1]
        some = torch.isfinite(height)
        # A face that is tiny or mostly cut off counts neither as one nor as none.
        unsure = some & ((height < COUNTED) | ~whole)
        counted = torch.ones(len(x), 1, GRID, GRID)
        counted[unsure] = _outside(boxes[unsure])
        good = (some & ~unsure).nonzero().flatten()
        marks = Marks(good, torch.zeros_like(good), boxes[good])
        return detector_loss(network(x), marks, eyes[good], counted)

    curve = train(network, loss_of, plan, scratch / "detector", "face detector")
    chances = (generator_of(plan.seed + 1, i) for i in range(40))
    with torch.no_grad():
        views = (_views(book, faces, some_of(rows, DETECT_BATCH, c), c)[0] for c in chances)
        measure_statistics(network, views)
    return network, curve


def _views(
    book: "Book", faces: Faces, rows: np.ndarray, chance: "torch.Generator"
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
    """Worn pictures, moved and mirrored; boxes, eyes, and whether most of a face is inside."""
    import torch

    from likeness.faces.blocks import as_input
    from likeness.world.learn import augment

    x = as_input(book.pictures[rows])
    count = len(rows)
    move = (
        augment.uniform(count, 0.7, 1.4, chance),
        augment.uniform(2 * count, -0.15, 0.15, chance).view(-1, 2),
        torch.rand(count, generator=chance) < 0.5,
    )
    x = augment.worn(augment.shift_and_scale(x, *move), chance, share=0.2, tint=0.1)
    full = augment.points_after(torch.from_numpy(faces.boxes[rows]).view(-1, 2, 2), *move)
    boxes = torch.cat([full.amin(1), full.amax(1)], 1)
    inside = boxes.clamp(0, 1)
    whole = _area(inside) >= 0.6 * _area(boxes)
    eyes = augment.points_after(torch.from_numpy(faces.eyes[rows]).view(-1, 2, 2), *move)
    eyes = torch.where(move[2][:, None, None], eyes.flip(1), eyes)  # left stays left
    return x.contiguous(memory_format=torch.channels_last), inside, eyes.flatten(1), whole


def _area(boxes: "torch.Tensor") -> "torch.Tensor":
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _outside(boxes: "torch.Tensor") -> "torch.Tensor":
    """M x 1 x G x G: 0 in the cells that boxes (and a cell around them) cover."""
    import torch

    middle = (torch.arange(GRID) + 0.5) / GRID
    across = (middle > boxes[:, :1] - 1 / GRID) & (middle < boxes[:, 2:3] + 1 / GRID)
    down = (middle > boxes[:, 1:2] - 1 / GRID) & (middle < boxes[:, 3:4] + 1 / GRID)
    return (~(across[:, None, None, :] & down[:, None, :, None])).float()


def _train_embedding(
    book: "Book", faces: Faces, rows: np.ndarray, plan: Plan, scratch: Path
) -> "tuple[Embedding, list[dict[str, float]]]":
    import torch
    from torch import nn
    from torch.nn import functional as F

    from likeness.faces.blocks import measure_statistics
    from likeness.faces.embedding import DIMENSIONS, Embedding, cosface_loss
    from likeness.faces.small import SMALLEST

    side = book.pictures.shape[1]
    height = (faces.boxes[rows, 3] - faces.boxes[rows, 1]) * side
    rows = rows[np.nan_to_num(height) >= SMALLEST]
    keys, number = np.unique(faces.who[rows], return_inverse=True)
    person = np.zeros(len(faces.who), np.int64)
    person[rows] = number
    torch.manual_seed(plan.seed)
    network = Embedding()
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    # A table, not a matrix, to the optimiser: a row moves only when its person was seen.
    classes = nn.Embedding(len(keys), DIMENSIONS)
    nn.init.normal_(classes.weight, std=0.1)
    both = nn.ModuleDict({"network": network, "classes": classes})
    # What makes a person is known here: learning it too needs far fewer pictures than telling
    # people apart by name alone.
    both["traits"] = nn.Linear(DIMENSIONS, faces.traits.shape[1])

    def loss_of(step: int, chance: "torch.Generator") -> "dict[str, torch.Tensor]":
        chosen = some_of(rows, EMBED_BATCH, chance)
        features = network.features(_face_views(book, faces, chosen, chance))
        # Without margin at first: with it, thousands of classes never come apart.
        margin = MARGIN * min(1.0, step / (0.25 * plan.steps))
        who = torch.from_numpy(person[chosen])
        with torch.autocast("cpu", enabled=False):
            features = features.float()
            apart = cosface_loss(F.normalize(features, dim=1), classes.weight, who, SCALE, margin)
            known = both["traits"](features)
            off = (known - torch.from_numpy(faces.traits[chosen])).pow(2).mean()
            return {"loss": apart + TRAITS_WEIGHT * off, "apart": apart, "traits": off}

    curve = train(both, loss_of, plan, scratch / "embedding", "face embedding")
    chances = (generator_of(plan.seed + 1, i) for i in range(20))
    views = (_face_views(book, faces, some_of(rows, EMBED_BATCH, c), c) for c in chances)
    measure_statistics(network, views)
    return network, curve


def _face_views(
    book: "Book", faces: Faces, rows: np.ndarray, chance: "torch.Generator"
) -> "torch.Tensor":
    """Worn 48 px crops around boxes that are off by as much as a detector's are."""
    import torch

    from likeness.faces.blocks import as_input
    from likeness.faces.embedding import crops
    from likeness.world.learn import augment

    side, count = book.pictures.shape[1], len(rows)
    boxes = torch.from_numpy(faces.boxes[rows]) * side
    size = boxes[:, 2:] - boxes[:, :2]
    drift = augment.uniform(2 * count, -0.06, 0.06, chance).view(-1, 2)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + drift * size
    half = size / 2 * augment.uniform(count, 0.88, 1.14, chance)[:, None]
    x = crops(as_input(book.pictures[rows]), torch.cat([middle - half, middle + half], 1))
    mirror = torch.rand(count, generator=chance) < 0.5
    x = torch.where(mirror[:, None, None, None], x.flip(3), x)
    x = augment.worn(x, chance, share=0.25, tint=0.08)
    return x.contiguous(memory_format=torch.channels_last)


def sharpen(embedding: "Embedding", book: "Book", faces: Faces, rows: np.ndarray) -> None:
    """Turn and stretch the vectors so that one person's pictures vary alike in all directions.

    The within-class whitening of linear discriminant analysis (Fukunaga 1990, section 10.2), from
    people the network was not trained on; a tenth of the total variance keeps it from blowing up
    directions in which few of them differ.
    """
    import torch

    from likeness.faces.blocks import as_input
    from likeness.faces.embedding import crops

    side = book.pictures.shape[1]
    rows = rows[faces.clear[rows]]
    keys, who = np.unique(faces.who[rows], return_inverse=True)
    if len(keys) < 2:
        return
    boxes = torch.from_numpy(faces.boxes[rows]) * side
    with torch.no_grad():
        x = crops(as_input(book.pictures[rows]), boxes)
        features = torch.cat([embedding.features(part) for part in x.split(256)]).double()
        means = torch.stack(
            [features[torch.from_numpy(who == k)].mean(0) for k in range(len(keys))]
        )
        within = torch.cov((features - means[torch.from_numpy(who)]).T)
        total = torch.cov(features.T)
        values, vectors = torch.linalg.eigh(within + 0.1 * total)
        white = (vectors * values.clamp_min(1e-9).rsqrt()) @ vectors.T
        embedding.turn(white, features.mean(0))


def _just_trained(folder: Path) -> "SmallFace":
    """The model as it was written: what is measured is what ships, rounded to float16."""
    from likeness.faces.small import SmallFace
    from likeness.models.checksums import write_sums

    write_sums(folder)
    return SmallFace.load(folder)
