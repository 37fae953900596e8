"""What a test needs of its machine."""

import os
from typing import NoReturn

import pytest


def lacking(sentence: str) -> NoReturn:
    """Leave a test out where a person runs them; in CI nothing is left out unnoticed."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(sentence)
    raise AssertionError("both of them raise")
