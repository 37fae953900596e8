import dagster as dg
import pytest
import small_tasks
from typer.testing import CliRunner

from likeness.models.checksums import write_sums
from pipelines import world_cli
from resources.step import Step


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """An empty place for the package's models."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setattr("likeness.world.ship.WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def run(*words):
    return CliRunner().invoke(world_cli.app, list(words))


def test_without_models_there_is_nothing_to_measure(weights):
    done = run("report")
    assert done.exit_code == 2
    assert "base, face, reader of the small world are not there: run make world" in done.output


def test_only_what_came_through_is_put_into_the_package(weights, tmp_path, monkeypatch):
    artifacts = small_tasks.artifacts(tmp_path / "state", "inline")
    for name in ("clip", "face"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text(f"an older {name}")
        write_sums(tmp_path / name)
        step = Step(asset=f"world/{name}", function="resources.task:call", libraries=())
        artifacts.adopt(artifacts.keep(step, None, tmp_path / name, {}))
    (weights / "face").mkdir()
    (weights / "face" / "model.safetensors").write_text("a newer face")
    write_sums(weights / "face")
    (weights / "base").mkdir()  # not whole: nobody has written its sums
    monkeypatch.setattr("pipelines.definitions.artifacts_of", lambda settings: artifacts)
    monkeypatch.setattr("pipelines.definitions.build_defs", lambda artifacts: None)
    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)
    failed = (["clip"], ["world/face: no room"])
    monkeypatch.setattr("pipelines.driver.run_world", lambda *args: failed)
    done = run("make")
    assert done.exit_code == 1, done.output
    assert (weights / "face" / "model.safetensors").read_text() == "a newer face"
    assert (weights / "clip" / "model.safetensors").read_text() == "an older clip"
    assert "failed: world/face: no room" in done.output
    assert "not measured before base, reader are in the package too: make world" in done.output
    assert world_cli.shipped_models(weights) == ["clip", "face"]
