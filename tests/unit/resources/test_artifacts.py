import tempfile
from pathlib import Path

import pytest
import small_tasks
from small_tasks import NEXT, STEP, Number, Paced

from likeness.errors import BadInput
from resources import step
from resources.compute import TaskFailed


@pytest.fixture(autouse=True)
def _sources(monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", Path(small_tasks.__file__).parent)


@pytest.fixture
def artifacts(tmp_path):
    return small_tasks.artifacts(tmp_path, "inline")


@pytest.fixture
def make(artifacts, tmp_path):
    """Make the number and say whether work was done."""
    calls = tmp_path / "calls"
    calls.mkdir()

    def made(number=1, one=STEP, inputs=None, **options):
        before = len(list(calls.iterdir()))
        result = artifacts.make(
            one, "a", Number(number=number), inputs or {}, located={"calls": calls}, **options
        )
        worked = len(list(calls.iterdir())) - before
        assert worked == (0 if result.hit else 1)
        artifacts.adopt(result)
        return result

    return made


def test_the_same_work_is_done_once(make):
    first, second = make(1), make(1)
    assert (first.hit, second.hit) == (False, True)
    assert second.manifest == first.manifest
    assert second.manifest.summary == {"double": 2}


def test_what_is_made_is_not_current_before_it_is_adopted(artifacts, tmp_path):
    (tmp_path / "calls").mkdir()
    made = artifacts.make(STEP, "a", Number(number=1), {}, located={"calls": tmp_path / "calls"})
    assert artifacts.find_current(STEP.asset, "a") is None
    artifacts.adopt(made)
    assert artifacts.find_current(STEP.asset, "a") == made.manifest


def test_other_parameters_are_other_work_and_the_way_back_is_a_hit(make):
    assert [make(number).hit for number in (1, 2, 1, 2)] == [False, False, True, True]


def test_another_code_version_is_other_work(make):
    edited = STEP.model_copy(update={"version": "2"})
    assert [make(1, one).hit for one in (STEP, edited, STEP)] == [False, False, True]


def test_an_input_made_otherwise_with_the_same_bytes_changes_nothing_downstream(make):
    edited = STEP.model_copy(update={"version": "2"})
    one, two, three = make(1), make(1, edited), make(3)
    fingerprints = {made.manifest.fingerprint for made in (one, two, three)}
    assert len(fingerprints) == 3
    assert one.manifest.content == two.manifest.content == three.manifest.content
    downstream = [make(0, NEXT, {"before": made.manifest}).hit for made in (one, two, three)]
    assert downstream == [False, True, True]


def test_an_input_with_other_bytes_is_other_work_downstream(make):
    one, other = make(1), make(10)
    assert one.manifest.content != other.manifest.content
    downstream = [make(0, NEXT, {"before": made.manifest}) for made in (one, other)]
    assert [made.hit for made in downstream] == [False, False]
    assert downstream[1].manifest.inputs == {"before": other.manifest.content}


def test_recompute_replaces_what_lies_in_the_cache(make, artifacts):
    first = make(1)
    again = make(1, recompute=True)
    assert not again.hit
    assert again.manifest.fingerprint == first.manifest.fingerprint
    assert again.manifest.location != first.manifest.location
    assert artifacts.current(STEP.asset, "a") == again.manifest
    assert make(1).hit


def test_what_is_made_anew_gives_way_to_nothing_that_is_not_there(make, artifacts, monkeypatch):
    first = make(1)

    def full(folder, manifest):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(artifacts.store._backend, "put", full)
        with pytest.raises(OSError, match="No space"):
            make(1, recompute=True)
    assert artifacts.current(STEP.asset, "a") == first.manifest
    assert make(1).hit


def test_the_last_one_asked_for_is_the_current_one(make, artifacts):
    one, _ = make(1), make(2)
    assert artifacts.current(STEP.asset, "a").params == {"number": 2}
    make(1)
    assert artifacts.current(STEP.asset, "a") == one.manifest
    ref = artifacts.store.ref(STEP.asset, "a")
    assert (ref.cache_hit, ref.content) == (True, one.manifest.content)


def test_what_is_not_there_is_asked_for_by_name(artifacts):
    assert artifacts.find_current(STEP.asset, "b") is None
    with pytest.raises(BadInput, match=r"^small/number \[b\] is not there yet: materialise it"):
        artifacts.current(STEP.asset, "b")


def test_a_damaged_artefact_is_set_aside_with_a_sentence_and_made_again(make, artifacts):
    made = make(1)
    (artifacts.fetch(made.manifest) / "number.txt").write_text("9")
    sentence = r"'number\.txt' of the artefact small/number .* materialise small/number again$"
    with pytest.raises(BadInput, match=sentence):
        artifacts.fetch(made.manifest)
    assert artifacts.find_current(STEP.asset, "a") is None
    assert not make(1).hit
    assert (artifacts.fetch(artifacts.current(STEP.asset, "a")) / "number.txt").read_text() == "0"


def test_work_that_fails_leaves_no_artefact_and_no_ref(make, artifacts):
    with pytest.raises(TaskFailed):
        make(1, STEP.model_copy(update={"function": "small_tasks:crash"}))
    assert list(artifacts.store.manifests()) == []
    assert artifacts.store.refs() == []


def test_a_look_at_the_outside_world_is_known_again_by_its_bytes(artifacts, tmp_path):
    def keep(text):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        (folder / "inventory.txt").write_text(text)
        made = artifacts.keep(STEP, "a", folder, {"files": len(text)})
        artifacts.adopt(made)
        return made

    made = [keep("abc"), keep("abcd"), keep("abc")]
    assert [one.hit for one in made] == [False, False, True]
    assert made[2].manifest == made[0].manifest
    assert artifacts.current(STEP.asset, "a") == made[0].manifest


def test_a_hint_reaches_the_work_and_is_not_looked_up_by(artifacts):
    paced = STEP.model_copy(update={"function": "small_tasks:write_at_a_pace"})
    slow, fast = (artifacts.make(paced, "a", Paced(number=1, pace=n), {}) for n in (7, 9))
    assert (slow.hit, fast.hit) == (False, True)
    assert slow.manifest.summary == {"pace": 7}
    assert slow.manifest.params == {"number": 1}


def test_what_is_kept_says_what_it_was_found_in(artifacts, make, tmp_path):
    def keep(**inputs):
        (tmp_path / "found").mkdir(exist_ok=True)
        (tmp_path / "found" / "a.txt").write_text("a")
        return artifacts.keep(STEP, "a", tmp_path / "found", {}, inputs)

    before, other = make(1).manifest, make(10).manifest
    one = keep(before=before)
    assert one.manifest.inputs == {"before": before.content}
    assert [keep(before=before).hit, keep(before=other).hit, keep().hit] == [True, False, False]
