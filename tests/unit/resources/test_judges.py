import pandas as pd

from resources.judges import trusted


def network(name, architecture="tiles", rounds="split", study="s"):
    row = {"study": study, "network": name, "painter": "p", "architecture": architecture}
    return row | {"rounds": rounds, "color": "gray"}


def verdicts(name, image_set, right, n=10, study="s"):
    rows = pd.DataFrame({"image_id": [f"{image_set}{k}" for k in range(n)]})
    predicted = [int(k < right) for k in range(n)]
    named = {"study": study, "network": name, "image_set": image_set, "truth": 1}
    return rows.assign(**named, predicted=predicted, confidence=right / n, straddles=False)


def test_test_pictures_decide_where_there_are_some_and_each_is_beside_its_own_probe():
    networks = pd.DataFrame(
        [
            *(network("net"), network("probe", "probe"), network("none"), network("valid")),
            *(network("folds", rounds="folds"), network("net", study="other")),
        ]
    )
    judged = pd.concat(
        [
            # on validation it would not count
            verdicts("net", "valid", 2),
            verdicts("net", "test", 9),
            verdicts("probe", "test", 2),
            verdicts("probe", "valid", 10),
            verdicts("valid", "valid", 9),
            verdicts("folds", "folds", 9),
            verdicts("net", "test", 9, study="other"),
            verdicts("net", "TISD", 0).assign(truth=None),
        ]
    ).astype({"truth": "Int64"})
    found = trusted(networks, judged).set_index(["study", "network"])
    assert found["counts"].fillna("").to_dict() == {
        ("s", "net"): "yes",
        ("s", "probe"): "no: it is the probe, and sees no painting",
        ("s", "none"): "",
        ("s", "valid"): "no: not surely better than the probe (p = 1)",
        ("s", "folds"): "no: no probe of the same pictures",
        ("other", "net"): "no: no probe of the same pictures",
    }
    assert found.loc[("s", "net"), "probe_p"] == 2 / 2**7
    assert found["calibration_error"].isna().sum() == 1


def test_what_may_be_known_by_heart_beats_no_probe():
    networks = pd.DataFrame([network("net"), network("probe", "probe")])
    judged = pd.concat([verdicts("net", "valid", 9), verdicts("probe", "valid", 2)])
    judged = judged.astype({"truth": "Int64"})
    assert trusted(networks, judged)["counts"][0] == "yes"
    # of five that it alone has right near duplicates were learned
    judged["straddles"] = judged["image_id"].isin([f"valid{k}" for k in range(4, 9)])
    assert trusted(networks, judged)["counts"][0].startswith("no: ")
    assert trusted(networks, judged)["probe_p"][0] == 2 / 2**2


def test_who_sees_colour_is_not_held_against_a_probe_that_does_not():
    networks = pd.DataFrame([network("net", "mobilenet"), network("probe", "probe")])
    judged = pd.concat([verdicts("net", "test", 9), verdicts("probe", "test", 2)])
    judged = judged.astype({"truth": "Int64"})
    assert trusted(networks, judged)["counts"][0] == "yes"
    found = trusted(networks.assign(color="color"), judged)["counts"]
    assert found[0] == "no: sees colour, which the probe does not"


def test_without_verdicts_nothing_is_known():
    found = trusted(pd.DataFrame([network("net")]), pd.DataFrame())
    assert found["counts"].isna().all()
