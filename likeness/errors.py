"""The one error that is meant to be read by a person."""


class BadInput(Exception):
    """What a user gave cannot be worked with; the message is one sentence: what, where, what to do.

    Raised only when a *whole* step is meaningless. A single bad file or a face that is not found is
    a row with a ``status`` and a ``reason`` instead.
    """
