"""What people read: the warehouse, and a page with tables and pictures."""

import time

import dagster as dg

from assets_defs.about import about
from assets_defs.classifier import verdicts
from assets_defs.painters import classes, paintings
from assets_defs.people import photos
from assets_defs.results import readable_failures, result
from assets_defs.scores import image_scores, pairs
from assets_defs.studies import registry
from resources import keys
from resources.artifacts import Artifacts
from resources.manifest import fingerprint_of
from resources.step import Step

SUMMARIES = Step(
    asset=keys.SUMMARIES,
    function="resources.summaries:collect",
    libraries=("duckdb", "pandas"),
)
GALLERY = Step(
    asset=keys.GALLERY,
    function="resources.report.page:render",
    libraries=("jinja2", "pillow"),
)


@dg.asset(
    **about(keys.SUMMARIES, "report", pool="duckdb"),
    deps=[paintings, classes, verdicts, photos, pairs, image_scores],
    kinds={"duckdb"},
    code_version=SUMMARIES.code_version,
    description="likeness.duckdb, rebuilt whole from all current Parquet and swapped in at once: "
    "tables, and views that answer the studies' questions with the published figures beside ours.",
)
def summaries(context: dg.AssetExecutionContext, artifacts: Artifacts) -> dg.MaterializeResult:
    """Rebuild the warehouse; cheap, so it is never cached."""
    from resources.summaries import collect
    from resources.warehouse import build

    began = time.monotonic()
    with readable_failures():
        tables = collect(artifacts, registry())
        build(artifacts.warehouse, tables)
    versions = {f"{ref.asset}[{ref.partition}]": ref.content for ref in artifacts.store.refs()}
    return dg.MaterializeResult(
        metadata={f"rows/{name}": len(table) for name, table in tables.items()}
        | {
            "file": dg.MetadataValue.path(str(artifacts.warehouse)),
            "seconds": time.monotonic() - began,
        },
        data_version=dg.DataVersion(fingerprint_of(versions)),
    )


@dg.asset(
    **about(keys.GALLERY, "report"),
    deps=[summaries],
    kinds={"html"},
    code_version=GALLERY.code_version,
    description="report/index.html: tables, confusion matrices, curves, contact sheets and the "
    "most and least certain verdicts. Static, no server, no external request.",
)
def gallery(context: dg.AssetExecutionContext, artifacts: Artifacts) -> dg.MaterializeResult:
    """Write the page and put it in its place at once."""
    from resources.report.page import AGES, put_in_place, render

    with readable_failures(), artifacts.room() as folder:
        page = folder / "report"
        counts = render(artifacts, registry(), page)
        put_in_place(page, artifacts.report)
        made = artifacts.keep(GALLERY, None, page, counts)
        grids = tuple(sorted(file.name for file in page.glob(f"{AGES}*.png")))
        where = dg.MetadataValue.path(str(artifacts.report))
        return result(artifacts, made, previews=grids, page=where)
