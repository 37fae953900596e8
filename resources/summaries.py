"""Everything the warehouse holds, gathered from the artefacts that are current."""

import json

import pandas as pd

from likeness.edit.table import OWN_COLUMNS as EDIT_COLUMNS
from likeness.studies.editing import Editing
from likeness.studies.load import Registry
from resources import keys
from resources.artifacts import Artifacts
from resources.comparisons import compared_editors
from resources.judges import trusted
from resources.manifest import Manifest
from resources.store import Ref

# Paintings have no prompt and generated pictures no label: nullable types keep both in one table.
IMAGE_COLUMNS = {
    "study": "string",
    "experiment": "string",
    "painter": "string",
    "subject": "string",
    "image_id": "string",
    "file": "string",
    "path": "string",
    "sha256": "string",
    "width": "Int64",
    "height": "Int64",
    "source": "string",
    "image_set": "string",
    "label": "Int64",
    "split": "string",
    "fold": "Int64",
    "group": "Int64",
    "base": "string",
    "model": "string",
    "prompt": "string",
    "seed": "Int64",
    "guidance_scale": "Float64",
    "status": "string",
    "reason": "string",
    **EDIT_COLUMNS,
}

# Table -> asset and file that hold its rows.
SCORES = {
    "pair_scores": (keys.PAIRS, "pairs.parquet"),
    "pair_means": (keys.PAIRS, "means.parquet"),
    "image_scores": (keys.IMAGE_SCORES, "scores.parquet"),
    "image_means": (keys.IMAGE_SCORES, "means.parquet"),
}
# Name of an input of an experiment's artefacts -> asset; some are partitioned by person or
# painter.
INPUTS = {
    "base": keys.BASE_MODEL,
    "prior": keys.CLASS_PRIOR,
    "model": keys.FINETUNED,
    "sources": keys.SOURCES,
    "inverted": keys.INVERTED,
    "made": keys.IMAGES,
    "pairs": keys.PAIRS,
    "images": keys.PAINTINGS,
    "photos": keys.PHOTOS,
    "faces": keys.FACES,
    "variety": keys.VARIETY,
    "splits": keys.SPLITS,
}
OF_SUBJECT = ("photos", "faces", "variety", "splits")


class Current:
    """The current artefacts of a registry's keys, and which of them still fit together."""

    def __init__(self, artifacts: Artifacts, registry: Registry) -> None:
        self.artifacts, self.registry = artifacts, registry
        self.found: dict[tuple[str, str | None], tuple[Ref, Manifest]] = {
            (ref.asset, ref.partition): (ref, manifest)
            for ref in artifacts.store.refs()
            if (manifest := artifacts.store.find(ref.asset, ref.fingerprint))
        }

    def manifest(self, asset: str, key: str) -> Manifest | None:
        """The current artefact, or None."""
        found = self.found.get((asset, key))
        return found and found[1]

    def parquet(self, manifest: Manifest, name: str) -> pd.DataFrame:
        """A table of an artefact."""
        return pd.read_parquet(self.artifacts.fetch(manifest) / name)

    def verdicts(self, key: str) -> tuple[Manifest, Manifest, Manifest] | None:
        """Verdicts, network and paintings of a network key; None where one is older than another.

        What a network said of pictures that have changed since is no verdict on the current ones.
        """
        painter = self.registry.networks[key].painter
        judged = self.registry.painters[painter].experiments
        needed = {experiment: self.made(experiment) for experiment in judged} | {
            "network": self.manifest(keys.NETWORK, key),
            "paintings": self.manifest(keys.PAINTINGS, painter),
            "classes": self.manifest(keys.CLASSES, painter),
        }
        verdicts = self.manifest(keys.VERDICTS, key)
        network, paintings = needed["network"], needed["paintings"]
        if verdicts is None or network is None or paintings is None:
            return None
        current = {name: made.content for name, made in needed.items() if made is not None}
        used = network.inputs | verdicts.inputs
        if any(current.get(name) != content for name, content in used.items()):
            return None
        return verdicts, network, paintings

    def made(self, key: str) -> Manifest | None:
        """Pictures of an experiment; None where its model is no longer what they were made with.

        That goes for what its model was made from, too, and for pictures of a time when the
        experiment sampled and did not edit, or the other way round.
        """
        made, model = self.manifest(keys.IMAGES, key), self.manifest(keys.FINETUNED, key)
        if made is None or model is None or _how(self.registry, key) not in made.params:
            return None
        if "base" not in model.inputs or "model" not in made.inputs:
            return None
        fits = self._stands_on_current(model, key) and self._stands_on_current(made, key)
        return made if fits else None

    def scores(self, asset: str, key: str) -> Manifest | None:
        """Scores of an experiment's current pictures; None where they are of others.

        That goes for the photos that the pictures were compared with, too.
        """
        scores = self.manifest(asset, key)
        if scores is None or "made" not in scores.inputs or self.made(key) is None:
            return None
        if "pairs" in scores.inputs and self.scores(keys.PAIRS, key) is None:
            return None
        return scores if self._stands_on_current(scores, key) else None

    def _stands_on_current(self, made: Manifest, key: str) -> bool:
        """Whether everything that an artefact of an experiment was made from is current."""
        experiment = self.registry.experiments[key]
        where = {"base": experiment.model, "images": experiment.painter}
        where |= dict.fromkeys(OF_SUBJECT, experiment.subject)
        for name, content in made.inputs.items():
            # An input that no artefact of an experiment has today is of an experiment that was.
            if name not in INPUTS:
                return False
            found = self.found.get((INPUTS[name], where.get(name, key)))
            if found is None or found[1].content != content:
                return False
        return True


