"""Muon beside torch's own, and its laws."""

import pytest
import torch

from likeness.finetune.muon import is_matrix, muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 40, 200), (2, 200, 40), (1, 64, 64)])
def test_singular_values_become_about_one_and_directions_stay(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    turned = orthogonal(x)
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    large = s > 0.01 * x.norm(dim=(1, 2))[:, None]
    values = torch.linalg.svdvals(turned)
    assert values.max() < 1.25
    assert values[large].min() > 0.6
    middle = u.mT @ turned @ v.mT
    assert torch.allclose(middle, torch.diag_embed(torch.diagonal(middle, 0, -2, -1)), atol=1e-3)


def test_matrices_are_turned_one_by_one():
    x = torch.randn(4, 20, 30, generator=torch.Generator().manual_seed(1))
    alone = torch.cat([orthogonal(one[None]) for one in x])
    assert torch.allclose(orthogonal(x), alone, atol=1e-4)


def test_steps_are_those_of_torchs_own_on_a_matrix():
    start = torch.randn(32, 48, generator=torch.Generator().manual_seed(2))
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    mine = muon([ours], 1e-3, 0.0)
    # theirs moves entries by 0.2 of its learning rate
    other = torch.optim.Muon([theirs], lr=5e-3, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for step in range(5):
        grad = torch.randn(32, 48, generator=torch.Generator().manual_seed(10 + step))
        for parameter, optimizer in ((ours, mine), (theirs, other)):
            parameter.grad = grad.clone()
            optimizer.step()
    moved, reference = ours.detach() - start, theirs.detach() - start
    # theirs turns in bfloat16
    assert (moved - reference).norm() / reference.norm() < 0.02


def test_the_root_mean_square_of_a_step_is_the_learning_rate_whatever_the_shape():
    shapes = [(64, 64), (16, 300), (40, 20, 3, 3)]
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape)
    muon(parameters, 1e-2, 0.0).step()
    for parameter in parameters:
        assert parameter.detach().pow(2).mean().sqrt() == pytest.approx(1e-2, rel=0.25)


def test_a_convolution_moves_as_the_matrix_of_its_rows():
    start = torch.randn(24, 10, 3, 3)
    grad = torch.randn(24, 10, 3, 3)
    convolution = torch.nn.Parameter(start.clone())
    matrix = torch.nn.Parameter(start.reshape(24, 90).clone())
    for parameter in (convolution, matrix):
        parameter.grad = grad.reshape(parameter.shape).clone()
        muon([parameter], 1e-2, 0.1).step()
    assert torch.allclose(convolution.reshape(24, 90), matrix)


def test_vectors_and_narrow_weights_are_no_matrices():
    assert is_matrix(torch.nn.Parameter(torch.zeros(16, 4, 3, 3)))
    assert not is_matrix(torch.nn.Parameter(torch.zeros(16)))
    assert not is_matrix(torch.nn.Parameter(torch.zeros(4, 64, 3, 3)))
