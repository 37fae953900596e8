"""The measures of the small world, with models that are perfect or know nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from likeness.world.figures import names
from likeness.world.figures.figure import PROMPTS
from likeness.world.figures.names import names_bound, painters_bound
from likeness.world.figures.prompts import held_out_prompts, prompts_followed
from likeness.world.sample import base_identity

PEOPLE = 6


class Eyes:
    """Verifies by the mean of a picture, which the fakes below set per person."""

    threshold = 0.1

    def detect(self, pictures):
        return [[] for _ in pictures]

    def embed(self, pictures, detections):
        angle = pictures.reshape(len(pictures), -1).mean(1) / 255 * np.pi
        vectors = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
        vectors[pictures.reshape(len(pictures), -1).max(1) == 0] = np.nan
        return SimpleNamespace(vectors=vectors)


def flat(value):
    return np.full((64, 64, 3), value, np.uint8)


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Named person k looks like the gray 40 k + 20, drawn; ``painted`` says how samples look."""
    looks = {base_identity(k).name: 40 * k + 20 for k in range(PEOPLE)}
    monkeypatch.setattr(names, "portrait", lambda who, k: flat(looks[who.name]))
    samples = {"of": lambda prompt: flat(next(v for n, v in looks.items() if n in prompt.split()))}

    def sample(pipe, asked, seeds, sampling, what):
        return np.stack([samples["of"](prompt) for prompt in asked])

    monkeypatch.setattr(names, "sample", sample)
    return samples, tmp_path


def figures(found):
    return {figure.name.split("/")[1]: figure for figure in found}


def test_names_that_bind_verify_with_their_own_and_no_others(world):
    found = figures(names_bound(None, Eyes(), PEOPLE, world[1]))
    assert found["verified_with_own"].value == 1.0
    assert found["verified_with_others"].value == 0.0
    assert found["renderings_among_themselves"].value == 1.0
    # two ages of each with four renderings of each
    assert {figure.n for name, figure in found.items() if name != "face_found"} == {PEOPLE}
    assert found["face_found"].n == 2 * PEOPLE


def test_names_that_mean_nothing_verify_with_one_in_all(world):
    world[0]["of"] = lambda prompt: flat(20)
    found = figures(names_bound(None, Eyes(), PEOPLE, world[1]))
    assert found["verified_with_own"].value == pytest.approx(1 / PEOPLE)


def test_no_face_is_no_match(world):
    world[0]["of"] = lambda prompt: flat(0)
    found = figures(names_bound(None, Eyes(), PEOPLE, world[1]))
    assert found["face_found"].value == 0.0
    assert found["verified_with_own"].value == 0.0


def reader(**values):
    """A reader that reads the same from every picture."""
    from likeness.world.reader.read import Readings

    def read(pictures):
        n = len(pictures)
        columns = {name: np.array([value] * n) for name, value in values.items()}
        return Readings(columns, {}, np.full(n, 30.0, np.float32), [[] for _ in range(n)])

    return SimpleNamespace(read=read)


def test_a_reader_that_names_one_painter_is_right_once_in_thirty_two(world):
    world[0]["of"] = lambda prompt: flat(9)
    found = painters_bound(None, reader(painter="cezanne"), world[1])
    assert found.value == pytest.approx(1 / 32)
    assert found.n == 64


def test_agreement_counts_each_attribute_once_however_often_it_is_asked(tmp_path):
    asked = held_out_prompts(60)
    made = np.stack([flat(9)] * 60)
    found = {f.name: f for f in prompts_followed(reader(style="photo"), asked, made, tmp_path)}
    styles = [one.claims["style"] for one in asked if "style" in one.claims]
    assert found["agreement/style"].value == pytest.approx(styles.count("photo") / len(styles))
    assert found["agreement/style"].n == len(styles)
    ages = [one.claims["age"] for one in asked if "age" in one.claims]
    right = [low - 5 <= 30 <= high + 5 for low, high in ages]
    assert found["agreement/age"].value == pytest.approx(np.mean(right))
    mean = found["agreement_mean_of_attributes"]
    assert mean.value == pytest.approx(
        np.mean([np.mean(right), styles.count("photo") / len(styles)])
    )
    assert mean.low < mean.value < mean.high
    assert found["agreement_ceiling"].value == pytest.approx(mean.value)  # it reads all alike
    # each prompt once, whether it holds an unseen combination or not
    unseen = sum(one.unseen for one in asked)
    assert 0 < unseen < 60
    assert found["agreement_of_unseen"].n <= unseen
    assert found["agreement_of_others"].n <= 60 - unseen


def test_distances_to_what_was_shown_by_hand():
    from likeness.world.figures.memory import nearest, small

    pictures = np.stack([flat(0), flat(51), flat(255)])
    vectors = small(pictures)
    assert vectors.shape == (3, 768)
    assert nearest(vectors, vectors) == pytest.approx([0, 0, 0], abs=1e-3)
    # a fifth of the range to the nearest other one, and the last four fifths
    assert nearest(vectors, vectors, itself=np.arange(3)) == pytest.approx(
        [0.2, 0.2, 0.8], abs=1e-4
    )


def test_a_copy_of_a_shown_picture_is_told_from_a_new_one(tmp_path, monkeypatch):
    from likeness.world.book import write_book
    from likeness.world.figures import memory
    from likeness.world.learn.recipe import BaseRecipe, Stage

    one = BaseRecipe().stages[0]
    stage = Stage.model_validate(one.model_dump() | {"count": 120})
    recipe = BaseRecipe(stages=(stage,))
    shown = write_book(tmp_path / "again", f"base-{stage.name}", 120, stage.mixture)
    fresh = write_book(tmp_path / "fresh", "somebody-else", 40, stage.mixture)
    copies, new = (
        {
            f.name: f
            for f in memory.remembered(np.asarray(book.pictures)[:40], recipe, tmp_path, 10_000)
        }
        for book in (shown, fresh)
    )
    assert copies["memory/shown_pictures_looked_at"].value == 120
    assert copies["memory/copies"].value == 1.0
    assert copies["memory/nearest_shown"].value == pytest.approx(0, abs=1e-3)
    assert new["memory/copies"].value < 0.2
    assert new["memory/nearest_shown"].value == pytest.approx(
        new["memory/nearest_shown_of_shown"].value, rel=0.25
    )


def test_held_out_prompts_claim_only_what_can_be_read():
    from likeness.world.book import page_of
    from likeness.world.picture import draw
    from likeness.world.reader.truth import age_of, truth_of
    from likeness.world.sample import describe

    for index, one in enumerate(held_out_prompts(40)):
        page = describe("prompts", index, PROMPTS)
        known = page_of(page, draw(page, 64))
        truth = truth_of(known) | {"age": age_of(known)}
        assert one.claims.keys() <= {name for name, value in truth.items() if value is not None}
        assert (one.rendering == draw(page, 64).picture).all()
