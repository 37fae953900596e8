"""Files of a user's that were listed with their bytes, and are read later."""

from pathlib import Path

from likeness.digests import sha256_file
from likeness.errors import BadInput


def needed_bytes(folder: Path, path: str, sha256: str, listing: str) -> None:
    """Raises BadInput when a file is by now another one than was listed.

    No row can say so: the result would then depend on more than the listing. ``listing`` is what
    is to be materialised again, so that the file is listed as it is now.
    """
    try:
        same = sha256_file(folder / path) == sha256
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read any more ({error.strerror}): materialise {listing} again"
        ) from error
    if not same:
        raise BadInput(f"{path} was changed after it was listed: materialise {listing} again")
