"""Pictures after a painter on the page and the terminal: how near, and what the judges say."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.metrics.tables import PAINTER
from resources.report.figures import NO_DATA, rate_text
from resources.warehouse import query

# Column of the table -> columns of the view: value, and its interval and number.
SHOWN = {
    "reconstruction [95 %], pairs": "reconstruction",
    "editability [95 %], n": "editability",
    "read as the painter's [95 %], n": "read",
    "KID [95 %], n": "kid",
    "SSIM [95 %], pairs": "ssim",
}


def after_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per experiment and role, then the painter's own sets, which they are read against.

    Judges have a column each: the share of the pictures that they take for the painter's. Columns
    of which nothing is known are left out.
    """
    found = query(warehouse, "SELECT * FROM after_painters WHERE study = ?", [study])
    if found.empty:
        return pd.DataFrame()
    verdicts = query(
        warehouse,
        "SELECT * FROM cezanne_verdicts WHERE n > 0 AND painter IN (SELECT painter FROM "
        "after_painters WHERE study = ?) ORDER BY architecture DESC, study, network, image_set",
        [study],
    )
    rows = [
        _row(r, _judged(verdicts, f"{study}__{r.experiment}", r.role))
        for r in found[found["role"] != PAINTER].itertuples()
    ]
    rows += [
        _row(r, {}) | {"experiment": "the painter's own pictures", "pictures": "among themselves"}
        for r in found[found["role"] == PAINTER].drop_duplicates("painter").itertuples()
    ]
    own = verdicts[verdicts["made_by"].isna() & (verdicts["truth"] == 0)]
    for (image_set, name), some in own.groupby(["image_set", "name"], sort=True):
        rows.append({"experiment": name, "pictures": image_set} | _shares(some))
    table = pd.DataFrame(rows).fillna("")
    return table.loc[:, ~table.isin(["", NO_DATA]).all()]


def _row(r: Any, judged: dict[str, str]) -> dict[str, str]:
    row = {"experiment": str(r.experiment), "pictures": str(r.role)}
    for column, name in SHOWN.items():
        value, n = getattr(r, name), getattr(r, f"{name}_n")
        low, high = getattr(r, f"{name}_low"), getattr(r, f"{name}_high")
        row[column] = NO_DATA if pd.isna(value) else rate_text(value, low, high, int(n))
    seconds = "" if pd.isna(r.seconds) or r.role == PAINTER else f"{r.seconds:.0f}"
    return row | judged | {"seconds to learn": seconds}


def _judged(verdicts: pd.DataFrame, experiment: str, role: str) -> dict[str, str]:
    mine = verdicts[verdicts["made_by"] == experiment]
    return _shares(mine[mine["role"].isna() | (mine["role"] == role)])


def _shares(verdicts: pd.DataFrame) -> dict[str, str]:
    return {
        f"authentic to {r.network} [95 %], n": rate_text(r.share_authentic, r.low, r.high, r.n)
        for r in verdicts.itertuples()
    }
