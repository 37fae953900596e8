"""``likeness world``: train the small world's models, measure them, write their cards."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from likeness.errors import BadInput
from pipelines.console import console, readable, say

app = typer.Typer(no_args_is_help=True, help="The small world's own models: make, report.")
Only = Annotated[list[str] | None, typer.Option(help="base, clip, face or reader; all if left out")]


@app.command()
def make(only: Only = None) -> None:
    """Train what is not trained yet and put it into the package; killed runs go on."""
    with readable():
        import dagster as dg

        from likeness.world.ship import MODELS, ship
        from pipelines.definitions import artifacts_of, build_defs
        from pipelines.driver import run_world
        from resources.settings import Settings

        artifacts = artifacts_of(Settings())
        names = only or list(MODELS)
        if unknown := set(names) - set(MODELS):
            raise BadInput(f"no model is called {unknown.pop()!r}: there are {', '.join(MODELS)}")
        with dg.DagsterInstance.get() as instance:
            failures = run_world(names, build_defs(artifacts), instance, say)
        for name in names:
            found = artifacts.find_current(f"world/{name}", None)
            if found is not None:
                say(f"{name}: {ship(name, artifacts.fetch(found))}")
    for failure in failures:
        say(f"failed: {failure}", style="red")
    if failures:
        raise typer.Exit(1)
    report(cards=True)


@app.command()
def report(
    samples: Annotated[Path | None, typer.Option(help="keep grids and books here")] = None,
    cards: Annotated[bool, typer.Option(help="write the figures into the models' cards")] = False,
) -> None:
    """Measure the shipped models on held-out pictures and prompts, and print the figures."""
    with readable(), tempfile.TemporaryDirectory() as temporary:
        from likeness.world.measure import measure
        from likeness.world.ship import MODELS, WEIGHTS, write_card

        scratch = samples or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        figures = measure(WEIGHTS, scratch)
        table = Table("model", "figure", "value", "n", "95 % interval", "target")
        for f in figures:
            interval = "" if f.low is None or f.high is None else f"{f.low:.3f} to {f.high:.3f}"
            n = "" if f.n is None else str(f.n)
            table.add_row(f.model, f.name, f"{f.value:.3f}", n, interval, f.target)
        console.print(table)
        if cards:
            for model in MODELS:
                write_card(model, figures)
