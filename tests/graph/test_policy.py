"""What every asset owes to whoever meets it in the UI."""

import pytest

from assets_defs.studies import experiments_of_model, networks_of_painter, registry
from pipelines.definitions import defs

GRAPH = defs.resolve_asset_graph()
NODES = sorted(GRAPH.asset_nodes, key=lambda node: node.key)
# Jobs of upkeep have no assets.
RESOLVED = [defs.resolve_job_def(job.name) for job in defs.jobs]
JOBS = [job for job in RESOLVED if job.asset_layer.executable_asset_keys]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.key.to_user_string())
def test_an_asset_says_what_it_is_whose_it_is_and_where_it_belongs(node):
    assert len(node.description) > 40
    assert node.owners
    assert node.kinds
    assert node.code_version
    assert node.group_name == node.key.path[0]


def test_costly_assets_wait_for_the_gpu_and_are_tried_again():
    costly = [node for node in NODES if node.tags.get("cost") == "gpu"]
    assert len(costly) >= 2
    for node in costly:
        assert node.pools == {"gpu"}
        assert node.assets_def.op.retry_policy.max_retries >= 1


def test_every_stage_before_the_report_has_a_gate_that_stops_the_flow():
    gated = {key.asset_key.path[0] for key in GRAPH.asset_check_keys if GRAPH.get(key).blocking}
    assert gated == GRAPH.all_group_names - {"report"}


def test_every_check_says_what_it_checks():
    for key in GRAPH.asset_check_keys:
        assert len(GRAPH.get_check_spec(key).description) > 20
        assert key.name.startswith(f"{key.asset_key.path[0]}__")


def test_every_asset_is_in_one_job_and_every_job_has_one_partition_definition():
    of_jobs = [job.asset_layer.executable_asset_keys for job in JOBS]
    assert sorted(key for keys in of_jobs for key in keys) == [node.key for node in NODES]
    for keys in of_jobs:
        assert len({GRAPH.get(key).partitions_def for key in keys}) == 1


def test_a_painter_is_upstream_of_the_networks_that_learn_it_and_of_no_other():
    mapping = networks_of_painter().downstream_partition_keys_by_upstream_partition_key
    pairs = {(network, painter) for painter, found in mapping.items() for network in found}
    assert pairs == {(key, network.painter) for key, network in registry().networks.items()}
    assert set(mapping) == set(registry().painters)


def test_a_base_model_is_upstream_of_the_experiments_that_start_from_it_and_of_no_other():
    mapping = experiments_of_model().downstream_partition_keys_by_upstream_partition_key
    pairs = {(experiment, model) for model, found in mapping.items() for experiment in found}
    assert pairs == {(key, one.model) for key, one in registry().experiments.items()}
    assert set(mapping) == set(registry().models)


def test_the_jobs_of_costly_assets_end_when_they_hang():
    costly = {node.key for node in NODES if node.tags.get("cost") == "gpu"}
    for job in JOBS:
        limited = int(job.run_tags.get("dagster/max_runtime", 0)) >= 3600
        assert limited == bool(costly & set(job.asset_layer.executable_asset_keys)), job.name


def test_what_runs_by_itself_says_what_it_does():
    for one in (*RESOLVED, *defs.sensors, *defs.schedules):
        assert len(one.description) > 20, one.name
