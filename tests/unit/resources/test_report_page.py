"""What the report leaves out of its tables."""

import pandas as pd

from resources.report.page import filled


def test_a_column_in_which_nothing_stands_is_left_out_and_zeros_are_not():
    table = pd.DataFrame({"share": [0, 0], "published": ["", ""], "note": ["", "one"]})
    assert list(filled(table).columns) == ["share", "note"]
