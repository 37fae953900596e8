"""The report: one static page with its pictures beside it, from the warehouse and the artefacts."""

import shutil
import uuid
from pathlib import Path
from typing import Any

import pandas as pd

from likeness.classify.trust import RULE
from likeness.studies.load import Registry
from likeness.studies.schema import Pictures as TestSet
from likeness.studies.schema import Study
from resources import keys
from resources.artifacts import Artifacts
from resources.in_place import alone
from resources.report.edits import edits_of
from resources.report.figures import (
    LEGEND,
    accuracy_rows,
    confusion_tables,
    made_rows,
    probe_sentences,
    share_rows,
    verdict_rows,
)
from resources.report.made import experiments
from resources.report.painter import after_rows
from resources.report.person import age_grid, draw_age_grid, identity_rows, pair_rows, sheets
from resources.report.pictures import Pictures
from resources.warehouse import query

SHOWN = 12
TEMPORARY = ".report-"
AGES = "ages-"  # begins the name of each study's grid of models and ages, a picture by itself
COST_TABLES = (
    ("cost", "asset", "artefacts"),
    ("cost_by_key", "study", '"partition"', "steps"),
)


def render(artifacts: Artifacts, registry: Registry, folder: Path) -> dict[str, Any]:
    """Write ``index.html`` and ``pictures/`` into ``folder``; how much of what is on it."""
    from jinja2 import Environment, FileSystemLoader

    (folder / "pictures").mkdir(parents=True)
    pictures = Pictures(artifacts, folder)
    studies = [
        _study(artifacts, registry, study, pictures, folder)
        for study in registry.studies.values()
        if _has_rows(artifacts.warehouse, study.name)
    ]
    here = Path(__file__).parent
    templates = Environment(loader=FileSystemLoader(here), autoescape=True)
    templates.filters["filled"] = filled
    page, own = (templates.get_template(f"{name}.html.j2") for name in ("page", "experiment"))
    cost, by_key = (_cost(artifacts.warehouse, view, *of) for view, *of in COST_TABLES)
    style = (here / "style.css").read_text()
    text = page.render(
        studies=studies, cost=cost, by_key=by_key, style=style, legend=LEGEND, rule=RULE
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    for one in (one for study in studies for one in study["experiments"] if one["page"]):
        (folder / one["page"]).write_text(own.render(one=one, style=style), encoding="utf-8")
    return {"studies": len(studies), "pictures": len(list((folder / "pictures").iterdir()))}


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Without columns in which nothing stands, such as what was published where nothing was."""
    return table.loc[:, (table != "").any()]


def _cost(warehouse: Path, view: str, *of: str) -> pd.DataFrame:
    """What work cost when it was done; not what the last run took, which is new every time."""
    columns = (*of, "seconds", "gpu_seconds", "peak_memory_mb", "bytes / 1e6 AS megabytes")
    return query(warehouse, f"SELECT {', '.join(columns)} FROM {view}").round(1)


def put_in_place(folder: Path, page: Path) -> None:
    """Copy a finished report to where people look for it; a half-written one is never there."""
    with alone(page.parent, TEMPORARY):
        _bring_back(page)
        fresh = page.parent.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
        try:
            shutil.copytree(folder, fresh)
            if page.parent.exists():
                page.parent.rename(_old(page))
            fresh.rename(page.parent)
            shutil.rmtree(_old(page), ignore_errors=True)
        finally:
            # half a copy, where there was no room for a whole one
            shutil.rmtree(fresh, ignore_errors=True)


def find_page(page: Path) -> bool:
    """Whether there is a report; one that a killed writer had put aside is brought back."""
    if not page.is_file() and _old(page).exists():
        with alone(page.parent, TEMPORARY):
            _bring_back(page)
    return page.is_file()


def _bring_back(page: Path) -> None:
    """Whoever was killed between two renames has left the old report, and none in its place."""
    if _old(page).exists() and not page.parent.exists():
        _old(page).rename(page.parent)
    shutil.rmtree(_old(page), ignore_errors=True)


def _old(page: Path) -> Path:
    return page.parent.with_name(".old-report")


def _has_rows(warehouse: Path, study: str) -> bool:
    """Whether a study has verdicts or generated pictures."""
    found = query(
        warehouse,
        "SELECT (SELECT count(*) FROM verdicts WHERE study = $1) "
        "+ (SELECT count(*) FROM images WHERE study = $1 AND experiment IS NOT NULL) AS n",
        [study],
    )
    return bool(found["n"][0])


def _study(
    artifacts: Artifacts, registry: Registry, study: Study, pictures: Pictures, folder: Path
) -> dict[str, Any]:
    warehouse = artifacts.warehouse
    painters = {network.painter for network in study.networks.values()}
    return {
        "name": study.name,
        "title": study.title,
        "about": study.about,
        "judged": bool(study.networks),
        "source": study.published.source,
        "painted": any(study.painters[key].painted for key in painters if key in study.painters),
        "accuracy": accuracy_rows(warehouse, study.name),
        "verdicts": verdict_rows(warehouse, study.name),
        "sets": {
            name: test.name
            for key in sorted(painters & study.painters.keys())
            for name, test in study.painters[key].tests.items()
        },
        "shares": share_rows(warehouse, study.name),
        "probe": probe_sentences(warehouse, study.name),
        "confusions": confusion_tables(warehouse, study.name),
        "sheets": [
            {"title": study.painters[key].title, "file": file}
            for key in study.painters
            if (file := pictures.artefact_file(keys.PAINTINGS, key, "preview.jpg"))
        ],
        "curves": [
            {"title": key, "file": file}
            for key in study.networks
            if (file := pictures.artefact_file(keys.NETWORK, f"{study.name}__{key}", "curves.png"))
        ],
        "galleries": _galleries(warehouse, registry, study, pictures),
        "intake": _intake(warehouse, study),
        "made": made_rows(warehouse, study.name),
        "after": after_rows(warehouse, study.name),
        "experiments": experiments(artifacts, study, pictures),
        "edits": edits_of(artifacts, study, pictures, folder),
        "person": _person(artifacts, study, pictures, folder) if study.has_people else None,
    }


def _person(artifacts: Artifacts, study: Study, pictures: Pictures, folder: Path) -> dict[str, Any]:
    grid = age_grid(artifacts, study, pictures)
    if grid is not None:
        draw_age_grid(grid, folder, folder / f"{AGES}{study.name}.png")
    return {
        "pairs": pair_rows(artifacts.warehouse, study.name),
        "identity": identity_rows(artifacts.warehouse, study.name),
        "grid": grid,
        "sheets": sheets(study, pictures),
    }


def _galleries(
    warehouse: Path, registry: Registry, study: Study, pictures: Pictures
) -> list[dict[str, Any]]:
    """Of each judge of the split: most and least certain verdicts, and its surest mistakes."""
    wanted = {
        "most certain": "ORDER BY confidence DESC",
        "least certain": "ORDER BY confidence",
        "most certain and wrong": "AND truth <> predicted ORDER BY confidence DESC",
    }
    galleries = []
    for key, network in study.networks.items():
        if network.rounds != "split":
            continue
        rows_of = []
        for title, clause in wanted.items():
            rows = query(
                warehouse,
                "SELECT image_id, image_set, truth, predicted, label, confidence FROM verdicts "
                f"WHERE study = ? AND network = ? {clause}, image_id LIMIT {SHOWN}",
                [study.name, key],
            )
            tests = registry.painters[network.painter].tests
            shown = [
                _shown(row, _picture(warehouse, pictures, network.painter, tests, row))
                for row in rows.itertuples()
            ]
            if shown:
                rows_of.append({"title": title, "pictures": shown})
        if rows_of:
            galleries.append({"title": key, "rows": rows_of})
    return galleries


def _picture(
    warehouse: Path,
    pictures: Pictures,
    painter: str,
    tests: dict[str, TestSet],
    row: Any,
) -> str:
    """A judged picture, small: a painting, or what an experiment has made."""
    made_by = tests[row.image_set].experiment if row.image_set in tests else None
    if made_by is None:
        return pictures.painting(painter, row.image_id)
    study, experiment = made_by.split("__", 1)
    found = query(
        warehouse,
        "SELECT file FROM images WHERE study = ? AND experiment = ? AND image_id = ? LIMIT 1",
        [study, experiment, row.image_id],
    )
    return "" if found.empty else pictures.thumbnail(keys.IMAGES, made_by, found["file"][0])


def _shown(row: Any, file: str) -> dict[str, Any]:
    truth = "" if pd.isna(row.truth) else f", is {row.truth}"
    return {
        "file": file,
        "wrong": not pd.isna(row.truth) and row.truth != row.predicted,
        "caption": f"{row.image_set}: {row.predicted} ({row.confidence:.2f}){truth}",
        "title": row.label,
    }


def _intake(warehouse: Path, study: Study) -> pd.DataFrame:
    """How many files each painter's intake accepted, and why it rejected the others."""
    keys = ", ".join("?" for _ in study.painters)
    if not keys:
        return pd.DataFrame()
    return query(
        warehouse,
        "SELECT painter, status, coalesce(reason, '') AS reason, count(*) AS files FROM images "
        f"WHERE painter IN ({keys}) GROUP BY ALL ORDER BY painter, files DESC LIMIT 30",
        list(study.painters),
    )
