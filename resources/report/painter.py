"""Pictures after a painter on the page and the terminal: how near, and what the judges say."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.metrics.tables import PAINTER
from resources.report.figures import NO_DATA, rate_text
from resources.warehouse import query

READER = "reader"
SECONDS = "seconds to learn"
READ = "read as the painter's [95 %], n"
# Column of the table -> columns of the view: value, and its interval and number.
SHOWN = {
    "reconstruction [95 %], pairs": "reconstruction",
    "editability [95 %], n": "editability",
    READ: "read",
    "KID [95 %], n": "kid",
    "SSIM [95 %], pairs": "ssim",
}


def after_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per experiment and role, then the painter's own sets, which they are read against.

    Judges have a column each: the share of the pictures that they take for the painter's; beside
    it, in every row, their shares of his own sets and the ratio to the last of these, which is the
    one through the autoencoder where there is one. Columns that nothing was asked of are left out.
    """
    found = query(warehouse, "SELECT * FROM after_painters WHERE study = ?", [study])
    if found.empty:
        return pd.DataFrame()
    of_painters = "painter IN (SELECT painter FROM after_painters WHERE study = ?)"
    verdicts = query(
        warehouse,
        f"SELECT * FROM cezanne_verdicts WHERE n > 0 AND {of_painters} "
        "ORDER BY architecture DESC, study, network, image_set",
        [study],
    )
    ceilings = query(
        warehouse,
        f"SELECT * FROM painter_ceilings WHERE {of_painters} ORDER BY rebuilt, image_set",
        [study],
    )
    ceilings["judge"] = [_judge(r.study, r.judge, study) for r in ceilings.itertuples()]
    rows = []
    for r in found[found["role"] != PAINTER].itertuples():
        judged = _judged(verdicts, study, str(r.experiment), str(r.role))
        rows.append(_row(r, judged, ceilings[ceilings["painter"] == r.painter]))
    for r in found[found["role"] == PAINTER].drop_duplicates("painter").itertuples():
        own = {"experiment": "the painter's own pictures", "pictures": "among themselves"}
        rows.append(_row(r, {}, ceilings[:0]) | own)
    for (image_set, name), some in ceilings.groupby(["image_set", "name"], sort=False):
        rows.append({"experiment": name, "pictures": image_set} | _shares(some))
    table = pd.DataFrame(rows).fillna("")
    table[SECONDS] = table.pop(SECONDS)  # the last, whatever judges a later row brought in
    return table.loc[:, ~(table == "").all()]


def _row(r: Any, judged: dict[str, Any], ceilings: pd.DataFrame) -> dict[str, str]:
    """Measures, and each judge's share with what it is read against right behind it."""
    row = {"experiment": str(r.experiment), "pictures": str(r.role)}
    for column, name in SHOWN.items():
        value, n = getattr(r, name), getattr(r, f"{name}_n")
        low, high = getattr(r, f"{name}_low"), getattr(r, f"{name}_high")
        # without a number it was not asked for; with none it has no data
        row[column] = "" if pd.isna(n) else _text(value, low, high, int(n))
        if name == "read" and not pd.isna(n):
            row |= _beside(READER, value, ceilings)
    for judge, v in judged.items():
        row[_column(judge)] = rate_text(v.share_authentic, v.low, v.high, v.n)
        row |= _beside(judge, v.share_authentic, ceilings)
    seconds = "" if pd.isna(r.seconds) or r.role == PAINTER else f"{r.seconds:.0f}"
    return row | {SECONDS: seconds}


def _text(value: float, low: float, high: float, n: int) -> str:
    return NO_DATA if pd.isna(value) else rate_text(value, low, high, n)


def _judged(verdicts: pd.DataFrame, study: str, experiment: str, role: str) -> dict[str, Any]:
    mine = verdicts[verdicts["made_by"] == f"{study}__{experiment}"]
    mine = mine[mine["role"].isna() | (mine["role"] == role)]
    return {_judge(r.study, r.network, study): r for r in mine.itertuples()}


def _judge(of_study: Any, network: Any, study: str) -> str:
    """Networks of several studies may judge one painter under the same name."""
    return str(network) if pd.isna(of_study) or of_study == study else f"{of_study}: {network}"


def _beside(judge: str, share: float, ceilings: pd.DataFrame) -> dict[str, str]:
    """``{"tiles: MASTER / MASTER_REBUILT; ratio": "0.960 / 0.800; 0.75"}`` for a share of 0.6."""
    mine = ceilings[ceilings["judge"] == judge]
    if mine.empty:
        return {}
    last = float(mine["share"].iloc[-1])
    ratio = NO_DATA if pd.isna(share) or not last else f"{share / last:.2f}"
    shares = " / ".join(f"{one:.3f}" for one in mine["share"])
    return {f"{judge}: {' / '.join(mine['image_set'])}; ratio": f"{shares}; {ratio}"}


def _shares(ceilings: pd.DataFrame) -> dict[str, str]:
    return {_column(r.judge): rate_text(r.share, r.low, r.high, r.n) for r in ceilings.itertuples()}


def _column(judge: str) -> str:
    return READ if judge == READER else f"authentic to {judge} [95 %], n"
