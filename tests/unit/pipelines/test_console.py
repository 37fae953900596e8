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
