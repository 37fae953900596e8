"""How every command speaks: plain lines, and a mistake as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console

from likeness.errors import BadInput
from resources.shortage import shortage

console = Console()


def say(text: str, style: str | None = None) -> None:
    """Print as it is: brackets are partition keys here, not markup."""
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def readable() -> Iterator[None]:
    """A mistake in a study, a setting or a folder is one sentence and exit code 2.

    So is a machine that lacks room, memory or rights.
    """
    try:
        yield
    except BadInput as error:
        say(str(error), style="red")
        raise typer.Exit(2) from error
    except ValidationError as error:
        say(_sentence(error), style="red")
        raise typer.Exit(2) from error
    except Exception as error:
        if lacking := shortage(error):
            say(lacking, style="red")
            raise typer.Exit(2) from error
        raise


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    if error.title == "Settings":
        where = "_".join(str(part) for part in first["loc"]).upper()
        return f"{where}: {first['msg']}; set the environment or .env right"
    return f"{error.title}, {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
