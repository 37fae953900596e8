"""``likeness faces``: which recogniser tells a person from others best."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.markup import escape
from rich.table import Table

from likeness.errors import BadInput
from likeness.faces.backend import DeepFaces, Recogniser, SmallFaces
from pipelines.console import console, readable, say

app = typer.Typer(no_args_is_help=True, help="Face recognisers: compare.")
RECOGNISERS: tuple[str, ...] = get_args(Recogniser)
SMALL = "small"
Row = dict[str, Any]  # of recognisers.parquet; None where unknown
Folder = Annotated[Path, typer.Argument(help="photos of one person")]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--recogniser", help=f"{', '.join(RECOGNISERS)} or {SMALL}; all but the last if left out"
    ),
]
Others = Annotated[Path | None, typer.Option(help="photos of other people, elsewhere")]


@app.command()
def compare(folder: Folder, recogniser: Names = None, others: Others = None) -> None:
    """Print how well each recogniser knows one person, and tells the person from others.

    Faces are looked for where a study looks: in the centre square of every photo. Weights that are
    missing are fetched.
    """
    with readable(), tempfile.TemporaryDirectory() as temporary:
        import pandas as pd

        from likeness.faces.compare import TABLE, CompareParams, compare_recognisers

        params = CompareParams(recipes=[_recipe(name) for name in recogniser or RECOGNISERS])
        folders = {"images": folder} | ({"others": others} if others else {})
        _check(folders)
        place = Path(temporary)
        inputs = {name: _taken_in(photos, place / name) for name, photos in folders.items()}
        compare_recognisers(params, inputs, place, place / "scratch")
        table = pd.read_parquet(place / TABLE).sort_values(
            "separation", ascending=False, kind="stable", na_position="last"
        )
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    _print(rows, with_others=others is not None)
    if others is None:
        say("which of them tells the person from others is seen with --others FOLDER")


def _recipe(name: str) -> SmallFaces | DeepFaces:
    if name == SMALL:
        return SmallFaces()
    if name not in RECOGNISERS:
        raise BadInput(
            f"no recogniser is called {name!r}: there are {', '.join(RECOGNISERS)} and {SMALL}"
        )
    return DeepFaces.model_validate({"recogniser": name})


def _check(folders: dict[str, Path]) -> None:
    """What lies in both folders would be the person and somebody else at once."""
    one, *rest = [folder.resolve() for folder in folders.values()]
    for other in rest:
        if one.is_relative_to(other) or other.is_relative_to(one):
            raise BadInput(f"{one} and {other} lie in one another: name two separate folders")


def _taken_in(photos: Path, to: Path) -> Path:
    """The image set of a folder of photos, as a study takes them in."""
    from likeness.images.inventory import take_inventory
    from likeness.people.tasks import PhotosParams, take_photos

    raw, images, scratch = (to / name for name in ("raw", "images", "scratch"))
    for place in (raw, images, scratch):
        place.mkdir(parents=True)
    take_inventory(photos, ["."]).to_parquet(raw / "inventory.parquet", index=False)
    take_photos(PhotosParams(), {"files": photos, "raw": raw}, images, scratch)
    return images


def _print(rows: list[Row], with_others: bool) -> None:
    shown = Table("recogniser", "photos with a face", "own pairs verified")
    if with_others:
        shown.add_column("pairs with others verified")
        shown.add_column("AUC")
    shown.add_column("remark", overflow="fold")
    for row in rows:
        cells = [row["recogniser"] or SMALL, _seen(row), _rate(row, "verified", "pairs")]
        if with_others:
            cells += [_rate(row, "mistaken", "other_pairs"), _rate(row, "separation")]
        shown.add_row(*map(escape, [*cells, row["reason"] or ""]))
    shown.caption = "shares and areas with 95 % intervals over photos"
    console.print(shown)


def _seen(row: Row) -> str:
    if row["without_face"] is None:
        return ""
    return f"{row['pictures'] - row['without_face']} of {row['pictures']}"


def _rate(row: Row, name: str, count: str | None = None) -> str:
    """The value, of how many, and its interval; what is unknown is left out."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return ""
    of = f" of {row[count]}" if count else ""
    interval = "" if low is None else f" ({low:.3f} to {high:.3f})"
    return f"{value:.3f}{of}{interval}"
