"""Edits of drawn pictures and of a bench by every editor, through the whole flow, twice.

The model has random weights and a few kB: what is tested is who gets which pictures, and that all
figures are of what they say.
"""

from pathlib import Path

import numpy as np
import pytest
import tiny_pipeline
import tiny_study
from PIL import Image

from likeness.bench.sources import WorldBench
from likeness.bench.tasks import BenchParams, edit_pairs
from likeness.edit.bench import wanted_of
from likeness.images import image_set
from likeness.metrics.background import background_kept
from likeness.metrics.edit_measures import mask_of, pixels_of
from likeness.metrics.ssim import pairwise, prepare_published
from resources.warehouse import query

pytestmark = pytest.mark.slow

STUDY = """
name: retouch
title: Retouched <b>sets</b>
experiments:
  control:
    title: With control
    model: tiny
    source: {prompt: a photo of a dog on a beach, seeds: [3, 2483964025], shows: {kind: thing}}
    edits:
      cat: {target: a photo of a cat on a beach, asked: {thing_kind: cat}}
      less: {target: a photo of a dog on a beach, weights: {dog: -1}, plain: a photo on a beach}
      red: {target: a photo of a red dog on a beach}
    method:
      name: prompt_to_prompt
      num_inference_steps: 10
      strengths: [1.0, 0.5]
    measures: {reader: reader}
    batch: 2
  no_control: {extends: control, title: Without, method: {name: regenerate, num_inference_steps: 10}}
  features:
    extends: control
    title: Plug-and-Play
    method: &plug
      name: plug_and_play
      num_inference_steps: 10
      layers: {features: [up_blocks.0.resnets.0], attention: [up_blocks.0.attentions.1]}
  bench__control:
    title: A bench, Prompt-to-Prompt
    model: tiny
    bench: &bench {bench: world, pairs: 8}
    method: &control {name: prompt_to_prompt, num_inference_steps: 10}
    measures: &all {reader: reader, clip: CLIP}
    batch: 3
  bench__features:
    extends: bench__control
    title: A bench, Plug-and-Play
    method: *plug
  bench__null_text:
    extends: bench__control
    title: A bench, null-text
    inversion: {inner_steps: 1, guidance_scale: 4.0}
  bench__hiper:
    extends: bench__control
    title: A bench, HiPer
    method: {name: hiper, num_inference_steps: 10, precision: float32, fitting: {learning_rate: 0.01, steps: 2}, strengths: [0.8, 0.4]}
  bench__imagic:
    extends: bench__control
    title: A bench, Imagic
    method: {name: imagic, num_inference_steps: 10, precision: float32, embedding: {learning_rate: 0.01, steps: 2}, unet: {learning_rate: 0.001, steps: 1}, strengths: [0.7, 0.1]}
  bench__regenerate:
    extends: bench__control
    title: A bench, no control
    method: {name: regenerate, num_inference_steps: 10}
  bench__elsewhere:
    extends: bench__control
    title: A bench, edited elsewhere
    method: {name: imported, folder: elsewhere}
published:
  source: a book
  sets: [{experiment: control, ssim: 0.7}]
  editors: [{method: hiper, metric: clip_score, value: 0.2173}]
"""
BENCH = ("control", "features", "null_text", "hiper", "imagic", "regenerate", "elsewhere")


def write_clip(folder):
    """A CLIP with random weights."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

    from likeness.world.tokenizer import write_tokenizer

    write_tokenizer(tiny_pipeline.WORDS, folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2}
    ends = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos")}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config=small | ends | {"vocab_size": len(tokenizer)},
        vision_config=small | {"image_size": 16, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    size = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    CLIPImageProcessorPil(**size).save_pretrained(folder)
    return folder


def write_elsewhere(folder, bench):
    """Edits of all pairs but the first, all alike and not square."""
    folder.mkdir(parents=True)
    for pair in wanted_of(bench)[1:]:
        Image.radial_gradient("L").resize((40, 32)).save(folder / f"{pair.pair_id}.png")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The state after the two runs, and what they printed."""
    work = tmp_path_factory.mktemp("edits")
    tiny_study.rooms(work)
    params = BenchParams(source=WorldBench(pairs=8), resolution=16)
    (work / "bench").mkdir()
    edit_pairs(params, {}, work / "bench", work / "bench-scratch")
    write_elsewhere(work / "raw" / "elsewhere", work / "bench")
    study = STUDY.replace("CLIP}", f"'{write_clip(work / 'clip')}'}}")
    return tiny_study.run(work, "retouch", study)


def manifest_of(done, asset, name):
    return done.artifacts.current(asset, f"retouch__{name}")


def made_of(done, name):
    folder = done.artifacts.fetch(manifest_of(done, "images/made", name))
    return folder, image_set.read(folder)


