"""A tiny Time Machine through the whole flow, twice: people, models, pictures, scores, page."""

import numpy as np
import pandas as pd
import pytest
import tiny_study
from PIL import Image

from likeness.images import image_set
from resources.warehouse import query

pytestmark = pytest.mark.slow

STUDY = """
name: folk
title: Folk
subjects:
  painted:
    title: Nobody in particular
    album: {person: 1, photos: 20, held_out: 0}
    ssim_side: 32
    splits:
      held_back: 2
      minimum: 2
      splits:
        - {name: all_01, verified: true}
        - {name: ancient, from_age: 100, verified: false}
  dark:
    title: Somebody in the dark
    folder: dark
    faces: {backend: small}
    splits: {held_back: 1}
experiments:
  plain:
    title: The base model
    model: tiny
    subject: painted
    called: a dog
    prompts:
      ages:
        template: a photo of {model} on {age}
        ages: {a beach: 5, a cat: 40}
      class: [a photo of dog]
    seeds: {seed: 0, images_per_prompt: 1}
    sampling: {num_inference_steps: 10}
  taught:
    extends: plain
    title: Taught <i>all</i>
    called: red dog
    method:
      name: dreambooth
      split: all_01
      instance_prompt: a photo of red dog
      class_prompt: a photo of dog
      num_class_images: 2
      steps: 2
      checkpoint_steps: 2
      precision: float32
      judged: {prompts: [a photo of red dog], images_per_prompt: 1, sampling: {num_inference_steps: 10}}
  too_few: {extends: taught, title: Taught nothing, method: {split: ancient}}
  in_the_dark: {extends: plain, subject: dark, title: Nobody to be seen}
published:
  source: a book
  pairs: [{set_a: ages, set_b: ages, ssim: 0.39, verification: 0.43}]
"""
TAUGHT = "folk__taught"


def write_faces(folder):
    """A face model with random weights, as the small world's is kept."""
    import torch

    from likeness.faces.blocks import save_weights
    from likeness.faces.detector import Detector
    from likeness.faces.embedding import Embedding
    from likeness.models.checksums import write_sums

    torch.manual_seed(0)
    networks = {"detector": Detector().eval(), "embedding": Embedding().eval()}
    save_weights(folder, networks, {"threshold": 0.5, "least_score": 0.5})
    write_sums(folder)
    return folder


