"""Pictures of artefacts over HTTP, which Dagster's UI shows inline; read-only.

An event holds only a link: longer markdown would hide behind a click, and stand in the event log
twice.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import dagster as dg

from likeness.errors import BadInput
from resources.manifest import CorruptArtifact, Manifest
from resources.store import FINGERPRINT, ArtifactStore

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

KINDS = {".jpg": "image/jpeg", ".png": "image/png"}
ASSET = re.compile(r"\w+/\w+")
# What is below a fingerprint never changes; a browser shall take it for nothing but a picture.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def link(preview_url: str, manifest: Manifest, name: str) -> dg.MarkdownMetadataValue:
    """One picture of an artefact, where the server of this installation shows it."""
    folder = f"{preview_url.rstrip('/')}/{manifest.asset}/{manifest.fingerprint}"
    # what a name may hold, <Cézanne> for one, would end the address or be taken for HTML
    said = re.sub(r"([\\<>\[\]])", r"\\\1", name)
    return dg.MetadataValue.md(f"![{said}]({folder}/{quote(name)})")


def pictures_app(store: ArtifactStore) -> "Starlette":
    """Answers ``GET /<asset>/<fingerprint>/<name>`` for pictures that an artefact lists."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    # Not a coroutine: it reads files, so it gets a thread.
    def picture(request: "Request") -> "Response":
        data = _read(store, **request.path_params)
        if data is None:
            return Response("there is no such picture\n", 404)
        kind = KINDS[PurePosixPath(request.path_params["name"]).suffix]
        return Response(data, media_type=kind, headers=HEADERS)

    return Starlette(routes=[Route("/{asset:path}/{fingerprint}/{name}", picture)])


def _read(store: ArtifactStore, asset: str, fingerprint: str, name: str) -> bytes | None:
    """The bytes; None for all that is not a picture of an artefact."""
    if not (
        ASSET.fullmatch(asset)
        and FINGERPRINT.fullmatch(fingerprint)
        and PurePosixPath(name).suffix in KINDS
    ):
        return None
    try:
        manifest = store.find(asset, fingerprint)
        return None if manifest is None else store.read_file(manifest, name)
    except (FileNotFoundError, CorruptArtifact, BadInput):
        return None
