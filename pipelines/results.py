"""Result tables on the terminal."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assets_defs.studies import registry
from likeness.classify.trust import RULE
from pipelines.driver import StepCost
from resources.report.edits import bench_tables, control_rows, set_rows
from resources.report.figures import LEGEND, accuracy_rows, made_rows, verdict_rows
from resources.report.painter import after_rows
from resources.report.person import identity_rows, pair_rows


def print_results(console: Console, warehouse: Path, study: str) -> None:
    """Tables of every study whose networks and experiments this one runs, published beside ours."""
    if not warehouse.exists():
        console.print("[red]there is no warehouse yet: run a study first[/red]")
        return
    keys = registry().keys_of(study)
    judged, made = _studies(keys.networks), _studies(keys.experiments)
    for name in dict.fromkeys([*judged, *made]):
        one = registry().studies[name]
        console.print(f"\n[bold]{escape(one.title)}[/bold]")
        if name in judged:
            _print(console, "Accuracy [95 % interval], n", accuracy_rows(warehouse, name))
            _print(console, "Verdicts on unseen sets", verdict_rows(warehouse, name))
            console.print(escape(RULE))
        if name in made:
            _print(console, "Pictures made", made_rows(warehouse, name))
        if any(getattr(e, "painter", None) for e in one.experiments.values()):
            _print(console, "After the painter", after_rows(warehouse, name))
        if one.has_people:
            _print(console, "Is it the person? [95 %], n", identity_rows(warehouse, name))
            _print(console, "Pairs of pictures", pair_rows(warehouse, name))
        if one.edits:
            _print(console, "Sets of edits [95 %], n", set_rows(warehouse, name))
            for pairs, bench in bench_tables(warehouse, name):
                _print(console, f"Editors on a bench, {pairs} [95 %], n", bench)
            title = "Backgrounds of editors less those without control [95 %], n"
            _print(console, title, control_rows(warehouse, name))
        if one.published.source:
            legend = f"{LEGEND} ({one.published.source})" if name in judged else ""
            console.print(escape(legend or f"published: {one.published.source}"))


def _studies(keys: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(key.split("__")[0] for key in keys))


def _print(console: Console, title: str, rows: pd.DataFrame) -> None:
    if rows.empty:
        console.print(f"{title}: no data")
        return
    table = Table(title=title, title_justify="left")
    for column in rows.columns:
        table.add_column(str(column), overflow="fold")
    for row in rows.itertuples(index=False):
        table.add_row(*(escape(str(value)) for value in row))
    console.print(table)


def print_costs(console: Console, costs: Sequence[StepCost]) -> None:
    """Seconds per step of this run."""
    table = Table(title="Seconds per step", title_justify="left")
    for column in ("asset", "partition", "seconds", "cache"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for cost in costs:
        table.add_row(cost.asset, cost.partition or "", f"{cost.seconds:.1f}", cost.cache)
    console.print(table)
