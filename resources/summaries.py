"""Everything the warehouse holds, gathered from the artefacts that are current."""

from pathlib import Path

import pandas as pd

from likeness.studies.load import Registry
from likeness.studies.schema import Painter
from resources.artifacts import Artifacts
from resources.manifest import Manifest
from resources.store import Ref

IMAGE_COLUMNS = [
    "image_id",
    "file",
    "path",
    "sha256",
    "width",
    "height",
    "source",
    "image_set",
    "label",
    "split",
    "fold",
    "group",
    "status",
    "reason",
]


def collect(artifacts: Artifacts, registry: Registry) -> dict[str, pd.DataFrame]:
    """Table name -> rows, for ``warehouse.build``; what is not made yet is simply not in them."""
    found = {
        (ref.asset, ref.partition): (ref, manifest)
        for ref in artifacts.store.refs()
        if (manifest := artifacts.store.find(ref.asset, ref.fingerprint))
    }
    painters = registry.painters
    return {
        "studies": pd.DataFrame(
            [
                {"study": s.name, "title": s.title, "source": s.published.source}
                for s in registry.studies.values()
            ]
        ),
        "networks": _networks(registry),
        "labels": pd.DataFrame(
            [
                {"painter": key, "label": label, "name": pictures.name}
                for key, painter in painters.items()
                for label, pictures in painter.classes.items()
            ]
        ),
        "image_sets": pd.DataFrame(
            [
                {"painter": key, "image_set": name, "name": pictures.name, "truth": pictures.truth}
                for key, painter in painters.items()
                for name, pictures in painter.tests.items()
            ]
        ).astype({"truth": "Int64"}),
        "images": _joined(
            [
                _images(artifacts, key, found)
                for key in painters
                if ("painters/paintings", key) in found
            ]
        ),
        "verdicts": _joined(
            [
                _verdicts(artifacts, key, found["classifier/verdicts", key][1], registry)
                for key in registry.networks
                if ("classifier/verdicts", key) in found
            ]
        ),
        "published_rates": _published(registry, "rates"),
        "published_verdicts": _published(registry, "verdicts"),
        "ledger": pd.DataFrame([_ledger(ref, manifest) for ref, manifest in found.values()]),
    }


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _networks(registry: Registry) -> pd.DataFrame:
    rows = []
    home = {key: study.name for study in registry.studies.values() for key in study.painters}
    for key, network in registry.networks.items():
        painter: Painter = registry.painters[network.painter]
        study, name = key.split("__", 1)
        recipe = network.recipe
        rows.append(
            {
                "study": study,
                "network": name,
                "painter": network.painter,
                "home": home[network.painter],
                "title": painter.title,
                "painted": painter.painted,
                "architecture": recipe.architecture,
                "protocol": recipe.protocol,
                "weights": recipe.weights,
                "rounds": network.rounds,
                "equalize": painter.prepare.equalize,
            }
        )
    return pd.DataFrame(rows)


def _images(
    artifacts: Artifacts, key: str, found: dict[tuple[str, str | None], tuple[Ref, Manifest]]
) -> pd.DataFrame:
    """Intake rows of a painter, with label, split and fold where classes are made."""
    table = _parquet(artifacts, found["painters/paintings", key][1], "images.parquet")
    classes = found.get(("painters/classes", key))
    if classes is not None:
        known = _parquet(artifacts, classes[1], "images.parquet")
        parts = ["image_id", "image_set", "label", "split", "fold", "group"]
        table = table.drop(columns=["split", "group"]).merge(
            known[parts], on="image_id", how="left"
        )
    return table.reindex(columns=IMAGE_COLUMNS).assign(painter=key)


def _verdicts(
    artifacts: Artifacts, key: str, manifest: Manifest, registry: Registry
) -> pd.DataFrame:
    study, name = key.split("__", 1)
    table = _parquet(artifacts, manifest, "verdicts.parquet")
    protocol = registry.networks[key].recipe.protocol
    return table.assign(study=study, network=name, protocol=protocol)


def _published(registry: Registry, what: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"study": study.name, **row.model_dump()}
            for study in registry.studies.values()
            for row in getattr(study.published, what)
        ]
    )


def _ledger(ref: Ref, manifest: Manifest) -> dict[str, object]:
    return {
        "asset": ref.asset,
        "partition": ref.partition,
        "fingerprint": ref.fingerprint,
        "cache_hit": ref.cache_hit,
        "seconds": manifest.seconds,
        "gpu_seconds": manifest.gpu_seconds,
        "peak_memory_mb": manifest.peak_memory_mb,
        "bytes": manifest.bytes_total,
        "updated": ref.updated,
    }


def _parquet(artifacts: Artifacts, manifest: Manifest, name: str) -> pd.DataFrame:
    folder: Path = artifacts.fetch(manifest)
    return pd.read_parquet(folder / name)
