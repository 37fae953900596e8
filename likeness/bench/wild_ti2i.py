"""Wild-TI2I's lists: photos with several target prompts each, and now and then a source prompt."""

from collections.abc import Iterator
from pathlib import Path

from likeness.bench.photos import Listed, read_list, text_of
from likeness.bench.sources import WildTI2I
from likeness.bench.tedbench import NO_SOURCE
from likeness.errors import BadInput


def listed(raw: Path, config: WildTI2I) -> list[Listed]:
    """Tumanyan et al. 2023, *Plug-and-Play*: ``[{init_img, target_prompts, source_prompt?}, ...]``.

    Entries without a picture (those that are to be sampled from a seed) are refused in their rows.
    An edit goes by its list, entry and prompt, numbered from 0. Raises ``BadInput`` where a file is
    no list.
    """
    return [one for listing in config.listings for one in _of_list(raw, listing, config)]


def _of_list(raw: Path, listing: str, config: WildTI2I) -> Iterator[Listed]:
    import yaml

    try:
        entries = yaml.safe_load(read_list(raw, listing))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise BadInput(f"{raw / listing} is no YAML ({said}): get it again") from error
    if not isinstance(entries, list):
        raise BadInput(f"{raw / listing} is no list of pictures and prompts: get it again")
    for number, entry in enumerate(entries):
        yield from _of_entry(f"{Path(listing).stem}/{number}", entry, config)


def _of_entry(label: str, entry: object, config: WildTI2I) -> Iterator[Listed]:
    photo = text_of(entry, "init_img")
    targets = entry.get("target_prompts") if isinstance(entry, dict) else None
    if isinstance(targets, str):
        targets = [targets]
    source = text_of(entry, "source_prompt") or config.source_prompt
    if not isinstance(targets, list) or not targets:
        yield Listed(label, photo, source, reason="the entry has no target_prompts")
        return
    sampled = isinstance(entry, dict) and "seed" in entry
    why = "it is to be sampled from a seed" if sampled else "the entry has no init_img"
    for number, target in enumerate(targets):
        text = " ".join(target.split()) if isinstance(target, str) else ""
        yield Listed(
            label=f"{label}/{number}",
            photo=photo,
            source_prompt=source,
            target_prompt=text,
            reason=(None if text else "the prompt is no text") if photo else f"no picture: {why}",
            lacks=None if source else NO_SOURCE,
        )
