"""Old runs go, with all that they wrote; never one that an asset page shows, or that still goes."""

import time

import dagster as dg
import pytest
import small_tasks

from pipelines.old_runs import DAY, find_old_runs, remove_runs
from pipelines.upkeep import maintenance_job

PARTS = dg.StaticPartitionsDefinition(["a", "b"])
BROKEN: set[str] = set()


@dg.asset(partitions_def=PARTS)
def photos(context: dg.AssetExecutionContext) -> None:
    if context.partition_key in BROKEN:
        raise dg.Failure(description="broken")
    print("a line of the step")


@dg.asset
def page() -> None:
    pass


@pytest.fixture
def instance(tmp_path):
    BROKEN.clear()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def run(instance, asset, part=None):
    done = dg.materialize([asset], instance=instance, partition_key=part, raise_on_error=False)
    return done.run_id


def late(days=100.0):
    return time.time() + days * DAY


def test_only_what_was_made_anew_since_may_go(instance, tmp_path):
    first = {part: run(instance, photos, part) for part in ("a", "b")}
    pages = [run(instance, page) for _ in range(2)]
    second = run(instance, photos, "a")
    going = instance.create_run_for_job(maintenance_job, status=dg.DagsterRunStatus.STARTED)
    assert find_old_runs(instance, 90) == ([], [])
    old = find_old_runs(instance, 90, late())
    assert set(old.unneeded) == {first["a"], pages[0]}
    assert set(old.needed) == {first["b"], pages[1], second}

    traces = [path for path in tmp_path.rglob("*") if first["a"] in path.name]
    assert traces
    remove_runs(instance, old.unneeded)
    assert not any(path.exists() for path in traces)
    assert {one.run_id for one in instance.get_runs()} == {*old.needed, going.run_id}
    key = dg.AssetKey("photos")
    assert instance.get_materialized_partitions(key) == {"a", "b"}
    found = instance.fetch_materializations(key, limit=9).records
    assert {one.run_id for one in found} == {first["b"], second}
    assert instance.get_latest_materialization_event(dg.AssetKey("page")).run_id == pages[1]
    assert find_old_runs(instance, 90, late()).unneeded == []


def test_the_last_failure_of_a_partition_and_what_it_could_not_replace_stay(instance):
    made = run(instance, photos, "a")
    BROKEN.add("a")
    failures = [run(instance, photos, "a") for _ in range(2)]
    old = find_old_runs(instance, 90, late())
    assert (old.unneeded, set(old.needed)) == ([failures[0]], {made, failures[1]})


def test_maintenance_counts_first_and_removes_when_told_to(instance, tmp_path):
    runs = [run(instance, page) for _ in range(3)]

    def maintained(**config):
        done = maintenance_job.execute_in_process(
            run_config={"ops": {"prune_runs": {"config": config}}},
            resources={"artifacts": small_tasks.artifacts(tmp_path / "store", "inline")},
            instance=instance,
        )
        (output,) = done.filter_events(
            lambda event: event.is_successful_output and event.step_key == "prune_runs"
        )
        said = output.step_output_data.metadata
        return {name: value.value for name, value in said.items()}

    assert maintained() == {"runs": 0, "old_and_needed": 0, "removed": False}
    assert maintained(older_than_days=0) == {"runs": 3, "old_and_needed": 1, "removed": False}
    assert {one.run_id for one in instance.get_runs()} >= set(runs)
    # both runs of maintenance have ended since, and made nothing
    told = maintained(older_than_days=0, delete=True)
    assert told == {"runs": 4, "old_and_needed": 1, "removed": True}
    (left,) = [one for one in instance.get_runs() if one.job_name != "maintenance_job"]
    assert left.run_id == runs[-1]
