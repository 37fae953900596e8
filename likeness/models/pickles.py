"""Files that may run any program when they are opened: a model that holds one is refused."""

import os
import re
from pathlib import Path

from likeness.errors import BadInput

PICKLES = {".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"}
COMMIT = re.compile(r"[0-9a-f]{40}")


def is_pickle(file: Path) -> bool:
    """By its name: nothing is opened to find out."""
    return file.suffix.lower() in PICKLES


def refuse_pickles(folder: Path) -> None:
    """Raises BadInput for a folder with a pickle anywhere in it, even beside safetensors.

    What we load is safetensors all the same; but who names such a folder may believe that all of
    it is used, and other programs would open it. A snapshot of the hub, pinned by its commit, holds
    what its makers have published.
    """
    if folder.parent.name == "snapshots" and COMMIT.fullmatch(folder.name):
        return
    for parent, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted(names):
            if is_pickle(Path(name)):
                raise BadInput(
                    f"{Path(parent, name)} is a pickle, which may run any program when it is "
                    "opened: convert it to safetensors by a tool that reads tensors only "
                    "(torch.load with weights_only=True), and take it out of the model's folder"
                )
