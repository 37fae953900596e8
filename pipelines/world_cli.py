"""``likeness world``: train the small world's models, measure them, write their cards."""

import shutil
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
def make(
    only: Only = None,
    anew: Annotated[
        bool, typer.Option(help="train from random weights what ships by the same recipe, too")
    ] = False,
) -> None:
    """Train, for hours, unless the same work is in the cache; put the models into the package.

    A killed training goes on where it was. What failed leaves the package's model as it is.
    """
    with readable():
        from likeness.world.ship import MODELS, WEIGHTS, ship
        from pipelines.definitions import artifacts_of, build_defs
        from pipelines.driver import run_world
        from resources.run_storage import open_instance
        from resources.settings import Settings

        artifacts = artifacts_of(Settings())
        names = only or list(MODELS)
        if unknown := set(names) - set(MODELS):
            raise BadInput(f"no model is called {unknown.pop()!r}: there are {', '.join(MODELS)}")
        with open_instance() as instance:
            done, failures = run_world(names, build_defs(artifacts), instance, say, anew)
        for name in done:
            folder = artifacts.fetch(artifacts.current(f"world/{name}", None))
            say(f"{name}: {ship(name, folder, WEIGHTS)}")
        missing = _missing(WEIGHTS)
    for failure in failures:
        say(f"failed: {failure}", style="red")
    if missing:
        say(f"not measured before {', '.join(missing)} are in the package too: make world")
    elif done:
        report(cards=True)
    if failures:
        raise typer.Exit(1)


def shipped_models(weights: Path) -> list[str]:
    """The models that are whole in the package: their sums are written last."""
    from likeness.models.checksums import SUMS
    from likeness.world.ship import MODELS

    return [name for name in MODELS if (weights / name / SUMS).is_file()]


def _missing(weights: Path) -> list[str]:
    """What there must be for measuring: the base model's figures rest on what judges see in it."""
    return [name for name in ("base", "face", "reader") if name not in shipped_models(weights)]


@app.command()
def report(
    samples: Annotated[Path | None, typer.Option(help="keep the sheets of samples here")] = None,
    cards: Annotated[bool, typer.Option(help="write the figures into the models' cards")] = False,
    full: Annotated[
        bool, typer.Option(help="more prompts, all named people, new people: a quarter of an hour")
    ] = False,
) -> None:
    """Measure the shipped models on held-out pictures and prompts, and print the figures."""
    with readable(), tempfile.TemporaryDirectory() as temporary:
        from likeness.world.figures.measure import FULL, QUICK, measure
        from likeness.world.ship import WEIGHTS, write_card

        if missing := _missing(WEIGHTS):
            raise BadInput(f"{', '.join(missing)} of the small world are not there: run make world")
        if samples:
            samples.mkdir(parents=True, exist_ok=True)
        figures = measure(WEIGHTS, Path(temporary), FULL if full else QUICK)
        if samples:
            for sheet in Path(temporary).glob("*.jpg"):
                shutil.copy(sheet, samples)
        table = Table()
        for column in ("model", "figure", "value", "n", "95 % interval", "target"):
            table.add_column(column, overflow="fold")
        for f in figures:
            interval = "" if f.low is None or f.high is None else f"{f.low:.3f} to {f.high:.3f}"
            n = "" if f.n is None else str(f.n)
            table.add_row(f.model, f.name, f"{f.value:.3f}", n, interval, f.target)
        console.print(table)
        if cards:
            for model in shipped_models(WEIGHTS):
                write_card(model, figures, Path(temporary), WEIGHTS)
