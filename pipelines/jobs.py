"""One job per partition definition (Dagster refuses a job over two), and one for the report."""

from typing import Any

import dagster as dg

GROUPS = {
    "painters_job": ("painters", "From a painter's raw files to classes and splits."),
    "networks_job": ("classifier", "Train one judge and hear its verdicts."),
    "report_job": ("report", "Rebuild the warehouse and the page."),
}


def jobs() -> list[Any]:
    """A job for each group of assets that shares its partitions."""
    return [
        dg.define_asset_job(name, selection=dg.AssetSelection.groups(group), description=text)
        for name, (group, text) in GROUPS.items()
    ]
