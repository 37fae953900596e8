"""Write docs/licences.md: every distribution that constraints.txt pins, and its licence.

python docs/licences.py
"""

import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences of what this project stands on

Every distribution that `constraints.txt` pins, as its own metadata say it; written by
`python docs/licences.py`. *Not installed here* are parts for other machines (GPUs, other systems).

| distribution | version | licence |
|---|---|---|
"""
LONG = 60


def pinned() -> dict[str, str]:
    """Normalised name -> exact version of every line of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = (re.match(r"([A-Za-z0-9_.-]+)==([^\s;]+)", line) for line in lines)
    return {normal(one[1]): one[2] for one in found if one}


def normal(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(name: str) -> str:
    """What the metadata say: an SPDX expression, else a short text, else the classifiers."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not installed here"
    written = " ".join((said.get("License-Expression") or said.get("License") or "").split())
    classes = [
        text.rpartition(" :: ")[2]
        for text in said.get_all("Classifier") or []
        if text.startswith("License :: ") and text != "License :: OSI Approved"
    ]
    if written and len(written) <= LONG and written != "UNKNOWN":
        return written
    if classes:
        return ", ".join(classes)
    # the whole text of a licence begins with its title
    return (written or _first_line(name))[:LONG].strip()


def _first_line(name: str) -> str:
    """The first line that says so of the licence that is installed with a distribution."""
    for file in metadata.files(name) or []:
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            lines = file.read_text().splitlines()
            return next((line.strip() for line in lines if "icense" in line), "not said")
    return "not said"


def page() -> str:
    """The whole page."""
    rows = [f"| {name} | {version} | {licence(name)} |" for name, version in pinned().items()]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(pinned())} distributions\n")
