"""A listed bench as files: its photos squared, the masks with them, a row for every edit."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from likeness.bench.pairs import MASKS, EditPair, pair_id
from likeness.bench.photos import Listed, Photo, Photos, square_mask
from likeness.errors import BadInput
from likeness.images import image_set
from likeness.images.decode import Limits, Undecodable, decode
from likeness.images.image_set import ACCEPTED, REJECTED
from likeness.images.prepare import Preparation, prepare
from likeness.progress import track

COVERS_ALL = "the mask covers the whole picture: nothing outside of it is to be kept"
Row = dict[str, object]


def gather(
    raw: Path, folder: str, listed: Sequence[Listed], bench: str, side: int, output: Path
) -> tuple[list[Row], list[EditPair]]:
    """Rows of the image set and of the pairs; pictures (RGB) and masks are written to ``output``.

    Every listed photo is squared once: its middle, at side x side px, masks by the nearest pixel.
    Raises ``BadInput`` when not one edit can be used.
    """
    photos = Photos(raw, folder)
    square = Preparation(size=side, resize="crop", color="color")
    images: dict[str, Row] = {}
    sizes: dict[str, tuple[int, int]] = {}
    pairs: list[EditPair] = []
    known: set[str] = set()
    for one in track(listed, f"reading {bench}", len(listed)):
        # an entry that names no prompt is refused before its photo is looked at
        photo = one.reason or photos.find(one.photo)
        if isinstance(photo, str) or photo.reason:
            pairs.append(_refused(one, photo if isinstance(photo, str) else str(photo.reason)))
            continue
        name = photo.sha256[:16]
        if name not in images:
            images[name] = _image(raw, photo, one, bench, square, output, sizes)
        pairs.append(_pair(one, name, images[name], sizes, known, side, output))
    if not known:
        reasons = Counter(pair.reason for pair in pairs)
        why = reasons.most_common(1)[0][0] if reasons else "its list is empty"
        raise BadInput(f"not one edit of the bench in {raw} can be used, most often because: {why}")
    return list(images.values()), pairs


def _image(
    raw: Path,
    photo: Photo,
    one: Listed,
    bench: str,
    square: Preparation,
    output: Path,
    sizes: dict[str, tuple[int, int]],
) -> Row:
    """Write the squared photo; its row, with the prompt of the first edit that begins with it."""
    name = photo.sha256[:16]
    row: Row = {
        "image_id": name,
        "sha256": photo.sha256,
        "source": bench,
        "path": photo.path,
        "prompt": one.source_prompt,
        "status": REJECTED,
    }
    try:
        upright = decode(raw / photo.path, Limits())
    except Undecodable as error:
        return row | {"reason": error.reason}
    sizes[name] = upright.size
    picture = prepare(upright, square)
    file = f"{image_set.FOLDER}/{name}.png"
    picture.save(output / file, "PNG")
    return row | {
        "file": file,
        "width": picture.width,
        "height": picture.height,
        "status": ACCEPTED,
    }


def _pair(
    one: Listed,
    name: str,
    image: Row,
    sizes: dict[str, tuple[int, int]],
    known: set[str],
    side: int,
    output: Path,
) -> EditPair:
    key = pair_id(name, one.source_prompt, one.target_prompt)
    if image["status"] == REJECTED:
        return _refused(one, str(image["reason"]), name)
    if key in known:
        return _refused(one, "the same edit was listed before", name)
    known.add(key)
    lacks = [one.lacks] if one.lacks else []
    mask = None
    if one.mask is not None:
        found = square_mask(one.mask, sizes[name], side)
        if isinstance(found, str):
            lacks.append(f"no mask: {found}")
        else:
            mask = f"{MASKS}/{key}.png"
            found.save(output / mask, "PNG")
            lacks += [COVERS_ALL] if np.asarray(found).all() else []
    return EditPair(
        pair_id=key,
        kind=one.kind,
        label=one.label,
        image_id=name,
        source_prompt=one.source_prompt,
        target_prompt=one.target_prompt,
        mask=mask,
        reason="; ".join(lacks) or None,
    )


def _refused(one: Listed, reason: str, name: str | None = None) -> EditPair:
    """``name``: image_id, where there is a file."""
    return EditPair(
        pair_id=pair_id(name or one.photo or one.label, one.source_prompt, one.target_prompt),
        kind=one.kind,
        label=one.label,
        image_id=name,
        source_prompt=one.source_prompt,
        target_prompt=one.target_prompt,
        status="rejected",
        reason=reason,
    )
