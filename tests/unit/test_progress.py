"""Progress: every item passes, and a line now and then says how long it will take."""

import logging

import pytest

from likeness import progress
from likeness.progress import track


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told: ``clock[0] += seconds``."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_items_pass_unchanged_and_as_they_come():
    taken = []
    items = (taken.append(k) or k for k in range(5))
    tracked = track(items, "counting", 5)
    assert taken == []
    assert next(tracked) == 0
    assert taken == [0]
    assert list(tracked) == [1, 2, 3, 4]


def test_nothing_in_gives_nothing_out():
    assert list(track([], "nothing", 0)) == []


def test_a_line_comes_every_five_seconds_with_count_and_time_left(clock, caplog):
    caplog.set_level(logging.INFO, "likeness")
    for _ in track(range(10), "painting", 10):
        clock[0] += 2.0
    # 2 s each: a line behind the 3rd (6 s), the 6th and the 9th
    assert lines(caplog) == [
        "painting: 3 of 10, about 14 s left",
        "painting: 6 of 10, about 8 s left",
        "painting: 9 of 10, about 2 s left",
    ]


def test_quick_work_is_silent(clock, caplog):
    caplog.set_level(logging.INFO, "likeness")
    for _ in track(range(100), "quick", 100):
        clock[0] += 0.01
    assert lines(caplog) == []
