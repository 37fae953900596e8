"""What is installed is what was pinned, and its licence is written down."""

import importlib.util
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Ours, and what installs.
OWN = {"likeness", "pip"}


def licences():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "docs" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_installed_distribution_is_pinned_exactly():
    tool = licences()
    pinned = tool.pinned()
    beside = [Path(path) for path in sys.path if Path(path).name == "site-packages"]
    installed = {
        tool.normal(one.name): one.version
        for one in metadata.distributions(path=[str(path) for path in beside])
    }
    assert installed
    # a build for a CPU or a version of CUDA says so behind a plus
    found = {name: version.partition("+")[0] for name, version in installed.items()}
    wrong = {name: v for name, v in found.items() if name not in OWN and pinned.get(name) != v}
    # what a build of torch for GPUs brings along depends on the build
    assert {name for name in wrong if not name.startswith(("nvidia-", "triton", "cuda-"))} == set()


def test_the_page_of_licences_names_every_pinned_distribution():
    tool = licences()
    rows = [line.split(" | ") for line in tool.PAGE.read_text("utf-8").splitlines()]
    listed = {row[0].removeprefix("| "): row[1] for row in rows if len(row) == 3}
    del listed["distribution"]
    assert listed == tool.pinned()
    unknown = [row[0] for row in rows if len(row) == 3 and "not" in row[2]]
    assert unknown == []
