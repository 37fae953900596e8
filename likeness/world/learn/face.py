"""Train ``small-face``: the detector on every picture, the embedding on the faces in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness.errors import BadInput
from likeness.finetune.loop import Plan, generator_of, train
from likeness.world.description import TRAITS
from likeness.world.learn.keep import some_of, write_results

if TYPE_CHECKING:
    import torch

    from likeness.faces.detector import Detector
    from likeness.faces.embedding import Embedding
    from likeness.faces.small import Detection, SmallFace
    from likeness.world.book import Book

FALSE_ACCEPTS = 0.02  # rate at which strangers may pass for one person
HELD_BACK = 0.1  # of the training identities: for the thresholds
COUNTED = 8.0  # height of a face in pixels from which it must be found
CLEAR = 16.0  # height of a face in pixels from which a photo is good enough to tell people apart
GRID = 16
SCALE, MARGIN = 24.0, 0.15
TRAITS_WEIGHT = 12.0  # of the squared error of the traits beside the classes
DETECT = Plan(
    steps=4000, learning_rate=2e-3, weight_decay=0.01, ema=0.998, precision="bfloat16", seed=31
)
EMBED = Plan(
    steps=2200, learning_rate=3e-3, weight_decay=0.03, ema=0.998, precision="bfloat16", seed=32
)
DETECT_BATCH, EMBED_BATCH = 64, 256
PLANS = {"detector": (DETECT, DETECT_BATCH), "embedding": (EMBED, EMBED_BATCH)}


@dataclass(frozen=True)
class Faces:
    """The faces of a book: N rows, NaN where a picture has none."""

    boxes: np.ndarray  # N x 4 float32, fractions of the side
    eyes: np.ndarray  # N x 4 float32, fractions of the side
    who: np.ndarray  # N identity keys, "" where there is no person
    traits: np.ndarray  # N x 19 float32 in -1..1: TRAITS and the sex
    clear: np.ndarray  # N bool: a sharp photo with a face of at least CLEAR px


def faces_of(book: "Book") -> Faces:
    """Boxes, eyes and identities of all pages."""
    boxes = np.full((len(book.pages), 4), np.nan, np.float32)
    eyes = np.full((len(book.pages), 4), np.nan, np.float32)
    traits = np.zeros((len(book.pages), len(TRAITS) + 1), np.float32)
    clear = np.zeros(len(book.pages), bool)
    who = []
    for i, page in enumerate(book.pages):
        it = page.description
        who.append(it.person.identity.key if it.person else "")
        if page.face is not None and page.eyes is not None and it.person is not None:
            boxes[i] = page.face
            eyes[i] = (*page.eyes[0], *page.eyes[1])
            identity = it.person.identity
            traits[i] = (*identity.traits, 1.0 if identity.sex == "male" else -1.0)
            photo = it.style == "photo" and it.painter is None and not it.blurred
            height = (page.face[3] - page.face[1]) * book.pictures.shape[1]
            clear[i] = photo and height >= CLEAR
    return Faces(boxes, eyes, np.array(who), traits, clear)


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
    classes = nn.Parameter(torch.randn(len(keys), DIMENSIONS) * 0.1)
    both = nn.ModuleDict({"network": network})
    both.register_parameter("classes", classes)
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
            apart = cosface_loss(F.normalize(features, dim=1), classes, who, SCALE, margin)
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


def calibrate(
    face: "SmallFace", book: "Book", faces: Faces, rows: np.ndarray
) -> dict[str, float | str]:
    """The threshold of distances at the false-accept rate, and that of scores at the best F1."""
    pictures = np.asarray(book.pictures[rows])
    boxes = faces.boxes[rows]
    found = face.detect(pictures)
    scores = np.arange(0.1, 0.9, 0.05)
    quality = [_found(found, boxes, pictures.shape[1], least) for least in scores]
    f1 = [2 * r * p / max(r + p, 1e-9) for r, p, *_ in quality]
    face.least_score = float(scores[int(np.argmax(f1))])
    kept = [[d for d in some if d.score >= face.least_score] for some in found]
    clear = faces.clear[rows]
    vectors = face.embed(pictures[clear], [one for one, c in zip(kept, clear, strict=True) if c])
    near, far, _ = _pair_distances(vectors.vectors, faces.who[rows][clear])
    if not len(near) or not len(far):
        raise BadInput(
            "the held-back pages show no two faces to compare: use a book with more people, each "
            "in several pictures, or train for more steps"
        )
    threshold = float(np.quantile(far, FALSE_ACCEPTS))
    face.threshold = threshold
    return {
        "model": "small-face",
        "threshold": threshold,
        "least_score": face.least_score,
        "false_accept_rate": FALSE_ACCEPTS,
        "true_accept_rate": float(np.mean(near <= threshold)),
        "pairs_same": len(near),
        "pairs_different": len(far),
    }


def _pair_distances(
    vectors: np.ndarray, who: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances of all pairs of pictures of one person, of all of two; and whose the former are."""
    from likeness.faces.small import distances

    good = np.isfinite(vectors[:, 0]) & (who != "")
    vectors, who = vectors[good], who[good]
    first, second = np.triu_indices(len(who), 1)
    apart = distances(vectors, vectors)[first, second]
    same = who[first] == who[second]
    return apart[same], apart[~same], who[first][same]