def _how(registry: Registry, key: str) -> str:
    """The parameter that says how the pictures of an experiment are made."""
    return "editor" if isinstance(registry.experiments[key], Editing) else "sampling"


def collect(artifacts: Artifacts, registry: Registry) -> dict[str, pd.DataFrame]:
    """Table name -> rows, for ``warehouse.build``; what is not made yet is simply not in them."""
    current = Current(artifacts, registry)
    painters = registry.painters
    verdicts = _joined([_verdicts(current, key) for key in registry.networks])
    networks = pd.DataFrame([_network(current, key) for key in registry.networks])
    return {
        "studies": pd.DataFrame(
            [
                {"study": s.name, "title": s.title, "source": s.published.source}
                for s in registry.studies.values()
            ]
        ),
        "networks": networks if networks.empty else trusted(networks, verdicts),
        "labels": pd.DataFrame(
            [
                {"painter": key, "label": label, "name": pictures.name}
                for key, painter in painters.items()
                for label, pictures in painter.classes.items()
            ]
        ),
        "image_sets": pd.DataFrame(
            [
                {
                    "painter": key,
                    "image_set": name,
                    "name": pictures.name,
                    "truth": pictures.truth,
                    "made_by": pictures.experiment,
                    "role": pictures.role,
                    "rebuilt": pictures.rebuilt is not None,
                }
                for key, painter in painters.items()
                for name, pictures in painter.tests.items()
            ],
            columns=["painter", "image_set", "name", "truth", "made_by", "role", "rebuilt"],
        ).astype({"truth": "Int64"}),
        "experiments": pd.DataFrame([_experiment(current, key) for key in registry.experiments]),
        "images": _joined(
            [_images(current, key) for key in painters]
            + [_photos(current, key) for key in registry.subjects]
            + [_made(current, key) for key in registry.experiments]
        ),
        **{name: _scores(current, *where) for name, where in SCORES.items()},
        "edit_comparisons": compared_editors(current),
        "passports": _passports(current),
        "verdicts": verdicts,
        "published_rates": _published(registry, "rates"),
        "published_verdicts": _published(registry, "verdicts"),
        "published_pairs": _published(registry, "pairs"),
        "published_sets": _published(registry, "sets"),
        "published_editors": _published(registry, "editors"),
        "ledger": pd.DataFrame(
            [_ledger(_studies(registry), *both) for both in current.found.values()]
        ),
    }


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    some = [part for part in parts if not part.empty]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame()


def _network(current: Current, key: str) -> dict[str, object]:
    """A network as it was made, which a launchpad form may have changed; else as the study says."""
    registry = current.registry
    network = registry.networks[key]
    painter = registry.painters[network.painter]
    home = _home(current, network.painter)
    recipe, prepare = network.recipe.model_dump(), painter.prepare.model_dump()
    if made := current.verdicts(key):
        recipe = made[1].params["recipe"]
        prepare = made[2].params["prepare"]
    study, name = key.split("__", 1)
    return {
        "study": study,
        "network": name,
        "painter": network.painter,
        "home": home,
        "title": painter.title,
        "painted": painter.painted,
        "rounds": network.rounds,
        "equalize": prepare["equalize"],
        "color": prepare["color"],
        **{field: recipe[field] for field in ("architecture", "protocol", "weights")},
    }


def _home(current: Current, painter: str) -> str:
    """The study that defines a painter."""
    return next(s.name for s in current.registry.studies.values() if painter in s.painters)


