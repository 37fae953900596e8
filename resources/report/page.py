"""The report: one static page with its pictures beside it, from the warehouse and the artefacts."""

import shutil
import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from likeness.studies.load import Registry
from likeness.studies.schema import Study
from resources.artifacts import Artifacts
from resources.report.figures import (
    LEGEND,
    accuracy_rows,
    confusion_tables,
    probe_sentences,
    share_rows,
    verdict_rows,
)
from resources.warehouse import query

THUMBNAIL = 128
SHOWN = 12


def render(artifacts: Artifacts, registry: Registry, folder: Path) -> dict[str, Any]:
    """Write ``index.html`` and ``pictures/`` into ``folder``; how much of what is on it."""
    from jinja2 import Environment, FileSystemLoader

    (folder / "pictures").mkdir(parents=True)
    pictures = Pictures(artifacts, folder)
    studies = [
        _study(artifacts, study, pictures)
        for study in registry.studies.values()
        if study.networks and _has_verdicts(artifacts.warehouse, study.name)
    ]
    here = Path(__file__).parent
    page = Environment(loader=FileSystemLoader(here), autoescape=True).get_template("page.html.j2")
    cost = query(artifacts.warehouse, "SELECT * FROM cost").round(1)
    style = (here / "style.css").read_text()
    text = page.render(studies=studies, cost=cost, style=style, legend=LEGEND)
    (folder / "index.html").write_text(text, encoding="utf-8")
    return {"studies": len(studies), "pictures": len(list((folder / "pictures").iterdir()))}


def put_in_place(folder: Path, page: Path) -> None:
    """Copy a finished report to where people look for it; a half-written one is never there."""
    fresh = page.parent.with_name(f".report-{uuid.uuid4().hex}")
    old = page.parent.with_name(f".report-{uuid.uuid4().hex}")
    shutil.copytree(folder, fresh)
    if page.parent.exists():
        page.parent.rename(old)
    fresh.rename(page.parent)
    shutil.rmtree(old, ignore_errors=True)


def _has_verdicts(warehouse: Path, study: str) -> bool:
    found = query(warehouse, "SELECT count(*) AS n FROM verdicts WHERE study = ?", [study])
    return bool(found["n"][0])


def _study(artifacts: Artifacts, study: Study, pictures: "Pictures") -> dict[str, Any]:
    warehouse = artifacts.warehouse
    painters = {network.painter for network in study.networks.values()}
    return {
        "title": study.title,
        "about": study.about,
        "source": study.published.source,
        "painted": any(study.painters[key].painted for key in painters if key in study.painters),
        "accuracy": accuracy_rows(warehouse, study.name),
        "verdicts": verdict_rows(warehouse, study.name),
        "shares": share_rows(warehouse, study.name),
        "probe": probe_sentences(warehouse, study.name),
        "confusions": confusion_tables(warehouse, study.name),
        "sheets": [
            {"title": study.painters[key].title, "file": file}
            for key in study.painters
            if (file := pictures.artefact_file("painters/paintings", key, "preview.jpg"))
        ],
        "curves": [
            {"title": key, "file": file}
            for key in study.networks
            if (
                file := pictures.artefact_file(
                    "classifier/network", f"{study.name}__{key}", "curves.png"
                )
            )
        ],
        "galleries": _galleries(warehouse, study, pictures),
        "intake": _intake(warehouse, study),
    }


def _galleries(warehouse: Path, study: Study, pictures: "Pictures") -> list[dict[str, Any]]:
    """Most and least certain verdicts of each judge of the split, and its surest mistakes."""
    wanted = {
        "most certain": "ORDER BY confidence DESC",
        "least certain": "ORDER BY confidence",
        "most certain and wrong": "AND truth <> predicted ORDER BY confidence DESC",
    }
    galleries = []
    for key, network in study.networks.items():
        if network.rounds != "split":
            continue
        for title, clause in wanted.items():
            rows = query(
                warehouse,
                "SELECT image_id, image_set, truth, predicted, label, confidence FROM verdicts "
                f"WHERE study = ? AND network = ? {clause}, image_id LIMIT {SHOWN}",
                [study.name, key],
            )
            shown = [
                _shown(row, pictures.thumbnail(network.painter, row.image_id))
                for row in rows.itertuples()
            ]
            if shown:
                galleries.append({"title": f"{key}: {title}", "pictures": shown})
    return galleries


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


class Pictures:
    """Copies pictures out of artefacts into the report, each once."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        self._artifacts, self._folder = artifacts, folder
        self._paintings: dict[str, Path | None] = {}

    def artefact_file(self, asset: str, partition: str, name: str) -> str | None:
        """One file of a current artefact, copied; None where it is not there."""
        manifest = self._artifacts.find_current(asset, partition)
        if manifest is None or name not in {entry.path for entry in manifest.files}:
            return None
        target = f"pictures/{partition}-{name}"
        (self._folder / target).write_bytes(self._artifacts.store.read_file(manifest, name))
        return target

    def thumbnail(self, painter: str, image_id: str) -> str:
        """A prepared picture, small; an empty name where its set is gone."""
        if painter not in self._paintings:
            manifest = self._artifacts.find_current("painters/paintings", painter)
            self._paintings[painter] = self._artifacts.fetch(manifest) if manifest else None
        folder = self._paintings[painter]
        target = f"pictures/{painter}-{image_id}.jpg"
        if folder is None:
            return ""
        if not (folder / "images" / f"{image_id}.png").exists():
            return ""
        if not (self._folder / target).exists():
            buffer = BytesIO()
            with Image.open(folder / "images" / f"{image_id}.png") as image:
                image.thumbnail((THUMBNAIL, THUMBNAIL))
                image.save(buffer, "JPEG", quality=85)
            (self._folder / target).write_bytes(buffer.getvalue())
        return target
