import math

import duckdb
import pandas as pd
import pytest

from likeness.statistics import wilson
from resources.warehouse import build, query

NETWORKS = ["study", "network", "painter", "architecture", "rounds", "equalize"]


def networks(*rows):
    table = pd.DataFrame(rows, columns=NETWORKS)
    # the figures that stand beside ours are those of the study whose painter it is
    return table.assign(home="h", title="t", painted=True, protocol="corrected", weights="none")


def verdicts(network, image_set, *triples):
    """A row per (truth, predicted, straddles)."""
    table = pd.DataFrame(triples, columns=["truth", "predicted", "straddles"])
    names = [f"{network}-{image_set}-{row}" for row in range(len(table))]
    return table.assign(study="s", network=network, image_set=image_set, image_id=names).astype(
        {"truth": "Int64"}
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    file = tmp_path_factory.mktemp("warehouse") / "deep" / "likeness.duckdb"
    judged = [
        # four of five right; the wrong one, and one that is right, have twins in the training
        verdicts(
            "net", "valid", (0, 0, True), (0, 0, False), (0, 1, True), (1, 1, False), (1, 1, False)
        ),
        verdicts("net", "TISD", (None, 1, False), (None, 1, False), (None, 0, False)),
        verdicts("twins", "test", (0, 0, True)),
        verdicts("probe", "valid", *[(0, 0, False)] * 2, *[(1, 0, False)] * 2),
        verdicts("probe2", "valid", *[(0, 0, False)] * 3, (1, 0, False)),
    ]
    build(
        file,
        {
            "networks": networks(
                ("s", "net", "p", "tiles", "split", "none"),
                ("s", "twins", "p", "tiles", "split", "none"),
                ("s", "probe", "p", "probe", "split", "none"),
                ("s", "probe2", "p", "probe", "split", "none"),
                ("s", "by_folds", "p", "tiles", "folds", "none"),
            ),
            "labels": pd.DataFrame(
                {"painter": "p", "label": [0, 1, 2], "name": ["real", "copy", "other"]}
            ),
            "image_sets": pd.DataFrame(
                {"painter": "p", "image_set": ["GONE", "TISD"], "name": "n", "truth": [0, 0]}
            ),
            "verdicts": pd.concat(judged, ignore_index=True),
            "images": pd.DataFrame(),
            "published_rates": pd.DataFrame(
                [
                    {"architecture": "mobilenet", "value": 0.68, "n": 75},
                    {"architecture": "efficientnet_v2l", "value": 0.787, "n": 75},
                ]
            ).assign(study="h", measure="valid"),
            "published_verdicts": pd.DataFrame(
                {
                    "study": "h",
                    "architecture": "efficientnet_b7",
                    "image_set": "TISD",
                    "counts": [[35, 39, 26]],
                }
            ),
            "ledger": pd.DataFrame(
                {
                    "asset": ["a/b", "a/b", "report/gallery"],
                    "fingerprint": ["1", "2", "3"],
                    "seconds": [1.0, 2.0, 3.0],
                    "bytes": 5,
                }
            ),
        },
    )
    return file


def row(warehouse, view, **where):
    clause = " AND ".join(f"{name} = ?" for name in where)
    found = query(warehouse, f"SELECT * FROM {view} WHERE {clause}", list(where.values()))
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 75), (1, 1), (17, 17), (3, 8), (501, 1000)])
def test_the_intervals_of_the_warehouse_are_wilsons(warehouse, k, n):
    low, high = query(warehouse, "SELECT wilson_low(?, ?), wilson_high(?, ?)", [k, n, k, n]).iloc[0]
    assert (low, high) == pytest.approx(wilson(k, n), abs=1e-12)
    # a bound of -1e-17 would be printed as -0.000
    assert math.copysign(1, low) == 1
    assert high <= 1


def test_nothing_has_no_interval(warehouse):
    found = query(
        warehouse, "SELECT wilson_low(0, 0) IS NULL AND wilson_high(0, 0) IS NULL AS none"
    )
    assert found["none"][0]


def test_accuracy_counts_hits_with_and_without_the_pictures_that_have_twins(warehouse):
    found = row(warehouse, "cezanne_accuracy", network="net", measure="valid")
    assert (found.value, found.n) == (0.8, 5)
    assert (found.low, found.high) == pytest.approx(wilson(4, 5))
    assert (found.apart, found.n_apart) == (1.0, 3)


