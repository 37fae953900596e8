import errno

import pytest
import typer
from pydantic import BaseModel

from pipelines.console import readable
from resources.settings import Settings


class Plan(BaseModel):
    steps: int


@pytest.mark.parametrize(
    ("ask", "told", "of_settings"),
    [
        (lambda: Settings(cache_gb=-1), "CACHE_GB: ", True),
        (lambda: Plan(steps="many"), "Plan, steps: ", False),
    ],
)
def test_only_a_wrong_setting_sends_to_the_environment(capsys, ask, told, of_settings):
    with pytest.raises(typer.Exit), readable():
        ask()
    said = capsys.readouterr().out
    assert told in said
    assert ("set the environment or .env right" in said) == of_settings


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/out"), "/out cannot be written"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "the memory of this machine"),
    ],
)
def test_a_machine_that_lacks_something_says_so_in_a_sentence(capsys, error, sentence):
    def fail():
        raise error

    with pytest.raises(typer.Exit) as exit, readable():
        fail()
    assert exit.value.exit_code == 2
    assert sentence in capsys.readouterr().out


def test_what_nobody_foresaw_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), readable():
        print(1 / 0)
