"""What one expensive step is: the function, the code and the libraries its result depends on."""

import ast
import gc
import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from resources.settings import REPOSITORY

# Packages whose code makes results.
OURS = frozenset({"likeness", "resources"})
# An edit of these changes what is said on the way, never the result.
SAY_ONLY = frozenset({"likeness.errors", "likeness.progress", "likeness.workers"})


class Step(BaseModel):
    """One asset's heavy call.

    Its result may change with every module that the function reaches by imports; a comment or a new
    line in one does not count. ``files`` of the repository, such as weights that ship, change it
    with their bytes. ``version`` is bumped by hand for what neither shows. A ``gpu`` step takes a
    GPU where there is one.
    """

    model_config = ConfigDict(frozen=True)

    asset: str
    function: str
    libraries: tuple[str, ...]
    files: tuple[str, ...] = ()
    gpu: bool = False
    version: str = "1"

    @property
    def code_version(self) -> str:
        """Shown by Dagster and part of the fingerprint."""
        digest = hashlib.sha256()
        for module in sorted(self.modules):
            digest.update(source_digest(module).encode())
        for file in self.files:
            digest.update(f"{file} {file_digest(REPOSITORY / file)}".encode())
        return f"{self.version}-{digest.hexdigest()[:12]}"

    @property
    def modules(self) -> frozenset[str]:
        """The function's own module and all that it reaches, those left out that only say."""
        return reached(self.function) - SAY_ONLY

    @property
    def library_versions(self) -> dict[str, str]:
        """Versions of the libraries that change the result, and of Python."""
        python = ".".join(platform.python_version_tuple()[:2])
        return {name: metadata.version(name) for name in self.libraries} | {"python": python}


def module_file(module: str) -> Path:
    """Source file of one of this repository's modules, without importing it."""
    base = REPOSITORY.joinpath(*module.split("."))
    return base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"


@cache
def reached(function: str) -> frozenset[str]:
    """Modules of ours that ``package.module:name`` reaches, its own among them.

    Of its own module only what the function uses counts, directly or through other names there:
    a module of several tasks does not bind them together. Imports inside functions count.
    """
    module, name = function.split(":")
    with _no_collections():
        found, ahead = {module}, _used_by(module, name)
    while ahead:
        current = ahead.pop()
        if current not in found:
            found.add(current)
            ahead |= _facts(current).imports
    return frozenset(found)


def _used_by(module: str, name: str) -> set[str]:
    """Modules whose names a function uses, directly or through other names of its own module."""
    tree = _tree(module)
    imports = _imported(tree)
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        defined |= dict.fromkeys([*names, getattr(node, "name", "")], node)
    seen: set[str] = set()
    ahead, modules = [name], set()
    while ahead:
        current = ahead.pop()
        if current in seen:
            continue
        seen.add(current)
        if current in imports:
            modules.add(imports[current])
        if current in defined:
            modules |= set(_imported(defined[current]).values())
            ahead += [n.id for n in ast.walk(defined[current]) if isinstance(n, ast.Name)]
    return modules


def _imported(node: ast.AST) -> dict[str, str]:
    """Name -> module of ours that it is or comes from; what only type checkers see is left out."""
    found = {}
    for one in _statements(node):
        if isinstance(one, ast.ImportFrom) and (one.module or "").split(".")[0] in OURS:
            for alias in one.names:
                whole = f"{one.module}.{alias.name}"
                is_module = module_file(whole).exists()
                found[alias.asname or alias.name] = whole if is_module else str(one.module)
    return found


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """The node and the statements in it; a walk through every expression would take seconds."""
    yield node
    test = getattr(node, "test", None)
    unseen = isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
    for part in ("orelse",) if unseen else ("body", "orelse", "handlers", "finalbody", "cases"):
        inner = getattr(node, part, None)
        for child in inner if isinstance(inner, list) else ():
            yield from _statements(child)


def _tree(module: str) -> ast.Module:
    """What a module does: its syntax tree without its docstrings."""
    tree = ast.parse(module_file(module).read_bytes())
    for node in list(_statements(tree)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            del body[0]
    return tree


class _Facts(NamedTuple):
    """What is kept of a module: its tree would weigh a thousand times as much."""

    digest: str
    imports: frozenset[str]


@cache
def _facts(module: str) -> _Facts:
    with _no_collections():
        tree = _tree(module)
        digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
        return _Facts(digest, frozenset(_imported(tree).values()))


@contextmanager
def _no_collections() -> Iterator[None]:
    """One for every few hundred nodes of a tree would take longer than all the parsing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def source_digest(module: str) -> str:
    """sha256 of what a module does: layout, comments and docstrings do not count."""
    return _facts(module).digest


@cache
def file_digest(file: Path) -> str:
    """sha256 of a file; of one that is not there, that."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "absent"


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
