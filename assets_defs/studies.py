"""The studies of this installation, read once, and the partitions they define."""

from collections.abc import Iterable
from functools import cache

import dagster as dg

from likeness.studies.load import Registry, load_registry
from resources.settings import Settings


@cache
def registry() -> Registry:
    """All shipped studies and the user's own."""
    return load_registry(Settings().studies)


subjects = dg.StaticPartitionsDefinition(sorted(registry().subjects))
painters = dg.StaticPartitionsDefinition(sorted(registry().painters))
experiments = dg.StaticPartitionsDefinition(sorted(registry().experiments))
networks = dg.StaticPartitionsDefinition(sorted(registry().networks))
base_models = dg.StaticPartitionsDefinition(registry().models)

PARTITIONS = {
    "people": subjects,
    "painters": painters,
    "experiments": experiments,
    "networks": networks,
    "base models": base_models,
}


def _mapping(above: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dg.StaticPartitionMapping:
    """From (upstream, downstream) keys; a key of ``above`` may have nothing below it."""
    found: dict[str, set[str]] = {key: set() for key in above}
    for upstream, downstream in pairs:
        found[upstream].add(downstream)
    return dg.StaticPartitionMapping(found)


def networks_of_painter() -> dg.StaticPartitionMapping:
    """Which networks stand on which painter's pictures."""
    networks = registry().networks.items()
    return _mapping(registry().painters, ((n.painter, key) for key, n in networks))


def experiments_of_model() -> dg.StaticPartitionMapping:
    """Which experiments start from which base model."""
    experiments = registry().experiments.items()
    return _mapping(registry().models, ((e.model, key) for key, e in experiments))


def experiments_of_subject() -> dg.StaticPartitionMapping:
    """Which experiments are about which person."""
    experiments = registry().experiments.items()
    about = ((e.subject, key) for key, e in experiments if e.subject is not None)
    return _mapping(registry().subjects, about)


def experiments_of_painter() -> dg.StaticPartitionMapping:
    """Which experiments are about which painter."""
    experiments = registry().experiments.items()
    about = ((e.painter, key) for key, e in experiments if e.painter is not None)
    return _mapping(registry().painters, about)


def painters_of_model() -> dg.StaticPartitionMapping:
    """Which painters have pictures that a base model has a hand in."""
    painters = registry().painters.items()
    return _mapping(registry().models, ((name, key) for key, p in painters for name in p.models))


def networks_of_experiment() -> dg.StaticPartitionMapping:
    """Which networks judge which experiment's pictures."""
    painters = registry().painters
    judged = (
        (experiment, key)
        for key, network in registry().networks.items()
        for experiment in painters[network.painter].experiments
    )
    return _mapping(registry().experiments, judged)
