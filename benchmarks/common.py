"""Burn-in, then timed runs; one row per measurement in results/<script>.csv."""

import csv
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def best_of(call: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the fastest of ``runs`` calls, after one that is not counted."""
    call()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def write_rows(name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """``results/<name>.csv``, a line for each row; all have the keys of the first."""
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def report(name: str, baseline: str, slow: float, ours: str, fast: float) -> None:
    """Print the ratio and write it down."""
    print(f"{name}: {ours} {fast:.3f} s, {baseline} {slow:.3f} s, ratio {slow / fast:.1f}")
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["what", "seconds", "ratio", "machine", "python"])
        machine, python = platform.machine(), sys.version.split()[0]
        rows.writerow([baseline, f"{slow:.4f}", "1.0", machine, python])
        rows.writerow([ours, f"{fast:.4f}", f"{slow / fast:.2f}", machine, python])
