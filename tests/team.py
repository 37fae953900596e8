"""A study of two dozen small pictures, and a search for what must be found nowhere."""

from pathlib import Path


def painter_study(name: str) -> str:
    """A study of a painter, ``<name>_master``, and no network."""
    return f"""
name: {name}
title: Two dozen small pictures
painters:
  {name}_master:
    title: Tiny stand-ins
    paint_side: 64
    classes:
      0: {{name: the master, paint: {{hand: master, count: 6}}}}
      1: {{name: other painters, paint: {{hand: others, count: 6}}}}
    split: {{valid: 0.3, test: 0.2}}
    folds: 2
    prepare: {{size: 64}}
"""


STUDY = painter_study("team")


def leaks(secret: str, *folders: Path) -> list[Path]:
    """The files below ``folders`` that hold a secret."""
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
