"""What edits begin with; a module with other needs has fixtures of its own by these names."""

import fitted
import pytest

from likeness.edit.start import from_seed


@pytest.fixture(params=["epsilon", "v_prediction"])
def either(pipe, request, monkeypatch):
    """The pipeline, its network taken for one that predicts this."""
    from diffusers import DDIMScheduler

    other = DDIMScheduler.from_config(pipe.scheduler.config, prediction_type=request.param)
    monkeypatch.setattr(pipe, "scheduler", other)
    return pipe


@pytest.fixture(scope="module")
def pictures():
    return fitted.smooth()


@pytest.fixture
def starts(pipe):
    return [from_seed(pipe, seed) for seed in (3, 4, 5)]
