"""Who may import whom, read from the sources."""

import ast

import pytest

from assets_defs.steps import STEPS
from resources.settings import REPOSITORY
from resources.step import module_file

SOURCES = {
    package: sorted((REPOSITORY / package).rglob("*.py"))
    for package in ("likeness", "resources", "assets_defs", "pipelines")
}
FORBIDDEN = {
    "likeness": {"dagster", "duckdb", "minio", "assets_defs", "resources", "pipelines"},
    "resources": {"assets_defs", "pipelines"},
    "assets_defs": {"pipelines"},
    "pipelines": set(),
}
HEAVY = {
    "torch",
    "tensorflow",
    "keras",
    "diffusers",
    "deepface",
    "sklearn",
    "skimage",
    "matplotlib",
}

# What is made of torch's classes and tensors throughout: all others import these in functions.
NETWORKS = {
    "likeness.faces.blocks",
    "likeness.faces.detector",
    "likeness.faces.embedding",
    "likeness.faces.heatmaps",
    "likeness.world.learn.augment",
    "likeness.world.reader.network",
}


def imports(tree):
    """First names of all modules that are imported anywhere in a piece of code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # relative imports would escape the rules
            assert node.level == 0
            yield node.module.split(".")[0]


def parsed(package):
    return {path: ast.parse(path.read_bytes()) for path in SOURCES[package]}


@pytest.mark.parametrize("package", SOURCES)
def test_nobody_imports_backwards(package):
    assert len(SOURCES[package]) > 3
    found = {
        path.name: set(imports(tree)) & FORBIDDEN[package] for path, tree in parsed(package).items()
    }
    assert {name: bad for name, bad in found.items() if bad} == {}


@pytest.mark.parametrize("package", SOURCES)
def test_heavy_libraries_are_imported_only_where_they_are_used(package):
    for path, tree in parsed(package).items():
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        if name in NETWORKS:
            continue
        at_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not {n for node in at_top for n in imports(node)} & HEAVY, path
        modules = {node.module for node in at_top if isinstance(node, ast.ImportFrom)}
        assert not modules & NETWORKS, path


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.function)
def test_no_process_of_a_step_needs_torch_and_tensorflow(step):
    modules = step.modules
    found = {
        name for module in modules for name in imports(ast.parse(module_file(module).read_bytes()))
    }
    assert not (found & {"torch", "diffusers"} and found & {"tensorflow", "keras"})
