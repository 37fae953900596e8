"""A folder for a person that is there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from likeness.errors import BadInput


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A place beside ``folder`` to write to, which becomes it at the end; an error leaves nothing.

    Raises BadInput when ``folder`` exists, or has come to be meanwhile.
    """
    target = folder.absolute()
    if os.path.lexists(target):
        raise BadInput(f"{folder} exists already: name a folder that does not")
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two at once must not write into each other.
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield scratch
        scratch.chmod(0o755)
        try:
            scratch.rename(target)
        except OSError as error:
            raise BadInput(
                f"{folder} came to be while it was written: name another folder"
            ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
