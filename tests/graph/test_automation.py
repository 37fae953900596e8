"""Assets follow bytes and code, once, and leave alone what never was or what has failed twice."""

from contextlib import contextmanager

import dagster as dg
import pytest

from pipelines.automation import automated, follow
from pipelines.definitions import build_defs
from resources.settings import Settings

DEFS = build_defs()
PARTS = dg.StaticPartitionsDefinition(["a", "b"])
CONTENT = {"a": "1", "b": "1"}
BROKEN: set[str] = set()


def graph(code="1"):
    """A raw asset whose bytes are ``CONTENT``, and one that follows it."""

    @dg.asset(key=["people", "raw"], group_name="people", partitions_def=PARTS)
    def raw(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(data_version=dg.DataVersion(CONTENT[context.partition_key]))

    @dg.asset(
        key=["people", "photos"],
        group_name="people",
        deps=[raw],
        partitions_def=PARTS,
        code_version=code,
    )
    def photos(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        if context.partition_key in BROKEN:
            raise dg.Failure(description="broken")
        return dg.MaterializeResult(data_version=dg.DataVersion(CONTENT[context.partition_key]))

    @dg.asset(key=["report", "page"], group_name="report", deps=[photos])
    def page() -> dg.MaterializeResult:
        if "page" in BROKEN:
            raise dg.Failure(description="broken")
        return dg.MaterializeResult(data_version=dg.DataVersion(str(CONTENT)))

    return automated([raw, photos, page], 0)


class Flow:
    """Two assets, an instance, and the ticks of a sensor over them."""

    def __init__(self, instance):
        self.instance, self.cursor, self.assets = instance, None, graph()

    def make(self, name, *parts):
        chosen = [asset for asset in self.assets if asset.key.path[-1] == name]
        for part in parts:
            dg.materialize(
                self.assets,
                selection=chosen,
                partition_key=part or None,
                instance=self.instance,
                raise_on_error=False,
            )

    def page(self, ticks=2):
        """Whether a tick asks for the page, which has no partitions."""
        key = dg.AssetKey(["report", "page"])
        return any(self.tick().get_num_requested(key) for _ in range(ticks))

    @contextmanager
    def going(self, name):
        """While a run of the asset is planned and has not ended."""
        job = dg.Definitions(
            assets=self.assets,
            jobs=[dg.define_asset_job("one", dg.AssetSelection.assets(["report", name]))],
        )
        made = self.instance.create_run_for_job(
            job.resolve_job_def("one"), status=dg.DagsterRunStatus.STARTED
        )
        yield
        self.instance.report_run_failed(made)

    def tick(self):
        defs = dg.Definitions(assets=self.assets)
        result = dg.evaluate_automation_conditions(defs, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return result

    def asked(self):
        """Partitions that one tick asks for; another comes before it, in which changes settle."""
        found = set()
        for _ in range(2):
            found |= self.tick().get_requested_partitions(dg.AssetKey(["people", "photos"]))
        return found


@pytest.fixture
def flow():
    CONTENT.update(a="1", b="1")
    BROKEN.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Flow(instance)


def test_what_was_never_made_is_not_begun(flow):
    flow.make("raw", "a", "b")
    assert flow.asked() == set()


def test_new_bytes_are_followed_once_and_the_same_bytes_again_are_not(flow):
    flow.make("raw", "a", "b")
    flow.make("photos", "a", "b")
    assert flow.asked() == set()
    flow.make("raw", "a")
    assert flow.asked() == set()
    CONTENT["a"] = "2"
    flow.make("raw", "a", "b")
    assert flow.asked() == {"a"}
    flow.make("photos", "a")
    assert flow.asked() == set()


def test_new_code_is_followed_where_it_made_something(flow):
    flow.make("raw", "a", "b")
    flow.make("photos", "a")
    assert flow.asked() == set()
    flow.assets = graph("2")
    assert flow.asked() == {"a"}


def test_a_failed_run_is_left_alone_until_something_changes(flow):
    flow.make("raw", "a")
    flow.make("photos", "a")
    assert flow.asked() == set()
    CONTENT["a"] = "2"
    flow.make("raw", "a")
    assert flow.asked() == {"a"}
    BROKEN.add("a")
    flow.make("photos", "a")
    assert flow.asked() == set()
    assert flow.asked() == set()
    BROKEN.clear()
    CONTENT["a"] = "3"
    flow.make("raw", "a")
    assert flow.asked() == {"a"}
    flow.make("photos", "a")
    assert flow.asked() == set()


def test_what_has_no_partitions_is_left_alone_too_though_a_tick_sees_it_run(flow):
    for part in "ab":
        flow.make("raw", part)
        flow.make("photos", part)
    flow.make("page", "")
    assert not flow.page()
    CONTENT["a"] = "2"
    flow.make("raw", "a")
    assert flow.asked() == {"a"}
    flow.make("photos", "a")
    assert flow.page()
    BROKEN.add("page")
    for _ in range(3):
        with flow.going("page"):
            assert not flow.page()
        flow.make("page", "")
        assert not flow.page()
    BROKEN.clear()
    CONTENT["b"] = "2"
    flow.make("raw", "b")
    assert flow.asked() == {"b"}
    flow.make("photos", "b")
    assert flow.page()


def conditions(defs):
    graph = defs.resolve_asset_graph()
    return {node.key.to_user_string(): node.automation_condition for node in graph.asset_nodes}


def test_all_that_has_inputs_follows_them_but_for_the_small_world():
    found = conditions(DEFS)
    graph = DEFS.resolve_asset_graph()
    follows = {key for key, condition in found.items() if condition is not None}
    assert follows == {
        node.key.to_user_string()
        for node in graph.asset_nodes
        if node.parent_keys and node.group_name != "world"
    }
    assert {"people/raw_photos", "models/base", "world/base"} <= found.keys() - follows


def test_everything_that_could_start_by_itself_is_off():
    assert {one.default_status for one in DEFS.sensors} == {dg.DefaultSensorStatus.STOPPED}
    assert {one.default_status for one in DEFS.schedules} == {dg.DefaultScheduleStatus.STOPPED}


def test_every_condition_has_one_switch():
    graph = DEFS.resolve_asset_graph()
    switches = [
        one for one in DEFS.sensors if isinstance(one, dg.AutomationConditionSensorDefinition)
    ]
    targets = [one.asset_selection.resolve(graph) for one in switches]
    assert not targets[0] & targets[1]
    followed = {k for k, condition in conditions(DEFS).items() if condition is not None}
    assert followed <= {key.to_user_string() for target in targets for key in target}
    repository = DEFS.get_repository_def()
    assert {one.name for one in repository.sensor_defs} == {one.name for one in DEFS.sensors}


def test_the_report_grows_old_only_where_a_setting_says_so():
    def policies(defs):
        graph = defs.resolve_asset_graph()
        found = {node.key.to_user_string(): node.freshness_policy for node in graph.asset_nodes}
        return {key: policy for key, policy in found.items() if policy is not None}

    assert policies(DEFS) == {}
    found = policies(build_defs(settings=Settings(fresh_hours=36)))
    assert set(found) == {"report/summaries", "report/gallery"}
    assert {policy.fail_window.to_timedelta().total_seconds() for policy in found.values()} == {
        36 * 3600
    }


def test_the_condition_has_a_name_for_the_ui():
    assert follow().get_label() == "follow"
