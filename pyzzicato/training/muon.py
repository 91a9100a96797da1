"""Muon, for matrices and for convolutions."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_MOMENTUM = 0.95
_ITERATIONS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_LEAST = 1e-7


class Muon(torch.optim.Optimizer):
    """Moves weights by gradients whose singular values were all brought near 1.

    The method and its numbers are those of Jordan et al. 2024, kellerjordan.github.io/posts/muon,
    with steps scaled as in Liu et al. 2025, arXiv:2502.16982, so that one rate serves Muon and
    AdamW. `torch.optim.Muon` takes the same steps, but for rounding, and takes matrices alone.
    Here the weights of a convolution, `(out, kernel, in)`, are a matrix of what it sees at once.

    Products are in bfloat16 on GPUs and in float32 elsewhere: on a processor that has no bfloat16
    they would take some sixty times as long, longer than all the rest of an update.

    Args:
        weights: of two dimensions or more; the first is what goes out.
        rate: learning rate.
        weight_decay: times the rate, the share that weights lose at each update.
    """

    def __init__(self, weights: Iterable[Tensor], rate: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": rate, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves the weights by their gradients; returns what `closure` gives, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group["lr"], group["weight_decay"])
        return loss

    def _move(self, weight: Tensor, rate: float, decay: float) -> None:
        gradient = weight.grad
        assert gradient is not None
        state = self.state[weight]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        average = state["momentum_buffer"].lerp_(gradient, 1 - _MOMENTUM)
        direction = gradient.lerp(average, _MOMENTUM).flatten(1)
        size = 0.2 * max(direction.shape) ** 0.5
        weight.mul_(1 - rate * decay)
        weight.add_(_orthogonal(direction).view_as(weight), alpha=-rate * size)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Returns nearly the nearest matrix whose rows, or columns, are orthogonal and of length 1.

    By iteration: singular values x become a x + b x^3 + c x^5, again and again.
    """
    a, b, c = _COEFFICIENTS
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.bfloat16() if matrix.is_cuda else matrix
    x = x.T if is_tall else x
    x = x / x.norm().clamp(min=_LEAST)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + torch.addmm(square, square, square, beta=b, alpha=c) @ x
    nearly: Tensor = x.T if is_tall else x
    return nearly.to(matrix.dtype)
