"""``likeness models``: which base models there are, fetching them, writing models out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from likeness.errors import BadInput
from likeness.models import local
from likeness.models.registry import BaseModelSpec, model_names, spec_of
from pipelines.console import console, readable, say

app = typer.Typer(no_args_is_help=True, help="Base models: list, fetch, export.")
ModelName = Annotated[str, typer.Argument(help="a base model's name, such as sd15")]


@app.command("list")
def list_models() -> None:
    """Print all base models: where from, which commit, size, number format, whether here."""
    with readable():
        table = Table()
        table.add_column("name", no_wrap=True)
        for column in ("source", "revision", "px", "dtype", "on this machine", "licence"):
            table.add_column(column, overflow="fold")
        for name in model_names():
            table.add_row(*map(escape, _row(name)))
        console.print(table)


def _row(name: str) -> tuple[str, ...]:
    """The cells of a model; the sentence of a mistake stands in its own row and stops no other."""
    try:
        spec = spec_of(name)
        where = (spec.name, spec.source, _revision(spec), str(spec.resolution))
        return (*where, spec.dtype, _presence(spec), spec.licence or "-")
    except BadInput as error:
        return (name, str(error))


def _revision(spec: BaseModelSpec) -> str:
    if not spec.is_hub:
        return "-"
    commit = local.commit_of(spec)
    if commit is None:
        return "found when fetched"
    return commit[:10] + (" (locked)" if spec.revision is None else "")


def _presence(spec: BaseModelSpec) -> str:
    if spec.is_random:
        return "needs no files"
    return "yes" if local.local_folder(spec) else "no"


@app.command()
def fetch(name: ModelName) -> None:
    """Download a model into the hub's cache (HF_HOME); a killed download goes on where it was."""
    with readable():
        from likeness.models.fetch import fetch as fetch_model

        with _bar(name) as progress:
            folder = fetch_model(name, progress)
    say(f"{name}: {folder}" if folder else f"{name} has random weights: nothing to fetch")


@contextmanager
def _bar(name: str) -> Iterator[Callable[[str, int, int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda file, done, total: bars.update(
            task, description=f"{name}: {file}", completed=done, total=total
        )


@app.command()
def export(
    name: ModelName,
    folder: Annotated[Path, typer.Argument(help="a folder that does not exist yet")],
) -> None:
    """Write a model as one whole diffusers folder, which needs nothing else."""
    with readable():
        local.export(name, folder)
    say(f"{name} written to {folder}")


@app.command("export-experiment")
def export_experiment(
    experiment: Annotated[str, typer.Argument(help="its partition in models/finetuned")],
    folder: Annotated[Path, typer.Argument(help="a folder that does not exist yet")],
) -> None:
    """Write what an experiment taught, with the rest of its base model, as one diffusers folder."""
    with readable():
        from likeness.models.assemble import assemble, read_reference
        from pipelines.definitions import artifacts_of
        from resources import keys
        from resources.settings import Settings

        artifacts = artifacts_of(Settings())
        taught = artifacts.fetch(artifacts.current(keys.FINETUNED, experiment))
        spec = spec_of(read_reference(taught).model)
        if spec.is_random:
            raise BadInput(f"'{experiment}' taught random weights, which are no model to keep")
        base = local.needed_folder(spec)
        assemble(taught, base, folder)
    say(f"{experiment} written to {folder}")
