"""The whole graph as one snapshot: whoever changes it sees what has changed (make snapshot)."""

from assets_defs.studies import PARTITIONS
from pipelines.definitions import defs

GRAPH = defs.resolve_asset_graph()


def described(node):
    """What makes an asset what it is, but for its texts."""
    return {
        "deps": sorted(key.to_user_string() for key in node.parent_keys),
        "group": node.group_name,
        "kinds": sorted(node.kinds),
        "owners": sorted(node.owners),
        "partitions": [name for name, one in PARTITIONS.items() if one == node.partitions_def],
        "pools": sorted(node.pools),
        "has_code_version": node.code_version is not None,
        "checks": sorted(
            key.name + (" (blocking)" if GRAPH.get(key).blocking else "") for key in node.check_keys
        ),
    }


def test_assets_with_their_edges_and_checks_are_as_agreed_on(snapshot):
    assert {node.key.to_user_string(): described(node) for node in GRAPH.asset_nodes} == snapshot


def test_jobs_and_what_they_materialize_are_as_agreed_on(snapshot):
    jobs = [defs.resolve_job_def(job.name) for job in defs.jobs]
    made = {
        job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in jobs
    }
    assert made == snapshot


def test_what_runs_by_itself_is_as_agreed_on(snapshot):
    found = {one.name: one.cron_schedule for one in defs.schedules}
    found |= {
        one.name: sorted(getattr(target, "job_name", "") for target in one.targets)
        for one in defs.sensors
    }
    assert found == snapshot
