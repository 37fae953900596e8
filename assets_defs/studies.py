"""The studies of this installation, read once, and the partitions they define."""

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


def networks_of_painter() -> dg.StaticPartitionMapping:
    """Which networks stand on which painter's pictures."""
    found: dict[str, set[str]] = {key: set() for key in registry().painters}
    for key, network in registry().networks.items():
        found[network.painter].add(key)
    return dg.StaticPartitionMapping(found)


def experiments_of_model() -> dg.StaticPartitionMapping:
    """Which experiments start from which base model."""
    found: dict[str, set[str]] = {name: set() for name in registry().models}
    for key, experiment in registry().experiments.items():
        found[experiment.model].add(key)
    return dg.StaticPartitionMapping(found)


def experiments_of_subject() -> dg.StaticPartitionMapping:
    """Which experiments are about which person."""
    found: dict[str, set[str]] = {key: set() for key in registry().subjects}
    for key, experiment in registry().experiments.items():
        if experiment.subject is not None:
            found[experiment.subject].add(key)
    return dg.StaticPartitionMapping(found)


def experiments_of_painter() -> dg.StaticPartitionMapping:
    """Which experiments are about which painter."""
    found: dict[str, set[str]] = {key: set() for key in registry().painters}
    for key, experiment in registry().experiments.items():
        if experiment.painter is not None:
            found[experiment.painter].add(key)
    return dg.StaticPartitionMapping(found)


def painters_of_model() -> dg.StaticPartitionMapping:
    """Which painters have pictures that a base model has a hand in."""
    found: dict[str, set[str]] = {name: set() for name in registry().models}
    for key, painter in registry().painters.items():
        for name in painter.models:
            found[name].add(key)
    return dg.StaticPartitionMapping(found)


def networks_of_experiment() -> dg.StaticPartitionMapping:
    """Which networks judge which experiment's pictures."""
    found: dict[str, set[str]] = {key: set() for key in registry().experiments}
    for key, network in registry().networks.items():
        for experiment in registry().painters[network.painter].experiments:
            found[experiment].add(key)
    return dg.StaticPartitionMapping(found)
