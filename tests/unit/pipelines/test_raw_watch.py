"""A batch is taken in when it is whole, once, and again when something has changed."""

import os

from likeness.studies.load import Registry
from likeness.studies.schema import Study
from pipelines.raw_watch import Cursor, finished, state_of, watched

ME = ("people_job", "me")


class Sensor:
    """Ticks over one state at times of our choosing."""

    def __init__(self):
        self.cursor, self.asked = Cursor(), []

    def tick(self, now, state):
        due, cursor = finished({ME: state}, self.cursor, now, 60)
        self.cursor = Cursor.model_validate_json(cursor.model_dump_json())
        self.asked += [one.run_key for one in due]
        return len(due)


def test_a_folder_that_still_changes_waits_and_one_at_rest_is_asked_for_once():
    sensor = Sensor()
    assert [sensor.tick(now, state) for now, state in ((0, "a"), (50, "b"), (70, "b"))] == [0, 0, 0]
    assert [sensor.tick(now, "b") for now in (110, 111, 10_000)] == [1, 0, 0]


def test_a_clock_that_is_set_back_has_a_batch_wait_its_time_and_not_for_hours():
    sensor = Sensor()
    assert [sensor.tick(now, "a") for now in (10_000, 5000, 5059, 5060, 5061)] == [0, 0, 0, 1, 0]


def test_a_clock_that_jumps_forward_asks_early_and_once_more_for_what_still_comes():
    sensor = Sensor()
    assert [sensor.tick(now, "half") for now in (0, 9000, 9001)] == [0, 1, 0]
    assert [sensor.tick(now, "whole") for now in (9030, 9090, 9091)] == [0, 1, 0]
    assert len(set(sensor.asked)) == 2


def test_an_empty_folder_is_no_batch():
    sensor = Sensor()
    assert [sensor.tick(now, "") for now in (0, 100)] == [0, 0]


def test_a_batch_that_is_taken_away_again_is_a_new_state_with_a_run_of_its_own():
    sensor = Sensor()
    for start, state in ((0, "a"), (1000, "b"), (2000, "a"), (3000, "b")):
        assert [sensor.tick(start + later, state) for later in (0, 60, 120)] == [0, 1, 0]
    assert len(set(sensor.asked)) == 4


def test_a_tick_whose_cursor_was_lost_asks_under_the_same_key():
    sensor = Sensor()
    sensor.tick(0, "a")
    before = sensor.cursor
    sensor.tick(60, "a")
    sensor.cursor = before
    sensor.tick(130, "a")
    assert len(sensor.asked) == 2
    assert len(set(sensor.asked)) == 1


def test_a_state_is_names_sizes_and_times(tmp_path):
    folder = tmp_path / "me"
    assert state_of([folder]) == ""
    (folder / "deep").mkdir(parents=True)
    assert state_of([folder]) == ""
    (folder / "deep" / "a.jpg").write_bytes(b"12")
    os.utime(folder / "deep" / "a.jpg", (1, 1))
    states = [state_of([folder])]
    (folder / "deep" / "a.jpg").write_bytes(b"123")
    os.utime(folder / "deep" / "a.jpg", (1, 1))
    states.append(state_of([folder]))
    os.utime(folder / "deep" / "a.jpg", (2, 2))
    states.append(state_of([folder]))
    (folder / "deep" / "a.jpg").rename(folder / "b.jpg")
    states.append(state_of([folder]))
    assert len(set(states)) == 4
    assert state_of([folder]) == states[-1]
    # what a system leaves behind is nobody's photo
    (folder / "Thumbs.db").write_bytes(b"1")
    (folder / ".b.jpg.part").write_bytes(b"1")
    assert state_of([folder]) == states[-1]
    os.symlink(folder / "nowhere", folder / "c.jpg")
    assert state_of([folder]) == states[-1]


def test_only_those_whose_pictures_are_files_are_watched(tmp_path):
    painted = {"name": "n", "paint": {"hand": "master", "count": 3}}
    read = {"name": "n", "folders": ["x/0"]}
    study = Study.model_validate(
        {
            "name": "mine",
            "title": "Mine",
            "subjects": {
                "me": {"title": "me", "folder": "me", "faces": {"backend": "small"}},
                "small": {"title": "small", "album": {"person": 4, "photos": 30}},
            },
            "painters": {
                "hand": {"title": "h", "classes": {0: painted, 1: painted}},
                "files": {
                    "title": "f",
                    "classes": {0: read, 1: read | {"folders": ["x/1", "y"]}},
                    "tests": {"T": read | {"folders": ["t"]}},
                },
            },
        }
    )
    found = watched(Registry(studies={"mine": study}), tmp_path)
    assert [(one.job, one.key) for one in found] == [ME, ("painters_job", "files")]
    names = [[str(folder.relative_to(tmp_path)) for folder in one.folders] for one in found]
    assert names == [["me"], ["x/0", "x/1", "y", "t"]]