def test_recall_is_the_accuracy_within_one_true_class(warehouse):
    found = row(warehouse, "cezanne_accuracy", network="net", measure="recall_0_valid")
    assert (found.value, found.n, found.apart, found.n_apart) == (pytest.approx(2 / 3), 3, 1.0, 1)


def test_where_every_picture_has_a_twin_there_is_no_figure_without_them(warehouse):
    found = row(warehouse, "cezanne_accuracy", network="twins", measure="test")
    assert (found.value, found.n, found.n_apart) == (1.0, 1, 0)
    assert math.isnan(found.apart)


def test_the_best_probe_of_the_same_pictures_and_the_published_figures_stand_beside(warehouse):
    found = row(warehouse, "cezanne_accuracy", network="net", measure="valid")
    assert found.probe_value == 0.75
    assert (found.published_mobilenet, found.published_efficientnet_v2l) == (0.68, 0.787)
    assert math.isnan(found.published_efficientnet_b7)
    assert found.published_n == 75


def test_pictures_of_unknown_truth_and_unseen_sets_have_no_accuracy(warehouse):
    found = query(warehouse, "SELECT DISTINCT measure FROM cezanne_accuracy ORDER BY measure")
    measures = ["recall_0_test", "recall_0_valid", "recall_1_valid", "test", "valid"]
    assert list(found["measure"]) == measures


def test_verdicts_count_every_class_also_those_never_named(warehouse):
    found = row(warehouse, "cezanne_verdicts", network="net", image_set="TISD")
    assert list(found.counts) == [1, 2, 0]
    assert (found.n, found.share_authentic) == (3, pytest.approx(1 / 3))
    assert (found.low, found.high) == pytest.approx(wilson(1, 3))
    assert list(found.published_efficientnet_b7) == [35, 39, 26]
    assert pd.isna(found.published_mobilenet)


def test_a_set_without_pictures_has_none_and_no_share(warehouse):
    found = row(warehouse, "cezanne_verdicts", network="net", image_set="GONE")
    assert (found.n, list(found.counts)) == (0, [0, 0, 0])
    assert all(math.isnan(found[name]) for name in ("share_authentic", "low", "high"))


def test_only_judges_of_the_split_judge_unseen_sets(warehouse):
    found = query(warehouse, "SELECT DISTINCT network FROM cezanne_verdicts ORDER BY network")
    assert list(found["network"]) == ["net", "probe", "probe2", "twins"]


def test_the_cost_of_an_asset_is_the_sum_over_its_artefacts_and_the_report_is_left_out(warehouse):
    found = query(warehouse, "SELECT asset, artefacts, seconds, bytes FROM cost")
    assert found.to_numpy().tolist() == [["a/b", 2, 3.0, 10]]


def study(name):
    return {"studies": pd.DataFrame([{"study": name, "title": name, "source": ""}])}


def test_a_reader_keeps_the_old_warehouse_while_the_new_one_takes_its_place(tmp_path):
    file = tmp_path / "likeness.duckdb"
    build(file, study("old"))
    with duckdb.connect(str(file), read_only=True) as reader:
        build(file, study("new"))
        assert reader.execute("SELECT study FROM studies").fetchall() == [("old",)]
    assert list(query(file, "SELECT study FROM studies")["study"]) == ["new"]


