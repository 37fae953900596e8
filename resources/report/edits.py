"""Edits on the page and the terminal: sets of drawn pictures, a bench, editors two and two."""

from pathlib import Path
from typing import Any

import pandas as pd

from likeness.studies.schema import Study
from resources import keys
from resources.artifacts import Artifacts
from resources.report.edit_curves import draw_edit_curves
from resources.report.figures import NO_DATA, rate_text
from resources.report.pictures import Pictures
from resources.warehouse import query

SHOWN = 16
# Measures of a bench in this order: metric, protocol (none: whichever there is), what it is called.
MEASURES = (
    ("asked", None, "asked for, read"),
    ("kept", None, "the rest, still read"),
    ("clip_score", None, "CLIP score"),
    ("directional", None, "directional"),
    ("clip_i", None, "CLIP-I with source"),
    ("ssim", "corrected", "SSIM with source"),
    ("background_psnr", "original", "background PSNR, dB (PIE-Bench)"),
    ("background_ssim", "original", "background SSIM (PIE-Bench)"),
    ("background_mse", "original", "background MSE (PIE-Bench)"),
    ("background_ssim", "corrected", "background SSIM, its area alone"),
    ("background_mse", "corrected", "background MSE, its area alone"),
    ("lpips", None, "LPIPS to source"),
    ("structure", None, "structure distance"),
    ("after_ssim", None, "SSIM with the true edit"),
    ("untouched_ssim", None, "untouched: SSIM with the true edit"),
)
# What lies outside of a mask: is it kept better than without control?
BACKGROUND = {
    "background_mse": "background MSE",
    "background_ssim": "background SSIM",
    "background_psnr": "background PSNR, dB",
}
# Of two editors side by side.
COMPARED = ("asked", "kept", "clip_score", "directional", "ssim", "after_ssim", *BACKGROUND)


def set_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per experiment on drawn sources: likeness of its sets, swaps read, published."""
    found = query(warehouse, "SELECT * FROM prompt_to_prompt WHERE study = ?", [study])
    return pd.DataFrame(
        [
            {
                "experiment": row.experiment,
                "method": row.method,
                "sources": row.sources,
                "SSIM, original": _rate(row, "ssim_original", "n"),
                "SSIM [95 %], pairs": _rate(row, "ssim", "n"),
                "swaps read [95 %], n": _rate(row, "swapped", "swaps"),
                "rest kept [95 %], n": _rate(row, "kept", "kept_n"),
                "published SSIM": _number(row.published_ssim),
            }
            for row in found.itertuples()
        ]
    )


def bench_tables(warehouse: Path, study: str) -> list[tuple[str, pd.DataFrame]]:
    """For each set of pairs a title, and a row per measure with a column per editor of them.

    Beside them stands what was published of the same methods. Values by several encoders, or by
    several forms of a measure, are rows of their own.
    """
    found = query(
        warehouse, "SELECT * FROM editing_bench WHERE study = ? ORDER BY pairs DESC", [study]
    )
    tables = []
    for (bench, _), mine in found.groupby(["bench", "population"], sort=False):
        rows = [row for measure in MEASURES for row in _measure_rows(mine, *measure)]
        table = pd.DataFrame(rows)
        tables.append((f"{bench}, {mine['pairs'].iat[0]} pairs", table.loc[:, (table != "").any()]))
    return tables


def _measure_rows(
    found: pd.DataFrame, metric: str, protocol: str | None, name: str
) -> list[dict[str, str]]:
    """A row per passport of a measure; one without data where there is none."""
    editors = list(found["experiment"].unique())
    some = found[found["metric"] == metric]
    if protocol is not None:
        some = some[some["protocol"] == protocol]
    if some.empty:
        return [{"measure": name} | dict.fromkeys(editors, NO_DATA) | {"published": ""}]
    rows = []
    for _, mine in some.groupby("passport_id", sort=False):
        by_editor = {r.experiment: r for r in mine.itertuples()}
        by = f" ({mine['model'].iat[0]}, {mine['protocol'].iat[0]})"
        known = mine.dropna(subset="published").drop_duplicates("method")
        rows.append(
            {"measure": name + (by if some["passport_id"].nunique() > 1 else "")}
            | {one: _found(by_editor[one]) if one in by_editor else NO_DATA for one in editors}
            | {"published": ", ".join(f"{r.method} {r.published:.4f}" for r in known.itertuples())}
        )
    return rows


def _found(row: Any) -> str:
    """With how many edits there is nothing of: not made, or not to be told."""
    text = _rate(row, "value", "n")
    return text if text == NO_DATA or not row.left_out else f"{text}, {row.left_out:.0f} left out"


def comparison_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per two editors and measure: mean difference, and how often the first wins."""
    found = query(
        warehouse,
        "SELECT * FROM edit_comparisons WHERE study = ? AND n > 0 AND protocol <> 'original_256' "
        "AND NOT (starts_with(metric, 'background') AND protocol = 'original')",
        [study],
    )
    found = found[found["metric"].isin(COMPARED)]
    return pd.DataFrame(
        [
            {
                "editors": f"{row.experiment_a} - {row.experiment_b}",
                "measure": row.metric,
                "difference [95 %], n": _rate(row, "difference", "n"),
                "wins of the first [95 %]": _wins(row),
                "ties": row.ties,
            }
            for row in found.itertuples()
        ]
    )