def caches(run):
    return {
        (cost["asset"], cost["partition"].removeprefix("retouch__")): cost["cache"]
        for cost in run["costs"]
        if cost["partition"]
    }


def test_everything_is_made_once_and_inverted_once_for_all_editors(done):
    assert [run["failures"] for run in done.runs] == [[], []]
    first, second = map(caches, done.runs)
    assert set(second.values()) == {"hit"}
    # the bench is drawn once, and inverted once for both editors; null-text is another inversion
    drawn = [first["images/sources", f"bench__{name}"] for name in BENCH]
    assert drawn.count("miss") == 1
    inverted = {name: first["images/inverted", f"bench__{name}"] for name in BENCH[:3]}
    assert inverted == {"control": "miss", "features": "hit", "null_text": "miss"}
    one, other = (manifest_of(done, "images/inverted", f"bench__{n}") for n in BENCH[:2])
    assert one.fingerprint == other.fingerprint
    # editors that begin with noise of their own, and drawn sources, have a reference
    for name in ("control", "bench__hiper", "bench__elsewhere"):
        files = {entry.path for entry in manifest_of(done, "images/inverted", name).files}
        assert files == {"reference.json"}


def test_a_set_is_a_source_and_its_edits_by_every_strength(done):
    _, table = made_of(done, "control")
    assert table["role"].value_counts().to_dict() == {"source": 2, "edit": 12}
    sources = table[table["role"] == "source"]
    assert sources["seed"].tolist() == [3, 2483964025]
    assert set(sources["prompt"]) == {"a photo of a dog on a beach"}
    edits = table[table["role"] == "edit"]
    assert edits["source_id"].value_counts().to_dict() == dict.fromkeys(sources["image_id"], 6)
    assert edits["edit"].tolist()[::2] == ["cat", "less", "red"] * 2
    assert edits["kind"].tolist()[::2] == ["swap", "reweight", "refine"] * 2
    assert edits["strength"].tolist() == [1.0, 0.5] * 6
    assert edits["compared"].tolist() == [True, False] * 6
    _, plain = made_of(done, "no_control")
    assert "a photo on a beach" in set(plain["prompt"])
    assert plain["strength"].isna().all()


