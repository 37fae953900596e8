"""The ``likeness`` command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from dotenv import load_dotenv

from likeness.errors import BadInput
from pipelines import (
    doctor_cli,
    faces_cli,
    models_cli,
    report_cli,
    score_cli,
    store_cli,
    studies_cli,
    world_cli,
)
from pipelines.console import console, readable, say
from pipelines.doctor import is_free, preview_port

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(faces_cli.app, name="faces")
app.add_typer(models_cli.app, name="models")
app.add_typer(report_cli.app, name="report")
app.add_typer(store_cli.app, name="store")
app.add_typer(studies_cli.app, name="studies")
app.add_typer(world_cli.app, name="world")
app.command()(doctor_cli.doctor)
app.command()(score_cli.score)
StudyName = Annotated[str, typer.Argument(help="a study's name, such as demo")]


@app.callback()
def main() -> None:
    """Teach, edit, measure, judge: run studies and look at their results."""
    # A shell starts what runs behind it with Ctrl-C ignored, and Dagster lets SIGTERM do the same:
    # such a run could not be ended.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@app.command()
def study(name: StudyName) -> None:
    """Run a whole study and print its tables; what is unchanged comes from the cache."""
    with readable():
        from pipelines.definitions import artifacts_of, build_defs
        from pipelines.driver import check_study, run_study
        from pipelines.results import print_costs, print_results
        from resources.run_storage import open_instance
        from resources.settings import Settings

        settings = Settings()
        artifacts = artifacts_of(settings)
        check_study(name, settings.raw)
        with open_instance() as instance:
            costs, failures = run_study(name, build_defs(artifacts), instance, say)
        print_results(console, artifacts.warehouse, name)
        print_costs(console, costs)
    say(f"report: {artifacts.report}")
    for failure in failures:
        say(f"failed: {failure}", style="red")
    raise typer.Exit(1 if failures else 0)


@app.command()
def results(name: StudyName) -> None:
    """Print the result tables of a study again, from the warehouse."""
    with readable():
        from pipelines.definitions import artifacts_of
        from pipelines.results import print_results
        from resources.settings import Settings

        print_results(console, artifacts_of(Settings()).warehouse, name)


@app.command()
def export(
    name: StudyName,
    folder: Annotated[Path, typer.Argument(help="a folder that does not exist yet")],
) -> None:
    """Write what a study has made as plain files: tables (CSV) and pictures (PNG)."""
    with readable():
        from assets_defs.studies import registry
        from pipelines.definitions import artifacts_of
        from resources.export import export_results
        from resources.settings import Settings

        keys = registry().keys_of(name)
        # a study may run what another defines
        studies = {key.split("__")[0] for key in (*keys.experiments, *keys.networks)}
        studies |= {name}
        export_results(artifacts_of(Settings()), sorted(studies), keys.experiments, folder, say)
    say(f"{name} written to {folder}")


@app.command()
def preview(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3001, host: str = "127.0.0.1"
) -> None:
    """Serve the pictures that asset pages show, read-only; on one machine ``ui`` does it."""
    with readable():
        import uvicorn

        from resources.artifacts import artifacts_of
        from resources.preview import pictures_app
        from resources.settings import Settings

        store = artifacts_of(Settings()).store
    uvicorn.run(pictures_app(store), host=host, port=port, log_level="warning")


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 3000) -> None:
    """Webserver, daemon and pictures on this machine, over the same state as ``study``.

    Ctrl-C ends them all.
    """
    with readable():
        from pipelines.recover import bury_runs
        from resources.run_storage import open_instance
        from resources.settings import Settings

        if not is_free(port):
            raise BadInput(f"Port {port} is taken: the UI may run already; else name another port.")
        beside = _preview_command(Settings().preview_url, port)
        # tables are made by one process: two at once get in each other's way
        with open_instance() as instance:
            for run_id in bury_runs(instance):
                say(f"ended run {run_id[:8]}: the process that it ran in is gone")
    root = Path(__file__).parent.parent
    scripts = Path(sys.executable).parent
    where = ["-w", str(root / "workspace.yaml")]
    web = [str(scripts / "dagster-webserver"), *where, "-h", "127.0.0.1", "-p", str(port)]
    daemon = [str(scripts / "dagster-daemon"), "run", *where]
    say(f"http://127.0.0.1:{port}")
    signal.signal(signal.SIGTERM, _stop)
    commands = (web, daemon, *beside)
    processes = [subprocess.Popen(command, cwd=root, env=os.environ) for command in commands]
    try:
        # One without the other is half a UI: when one ends, all do.
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        ended = [
            c for c, process in zip(commands, processes, strict=True) if process.poll() is not None
        ]
        say(f"'{Path(ended[0][0]).name}' ended by itself, and the UI with it", style="red")
        raise typer.Exit(1)
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _preview_command(url: str, ui_port: int) -> list[list[str]]:
    """What serves pictures on this machine; nothing where their address is another machine's."""
    port = preview_port(url)
    if port is None:
        return []
    if port == ui_port or not is_free(port):
        raise BadInput(
            f"Pictures cannot be served at {url}, the port is taken: the UI may run already; "
            "else name another port in LIKENESS_PREVIEW_URL."
        )
    return [[sys.executable, "-m", "pipelines.cli", "preview", "--port", str(port)]]


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run() -> None:
    """The command, with the settings of the repository's ``.env``, as Dagster and make read it.

    What is set in the environment wins.
    """
    load_dotenv(Path(__file__).parent.parent / ".env")
    app()


if __name__ == "__main__":
    run()