def control_rows(warehouse: Path, study: str) -> pd.DataFrame:
    """A row per editor of a bench: its background less that of no control, on the same pairs.

    With several experiments without control the one that shares most sources. Outside of the mask
    alone; below 0 an error is smaller, above 0 SSIM and PSNR are better.
    """
    found = query(
        warehouse,
        "SELECT c.* FROM edit_comparisons c JOIN experiments a ON a.study = c.study "
        "AND a.experiment = c.experiment_a JOIN experiments b ON b.study = c.study "
        "AND b.experiment = c.experiment_b WHERE c.study = ? AND c.n > 0 "
        "AND c.protocol = 'corrected' AND a.method <> 'regenerate' AND b.method = 'regenerate' "
        "ORDER BY c.n DESC, c.experiment_b",
        [study],
    )
    found = found[found["metric"].isin(BACKGROUND)]
    rows = []
    for editor, mine in found.groupby("experiment_a", sort=True):
        plain = mine["experiment_b"].iloc[0]
        row = {"editor": editor, "less": plain}
        by_metric = {r.metric: r for r in mine[mine["experiment_b"] == plain].itertuples()}
        for metric, name in BACKGROUND.items():
            one = by_metric.get(metric)
            row[f"{name} [95 %], n"] = _rate(one, "difference", "n") if one else NO_DATA
            row[f"{name}, better [95 %]"] = _wins(one) if one else NO_DATA
        rows.append(row)
    return pd.DataFrame(rows)


def edits_of(artifacts: Artifacts, study: Study, pictures: Pictures, folder: Path) -> Any:
    """All that the page shows of a study's edits; None for a study without any."""
    if not study.edits:
        return None
    warehouse = artifacts.warehouse
    curves = query(warehouse, "SELECT * FROM edit_curves WHERE study = ?", [study.name])
    name = f"pictures/edit-curves-{study.name}.png"
    return {
        "sets": set_rows(warehouse, study.name),
        "benches": bench_tables(warehouse, study.name),
        "control": control_rows(warehouse, study.name),
        "comparisons": comparison_rows(warehouse, study.name),
        "curves": name if draw_edit_curves(curves, folder / name) else None,
        "galleries": [
            gallery
            for key, one in study.edits.items()
            if (gallery := _gallery(warehouse, study.name, key, one.title, pictures))
        ],
    }


def _gallery(
    warehouse: Path, study: str, experiment: str, title: str, pictures: Pictures
) -> dict[str, Any] | None:
    """The first sources of an experiment, each with its edits; and where words were looked at."""
    found = query(
        warehouse,
        "SELECT * FROM images WHERE study = ? AND experiment = ? ORDER BY file",
        [study, experiment],
    )
    if found.empty:
        return None
    key = f"{study}__{experiment}"
    edits = found[(found["role"] == "edit") & found["compared"].fillna(False).astype(bool)]
    rows = [
        {
            "source": pictures.thumbnail(keys.IMAGES, key, source.file),
            "prompt": source.prompt,
            "edits": [
                _shown(edit, key, pictures)
                for edit in edits[edits["source_id"] == source.image_id].itertuples()
            ],
        }
        for source in found[found["role"] == "source"].head(SHOWN).itertuples()
    ]
    maps = pictures.artefact_file(keys.IMAGES, key, "maps.jpg")
    return {"title": title, "rows": rows, "maps": maps}


def _shown(edit: Any, key: str, pictures: Pictures) -> dict[str, str]:
    made = isinstance(edit.file, str)
    return {
        "file": pictures.thumbnail(keys.IMAGES, key, edit.file) if made else "",
        "prompt": edit.prompt,
        "name": edit.edit or edit.kind or "",
        "reason": edit.reason if isinstance(edit.reason, str) else "",
    }


def _rate(row: Any, name: str, count: str) -> str:
    """A value with its interval and its n; the interval's columns go by the value's name."""
    value, n = getattr(row, name), getattr(row, count)
    if pd.isna(value) or pd.isna(n):
        return NO_DATA
    ends = ("low", "high") if name in ("value", "difference") else (f"{name}_low", f"{name}_high")
    # A squared error of a background is a few thousandths.
    digits = 5 if getattr(row, "metric", "") == "background_mse" else 3
    return rate_text(float(value), getattr(row, ends[0]), getattr(row, ends[1]), int(n), digits)


def _wins(row: Any) -> str:
    if pd.isna(row.wins):
        return "all tied"
    return f"{row.wins:.2f} [{row.wins_low:.2f}, {row.wins_high:.2f}]"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"
