"""The ``likeness`` command."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from likeness.errors import BadInput

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
StudyName = Annotated[str, typer.Argument(help="a study's name, such as demo")]


def _say(text: str, style: str | None = None) -> None:
    """Print as it is: brackets are partition keys here, not markup."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _readable() -> Iterator[None]:
    """A mistake in a study, a setting or a folder is one sentence and exit code 2."""
    try:
        yield
    except BadInput as error:
        _say(str(error), style="red")
        raise typer.Exit(2) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = "_".join(str(part) for part in first["loc"]).upper()
        _say(f"{where}: {first['msg']}; set the environment or .env right", style="red")
        raise typer.Exit(2) from error


@app.callback()
def main() -> None:
    """Teach, edit, measure, judge: run studies and look at their results."""


@app.command()
def study(name: StudyName) -> None:
    """Run a whole study and print its tables; what is unchanged comes from the cache."""
    with _readable():
        import dagster as dg

        from pipelines.definitions import artifacts_of, build_defs
        from pipelines.driver import check_study, run_study
        from pipelines.results import print_costs, print_results
        from resources.settings import Settings

        settings = Settings()
        artifacts = artifacts_of(settings)
        check_study(name, settings.raw is not None)
        with dg.DagsterInstance.get() as instance:
            costs, failures = run_study(name, build_defs(artifacts), instance, _say)
        print_results(console, artifacts.warehouse, name)
        print_costs(console, costs)
    _say(f"report: {artifacts.report}")
    for failure in failures:
        _say(f"failed: {failure}", style="red")
    raise typer.Exit(1 if failures else 0)


@app.command()
def results(name: StudyName) -> None:
    """Print the result tables of a study again, from the warehouse."""
    with _readable():
        from pipelines.definitions import artifacts_of
        from pipelines.results import print_results
        from resources.settings import Settings

        print_results(console, artifacts_of(Settings()).warehouse, name)


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 3000) -> None:
    """Webserver and daemon on this machine, over the same state as ``study``; Ctrl-C ends both."""
    root = Path(__file__).parent.parent
    scripts = Path(sys.executable).parent
    where = ["-w", str(root / "workspace.yaml")]
    web = [str(scripts / "dagster-webserver"), *where, "-h", "127.0.0.1", "-p", str(port)]
    daemon = [str(scripts / "dagster-daemon"), "run", *where]
    _say(f"http://127.0.0.1:{port}")
    signal.signal(signal.SIGTERM, _stop)
    processes = [subprocess.Popen(command, cwd=root, env=os.environ) for command in (web, daemon)]
    try:
        # One without the other is half a UI: when either ends, both do.
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app()
