"""``likeness store``: what lies there, whether its bytes are right, and what nobody needs."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from pipelines.console import console, readable, say

if TYPE_CHECKING:
    from resources.artifacts import Artifacts
    from resources.prune import Rubbish

app = typer.Typer(no_args_is_help=True, help="The artefact store: ls, verify, prune.")
Asset = Annotated[str, typer.Argument(help="an asset or a group, such as images or images/made")]
MIN_AGE_HOURS = 24.0


def _artifacts() -> "Artifacts":
    from resources.artifacts import artifacts_of
    from resources.settings import Settings

    return artifacts_of(Settings())


@app.command("ls")
def list_artefacts(asset: Asset = "") -> None:
    """Print the current artefacts: size, what they cost, whether the last run made them."""
    with readable():
        store = _artifacts().store
        table = Table()
        for column in ("asset", "partition", "artefact", "since"):
            table.add_column(column, overflow="fold")
        for column in ("MB", "seconds", "GPU s", "peak MB", "cache"):
            table.add_column(column, justify="right")
        total, lines = 0, 0
        for ref in store.refs():
            if not f"{ref.asset}/".startswith(f"{asset}/" if asset else ""):
                continue
            lines += 1
            made = store.find_any(ref.asset, ref.fingerprint)
            names = (ref.asset, ref.partition or "", ref.fingerprint[:12], ref.updated[:16])
            if made is None:
                table.add_row(*map(escape, names), "gone: the next run makes it again")
                continue
            total += made.bytes_total
            costs = (made.bytes_total / 1e6, made.seconds, made.gpu_seconds, made.peak_memory_mb)
            cells = (f"{costs[0]:.2f}", f"{costs[1]:.1f}", f"{costs[2]:.1f}", f"{costs[3]:.0f}")
            table.add_row(*map(escape, names), *cells, "hit" if ref.cache_hit else "miss")
        console.print(table)
        say(f"{lines} current artefacts, {total / 1e6:.1f} MB")


@app.command()
def verify(
    everything: Annotated[bool, typer.Option("--all", help="those no longer current too")] = False,
) -> None:
    """Read every byte of the current artefacts; what is damaged is set aside and made again."""
    with readable():
        store = _artifacts().store
        refs = store.refs()
        problems = store.verify(None if everything else refs)
        store.set_aside_damaged(problems)
        for one in problems:
            name = f"{one.asset} {one.fingerprint[:12]}"
            say(f"{name}: {one.path} {one.reason}", style="red")
        damaged = {(one.asset, one.fingerprint) for one in problems}
        partitions = {(ref.asset, ref.fingerprint): ref.partition for ref in refs}
        for asset, fingerprint in sorted(damaged):
            where = partitions.get((asset, fingerprint))
            say(f"{asset}{f' [{where}]' if where else ''}: the next run makes it again")
        if problems:
            raise typer.Exit(1)
        say("every file has the bytes it was published with")


@app.command()
def prune(
    delete: Annotated[bool, typer.Option("--delete", help="do it; else it is only shown")] = False,
    min_age: Annotated[
        float, typer.Option(help="hours; what is younger stays", min=0)
    ] = MIN_AGE_HOURS,
) -> None:
    """Show, or remove, what nobody needs: artefacts out of use, leftovers, scratch, old copies.

    What a ref names stays, and all that it was made from; and whatever a running step uses.
    """
    with readable():
        from resources.prune import find_rubbish
        from resources.prune import prune as remove

        found = (remove if delete else find_rubbish)(_artifacts(), min_age)
        _print(found)
        did = "removed" if delete else "would be removed: likeness store prune --delete"
        say(f"{len(found)} things, {sum(one.bytes for one in found) / 1e6:.1f} MB {did}")


def _print(found: "list[Rubbish]") -> None:
    sums: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in found:
        sums[one.what, one.asset].append(one.bytes)
    table = Table("what", "asset")
    for column in ("number", "MB"):
        table.add_column(column, justify="right")
    for (what, asset), sizes in sorted(sums.items()):
        table.add_row(what, escape(asset), str(len(sizes)), f"{sum(sizes) / 1e6:.2f}")
    console.print(table)
