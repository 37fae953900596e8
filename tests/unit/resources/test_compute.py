"""Work in this process; tests/integration/test_processes.py has the same in processes of its own."""

import pytest
from small_tasks import job

from likeness.errors import BadInput
from resources.compute import Compute, TaskFailed


@pytest.fixture
def compute(tmp_path):
    return Compute(backend="inline", lease_folder=tmp_path / "locks")


def test_work_writes_its_folder_and_returns_its_summary_and_cost(compute, tmp_path):
    done = compute.run(job(tmp_path, "write", 57))
    assert (tmp_path / "output" / "number.txt").read_text() == "5"
    assert done.summary == {"double": 114}
    assert done.seconds >= 0
    assert done.peak_memory_mb > 10
    assert done.gpu_seconds == 0


def test_bad_input_is_passed_on_as_its_own_sentence(compute, tmp_path):
    with pytest.raises(BadInput, match=r"^number 57 is not liked: take another — ‘7’$"):
        compute.run(job(tmp_path, "complain"))


def test_a_bug_is_a_failed_task_that_shows_where(compute, tmp_path):
    with pytest.raises(TaskFailed, match=r"(?s)small_tasks\.py.*ZeroDivisionError"):
        compute.run(job(tmp_path, "crash"))


def test_parameters_outside_their_bounds_never_reach_the_work(compute, tmp_path):
    with pytest.raises(TaskFailed, match="greater than or equal to 0"):
        compute.run(job(tmp_path, "write", -1))
    assert list((tmp_path / "output").iterdir()) == []


@pytest.mark.parametrize("function", ["no_such_module:f", "small_tasks:no_such_function"])
def test_a_function_that_is_not_there_is_named(compute, tmp_path, function):
    missing = job(tmp_path, "write").model_copy(update={"function": function})
    with pytest.raises(TaskFailed, match="no_such"):
        compute.run(missing)
