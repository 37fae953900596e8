import json

import numpy as np
import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.finetune import checkpoints as module
from likeness.finetune.checkpoints import (
    Checkpoints,
    best_checkpoint,
    checkpoint_sheet,
    draw_curve,
)
from likeness.finetune.recipe import Judged
from likeness.generate.sample import TooMany

PROMPTS = ["a photo of sks dog", "a red sks dog", "sks dog on beach"]


def rows(*values):
    """Rows of (identity, obedience) from step 0, a hundred steps apart."""
    return [
        {"step": 100 * number, "loss": 0.1, "identity": identity, "obedience": obedience}
        for number, (identity, obedience) in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "step"),
    [
        # the third knows the person best and no longer obeys
        ([(0.0, 0.30), (0.4, 0.29), (0.6, 0.26), (0.9, 0.20)], 200),
        # exactly on the margin is within it
        ([(0.0, 0.5), (0.4, 0.5), (0.6, 0.25)], 200),
        # of equal ones the earliest
        ([(0.0, 0.30), (0.4, 0.30), (0.6, 0.28), (0.6, 0.29)], 200),
        # none obeys: the most obedient
        ([(0.0, 0.90), (0.9, 0.1), (0.2, 0.4), (0.7, 0.2)], 200),
        # the base model is never the answer
        ([(0.9, 0.30), (0.1, 0.30)], 100),
        # obedience not measured: identity alone
        ([(0.0, None), (0.4, None), (0.2, None)], 100),
        # measured for the base model, not for the better checkpoint
        ([(0.0, 0.3), (0.4, 0.3), (0.9, None)], 100),
        # one that could not be judged is passed over
        ([(0.0, 0.3), (0.4, 0.3), (None, 0.3)], 100),
        # none could be judged: the last
        ([(None, 0.3), (None, 0.3), (None, 0.1)], 200),
    ],
)
def test_the_rule_by_hand(values, step):
    margin = 0.25 if values[0][1] == 0.5 else 0.05
    found = rows(*values)
    assert best_checkpoint(found, margin)["step"] == step
    assert best_checkpoint(found[::-1], margin)["step"] == step


def test_the_best_so_far_is_enough_to_find_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(300):
        found = rows(*[(_some(rng), _some(rng)) for _ in range(7)])
        kept = None
        for end in range(2, 8):
            best = best_checkpoint(found[:end], 0.2)
            assert best in (kept, found[end - 1])
            kept = best


def _some(rng):
    return None if rng.random() < 0.2 else float(rng.integers(5)) / 4


