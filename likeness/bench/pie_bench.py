"""PIE-Bench's list: both prompts of every photo, the category of the edit, and its mask."""

import json
from pathlib import Path

import numpy as np

from likeness.bench.photos import Listed, read_list, text_of
from likeness.bench.sources import PieBench
from likeness.errors import BadInput
from likeness.metrics.background import mask_of_runs

# editing_type_id -> what the bench calls it
CATEGORIES = {
    "0": "random",
    "1": "change object",
    "2": "add object",
    "3": "delete object",
    "4": "change content",
    "5": "change pose",
    "6": "change color",
    "7": "change material",
    "8": "change background",
    "9": "change style",
}
SIDE = 512  # px of the pictures that the runs of a mask are counted over


def listed(raw: Path, config: PieBench) -> list[Listed]:
    """Ju et al. 2023, *Direct Inversion*, arXiv 2310.01506: id -> image_path, prompts, mask.

    Square brackets, which mark the edited words, are left out of the prompts. An edit goes by its
    id. Raises ``BadInput`` where the file is no such list.
    """
    try:
        entries = json.loads(read_list(raw, config.listing))
    except json.JSONDecodeError as error:
        raise BadInput(f"{raw / config.listing} is no JSON ({error}): get it again") from error
    if not isinstance(entries, dict):
        raise BadInput(f"{raw / config.listing} does not list pictures by their id: get it again")
    return [_one(label, entry) for label, entry in entries.items()]


def _one(label: str, entry: object) -> Listed:
    photo = text_of(entry, "image_path")
    source, target = (_bare(text_of(entry, f"{name}_prompt")) for name in ("original", "editing"))
    category = entry.get("editing_type_id", "") if isinstance(entry, dict) else ""
    mask, lacks = _mask(entry.get("mask") if isinstance(entry, dict) else None)
    reason = None
    if not photo or not target:
        reason = f"the entry has no {'editing_prompt' if photo else 'image_path'}"
    return Listed(
        label=label,
        photo=photo,
        source_prompt=source,
        target_prompt=target,
        kind=CATEGORIES.get(str(category), str(category)),
        mask=mask,
        reason=reason,
        lacks="; ".join(part for part in ("" if source else "no source prompt", lacks) if part)
        or None,
    )


def _bare(prompt: str) -> str:
    return " ".join(prompt.replace("[", "").replace("]", "").split())


def _mask(runs: object) -> tuple[np.ndarray | None, str]:
    """512 x 512 bool of starts and lengths, or none; and what is wrong with it."""
    if runs is None:
        return None, "no mask"
    if not isinstance(runs, list) or any(type(number) is not int for number in runs):
        return None, "no mask: its runs are no whole numbers"
    if any(not 0 <= start < SIDE**2 for start in runs[::2]) or any(n < 0 for n in runs[1::2]):
        return None, f"no mask: a run lies outside of {SIDE} x {SIDE} pixels"
    try:
        return mask_of_runs(runs, (SIDE, SIDE)), ""
    except BadInput as error:
        return None, f"no mask: {error}"