def test_without_control_source_and_edits_are_what_a_model_samples(done):
    """The control's source is the picture of its seed, up to a rounding."""
    pictures = []
    for name in ("control", "no_control"):
        folder, table = made_of(done, name)
        mine = table[(table["role"] == "source") & (table["seed"] == 3)]
        pictures.append(pixels_of(folder / mine["file"].iloc[0]).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_where_words_were_looked_at_is_drawn_for_the_first_source(done):
    folder, _ = made_of(done, "control")
    assert {path.name for path in (folder / "maps").iterdir()} == {"source", "cat", "less", "red"}
    assert (folder / "maps" / "cat" / "03-cat.png").is_file()
    assert (folder / "maps.jpg").is_file()
    # of a bench's picture the map is drawn beside what the model makes of it, not beside an edit
    folder, table = made_of(done, "bench__control")
    source = table[table["role"] == "source"].iloc[0]
    shown = pixels_of(folder / "maps" / "source" / "picture.png")
    edits = table[(table["source_id"] == source["image_id"]) & table["file"].notna()]
    assert all((pixels_of(folder / file) != shown).any() for file in edits["file"])
    assert table.loc[table["role"] == "edit", "seed"].isna().all()
    folder, _ = made_of(done, "no_control")
    assert not (folder / "maps.jpg").exists()


def test_likeness_of_a_set_is_the_mean_of_its_pairs_beside_the_published(done):
    rows = query(done.warehouse, "SELECT * FROM prompt_to_prompt WHERE study = 'retouch'")
    found = {row.experiment: row for row in rows.itertuples()}
    assert set(found) == {"control", "no_control", "features"}
    one = found["control"]
    assert (one.sources, one.edits, one.n, one.published_ssim) == (2, 6, 12, 0.7)
    folder, table = made_of(done, "control")
    table = table[(table["role"] == "source") | table["compared"].fillna(False)]
    means = []
    for source in table.loc[table["role"] == "source", "image_id"]:
        own = table[(table["image_id"] == source) | (table["source_id"] == source)]
        pictures = []
        for file in own["file"]:
            with Image.open(folder / file) as picture:
                pictures.append(prepare_published(picture))
        means.append(pairwise(np.stack(pictures), "original")[np.triu_indices(4, 1)].mean())
    assert one.ssim_original == pytest.approx(np.mean(means), abs=1e-9)
    assert np.isnan(found["features"].published_ssim)


def test_every_editor_edits_the_same_pairs_and_says_why_not(done):
    wanted = {pair.pair_id for pair in wanted_of(bench_of(done))}
    assert len(wanted) == 8
    for name in BENCH:
        folder, table = made_of(done, f"bench__{name}")
        edits = table[(table["role"] == "edit") & table["compared"]]
        assert set(edits["pair_id"]) == wanted
        made = edits[edits["status"] == "accepted"]
        assert len(made) >= 4, edits["reason"].tolist()
        assert all((folder / file).is_file() for file in made["file"])
        left = edits[edits["status"] == "rejected"]
        assert left["reason"].notna().all()
        assert set(made["source_id"]) <= set(table.loc[table["role"] == "source", "image_id"])
    _, table = made_of(done, "bench__elsewhere")
    (gone,) = table[table["status"] == "rejected"].itertuples()
    assert gone.reason == "there is no picture of its name in the folder"


def bench_of(done):
    return done.artifacts.fetch(manifest_of(done, "images/sources", "bench__control"))


def test_sources_of_a_bench_are_its_own_pictures_bit_for_bit(done):
    bench = image_set.read(bench_of(done)).set_index("image_id")
    _, table = made_of(done, "bench__hiper")
    sources = table[table["role"] == "source"]
    assert sources["sha256"].tolist() == bench.loc[sources["image_id"], "sha256"].tolist()


def test_hiper_and_imagic_keep_what_they_learned_as_safetensors(done):
    for name in ("hiper", "imagic"):
        manifest = manifest_of(done, "models/finetuned", f"bench__{name}")
        kinds = {Path(entry.path).suffix for entry in manifest.files}
        assert kinds == {".safetensors", ".parquet", ".json"}
        assert manifest.summary["method"] == name
        # sampling is no part of what was learned
        assert manifest.params["recipe"]["guidance_scale"] == 7.5
        _, table = made_of(done, f"bench__{name}")
        assert len(table[table["role"] == "edit"]) == 16


def test_measures_of_a_bench_are_those_of_each_picture(done):
    rows = query(done.warehouse, "SELECT * FROM editing_bench WHERE study = 'retouch'")
    assert set(rows["experiment"]) == {f"bench__{name}" for name in BENCH}
    metrics = {"ssim", "clip_score", "directional", "clip_i", "asked", "kept", "after_ssim"}
    metrics.add("untouched_ssim")
    metrics |= {"background_mse", "background_psnr", "background_ssim"}
    assert set(rows["metric"]) == metrics
    published = rows.dropna(subset="published")[["method", "metric", "published"]]
    assert published.to_numpy().tolist() == [["hiper", "clip_score", 0.2173]]
    scores = query(
        done.warehouse,
        "SELECT * FROM image_scores WHERE experiment = 'bench__regenerate' AND protocol = 'original' "
        "AND metric = 'background_mse'",
    )
    folder, table = made_of(done, "bench__regenerate")
    for row in scores[scores["status"] == "ok"].itertuples():
        edit = table[table["pair_id"] == row.pair_id].iloc[0]
        source = table[table["image_id"] == edit["source_id"]].iloc[0]
        before, after = (pixels_of(folder / one["file"]) for one in (source, edit))
        mask = mask_of(bench_of(done) / "masks" / f"{row.pair_id}.png")
        assert row.value == background_kept(before, after, mask, "original").mse
    without = scores[scores["status"] != "ok"]
    assert set(without["status"]) <= {"no mask", "the mask covers the whole picture"}


def test_editors_are_compared_on_the_pairs_of_both(done):
    rows = query(
        done.warehouse,
        "SELECT * FROM edit_comparisons WHERE experiment_a = 'bench__hiper' "
        "AND experiment_b = 'bench__regenerate' AND metric = 'clip_score'",
    )
    (row,) = rows.itertuples()
    scores = query(
        done.warehouse,
        "SELECT s.* FROM image_scores s JOIN images i USING (study, experiment, pair_id) "
        "WHERE metric = 'clip_score' AND i.compared AND i.strength IS NOT DISTINCT FROM s.strength",
    )
    a, b = (
        scores[scores["experiment"] == f"bench__{name}"].set_index("pair_id")["value"]
        for name in ("hiper", "regenerate")
    )
    both = (a - b).dropna()
    assert row.difference == pytest.approx(both.mean(), abs=1e-9)
    assert row.n == len(both)


def test_the_page_and_the_terminal_show_sets_benches_knobs_and_words(done):
    assert "Retouched &lt;b&gt;sets" in done.page
    for title in ("Do edits keep the picture?", "Editors on a bench", "editor's knob does"):
        assert title in done.page
    named = [name[: name.index('"')] for name in done.page.split('src="')[1:]]
    assert all((done.state / "report" / name).is_file() for name in named)
    assert any("edit-curves-retouch" in name for name in named)
    assert any("maps" in name for name in named)
    assert "Sets of edits" in done.said
    assert "Editors on a bench" in done.said
    # every editor's background is held against that of no control
    assert "Is the background kept better than without control?" in done.page
    assert "Backgrounds of editors less those without control" in done.said
