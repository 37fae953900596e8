"""What the judges reach on pictures of their own, once more, from the files that ship."""

from pathlib import Path

import numpy as np

from likeness.world.figures.figure import Figure, rate

TARGETS: dict[str, dict[str, str]] = {
    "clip": {"right_caption_among_64": ">= 0.90", "right_picture_among_64_by_caption": ">= 0.90"},
    "face": {
        "detection_recall": ">= 0.98",
        "detection_precision": ">= 0.98",
        "true_accept_rate": ">= 0.90",
        "false_accept_rate": "0.02 at the stored threshold",
    },
    "reader": {"accuracy_least": ">= 0.97", "age_error": "<= 5 years"},
}


# What stands before the name of a figure and says on what that figure rests.
ABOUT = ("n", "low", "high")
SHARES = ("accuracy", "right", "detection")  # of things that are independent of each other


def of_judge(folder: Path, scratch: Path, model: str, targets: dict[str, str]) -> list[Figure]:
    """What the trainer of this model measures, once more, from the files that ship."""
    found = _JUDGES[model](folder, scratch)
    names = [name for name in found if name.split("/")[0] not in ABOUT]
    return [_figure(model, name, found, targets.get(name, "")) for name in names]


def _figure(model: str, name: str, found: dict[str, float], target: str) -> Figure:
    of = name.rpartition("/")[2]
    n = int(found[f"n/{of}"]) if f"n/{of}" in found else None
    if n and name.startswith(SHARES):
        target = ">= 0.97" if name.startswith("accuracy") else target
        return rate(model, name, np.arange(n) < round(found[name] * n), target)
    low, high = (found.get(f"{side}/{of}") for side in ("low", "high"))
    return Figure(model, name, float(found[name]), n, low, high, target)


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
    from likeness.world.learn.face_quality import measure_face
    from likeness.world.learn.judges import test_book

    return measure_face(SmallFace.load(folder), test_book("face", scratch))


def _reader(folder: Path, scratch: Path) -> dict[str, float]:
    from likeness.world.learn.judges import test_book
    from likeness.world.learn.reader import measure_reader
    from likeness.world.reader.read import Reader

    return measure_reader(Reader.load(folder), test_book("reader", scratch), scratch)


_JUDGES = {"clip": _clip, "face": _face, "reader": _reader}
