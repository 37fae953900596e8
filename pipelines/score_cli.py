"""``likeness score``: measures on any two folders, without a study."""

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.markup import escape
from rich.table import Table

from likeness.errors import BadInput
from likeness.faces.backend import DeepFaces, Recogniser, SmallFaces
from pipelines.console import console, readable, say

if TYPE_CHECKING:
    from likeness.metrics.folders import Score

FolderA = Annotated[Path, typer.Argument(help="pictures, A")]
FolderB = Annotated[Path, typer.Argument(help="pictures, B")]
RECOGNISERS = ("small", *get_args(Recogniser))
SHOWN = 5  # files that are no pictures


def score(
    folder_a: FolderA,
    folder_b: FolderB,
    named: Annotated[bool, typer.Option(help="only pairs of one name")] = False,
    side: Annotated[int, typer.Option(help="px of SSIM and LPIPS at most")] = 500,
    faces: Annotated[
        str | None, typer.Option(help=f"verify faces by one of {', '.join(RECOGNISERS)}")
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(help="CLIP-I, FID and KID by small-clip, clip-vit-b-32, a folder, owner/name"),
    ] = None,
    lpips: Annotated[Path | None, typer.Option(help="LPIPS by the weights in this folder")] = None,
    structure: Annotated[
        str | None, typer.Option(help="structure distance by small-clip, a folder, owner/name")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="write the table there too")
    ] = None,
) -> None:
    """Compare two folders of pictures: SSIM, and what needs a model where one is named."""
    with readable():
        from likeness.metrics.folders import ScoreParams, score_folders

        params = ScoreParams(
            named=named,
            side=side,
            faces=_faces(faces),
            clip=clip,
            lpips=lpips,
            structure=structure,
        )
        scores, unreadable, notes = score_folders(folder_a, folder_b, params)
        _print(scores)
        for one in unreadable[:SHOWN]:
            say(f"left out: {one.file}: {one.reason}", style="yellow")
        if len(unreadable) > SHOWN:
            say(f"left out: {len(unreadable) - SHOWN} files more", style="yellow")
        for note in notes:
            say(note, style="yellow")
        if csv_file:
            _write(csv_file, scores)
            say(f"written: {csv_file}")


def _faces(name: str | None) -> SmallFaces | DeepFaces | None:
    if name is None:
        return None
    if name not in RECOGNISERS:
        raise BadInput(f"no recogniser is called {name!r}: there are {', '.join(RECOGNISERS)}")
    return SmallFaces() if name == "small" else DeepFaces.model_validate({"recogniser": name})


def _print(scores: "list[Score]") -> None:
    table = Table("measure", "pictures")
    for column in ("value", "n", "95 % interval", "left out"):
        table.add_column(column, justify="right")
    for one in scores:
        known = not math.isnan(one.low)
        interval = f"{one.low:.4f} to {one.high:.4f}" if known else ""
        value = "no data" if math.isnan(one.value) else f"{one.value:.4f}"
        cells = (one.measure, one.pictures, value, str(one.n), interval, str(one.left_out or ""))
        table.add_row(*map(escape, cells))
    table.caption = "n pairs; of sets, pictures of the smaller one"
    console.print(table)


def _write(file: Path, scores: "list[Score]") -> None:
    try:
        with file.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerow(("measure", "pictures", "value", "n", "low", "high", "left_out"))
            # what is unknown is empty, as everywhere
            writer.writerows(["" if cell != cell else cell for cell in one] for one in scores)
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}): name another file") from error
