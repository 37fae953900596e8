from types import SimpleNamespace

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException

from likeness.studies.load import Keys
from pipelines import driver


def test_models_are_looked_for_before_anything_costs_time(monkeypatch):
    keys = Keys(subjects=["s"], painters=["p"], networks=["n"], models=["m"], experiments=["e"])
    monkeypatch.setattr(driver, "registry", lambda: SimpleNamespace(keys_of=lambda study: keys))
    assert driver.plan("any") == [
        ("models_job", "m"),
        ("people_job", "s"),
        ("painters_job", "p"),
        ("experiments_job", "e"),
        ("networks_job", "n"),
        ("report_job", None),
    ]


def test_a_database_that_was_away_is_named_as_the_reason():
    @dg.asset(key=["world", "clip"])
    def clip():
        try:
            raise DagsterPostgresException("too many retries for DB connection")
        except DagsterPostgresException as error:
            raise RuntimeError("the log could not be written") from error

    definitions = dg.Definitions(
        assets=[clip], jobs=[dg.define_asset_job("world_job", selection=dg.AssetSelection.all())]
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = driver.run_world(["clip"], definitions, instance, lambda text: None)
    assert found == ([], [f"world/clip: {driver.NO_DATABASE}"])


def test_what_came_through_is_told_from_what_failed():
    @dg.asset(key=["world", "clip"])
    def clip():
        raise dg.Failure(description="no room", allow_retries=False)

    @dg.asset(key=["world", "face"])
    def face():
        return None

    definitions = dg.Definitions(
        assets=[clip, face],
        jobs=[dg.define_asset_job("world_job", selection=dg.AssetSelection.all())],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = driver.run_world(["clip", "face"], definitions, instance, lambda text: None)
    assert found == (["face"], ["world/clip: no room"])