def _found(
    found: list[list["Detection"]], boxes: np.ndarray, side: int, least: float
) -> tuple[float, float, int, int]:
    """Recall, precision; faces that had to be found (overlap above a half), and that were said.

    Faces smaller than counted are neither missed nor wrongly found.
    """
    import torch

    from likeness.faces.heatmaps import overlap

    hits = wrong = wanted = 0
    for detections, box in zip(found, boxes, strict=True):
        said = torch.tensor([d.box for d in detections if d.score >= least]).view(-1, 4)
        there = bool(np.isfinite(box[0]))
        true = torch.tensor(box * side)[None].nan_to_num(-1.0)
        right = bool((overlap(said, true) > 0.5).any()) if there else False
        if there and (box[3] - box[1]) * side < COUNTED:
            continue
        wanted += there
        hits += right
        wrong += len(said) - right
    return hits / max(wanted, 1), hits / max(hits + wrong, 1), wanted, hits + wrong


def measure_face(face: "SmallFace", book: "Book") -> dict[str, float]:
    """Detection and verification on a book of identities never trained on.

    Verification: all pairs of sharp photos with a face of at least ``CLEAR`` px, over all ages and
    head turns; and, as ``any_true_accept_rate``, of all pictures in which a face was found.
    """
    faces = faces_of(book)
    pictures = np.asarray(book.pictures)
    found = face.detect(pictures)
    recall, precision, wanted, said = _found(
        found, faces.boxes, pictures.shape[1], face.least_score
    )
    embedded = face.embed(pictures, found)
    any_near, _, _ = _pair_distances(embedded.vectors, faces.who)
    near, far, whose = _pair_distances(embedded.vectors[faces.clear], faces.who[faces.clear])
    low, high = _over_people(near <= face.threshold, whose)
    return {
        "detection_recall": recall,
        "n/detection_recall": wanted,
        "detection_precision": precision,
        "n/detection_precision": said,
        "faces_embedded": sum(status == "ok" for status in embedded.status),
        "threshold": face.threshold,
        "false_accept_rate": float(np.mean(far <= face.threshold)),
        "true_accept_rate": float(np.mean(near <= face.threshold)),
        "n/true_accept_rate": len(near),
        "low/true_accept_rate": low,
        "high/true_accept_rate": high,
        "true_accept_rate_at_exact_threshold": float(
            np.mean(near <= np.quantile(far, FALSE_ACCEPTS))
        ),
        "any_true_accept_rate": float(np.mean(any_near <= face.threshold)),
        "n/any_true_accept_rate": len(any_near),
        "n/false_accept_rate": len(far),
    }


def _over_people(hits: np.ndarray, whose: np.ndarray) -> tuple[float, float]:
    """95 % percentile interval of the share of pairs that hit, over people drawn anew.

    Pairs of one person are not independent of each other.
    """
    names, number = np.unique(whose, return_inverse=True)
    if not len(names):
        return float("nan"), float("nan")
    right, pairs = np.bincount(number, hits), np.bincount(number)
    draws = np.random.default_rng(0).integers(len(names), size=(1000, len(names)))
    low, high = np.percentile(right[draws].sum(1) / pairs[draws].sum(1), (2.5, 97.5))
    return float(low), float(high)


def _just_trained(folder: Path) -> "SmallFace":
    """The model as it was written: what is measured is what ships, rounded to float16."""
    from likeness.faces.small import SmallFace
    from likeness.models.checksums import write_sums

    write_sums(folder)
    return SmallFace.load(folder)
