"""``likeness doctor``."""

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.console import console, readable

COLOURS = {"good": "green", "limited": "yellow", "bad": "red"}


def doctor() -> None:
    """Look at this machine: what is ready, and what to do about what is not (exit code 1)."""
    with readable():
        from pipelines.doctor import examine
        from resources.settings import Settings

        found = list(examine(Settings()))
    table = Table()
    for title in ("", "", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for one in found:
        colour = COLOURS[one.level]
        mark = f"[{colour}]{one.level}[/{colour}]"
        table.add_row(mark, *map(escape, (one.what, one.found, one.do)))
    console.print(table)
    if any(one.level == "bad" for one in found):
        raise typer.Exit(1)
