import pytest

from likeness.world.reader.read import Found, Reading, agreement

READING = Reading(
    {"glasses": "yes", "beard": "no", "place": "sea", "thing_kind": "dog", "role": "none"},
    36.0,
    [Found("ball", (0, 0, 5, 5), 0.8)],
)


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ((30.0, 40.0), True),
        ((41.0, 50.0), True),  # five years of margin
        ((41.1, 50.0), False),
        ((20.0, 31.0), True),
        ((20.0, 30.9), False),
    ],
)
def test_ages_are_ranges_with_a_margin(asked, right):
    assert agreement(READING, {"age": asked}) == {"age": right}


def test_claims_are_compared_word_by_word():
    said = {"glasses": True, "beard": True, "place": "sea", "role": None, "name": "zarin"}
    assert agreement(READING, said) == {
        "glasses": True,
        "beard": False,
        "place": True,
        "role": True,
    }


@pytest.mark.parametrize(("kind", "right"), [("dog", True), ("ball", True), ("cat", False)])
def test_a_thing_agrees_where_ever_it_is_found(kind, right):
    assert agreement(READING, {"thing_kind": kind}) == {"thing_kind": right}
