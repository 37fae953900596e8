"""TEdBench's list: photos and what each is to become, without prompts of what they are."""

import json
from pathlib import Path

from likeness.bench.photos import Listed, read_list, text_of
from likeness.bench.sources import TEdBench
from likeness.errors import BadInput

NO_SOURCE = "no source prompt: the bench has none"


def listed(raw: Path, config: TEdBench) -> list[Listed]:
    """Kawar et al. 2023, *Imagic*, arXiv 2210.09276: ``[{img_name, target_text}, ...]``.

    An edit goes by the name that the bench gives its results: the photo's and the text's, with
    underscores (and, on disk, without the text's full stop). Raises ``BadInput`` where the file
    is no list.
    """
    try:
        entries = json.loads(read_list(raw, config.listing))
    except json.JSONDecodeError as error:
        raise BadInput(f"{raw / config.listing} is no JSON ({error}): get it again") from error
    if not isinstance(entries, list):
        raise BadInput(f"{raw / config.listing} is no list of photos and texts: get it again")
    return [_one(number, entry, config) for number, entry in enumerate(entries)]


def _one(number: int, entry: object, config: TEdBench) -> Listed:
    photo, target = text_of(entry, "img_name"), text_of(entry, "target_text")
    reason = None
    if not photo or not target:
        reason = f"entry {number} has no {'target_text' if photo else 'img_name'}"
    return Listed(
        label=f"{photo}-{target.replace(' ', '_')}",
        photo=photo,
        source_prompt=config.source_prompt,
        target_prompt=target,
        reason=reason,
        lacks=None if config.source_prompt else NO_SOURCE,
    )