def test_a_build_that_fails_leaves_the_old_warehouse_and_nothing_else(tmp_path):
    file = tmp_path / "likeness.duckdb"
    build(file, study("old"))
    with pytest.raises(duckdb.Error):
        build(file, study("new") | {"networks": pd.DataFrame([{"no_such_column": 1}])})
    assert list(query(file, "SELECT study FROM studies")["study"]) == ["old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["likeness.duckdb", "locks"]


def test_a_question_cannot_change_the_warehouse(tmp_path):
    file = tmp_path / "likeness.duckdb"
    build(file, study("old"))
    with pytest.raises(duckdb.Error, match="read-only"):
        query(file, "DELETE FROM studies")


def mean(experiment, metric, protocol, sets, value, part="all", **more):
    """A row of the means of pairs."""
    row = {"study": "s", "experiment": experiment, "metric": metric, "protocol": protocol}
    row |= {"set_a": sets[0], "set_b": sets[1], "part": part, "value": value, "n": 10}
    return row | {"low": None, "high": None, "left_out": 0} | more


WITHIN, ACROSS = ("ages", "ages"), ("ages", "train")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    file = tmp_path_factory.mktemp("people") / "likeness.duckdb"
    experiments = pd.DataFrame(
        [
            {"experiment": "taught", "method": "dreambooth", "subject": "me", "split": "all_01"},
            {"experiment": "plain", "method": "base", "subject": "me", "split": None},
            {"experiment": "nobody", "method": "base", "subject": None, "split": None},
            {"experiment": "not_made", "method": "base", "subject": "me", "split": None},
        ]
    ).assign(study="s", title="t")
    means = [
        mean("taught", "ssim", "original", WITHIN, 0.4),
        mean("taught", "ssim", "corrected", WITHIN, 0.31, low=0.3, high=0.32),
        mean("taught", "verification", "best pair of faces", WITHIN, 0.5, n=7, left_out=3),
        mean("taught", "ssim", "original", WITHIN, 0.2, part="5"),
        mean("taught", "verification", "best pair of faces", ACROSS, None, n=0, left_out=10),
        mean("plain", "ssim", "corrected", WITHIN, 0.7),
        mean("nobody", "ssim", "corrected", WITHIN, 0.9),
    ]
    published = [
        {"study": "s", "set_a": "ages", "set_b": "ages", "ssim": 0.39, "verification": 0.43},
        {"study": "other", "set_a": "ages", "set_b": "train", "ssim": 0.1, "verification": 0.1},
    ]
    tables = {
        "experiments": experiments,
        "pair_means": pd.DataFrame(means),
        "published_pairs": pd.DataFrame(published),
    }
    build(file, tables)
    return file


def test_a_row_of_the_time_machine_has_both_protocols_and_faces_and_what_was_published(people):
    found = row(people, "time_machine", experiment="taught", set_b="ages", part="all")
    assert (found.ssim_original, found.ssim, found.ssim_n) == (0.4, 0.31, 10)
    assert (found.ssim_low, found.ssim_high) == (0.3, 0.32)
    assert (found.verified, found.verified_n, found.without_face) == (0.5, 7, 3)
    assert (found.published_ssim, found.published_verified) == (0.39, 0.43)
    assert (found.method, found.split, found.title) == ("dreambooth", "all_01", "t")


def test_what_was_not_measured_or_published_is_nothing(people):
    found = row(people, "time_machine", experiment="taught", set_b="train")
    assert all(pd.isna(found[name]) for name in ("ssim", "ssim_original", "verified"))
    assert (found.verified_n, found.without_face) == (0, 10)
    # what another study published stands beside its own figures only
    assert pd.isna(found.published_ssim)
    found = row(people, "time_machine", experiment="plain")
    assert pd.isna(found.split)
    assert pd.isna(found.verified)
    assert (found.ssim, found.published_ssim) == (0.7, 0.39)


def test_published_figures_are_of_all_ages_together(people):
    found = row(people, "time_machine", experiment="taught", part="5")
    assert found.ssim_original == 0.2
    assert pd.isna(found.published_ssim)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Three models of one method, one of another, the base model, and a model of somebody else."""
    file = tmp_path_factory.mktemp("several") / "likeness.duckdb"
    methods = {"one": "dreambooth", "two": "dreambooth", "three": "dreambooth"}
    methods |= {"alone": "dreambooth_lora", "plain": "base", "her": "dreambooth"}
    experiments = pd.DataFrame(
        [
            {"experiment": name, "method": method, "subject": "you" if name == "her" else "me"}
            for name, method in methods.items()
        ]
    ).assign(study="s", title="t")
    values = {"one": 0.2, "two": 0.3, "three": 0.7, "alone": 1.0, "plain": 0.0, "her": 0.9}
    means = [mean(name, "ssim", "original", WITHIN, v, n=99) for name, v in values.items()]
    means += [mean("one", "verification", "best", WITHIN, 0.1, n=99, left_out=2)]
    means += [mean("two", "verification", "best", WITHIN, 0.3, n=99, left_out=3)]
    means += [mean("three", "verification", "best", WITHIN, None, n=0, left_out=4)]
    means += [mean("one", "ssim", "original", WITHIN, 0.5, part="5")]
    published = {"study": "s", "set_a": "ages", "set_b": "ages", "ssim": 0.39, "verification": 0.43}
    tables = {
        "experiments": experiments,
        "pair_means": pd.DataFrame(means),
        "published_pairs": pd.DataFrame([published]),
    }
    build(file, tables)
    return file


def test_models_of_one_method_have_a_mean_with_an_interval_over_models(several):
    rows = query(several, "SELECT * FROM time_machine WHERE experiment IS NULL")
    assert len(rows) == 1
    found = rows.iloc[0]
    assert (found.subject, found.method, found.set_a, found.part) == (
        *("me", "dreambooth", "ages"),
        "all",
    )
    assert (found.title, found.models) == ("mean of models", 3)
    # 0.2, 0.3, 0.7: mean 0.4, variance (0.04 + 0.01 + 0.09) / 2 = 0.07; t of 2 degrees is 4.3027
    half = 4.3027 * math.sqrt(0.07 / 3)
    assert found.ssim_original == pytest.approx(0.4)
    assert found.ssim_original_low == pytest.approx(0.4 - half)
    # an SSIM is at most 1
    assert (found.ssim_original_high, 0.4 + half > 1) == (1, True)
    # 0.1, 0.3: half of their difference, 0.1, times t of one degree, 12.7, is more than all there is
    assert found.verified == pytest.approx(0.2)
    assert (found.verified_low, found.verified_high, found.verified_n) == (0, 1, 2)
    assert found.without_face == 9
    assert (found.published_ssim, found.published_verified) == (0.39, 0.43)
    assert all(pd.isna(found[name]) for name in ("ssim", "ssim_low", "ssim_high"))
    assert found.ssim_n == 0


@pytest.mark.parametrize("df", [1, 2, 5, 10, 11, 12, 20, 40, 200])
def test_the_quantiles_of_student_are_right_to_three_digits(several, df):
    from scipy.stats import t

    found = query(several, "SELECT t975(?) AS t", [df])["t"][0]
    assert found == pytest.approx(t.ppf(0.975, df), abs=1e-3)


def test_experiments_about_nobody_or_not_made_yet_are_not_in_the_time_machine(people):
    found = query(people, "SELECT experiment, set_b, part FROM time_machine")
    assert found.to_numpy().tolist() == [
        ["plain", "ages", "all"],
        ["taught", "ages", "all"],
        ["taught", "train", "all"],
        ["taught", "ages", "5"],
    ]


def entry(asset, partition, fingerprint, seconds, hit=False, study="s", peak=10.0, size=100):
    return {
        "asset": asset,
        "partition": partition,
        "study": study,
        "fingerprint": fingerprint,
        "cache_hit": hit,
        "seconds": seconds,
        "gpu_seconds": seconds / 2,
        "spent_seconds": 0.25 if hit else seconds,
        "peak_memory_mb": peak,
        "bytes": size,
    }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    file = tmp_path_factory.mktemp("ledger") / "likeness.duckdb"
    rows = [
        # two experiments share the pictures of their class, and the second found them made
        entry("images/class_prior", "s__a", "1", 40.0),
        entry("images/class_prior", "s__b", "1", 40.0, hit=True),
        entry("models/finetuned", "s__a", "2", 100.0, peak=700.0),
        entry("models/finetuned", "s__b", "3", 60.0, peak=500.0),
        entry("models/base", "small", "4", 1.0, study=None),
        entry("report/gallery", None, "5", 9.0, study=None),
    ]
    build(file, {"ledger": pd.DataFrame(rows)})
    return file


def test_what_partitions_share_costs_once_and_the_report_does_not_count_itself(ledger):
    found = query(ledger, "SELECT * FROM cost").set_index("asset")
    assert list(found.index) == ["models/finetuned", "images/class_prior", "models/base"]
    shared = found.loc["images/class_prior"]
    assert (shared["artefacts"], shared["seconds"], shared["bytes"]) == (1, 40.0, 100)
    assert (shared["hits"], shared["misses"], shared["spent_seconds"]) == (1, 1, 40.25)
    trained = found.loc["models/finetuned"]
    assert (trained["seconds"], trained["gpu_seconds"], trained["peak_memory_mb"]) == (160, 80, 700)


def test_each_key_costs_what_it_would_take_by_itself(ledger):
    found = query(ledger, "SELECT * FROM cost_by_key").set_index("partition")
    assert list(found.index) == ["s__a", "s__b"]
    assert found["seconds"].tolist() == [140.0, 100.0]
    assert found["spent_seconds"].tolist() == [140.0, 60.25]
    assert found["hits"].tolist() == [0, 1]
    assert found["peak_memory_mb"].tolist() == [700.0, 500.0]
