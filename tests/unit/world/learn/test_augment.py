import torch

from likeness.world.learn.augment import (
    _coarse,
    boxes_after,
    points_after,
    shift_and_scale,
    uniform,
    worn,
)


def dot(x, y):
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, :, y, x] = 1
    return picture


def test_boxes_and_points_move_with_the_pixels():
    move = (torch.tensor([1.25]), torch.tensor([[0.1, -0.05]]), torch.tensor([True]))
    seen = shift_and_scale(dot(20, 40), *move)[0, 0]
    weights = seen / seen.sum()
    middle = (torch.arange(64) + 0.5) / 64
    x, y = float((weights.sum(0) * middle).sum()), float((weights.sum(1) * middle).sum())
    points = points_after(torch.tensor([[[20.5 / 64, 40.5 / 64]]]), *move)[0, 0]
    torch.testing.assert_close(points, torch.tensor([x, y]), atol=5e-3, rtol=0)
    box = boxes_after(torch.tensor([[0.2, 0.3, 0.4, 0.9]]), *move)[0]
    expected = torch.tensor([0.5 + 1.25 * 0.1 + 0.1, 0.2, 0.5 + 1.25 * 0.3 + 0.1, 0.95])
    torch.testing.assert_close(box, expected)


def test_no_move_changes_nothing():
    x = torch.rand(2, 3, 64, 64)
    still = (torch.ones(2), torch.zeros(2, 2), torch.zeros(2, dtype=torch.bool))
    torch.testing.assert_close(shift_and_scale(x, *still), x, atol=1e-4, rtol=0)


def test_cosines_rounded_finely_come_back():
    x = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(_coarse(x, torch.full((2,), 1e-5)), x, atol=1e-3, rtol=0)
    flat = torch.full((1, 3, 8, 8), 0.5)
    assert float(_coarse(flat, torch.tensor([0.1])).std()) < 1e-6


def test_wear_stays_in_range_and_follows_the_seed():
    x = torch.rand(8, 3, 64, 64) * 2 - 1

    def wear(seed):
        return worn(x, torch.Generator().manual_seed(seed), share=0.5, tint=0.1)

    assert torch.equal(wear(1), wear(1))
    assert not torch.equal(wear(1), wear(2))
    assert wear(1).abs().max() <= 1


def test_uniform_keeps_its_bounds():
    numbers = uniform(1000, -2, 3, torch.Generator().manual_seed(0))
    assert -2 <= numbers.min() < -1.9 < 2.9 < numbers.max() <= 3
