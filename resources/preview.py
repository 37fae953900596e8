"""Small pictures inside the event log, where the UI shows them without a server."""

import base64

import dagster as dg

# The event is stored twice; larger pictures belong in the report.
MAX_BYTES = 150_000


def as_markdown(image: bytes) -> dg.MarkdownMetadataValue:
    """A JPEG or PNG as markdown with a data URI; one that is too large is named, not embedded."""
    if len(image) > MAX_BYTES:
        return dg.MetadataValue.md(f"{len(image) // 1000} kB: too large to show, see the artefact")
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return dg.MetadataValue.md(
        f"![preview](data:image/{kind};base64,{base64.b64encode(image).decode()})"
    )
