"""Muon that keeps to float32 where bfloat16 is slow."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class Muon(torch.optim.Muon):
    """torch's Muon, whose products of matrices are in float32 but on GPUs.

    torch rounds to bfloat16 for them. On a processor that has no bfloat16 such a product takes
    some sixty times as long as in float32, and the products then take longer than all the rest of
    an update. The steps are the same, but for the rounding. They are scaled as in Liu et al. 2025,
    arXiv:2502.16982, so that one rate serves Muon and AdamW.
    """

    def __init__(self, weights: Iterable[Tensor], rate: float, weight_decay: float) -> None:
        super().__init__(weights, rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves the weights by their gradients; returns what `closure` gives, if there is one."""
        if any(weight.is_cuda for group in self.param_groups for weight in group["params"]):
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights: list[Tensor] = []
            gradients: list[Tensor] = []
            averages: list[Tensor] = []
            self._init_group(group, weights, gradients, averages)
            for weight, gradient, average in zip(weights, gradients, averages, strict=True):
                average.lerp_(gradient, 1 - group["momentum"])
                direction = gradient.lerp(average, group["momentum"])
                size = 0.2 * max(weight.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(_orthogonal(direction, group), alpha=-group["lr"] * size)
        return loss


def _orthogonal(matrix: Tensor, group: dict[str, Any]) -> Tensor:
    """Returns nearly the nearest matrix whose rows, or columns, are orthogonal and of length 1.

    By iteration (Jordan et al. 2024, kellerjordan.github.io/posts/muon): singular values x become
    a x + b x^3 + c x^5, again and again, which brings them near 1.
    """
    a, b, c = group["ns_coefficients"]
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / x.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        square = x @ x.T
        x = a * x + torch.addmm(square, square, square, beta=b, alpha=c) @ x
    nearly: Tensor = x.T if is_tall else x
    return nearly
