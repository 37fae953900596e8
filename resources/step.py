"""What one expensive step is: the function, the code and the libraries its result depends on."""

import ast
import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from resources.settings import REPOSITORY


class Step(BaseModel):
    """One asset's heavy call.

    ``modules`` are the ones whose edit may change the result (``package.*``: all of a package); a
    comment or a new line in them does not. ``version`` is bumped by hand for what the source does
    not show (a data file, say). A ``gpu`` step takes a GPU where there is one.
    """

    model_config = ConfigDict(frozen=True)

    asset: str
    function: str
    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    gpu: bool = False
    version: str = "1"

    @property
    def code_version(self) -> str:
        """Shown by Dagster and part of the fingerprint."""
        own = self.function.split(":")[0]
        digest = hashlib.sha256()
        for module in sorted({own, *self.all_modules}):
            digest.update(source_digest(module).encode())
        return f"{self.version}-{digest.hexdigest()[:12]}"

    @property
    def all_modules(self) -> set[str]:
        """``modules``, with those that a ``package.*`` stands for."""
        return {module for name in self.modules for module in _modules_of(name)}

    @property
    def library_versions(self) -> dict[str, str]:
        """Versions of the libraries that change the result, and of Python."""
        python = ".".join(platform.python_version_tuple()[:2])
        return {name: metadata.version(name) for name in self.libraries} | {"python": python}


def module_file(module: str) -> Path:
    """Source file of one of this repository's modules, without importing it."""
    base = REPOSITORY.joinpath(*module.split("."))
    return base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"


def _modules_of(name: str) -> list[str]:
    """The module itself, or every module of a package."""
    if not name.endswith(".*"):
        return [name]
    folder = REPOSITORY.joinpath(*name.removesuffix(".*").split("."))
    files = [file.relative_to(REPOSITORY).with_suffix("") for file in folder.rglob("*.py")]
    if not files:
        raise ValueError(f"{name} names no package of this repository: there is no module in it")
    return [".".join(file.parts).removesuffix(".__init__") for file in files]


@cache
def source_digest(module: str) -> str:
    """sha256 of the module's syntax tree: layout, comments and docstrings do not count."""
    tree = ast.parse(module_file(module).read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            del body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
