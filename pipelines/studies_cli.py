"""``likeness studies``: which there are, what is wrong with one, and what it would cost."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.console import console, readable, say

if TYPE_CHECKING:
    from likeness.studies.load import Keys
    from pipelines.estimate import Expected

app = typer.Typer(no_args_is_help=True, help="Studies: list, check.")
StudyFile = Annotated[Path, typer.Argument(metavar="FILE", help="a study file (YAML)")]


@app.command("list")
def list_studies() -> None:
    """Print all studies: what they run, and whose pictures they read."""
    with readable():
        from likeness.studies.load import load_registry
        from resources.settings import Settings

        registry = load_registry(Settings().studies)
        table = Table()
        table.add_column("name", no_wrap=True)  # what a command wants to hear
        for column in ("title", "what it runs", "on"):
            table.add_column(column, overflow="fold")
        for name, study in registry.studies.items():
            keys = registry.keys_of(name)
            own = any(registry.subjects[key].album is None for key in keys.subjects)
            own = own or any(not registry.painters[key].painted for key in keys.painters)
            table.add_row(
                escape(name),
                escape(study.title) + (" (reads your own pictures)" if own else ""),
                _counted(keys),
                escape(", ".join(keys.models)),
            )
        console.print(table)


def _counted(keys: "Keys") -> str:
    counts = {
        **{"person": len(keys.subjects), "painter": len(keys.painters)},
        **{"experiment": len(keys.experiments), "network": len(keys.networks)},
    }
    return ", ".join(f"{n} {what}{'s' if n > 1 else ''}" for what, n in counts.items() if n)


@app.command()
def check(file: StudyFile) -> None:
    """Say what is wrong with a study, each mistake with its line; if nothing is, what it costs.

    Every step is asked whether its work is in the cache; the seconds of the others are those of
    earlier runs on this machine.
    """
    with readable():
        from likeness.studies.check import mistakes_in
        from likeness.studies.load import study_files
        from resources.settings import Settings

        settings = Settings()
        mistakes = mistakes_in(file, study_files(settings.studies))
        for one in mistakes:
            where = f"{file}:{one.line}: " if one.line else ""
            say(f"{where}{one.field + ': ' if one.field else ''}{one.message}", style="red")
        if mistakes:
            raise typer.Exit(2)
        say(f"{file}: no mistakes")
        with _among_the_studies(file, settings.studies):
            _print(_estimate(file.stem))


@contextmanager
def _among_the_studies(file: Path, user_folder: Path | None) -> Iterator[None]:
    """Partitions come from the folder of studies as it is at import: put the file into one."""
    from likeness.studies.load import SHIPPED

    if file.resolve().parent in (SHIPPED.resolve(), user_folder and user_folder.resolve()):
        yield
        return
    with tempfile.TemporaryDirectory() as temporary:
        for other in sorted(user_folder.glob("*.yaml")) if user_folder else []:
            shutil.copy(other, temporary)
        shutil.copy(file, temporary)
        os.environ["LIKENESS_STUDIES"] = temporary
        yield


def _estimate(study: str) -> "list[Expected]":
    from pipelines.definitions import build_defs
    from pipelines.estimate import Looking, estimate
    from resources.artifacts import artifacts_of
    from resources.settings import Settings

    artifacts = artifacts_of(Settings())
    looking = Looking(**artifacts.model_dump())
    return estimate(study, build_defs(artifacts), looking)


def _print(steps: "list[Expected]") -> None:
    table = Table("asset", "steps", "cached", "would run", "seconds, as before", "remark")
    for asset, some in groupby(sorted(steps, key=lambda one: one.asset), lambda one: one.asset):
        mine = list(some)
        runs = [one for one in mine if one.status == "runs"]
        stopped = [one for one in mine if one.status == "cannot run"]
        cached = len(mine) - len(runs) - len(stopped)
        cells = (len(mine), cached, len(runs))
        remark = "; ".join(dict.fromkeys(one.reason for one in stopped))
        table.add_row(asset, *map(str, cells), _seconds(runs), escape(remark))
    runs = [one for one in steps if one.status == "runs"]
    console.print(table)
    unknown = sum(one.seconds is None for one in runs)
    tail = f"; {unknown} steps never ran here and are not counted" if unknown else ""
    say(f"{len(runs)} of {len(steps)} steps would run: {_seconds(runs) or '0'} s{tail}")


def _seconds(steps: "list[Expected]") -> str:
    known = [one.seconds for one in steps if one.seconds is not None]
    if not steps:
        return ""
    return f"{sum(known):.0f}" if known else "?"
