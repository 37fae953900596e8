"""Which judges' verdicts count, for the table of networks."""

import pandas as pd

from likeness.classify.trust import trust

PROBE = "probe"
# The first of these that a judge has answers for; folds are networks of their own.
PARTS = ("test", "valid", "folds")
COLUMNS = {"calibration_error": "Float64", "probe_p": "Float64", "counts": "string"}


def trusted(networks: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The networks, with ``calibration_error``, ``probe_p`` and ``counts``; NULL without verdicts.

    A network is compared with the shortcut probes of its study, painter and rounds
    (``likeness.classify.trust``).
    """
    rows = [_row(one, networks, verdicts) for _, one in networks.iterrows()]
    more = pd.DataFrame(rows, index=networks.index, columns=list(COLUMNS)).astype(COLUMNS)
    return networks.join(more)


def _row(one: "pd.Series", networks: pd.DataFrame, verdicts: pd.DataFrame) -> dict[str, object]:
    mine = _of(one, verdicts)
    part = next((part for part in PARTS if (mine["image_set"] == part).any()), None)
    if part is None:
        return {}
    alike = networks
    for field in ("study", "painter", "rounds"):
        alike = alike[alike[field] == one[field]]
    probes = [
        rows[rows["image_set"] == part]
        for _, probe in alike[alike["architecture"] == PROBE].iterrows()
        if len(rows := _of(probe, verdicts))
    ]
    # tiles and the probe see luma alone
    colour = one["color"] == "color" and one["architecture"] not in ("tiles", PROBE)
    found = trust(mine[mine["image_set"] == part], probes, sees_colour=colour)
    if one["architecture"] == PROBE:
        return {
            "calibration_error": found.calibration_error,
            "counts": "no: it is the probe, and sees no painting",
        }
    return {
        "calibration_error": found.calibration_error,
        "probe_p": found.p,
        "counts": found.counts,
    }


def _of(one: "pd.Series", verdicts: pd.DataFrame) -> pd.DataFrame:
    """A network's verdicts on pictures whose truth is known, and without twins it learned from."""
    if verdicts.empty:
        return pd.DataFrame(columns=["image_set"])
    mine = (verdicts["study"] == one["study"]) & (verdicts["network"] == one["network"])
    apart = ~verdicts["straddles"].fillna(False).astype(bool)
    return verdicts[mine & verdicts["truth"].notna() & apart]