def _experiment(current: Current, key: str) -> dict[str, object]:
    """An experiment as it was sampled, which a form may have changed; else as the study says."""
    registry = current.registry
    experiment = registry.experiments[key]
    base, method = experiment.model, str(experiment.method.name)
    sampled = experiment.method if isinstance(experiment, Editing) else experiment.sampling
    sampling = sampled.model_dump()
    trains = getattr(experiment.method, "trains", "full")
    model = current.manifest(keys.FINETUNED, key)
    if model and (made := current.made(key)):
        sampling, base = made.params[_how(registry, key)], made.params["model"]
        # a method that trains says its name in its recipe
        recipe = model.params.get("recipe", {})
        method = model.summary.get("method") or recipe["name"]
        trains = recipe.get("trains", "full")
    if trains != "full":
        method = f"{method}_lora"  # no mean is over models of both
    study, name = key.split("__", 1)
    return {
        "study": study,
        "experiment": name,
        "title": experiment.title,
        "method": method,
        "base": base,
        "steps": sampling.get("num_inference_steps"),
        "guidance_scale": sampling.get("guidance_scale"),
        "subject": experiment.subject,
        "painter": experiment.painter,
        "split": getattr(experiment.method, "split", None),
        "sources": experiment.edited if isinstance(experiment, Editing) else None,
    }


def _made(current: Current, key: str) -> pd.DataFrame:
    """Generated or edited pictures of an experiment, and its edits that could not be made."""
    made = current.made(key)
    if made is None:
        return pd.DataFrame()
    study, name = key.split("__", 1)
    table = current.parquet(made, "images.parquet")
    return _typed(table.assign(study=study, experiment=name))


def _photos(current: Current, key: str) -> pd.DataFrame:
    """Intake rows of a person."""
    photos = current.manifest(keys.PHOTOS, key)
    if photos is None:
        return pd.DataFrame()
    table = current.parquet(photos, "images.parquet")
    home = next(s.name for s in current.registry.studies.values() if key in s.subjects)
    return _typed(table.assign(study=home, role="photo", subject=key))


def _scores(current: Current, asset: str, file: str) -> pd.DataFrame:
    """One table of every experiment's scores."""
    parts = []
    for key in current.registry.experiments:
        if scores := current.scores(asset, key):
            study, name = key.split("__", 1)
            parts.append(current.parquet(scores, file).assign(study=study, experiment=name))
    return _joined(parts)


def _passports(current: Current) -> pd.DataFrame:
    """What all scores were taken with, each once."""
    rows: dict[str, dict[str, object]] = {}
    for key in current.registry.experiments:
        for asset in (keys.PAIRS, keys.IMAGE_SCORES):
            if scores := current.scores(asset, key):
                file = current.artifacts.fetch(scores) / "passports.json"
                for row in json.loads(file.read_text()):
                    rows[row["passport_id"]] = row | {"libraries": json.dumps(row["libraries"])}
    return pd.DataFrame(list(rows.values()))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return table.reindex(columns=list(IMAGE_COLUMNS)).astype(IMAGE_COLUMNS)


def _images(current: Current, key: str) -> pd.DataFrame:
    """Intake rows of a painter, with label, split and fold where classes are made."""
    paintings = current.manifest(keys.PAINTINGS, key)
    if paintings is None:
        return pd.DataFrame()
    table = current.parquet(paintings, "images.parquet")
    if classes := current.manifest(keys.CLASSES, key):
        parts = ["image_id", "image_set", "label", "split", "fold", "group"]
        known = current.parquet(classes, "images.parquet")[parts]
        table = table.drop(columns=["split", "group"]).merge(known, on="image_id", how="left")
    return _typed(table.assign(study=_home(current, key), role="painting", painter=key))


def _verdicts(current: Current, key: str) -> pd.DataFrame:
    made = current.verdicts(key)
    if made is None:
        return pd.DataFrame()
    study, name = key.split("__", 1)
    protocol = made[1].params["recipe"]["protocol"]
    table = current.parquet(made[0], "verdicts.parquet")
    return table.assign(study=study, network=name, protocol=protocol)


def _published(registry: Registry, what: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"study": study.name, **row.model_dump()}
            for study in registry.studies.values()
            for row in getattr(study.published, what)
        ]
    )


def _studies(registry: Registry) -> dict[str | None, str]:
    """Partition key -> the study that it belongs to; base models belong to none."""
    found: dict[str | None, str] = {}
    for study in registry.studies.values():
        found |= dict.fromkeys([*study.subjects, *study.painters], study.name)
        found |= {f"{study.name}__{key}": study.name for key in study.networks}
        found |= {f"{study.name}__{key}": study.name for key in study.experiments}
    return found


def _ledger(studies: dict[str | None, str], ref: Ref, manifest: Manifest) -> dict[str, object]:
    return {
        "asset": ref.asset,
        "partition": ref.partition,
        "study": studies.get(ref.partition),
        "fingerprint": ref.fingerprint,
        "cache_hit": ref.cache_hit,
        "seconds": manifest.seconds,
        "gpu_seconds": manifest.gpu_seconds,
        "spent_seconds": ref.seconds,
        "peak_memory_mb": manifest.peak_memory_mb,
        "bytes": manifest.bytes_total,
        "updated": ref.updated,
    }