def test_without_a_checkpoint_there_is_none():
    with pytest.raises(ValueError, match="no checkpoint yet"):
        best_checkpoint(rows((0.1, 0.2)), 0.1)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Checkpoints whose pictures are random and whose judge has prepared answers."""
    calls = []

    def sampled(pipe, prompts, seeds, sampling, side):
        calls.append((list(prompts), list(seeds)))
        rng = np.random.default_rng(seeds)
        return rng.integers(0, 256, (len(prompts), side, side, 3), np.uint8)

    monkeypatch.setattr(module, "sample_batch", sampled)

    def make(answers, each=2):
        iterator = iter(answers)

        def judge(pictures):
            assert pictures.shape == (3 * each, 16, 16, 3)
            identity, obedience = next(iterator)
            return {"identity": identity, "obedience": obedience, "with_face": 1.0}

        judged = Judged(prompts=PROMPTS, images_per_prompt=each, seed=10)
        save = lambda folder: (folder / "weights.txt").write_text("kept")  # noqa: E731
        return Checkpoints(None, judged, 16, tmp_path / "kept", judge, save)

    make.calls = calls
    return make


def test_pictures_that_do_not_fit_beside_the_training_are_made_fewer_at_once(watched, monkeypatch):
    whole = watched([(0.5, 0.3)], each=4)._sampled(Judged(prompts=PROMPTS, images_per_prompt=4))
    sampled, sizes = module.sample_batch, []

    def crowded(pipe, prompts, seeds, sampling, side):
        sizes.append(len(prompts))
        if len(prompts) > room:
            raise TooMany("too many")
        return np.concatenate(
            [sampled(pipe, [p], [s], sampling, side) for p, s in zip(prompts, seeds, strict=True)]
        )

    monkeypatch.setattr(module, "sample_batch", crowded)
    room, seen = 3, watched([(0.5, 0.3)], each=4)
    made = seen._sampled(Judged(prompts=PROMPTS, images_per_prompt=4))
    assert sizes == [8, 4, 2, 2, 2, 2, 2, 2]
    assert made.shape == whole.shape
    room = 0
    with pytest.raises(BadInput, match="no room for a picture of a checkpoint: leave out judged"):
        seen._sampled(Judged(prompts=PROMPTS, images_per_prompt=4))


def test_each_checkpoint_has_a_row_and_pictures_and_the_best_has_weights(watched, tmp_path):
    seen = watched([(0.0, 0.3), (0.2, 0.3), (0.9, 0.3), (0.5, 0.3)])
    seen.see_base()
    curve = [{"step": 50, "seconds": 1.0, "loss": 0.25}]
    for step in (100, 200, 300):
        seen.see(step, curve)
    assert [row["step"] for row in seen.rows] == [0, 100, 200, 300]
    assert [row["loss"] for row in seen.rows] == [None, 0.25, 0.25, 0.25]
    assert seen.best()["step"] == 200
    folder = tmp_path / "kept"
    assert sorted(p.name for p in folder.glob("weights-*")) == ["weights-000200"]
    assert (seen.weights(seen.best()) / "weights.txt").read_text() == "kept"
    names = [p.name for p in seen.pictures(200)]
    assert names == ["00-00.png", "00-01.png", "01-00.png", "01-01.png", "02-00.png", "02-01.png"]
    # the same prompts and seeds each time
    assert watched.calls[0] == (
        [p for p in PROMPTS for _ in range(2)],
        [10, 11, 12, 13, 14, 15],
    )
    assert all(call == watched.calls[0] for call in watched.calls)


def test_judges_do_not_work_in_the_number_format_of_the_training(watched):
    """A face model whose last layer gives bfloat16 could not even be read as an array."""
    import torch

    seen = watched([(0.0, 0.3)])
    answer, formats = seen.judge, []

    def judge(pictures):
        formats.append((torch.eye(3) @ torch.eye(3)).numpy().dtype)
        return answer(pictures)

    seen.judge = judge
    with torch.autocast("cpu", torch.bfloat16):
        seen.see_base()
    assert formats == [np.float32]


def test_a_resumed_run_knows_its_rows_and_replaces_one_that_is_seen_again(watched, tmp_path):
    first = watched([(0.0, 0.3), (0.2, 0.3)])
    first.see_base()
    first.see(100, [])
    again = watched([(0.4, 0.2)])
    again.see_base()  # has been judged: no answer is taken
    again.see(100, [])
    assert [(row["step"], row["identity"]) for row in again.rows] == [(0, 0.0), (100, 0.4)]
    kept = json.loads((tmp_path / "kept" / "rows.json").read_text())
    assert kept == again.rows


def test_without_prompts_nothing_is_made_and_the_last_is_kept(tmp_path):
    kept = []
    seen = Checkpoints(None, None, 16, tmp_path, None, lambda folder: kept.append(folder))
    seen.see_base()
    for step in (5, 10):
        seen.see(step, [{"step": step, "loss": 1.0}])
    assert [row["step"] for row in seen.rows] == [5, 10]
    assert [p.name for p in tmp_path.glob("weights-*")] == ["weights-000010"]
    assert checkpoint_sheet(seen) is None


def test_the_sheet_has_a_row_a_checkpoint_and_a_column_a_prompt(watched):
    seen = watched([(0.0, 0.3), (0.2, 0.3)])
    seen.see_base()
    seen.see(100, [])
    sheet = checkpoint_sheet(seen)
    assert (sheet.width // 132, sheet.height // 148) == (3, 2)


def test_the_curve_is_a_picture_even_where_nothing_was_judged(tmp_path):
    curve = [{"step": 1, "loss": 0.5, "instance": 0.3, "prior": 0.2}, {"step": 2, "loss": 0.4}]
    draw_curve(curve, rows((0.0, 0.3), (0.5, None)), 100, tmp_path / "judged.png")
    draw_curve(curve, [{"step": 2, "loss": 0.4}], 2, tmp_path / "plain.png")
    for name in ("judged.png", "plain.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 300
