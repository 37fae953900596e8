"""Words that are learned from painters, and judged by networks: where their assets stand."""

import json

import dagster as dg
import pandas as pd
import pytest
import small_tasks

from assets_defs import painters
from assets_defs.scores import _lacking, _learned_from
from assets_defs.studies import (
    experiments_of_painter,
    networks_of_experiment,
    painters_of_model,
    registry,
)
from pipelines.definitions import defs
from pipelines.driver import _stands_on, plan
from resources import keys

GRAPH = defs.resolve_asset_graph()
WORD, PAINTER = "cezanne_word__word", "unseen_master"


def parents(asset):
    return {key.to_user_string() for key in GRAPH.get(dg.AssetKey(asset.split("/"))).parent_keys}


def test_a_word_stands_on_paintings_and_verdicts_on_what_it_made():
    assert parents(keys.GUIDANCE_CLASSES) == {keys.RAW_PAINTINGS, keys.BASE_MODEL}
    assert parents(keys.PAINTINGS) == {keys.RAW_PAINTINGS, keys.GUIDANCE_CLASSES}
    assert keys.PAINTINGS in parents(keys.FINETUNED)
    assert {keys.IMAGES, keys.PAINTINGS, keys.CLASSES, keys.NETWORK} == parents(keys.VERDICTS)
    assert keys.PAINTINGS in parents(keys.IMAGE_SCORES)
    # a network itself learns from no picture of an experiment
    assert parents(keys.NETWORK) == {keys.PAINTINGS, keys.CLASSES}


def test_no_asset_stands_on_itself():
    order = [key.to_user_string() for key in GRAPH.toposorted_asset_keys]
    for asset in order:
        assert all(order.index(parent) < order.index(asset) for parent in parents(asset))


def pairs(mapping):
    found = mapping.downstream_partition_keys_by_upstream_partition_key
    return {(above, below) for above, some in found.items() for below in some}


def test_partitions_are_mapped_as_the_studies_say_and_to_no_other():
    about = {(one.painter, key) for key, one in registry().experiments.items() if one.painter}
    assert pairs(experiments_of_painter()) == about
    assert (PAINTER, WORD) in about
    assert pairs(painters_of_model()) == {
        (model, key) for key, one in registry().painters.items() for model in one.models
    }
    judged = pairs(networks_of_experiment())
    assert {pair for pair in judged if pair[1].startswith("cezanne_word__")} == {
        (made, judge)
        for made in (WORD, "cezanne_word__initializer")
        for judge in ("cezanne_word__tiles", "cezanne_word__probe")
    }
    assert {above.split("__")[0] == below.split("__")[0] for above, below in judged} == {True}


def test_painters_come_before_words_and_words_before_their_judges():
    assert [job for job, _ in plan("cezanne_word")] == [
        *("models_job", "painters_job", "experiments_job", "experiments_job"),
        *("networks_job", "networks_job", "report_job"),
    ]


def test_one_command_runs_the_judges_of_stand_ins_and_the_learned_word():
    keys, word = (registry().keys_of(name) for name in ("cezanne", "cezanne_word"))
    assert keys.networks == ["cezanne__tiles", "cezanne__probe", *word.networks]
    assert keys.experiments == word.experiments
    assert keys.painters == ["small_master", *word.painters]


def test_what_failed_before_stops_what_stands_on_it():
    assert _stands_on("painters_job", PAINTER) == [("models_job", "small", "model")]
    assert _stands_on("painters_job", "small_master") == []
    assert ("painters_job", PAINTER, "painter") in _stands_on("experiments_job", WORD)


def picture(key, number, group):
    return {
        "label_key": key,
        "path": f"{key}/{number:02}.png",
        "image_id": f"{key}-{number}",
        "group": group,
    }


@pytest.mark.parametrize(("painter", "most"), [(PAINTER, 4), ("wished_master", 16)])
def test_all_that_any_word_for_a_painter_is_learned_from_is_no_picture_to_compare_with(
    painter, most
):
    """One of the wishes is more pictures: they are left out for all of them, or none compare."""
    rows = [picture(key, n, n + 20 * (key == "1")) for key in "01" for n in reversed(range(20))]
    # another photograph of the third
    rows.append(picture("0", 50, 2))
    assert _learned_from(painter, pd.DataFrame(rows)) == {f"0-{n}" for n in [*range(most), 50]}


def test_scores_know_whether_their_encoder_is_here():
    """So that they are taken again when it is, and no fetch is a reason to stop."""
    assert _lacking("small-clip") is None
    assert "there is no encoder 'nowhere'" in str(_lacking("nowhere"))


@pytest.fixture
def artifacts(tmp_path):
    return small_tasks.artifacts(tmp_path / "state", "inline")


def test_a_painter_without_sampled_classes_gets_a_note(artifacts):
    context = dg.build_asset_context(partition_key="small_master")
    painters.guidance_classes(context, config=painters.Rerun(), artifacts=artifacts)
    made = artifacts.current(keys.GUIDANCE_CLASSES, "small_master")
    note = json.loads(artifacts.store.read_file(made, "reference.json"))
    assert note == {"painter": "small_master", "sampled": "none"}


def test_sampled_classes_without_their_model_are_a_sentence(artifacts):
    context = dg.build_asset_context(partition_key=PAINTER)
    with pytest.raises(dg.Failure) as failure:
        painters.guidance_classes(context, config=painters.Rerun(), artifacts=artifacts)
    assert failure.value.description == (
        "models/base [small] is not there yet: materialise it first"
    )
