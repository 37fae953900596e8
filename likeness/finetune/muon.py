"""Muon: momentum whose matrices are turned into orthogonal ones before they are added.

Jordan et al. 2024, *Muon: An optimizer for hidden layers in neural networks*,
https://kellerjordan.github.io/posts/muon.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MOMENTUM = 0.95
TURNS = 5
# Coefficients of the quintic that sends singular values to about 1 (Jordan et al. 2024).
A, B, C = 3.4445, -4.7750, 2.0315
NARROW = 8  # what has so few rows or columns is no matrix worth turning


def is_matrix(parameter: "torch.nn.Parameter") -> bool:
    """Whether Muon moves it: a weight of a linear layer, or of a convolution read as its rows."""
    return parameter.ndim >= 2 and min(_shape(parameter)) > NARROW


def _shape(parameter: "torch.Tensor") -> tuple[int, int]:
    return parameter.shape[0], parameter[0].numel()


def orthogonal(matrices: "torch.Tensor") -> "torch.Tensor":
    """N x r x c -> about U V^T of each.

    Singular values come to lie within 0.6 and 1.25 where they are above a hundredth of the norm.
    The Newton-Schulz iteration of Muon, on the Gram matrix: each turn multiplies by a polynomial in
    X X^T, so that all turns together are one product with a small square matrix.
    """
    import torch

    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = x @ x.mT
    turned = torch.eye(gram.shape[-1], device=x.device, dtype=x.dtype).expand_as(gram)
    for _ in range(TURNS):
        turn = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)
        turn.diagonal(dim1=-2, dim2=-1).add_(A)
        turned = turn @ turned
        gram = turn @ gram @ turn
    x = turned @ x
    return x.mT if tall else x


def muon(
    parameters: "Iterable[torch.nn.Parameter]", learning_rate: float, weight_decay: float
) -> "torch.optim.Optimizer":
    """The optimiser of Jordan et al. (2024), on matrices and on convolutions read as matrices.

    The scale is that of Liu et al. (2025, arXiv 2502.16982): whatever a matrix's shape, its entries
    move by the same root mean square, here the learning rate itself, which is the most by which
    AdamW moves one, so that both take the same. Unlike ``torch.optim.Muon`` it takes convolutions,
    and matrices of one shape together.
    """
    import torch

    class Muon(torch.optim.Optimizer):
        def __init__(self, parameters: Iterable[Any]) -> None:
            super().__init__(parameters, {"lr": learning_rate, "weight_decay": weight_decay})

        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            for group in self.param_groups:
                moved = [p for p in group["params"] if p.grad is not None]
                self._move(moved, group["lr"], group["weight_decay"])

        def _move(self, moved: list[Any], rate: float, decay: float) -> None:
            if not moved:
                return
            grads = [p.grad for p in moved]
            for p in moved:
                if not self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
            momenta = [self.state[p]["momentum"] for p in moved]
            torch._foreach_lerp_(momenta, grads, 1 - MOMENTUM)
            ahead = torch._foreach_lerp(grads, momenta, MOMENTUM)  # Nesterov's look ahead
            torch._foreach_mul_(moved, 1 - rate * decay)
            alike = defaultdict(list)
            for index, p in enumerate(moved):
                alike[_shape(p)].append(index)
            for (rows, columns), which in alike.items():
                stack = torch.stack([ahead[i].reshape(rows, columns) for i in which])
                turned = orthogonal(stack) * (-rate * max(rows, columns) ** 0.5)
                steps = [one.view(moved[i].shape) for i, one in zip(which, turned, strict=True)]
                torch._foreach_add_([moved[i] for i in which], steps)

    return Muon(parameters)