def write_dark(folder):
    """Three photos of which nobody could say what they show."""
    folder.mkdir(parents=True)
    for n in range(3):
        pixels = np.random.default_rng(n).integers(0, 12, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
    ages = "".join(f"{n}.png,{n + 20}\n" for n in range(3))
    (folder / "metadata.csv").write_text("file,age\n" + ages)


@pytest.fixture(scope="module")
def folk(tmp_path_factory):
    """The state folder after the two runs, and what they printed."""
    work = tmp_path_factory.mktemp("people")
    tiny_study.rooms(work)
    write_dark(work / "raw" / "dark")
    faces = write_faces(work / "faces")
    return tiny_study.run(work, "folk", STUDY, "run_people.py", str(faces))


def caches(run):
    """(asset, partition) -> hit or miss, for everything that is kept in the cache."""
    return {
        (cost["asset"], cost["partition"]): cost["cache"]
        for cost in run["costs"]
        if cost["asset"] != "report/summaries"
    }


def folder_of(folk, asset, key):
    return folk.artifacts.fetch(folk.artifacts.current(asset, key))


def test_a_person_without_a_face_fails_in_one_sentence_and_others_go_on(folk):
    for run in folk.runs:
        assert len(run["failures"]) == 3, run["failures"]
        dark, waiting = (one for one in run["failures"] if "dark" in one)
        assert dark.startswith("people_job [dark]: 1 photos are to be held back, but only 0 verif")
        assert "\n" not in dark
        assert waiting == (
            "experiments_job [folk__in_the_dark]: not started, its person [dark] failed"
        )
        done = {(cost["asset"], cost["partition"]) for cost in run["costs"]}
        assert ("people/verification", "dark") in done
        assert ("scores/images", TAUGHT) in done
        assert ("report/gallery", None) in done


def test_an_experiment_with_too_few_photos_fails_in_one_sentence_and_others_go_on(folk):
    for run in folk.runs:
        (few,) = (one for one in run["failures"] if "too_few" in one)
        assert few.startswith(
            "experiments_job [folk__too_few]: split 'ancient' of 'painted' has 0 photos and the study "
            "wants at least 2 to learn from: see in people/splits why"
        )
        assert "\n" not in few


def test_a_second_run_does_nothing_again(folk):
    first, second = map(caches, folk.runs)
    # what the second experiment publishes of a bench that neither has is what the first has
    # published, and the class is the same for two
    found = {asset for (asset, _), cache in first.items() if cache == "hit"}
    assert found == {"images/sources", "images/inverted", "images/class_prior"}
    assert second == dict.fromkeys(first, "hit")


def test_the_model_learned_the_split_and_nothing_that_was_held_back(folk):
    manifest = folk.artifacts.current("models/finetuned", TAUGHT)
    members = pd.read_parquet(folder_of(folk, "people/splits", "painted") / "splits.parquet")
    mine = members.loc[members["split"] == "all_01", "image_id"]
    assert sorted(mine) == manifest.params["trained_on"]
    assert manifest.summary["photos"] == len(mine) >= 2
    assert manifest.summary["class_pictures"] == 2
    held = manifest.params["held_back"]
    assert len(held) == 2
    assert not set(held) & set(members["image_id"])
    asked = image_set.read(folder_of(folk, "images/class_prior", TAUGHT))
    assert set(asked["prompt"]) == {"a photo of dog"}
    assert set(asked["role"]) == {"class"}


def test_pictures_have_roles_and_the_age_that_they_were_asked_for(folk):
    rows = query(
        folk.warehouse,
        "SELECT role, experiment, subject, age, prompt FROM images WHERE study = 'folk' "
        "AND status = 'accepted' ORDER BY experiment, file",
    )
    made = rows[rows["experiment"] == "taught"]
    assert made["prompt"].tolist() == [
        "a photo of red dog on a beach",
        "a photo of red dog on a cat",
        "a photo of dog",
    ]
    assert made["role"].tolist() == ["ages", "ages", "class"]
    assert made["age"].fillna(-1).tolist() == [5, 40, -1]
    photos = rows[rows["role"] == "photo"]
    assert set(photos["subject"]) == {"painted", "dark"}
    assert photos["experiment"].isna().all()


def test_the_time_machine_has_all_comparisons_and_the_published_figures(folk):
    rows = query(folk.warehouse, "SELECT * FROM time_machine WHERE study = 'folk'")
    whole = rows[rows["part"] == "all"]
    found = {(r.experiment, r.set_a, r.set_b): r for r in whole.itertuples()}
    of_plain = {("ages", "ages"), ("class", "class"), ("held", "held")}
    of_plain |= {("ages", "held"), ("class", "held")}
    learned = {("train", "train"), ("ages", "train"), ("class", "train")}
    assert found.keys() == {("plain", *sets) for sets in of_plain} | {
        ("taught", *sets) for sets in of_plain | learned
    }
    photos = folk.artifacts.current("models/finetuned", TAUGHT).summary["photos"]
    assert found["taught", "ages", "train"].ssim_n == 2 * photos
    assert found["taught", "train", "train"].ssim_n == photos * (photos - 1) / 2
    assert found["plain", "ages", "ages"].published_ssim == 0.39
    assert set(rows[rows["set_a"] == "ages"]["part"]) == {"all", "5", "40"}
    known = query(folk.warehouse, "SELECT passport_id FROM passports")["passport_id"]
    used = query(
        folk.warehouse,
        "SELECT DISTINCT passport_id FROM pair_means UNION SELECT passport_id FROM image_means",
    )
    assert set(used["passport_id"]) == set(known)


def test_photos_that_were_compared_before_give_the_same_numbers(folk):
    all_of = pd.read_parquet(folder_of(folk, "people/variety", "painted") / "pairs.parquet")
    mine = pd.read_parquet(folder_of(folk, "scores/pairs", TAUGHT) / "pairs.parquet")
    mine = mine[(mine["set_b"] == "train") & (mine["set_a"] == "train")]
    keys = ["protocol", "passport_id", "image_a", "image_b"]
    both = mine[mine["metric"] == "ssim"].merge(all_of, on=keys)
    # the corrected protocol compares at the side of the smallest picture, which is another
    assert set(both["protocol"]) == {"original"}
    assert len(both) == (mine["protocol"] == "original").sum()
    assert both["value_x"].tolist() == both["value_y"].tolist()


def test_the_page_has_the_grid_of_models_and_ages(folk):
    grid = folk.page[folk.page.index('<table class="grid">') :]
    grid = grid[: grid.index("</table>")]
    assert "<th>5</th><th>40</th>" in grid
    assert grid.index("<th>The base model</th>") < grid.index("Taught &lt;i&gt;all&lt;/i&gt;")
    assert grid.count("<img") == 4
    for name in grid.split('src="')[1:]:
        with Image.open(folk.report / name[: name.index('"')]) as picture:
            assert picture.size == (16, 16)
    for title in ("Is it the person?", "Pairs", "faces found", "checkpoints", "who is who"):
        assert title in folk.page
    made = folk.artifacts.current("report/gallery", None)
    assert "ages-folk.png" in {entry.path for entry in made.files}
    assert "Published: a book." in folk.page
    assert "Is it the person?" in folk.said
    assert "Nobody to be seen" not in grid
