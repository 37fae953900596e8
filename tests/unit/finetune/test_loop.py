from itertools import pairwise

import pytest
import torch

from likeness.errors import BadInput
from likeness.finetune.loop import Plan, generator_of, learning_rate_at, train


def problem():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(12, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))


def loss_on(module, die_at=None):
    def loss_of(step, generator):
        if step == die_at:
            raise KeyboardInterrupt
        x = torch.randn(16, 12, generator=generator)
        loss = (module(x) - x.sum(1, keepdim=True)).pow(2).mean()
        return {"loss": loss, "twice": 2 * loss}

    return loss_of


PLAN = Plan(steps=23, learning_rate=0.05, ema=0.9, weight_decay=0.01, seed=3, checkpoint_steps=5)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("ema", [None, 0.9])
@pytest.mark.parametrize("die_at", [3, 5, 13, 22])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(tmp_path, die_at, ema, optimizer):
    plan = PLAN.model_copy(update={"ema": ema, "optimizer": optimizer})
    whole, killed = problem(), problem()
    curve = train(whole, loss_on(whole), plan, tmp_path / "whole", "whole")
    with pytest.raises(KeyboardInterrupt):
        train(killed, loss_on(killed, die_at), plan, tmp_path / "killed", "killed")
    again = problem()  # a new process starts from fresh weights
    resumed = train(again, loss_on(again), plan, tmp_path / "killed", "again")
    for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert [row["step"] for row in resumed] == [row["step"] for row in curve]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_is_the_same_whatever_the_order_of_weights_in_memory(tmp_path, optimizer):
    def network():
        torch.manual_seed(0)
        layers = (torch.nn.Unflatten(1, (3, 2, 2)), torch.nn.Conv2d(3, 4, 2), torch.nn.Flatten())
        whole = torch.nn.Sequential(*layers, torch.nn.Linear(4, 1))
        return whole.to(memory_format=torch.channels_last)

    plan = PLAN.model_copy(update={"optimizer": optimizer})
    whole, killed, again = network(), network(), network()
    assert not whole[1].weight.is_contiguous()
    train(whole, loss_on(whole), plan, tmp_path / "whole", "whole")
    with pytest.raises(KeyboardInterrupt):
        train(killed, loss_on(killed, 13), plan, tmp_path / "killed", "killed")
    train(again, loss_on(again), plan, tmp_path / "killed", "again")
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True)
    )


def test_a_finished_run_is_not_trained_again(tmp_path):
    module = problem()
    train(module, loss_on(module), PLAN, tmp_path, "first")
    kept = [p.clone() for p in module.parameters()]
    again = problem()
    train(again, loss_on(again, die_at=0), PLAN, tmp_path, "again")
    assert all(torch.equal(a, b) for a, b in zip(kept, again.parameters(), strict=True))


def test_it_learns_and_shows_every_value(tmp_path):
    module = problem()
    plan = Plan(steps=300, learning_rate=0.02)
    curve = train(module, loss_on(module), plan, tmp_path, "learning")
    assert curve[-1]["loss"] < 0.1 * curve[0]["loss"]
    assert curve[-1]["twice"] == pytest.approx(2 * curve[-1]["loss"], rel=1e-5)
    assert curve[-1]["step"] == 300


def test_only_what_wants_gradients_moves(tmp_path):
    module = problem()
    module[0].requires_grad_(False)
    frozen, moved = module[0].weight.clone(), module[2].weight.clone()
    train(module, loss_on(module), PLAN, tmp_path, "half")
    assert torch.equal(frozen, module[0].weight)
    assert not torch.equal(moved, module[2].weight)


