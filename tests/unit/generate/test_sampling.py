import pytest
from pydantic import ValidationError

from likeness.generate.sample import Sampling


@pytest.mark.parametrize("steps", [10, 20, 25, 30, 50, 100, 125, 200, 250, 500])
def test_schedules_that_begin_in_noise_are_taken(steps):
    from likeness.world.learn.architecture import new_scheduler

    assert Sampling(num_inference_steps=steps).num_inference_steps == steps
    scheduler = new_scheduler()
    scheduler.set_timesteps(steps)
    assert scheduler.timesteps[0] == (steps - 1) * (1000 // steps) + 1 >= 900


@pytest.mark.parametrize(("steps", "first"), [(1, 1), (9, 889), (300, 898), (400, 799)])
def test_schedules_that_begin_in_the_middle_are_refused_with_good_ones(steps, first):
    sentence = f"{steps} steps begin at timestep {first} of 1000, .* take 10, 20, 25, 50, 100"
    with pytest.raises(ValidationError, match=sentence):
        Sampling(num_inference_steps=steps)


@pytest.mark.parametrize("steps", [0, 501])
def test_numbers_of_steps_have_bounds(steps):
    with pytest.raises(ValidationError, match="num_inference_steps"):
        Sampling(num_inference_steps=steps)
