"""``likeness report``: the page."""

import webbrowser

import typer

from likeness.errors import BadInput
from pipelines.console import readable, say

app = typer.Typer(no_args_is_help=True, help="The report: open.")


@app.callback()
def main() -> None:
    """The report that every study ends with."""


@app.command("open")
def open_report() -> None:
    """Show the report in a browser, and say where it lies."""
    with readable():
        from resources.artifacts import artifacts_of
        from resources.report.page import find_page
        from resources.settings import Settings

        page = artifacts_of(Settings()).report
        if not find_page(page):
            raise BadInput(f"there is no report {page} yet: run a study first (make demo)")
    say(str(page))
    if not webbrowser.open(page.as_uri()):
        say("no browser was found here: open that file in one")
