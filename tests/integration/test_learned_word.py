"""A word learned from a painter, and what it paints before a judge, through the whole flow, twice.

The model has random weights and a few kB: what is tested is who gets which pictures.
"""

import json

import numpy as np
import pandas as pd
import pytest
import tiny_study
from PIL import Image

from likeness.images import image_set
from likeness.images.prepare import Preparation, prepare
from likeness.models.learned_word import read_word
from likeness.statistics import wilson
from resources.report.painter import after_rows
from resources.warehouse import query

pytestmark = pytest.mark.slow

STUDY = """
name: word
title: <Cézanne>, judged
painters:
  he:
    title: He
    paint_side: 64
    classes:
      0: {name: he himself, paint: {hand: master, count: 12}}
      2:
        name: the model, guidance 8
        sampled: &asked {model: tiny, prompts: [a photo of a dog, a red cat], count: 12, guidance_scale: 8, num_inference_steps: 10, seed: 500}
      3: {name: "the model, guidance 0-1", sampled: {<<: *asked, guidance_scale: [0, 1], seed: 700}}
    tests:
      ONE: {name: a photo of <Cézanne>, experiment: word__learned, role: ONE}
      TWO: {name: red <Cézanne>, experiment: word__learned, role: TWO}
      NEW: {name: new ones, truth: 0, paint: {hand: master, count: 4, first: 1000}}
      REBUILT: {name: the same rebuilt, truth: 0, rebuilt: {of: NEW, model: tiny}}
      LOST: {name: by a model that is not here, experiment: word__lost}
    split: {valid: 2, test: 2}
    limits: {min_side: 16}
    # near duplicates are no matter here, and pictures of random weights look alike
    duplicates: {max_distance: 0, min_correlation: 1}
    prepare: {size: 64, color: color}
    measures: {clip: small-clip, hand: master}
experiments:
  learned:
    title: <Cézanne>, learned
    model: tiny
    painter: he
    called: <Cézanne>
    method:
      name: textual_inversion
      placeholder_token: <Cézanne>
      initializer_token: red dog
      templates: ["a photo of {}"]
      pictures: {label: 0, count: 3}
      steps: 4
      batch: 2
      precision: float32
      checkpoint_steps: 2
      judged: {prompts: [a photo of <Cézanne>], images_per_prompt: 1, sampling: {num_inference_steps: 10}}
      then:
        instance_prompt: a photo of <Cézanne>
        class_prompt: a photo
        prior_loss_weight: 0
        steps: 2
        learning_rate: 1.0e-4
        precision: float32
    prompts: {ONE: ["a photo of {model}"], TWO: [red <Cézanne>]}
    seeds: {seed: 0, images_per_prompt: 3}
    sampling: {num_inference_steps: 10}
  lost: {title: A model that is not here, model: sd15, prompts: [a dog], seeds: [0]}
networks:
  probe: {painter: he, recipe: {architecture: probe}}
published:
  source: a book
  verdicts: [{architecture: mobilenet, image_set: ONE, counts: [1, 0, 2]}]
"""
WORD = "word__learned"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The state after the two runs, and what they printed."""
    work = tmp_path_factory.mktemp("word")
    tiny_study.rooms(work)
    # names that are not ASCII must not depend on what the terminal can show
    return tiny_study.run(work, "word", STUDY, LC_ALL="C")


def folder_of(done, asset, key):
    return done.artifacts.fetch(done.artifacts.current(asset, key))


def test_a_missing_model_stops_its_experiment_alone(done):
    for run in done.runs:
        assert run["failures"] == [
            "models_job [sd15]: model 'sd15' is not on this machine: run likeness models fetch sd15",
            "experiments_job [word__lost]: not started, its model [sd15] failed",
        ]
    made = {(cost["asset"], cost["partition"]) for cost in done.runs[0]["costs"]}
    assert {("classifier/verdicts", "word__probe"), ("report/gallery", None)} <= made


def test_a_second_run_does_nothing_again(done):
    first, second = (
        {
            (cost["asset"], cost["partition"]): cost["cache"]
            for cost in run["costs"]
            if cost["asset"] != "report/summaries"
        }
        for run in done.runs
    )
    assert first["images/guidance_classes", "he"] == "miss"
    assert second == dict.fromkeys(first, "hit")


def test_sampled_classes_are_taken_in_like_files_each_picture_with_its_guidance(done):
    rows = query(
        done.warehouse,
        "SELECT label, prompt, seed, guidance_scale, source, width FROM images WHERE painter = 'he'"
        " AND status = 'accepted' AND image_set = 'classes' ORDER BY label, seed",
    )
    assert rows["label"].value_counts().to_dict() == {0: 12, 2: 12, 3: 12}
    fixed, drawn = (rows[rows["label"] == label] for label in (2, 3))
    assert fixed["guidance_scale"].tolist() == [8.0] * 12
    assert drawn["guidance_scale"].nunique() == 12
    assert drawn["guidance_scale"].between(0, 1).all()
    assert fixed["seed"].tolist() == list(range(500, 512))
    assert fixed["prompt"].tolist() == ["a photo of a dog", "a red cat"] * 6
    assert set(drawn["source"]) == {"generated"}
    assert rows.loc[rows["label"] == 0, "guidance_scale"].isna().all()
    assert set(rows["width"]) == {64}
    splits = image_set.read(folder_of(done, "painters/classes", "he"))
    assert set(splits.loc[splits["label"] == 3, "split"]) == {"train", "valid", "test"}


def test_the_word_is_learned_from_the_first_pictures_of_its_class(done):
    manifest = done.artifacts.current("models/finetuned", WORD)
    table = image_set.accepted(image_set.read(folder_of(done, "painters/paintings", "he")))
    mine = table[table["label_key"] == "0"].sort_values("path")
    assert manifest.params["trained_on"] == mine["image_id"].tolist()[:3]
    word = read_word(folder_of(done, "models/finetuned", WORD) / "learned_embeds.safetensors")
    assert word.token == "<Cézanne>"
    assert manifest.summary["token"] == "<Cézanne>"
    # a class prior is of no use to it
    assert "reference.json" in {
        entry.path for entry in done.artifacts.current("images/class_prior", WORD).files
    }
    (row,) = query(
        done.warehouse, "SELECT * FROM experiments WHERE study = 'word' AND experiment = 'learned'"
    ).itertuples()
    assert (row.method, row.painter, row.subject) == ("textual_inversion", "he", None)


def test_the_network_is_taught_behind_the_word_and_both_are_published(done):
    folder = folder_of(done, "models/finetuned", WORD)
    assert (folder / "unet" / "config.json").is_file()
    assert (folder / "network" / "curve.png").is_file()
    assert done.artifacts.current("models/finetuned", WORD).summary["network_steps"] == 2


def test_what_the_word_paints_is_compared_with_the_painters_pictures(done):
    rows = query(done.warehouse, "SELECT * FROM after_painters WHERE study = 'word'")
    found = {row.role: row for row in rows.itertuples()}
    assert set(found) == {"ONE", "TWO", "painter"}
    # 3 pictures, and of the 12 of the painter's own class those that were not learned from
    assert (found["ONE"].reconstruction_n, found["ONE"].editability_n) == (27, 3)
    assert found["painter"].reconstruction_n == 9 * 8 / 2
    assert -1 <= found["ONE"].reconstruction < found["painter"].reconstruction <= 1
    assert found["TWO"].ssim_n == 27
    assert (found["TWO"].read_n, found["TWO"].read) == (3, 0)
    assert found["TWO"].seconds > 0
    assert "After the painter" in done.page
    assert "After the painter" in done.said
    shown = after_rows(done.warehouse, "word")
    assert shown["experiment"].tolist() == [
        *("learned", "learned", "the painter's own pictures", "new ones", "the same rebuilt")
    ]
    judged = shown["authentic to probe [95 %], n"]
    assert judged.str.endswith("n=3").tolist() == [True, True, False, False, False]
    assert judged.str.endswith("n=4").tolist() == [False, False, False, True, True]
    assert shown["probe: NEW / REBUILT; ratio"].ne("").tolist() == [True, True, False, False, False]
    read = shown["reader: NEW / REBUILT; ratio"]
    assert read.str.contains(" / ").tolist() == [True, True, False, False, False]


def test_pictures_are_asked_for_by_the_word_and_nothing_of_it_is_unread(done):
    rows = query(
        done.warehouse,
        "SELECT role, prompt, seed, not_read FROM images WHERE study = 'word' "
        "AND experiment = 'learned' ORDER BY seed",
    )
    assert rows["prompt"].tolist() == ["a photo of <Cézanne>"] * 3 + ["red <Cézanne>"] * 3
    assert rows["role"].tolist() == ["ONE"] * 3 + ["TWO"] * 3
    assert rows["not_read"].isna().all()


def test_verdicts_are_on_the_pictures_of_each_role_prepared_as_the_painters(done):
    verdicts = pd.read_parquet(
        folder_of(done, "classifier/verdicts", "word__probe") / "verdicts.parquet"
    )
    made = image_set.read(folder_of(done, "images/made", WORD))
    for role in ("ONE", "TWO"):
        mine = verdicts[verdicts["image_set"] == role]
        assert set(mine["image_id"]) == set(made.loc[made["role"] == role, "image_id"])
        assert mine["truth"].isna().all()
        assert not mine["straddles"].any()
    assert verdicts["image_set"].value_counts()["REBUILT"] == 4
    assert verdicts.loc[verdicts["image_set"] == "REBUILT", "truth"].tolist() == [0] * 4

    # the probe, asked by hand
    from likeness.classify import probe_judge
    from likeness.classify.recipe import Recipe
    from likeness.statistics import apply_temperature

    one = verdicts[verdicts["image_set"] == "ONE"].iloc[0]
    file = made.loc[made["image_id"] == one["image_id"], "file"].iloc[0]
    with Image.open(folder_of(done, "images/made", WORD) / file) as picture:
        assert picture.size == (16, 16)
        seen = prepare(picture.convert("RGB"), Preparation(size=64, color="color")).convert("L")
    network = folder_of(done, "classifier/network", "word__probe") / "split"
    logp = probe_judge.log_probabilities(
        network, [np.asarray(seen)[..., None]], Recipe(architecture="probe")
    )
    warmth = json.loads((network / "temperature.json").read_text())["temperature"]
    np.testing.assert_allclose(
        apply_temperature(np.exp(logp), warmth)[0], one["probabilities"], atol=1e-9
    )


def test_shares_of_every_set_have_their_intervals_and_published_counts(done):
    rows = query(done.warehouse, "SELECT * FROM cezanne_verdicts WHERE study = 'word'")
    found = {row.image_set: row for row in rows.itertuples()}
    assert {name: row.n for name, row in found.items()} == {
        "ONE": 3,
        "TWO": 3,
        "NEW": 4,
        "REBUILT": 4,
        "LOST": 0,
    }
    one = found["ONE"]
    assert (one.low, one.high) == pytest.approx(wilson(int(one.authentic), 3))
    assert one.share_authentic == one.authentic / 3
    assert list(one.published_mobilenet) == [1, 0, 2]
    assert found["NEW"].share_right >= 0


def test_the_page_and_the_terminal_show_the_word_as_it_is_written(done):
    assert "&lt;Cézanne&gt;, judged" in done.page
    assert "<Cézanne>" not in done.page
    assert "<em>ONE</em>: a photo of &lt;Cézanne&gt;" in done.page
    assert "<figcaption>learning</figcaption>" in done.page
    assert "<figcaption>checkpoints</figcaption>" in done.page
    named = [name[: name.index('"')] for name in done.page.split('src="')[1:]]
    assert all((done.state / "report" / name).is_file() for name in named)
    assert any("word__learned-000-" in name for name in named)
    assert all(str(path).isascii() for path in done.state.rglob("*"))
    assert "Verdicts on unseen sets" in done.said
    assert "<Cézanne>, judged" in done.said