def test_one_cycle_warms_up_and_ends_near_zero():
    plan = Plan(steps=100, learning_rate=1.0)
    rates = [learning_rate_at(step, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)  # a fifth of a warm-up of five steps
    assert max(rates) == rates[4] == 1.0
    assert rates[-1] < 0.001
    assert all(a >= b for a, b in pairwise(rates[4:]))


def test_each_step_draws_its_own():
    draws = {float(torch.rand(1, generator=generator_of(s, t))) for s in (0, 1) for t in range(50)}
    assert len(draws) == 100


def test_bfloat16_keeps_weights_in_full(tmp_path):
    module = problem()
    plan = PLAN.model_copy(update={"precision": "bfloat16"})
    train(module, loss_on(module), plan, tmp_path, "low")
    assert all(p.dtype == torch.float32 for p in module.parameters())


def test_what_cannot_be_trained_is_said_in_one_sentence(tmp_path):
    frozen = problem().requires_grad_(False)
    with pytest.raises(BadInput, match="nothing to train"):
        train(frozen, loss_on(frozen), PLAN, tmp_path, "frozen")
    half = problem().half()
    with pytest.raises(BadInput, match=r"0\.weight is torch\.float16: load what is trained"):
        train(half, loss_on(half), PLAN, tmp_path, "half")


def test_a_loss_that_is_no_number_ends_the_training_before_it_spoils_the_checkpoint(tmp_path):
    module = problem()

    def loss_of(step, generator):
        values = loss_on(module)(step, generator)
        return {"loss": values["loss"] * (float("nan") if step >= 12 else 1.0)}

    with pytest.raises(BadInput, match="lower the learning rate"):
        train(module, loss_of, PLAN, tmp_path, "nan")
    again = problem()
    curve = train(again, loss_on(again), PLAN, tmp_path, "again")
    assert all(torch.isfinite(p).all() for p in again.parameters())
    assert curve[-1]["step"] == PLAN.steps


def test_a_checkpoint_of_another_plan_is_refused(tmp_path):
    module = problem()
    train(module, loss_on(module), PLAN, tmp_path, "one")
    other = PLAN.model_copy(update={"steps": 10})
    with pytest.raises(BadInput, match="another plan"):
        train(problem(), loss_on(module), other, tmp_path, "two")


def by_rows(module, rows):
    """A loss over this many rows of a step's eight, drawn one after the other."""

    def loss_of(step, generator):
        x = torch.cat([torch.randn(1, 12, generator=generator) for _ in range(rows)])
        return {"loss": (module(x) - x.sum(1, keepdim=True)).pow(2).mean()}

    return loss_of


def test_a_batch_in_parts_is_the_same_batch(tmp_path):
    whole, parts = problem(), problem()
    plan = Plan(steps=20, learning_rate=0.01, seed=3)
    a = train(whole, by_rows(whole, 8), plan, tmp_path / "whole", "whole")
    in_four = plan.model_copy(update={"gradient_accumulation_steps": 4})
    b = train(parts, by_rows(parts, 2), in_four, tmp_path / "parts", "parts")
    assert [row["loss"] for row in b] == pytest.approx([row["loss"] for row in a], rel=1e-4)
    for p, q in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(p, q, atol=1e-4)


@pytest.mark.parametrize("ema", [None, 0.9])
@pytest.mark.parametrize("die_at", [5, 10, 13, 23])
def test_what_happens_at_a_checkpoint_happens_once_and_changes_nothing(tmp_path, die_at, ema):
    plan = PLAN.model_copy(update={"ema": ema, "gradient_accumulation_steps": 2})
    whole, killed, again = problem(), problem(), problem()
    train(whole, loss_on(whole), plan, tmp_path / "whole", "without a hook")

    def hook(module, seen, dies=None):
        def at_checkpoint(step, rows):
            if step == dies:
                raise KeyboardInterrupt
            assert rows[-1]["step"] <= step
            torch.rand(3)  # chance of its own
            seen[step] = [p.clone() for p in module.parameters()]

        return at_checkpoint

    first, second, third = {}, {}, {}
    dies = {10: 10, 23: 23}.get(die_at)
    loss_of = loss_on(killed, None if dies else die_at)
    with pytest.raises(KeyboardInterrupt):
        train(killed, loss_of, plan, tmp_path / "killed", "killed", hook(killed, first, dies))
    train(again, loss_on(again), plan, tmp_path / "killed", "again", hook(again, second))
    assert sorted([*first, *second]) == [5, 10, 15, 20, 23]
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    # The last one saw the weights that are kept: the average, if there is one.
    for a, b in zip(second[23], again.parameters(), strict=True):
        assert torch.equal(a, b)
    fresh = problem()
    train(fresh, loss_on(fresh), plan, tmp_path / "killed", "finished", hook(fresh, third))
    assert third == {}


def test_a_checkpoint_from_before_a_setting_came_is_of_the_same_plan(tmp_path):
    import json

    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    first = problem()
    train(first, loss_on(first), PLAN, tmp_path, "first")
    file = tmp_path / "checkpoint" / "state.safetensors"
    with safe_open(file, framework="pt") as held:
        note = held.metadata()
    plan = json.loads(note["plan"])
    del plan["gradient_accumulation_steps"]
    save_file(load_file(file), file, note | {"plan": json.dumps(plan)})
    again = problem()
    train(again, loss_on(again, die_at=0), PLAN, tmp_path, "again")
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
