"""The ``likeness`` command."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()


def _say(text: str, style: str | None = None) -> None:
    """Print as it is: brackets are partition keys here, not markup."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@app.callback()
def main() -> None:
    """Teach, edit, measure, judge: run studies and look at their results."""
    # What the run did is in its own log; on the terminal only our lines.
    logging.getLogger("dagster").setLevel(logging.ERROR)


@app.command()
def study(name: Annotated[str, typer.Argument(help="a study's name, such as demo")]) -> None:
    """Run a whole study and print its tables; what is unchanged comes from the cache."""
    import dagster as dg

    from likeness.errors import BadInput
    from pipelines.definitions import artifacts_of, build_defs
    from pipelines.driver import check_study, run_study
    from pipelines.results import print_costs, print_results
    from resources.settings import Settings

    settings = Settings()
    artifacts = artifacts_of(settings)
    try:
        check_study(name, settings.raw is not None)
        with dg.DagsterInstance.get() as instance:
            costs, failures = run_study(name, build_defs(artifacts), instance, _say)
    except BadInput as error:
        _say(str(error), style="red")
        raise typer.Exit(2) from error
    print_results(console, artifacts.warehouse, name)
    print_costs(console, costs)
    _say(f"report: {artifacts.report}")
    for failure in failures:
        _say(f"failed: {failure}", style="red")
    raise typer.Exit(1 if failures else 0)


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 3000) -> None:
    """Webserver and daemon on this machine, over the same state as ``study``; Ctrl-C ends both."""
    root = Path(__file__).parent.parent
    scripts = Path(sys.executable).parent
    where = ["-w", str(root / "workspace.yaml")]
    web = [str(scripts / "dagster-webserver"), *where, "-h", "127.0.0.1", "-p", str(port)]
    daemon = [str(scripts / "dagster-daemon"), "run", *where]
    _say(f"http://127.0.0.1:{port}")
    processes = [subprocess.Popen(command, cwd=root, env=os.environ) for command in (web, daemon)]
    try:
        processes[0].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


@app.command()
def results(name: Annotated[str, typer.Argument(help="a study's name")]) -> None:
    """Print the result tables of a study again, from the warehouse."""
    from pipelines.definitions import artifacts_of
    from pipelines.results import print_results
    from resources.settings import Settings

    print_results(console, artifacts_of(Settings()).warehouse, name)


if __name__ == "__main__":
    app()
