"""Muon takes the steps that torch's own takes in bfloat16, and takes convolutions too."""

import torch
from torch import Tensor

from pyzzicato.training.muon import Muon


def walked(kind: type[torch.optim.Optimizer], **options: object) -> list[Tensor]:
    """Returns a wide and a tall matrix after four updates by made gradients."""
    made = torch.Generator().manual_seed(0)
    weights = [torch.randn(n, m, generator=made, requires_grad=True) for n, m in ((4, 9), (9, 4))]
    optimizer = kind(weights, 0.02, weight_decay=0.1, **options)
    for _ in range(4):
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=made)
        optimizer.step()
    return [weight.detach() for weight in weights]


def test_the_steps_are_those_of_torch_but_for_rounding() -> None:
    ours = walked(Muon)
    theirs = walked(torch.optim.Muon, adjust_lr_fn="match_rms_adamw")
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=2e-3)


def test_a_convolution_moves_as_the_matrix_of_what_it_sees_at_once() -> None:
    made = torch.Generator().manual_seed(0)
    kernel = torch.randn(4, 3, 5, generator=made, requires_grad=True)
    matrix = kernel.detach().flatten(1).requires_grad_()
    optimizer = Muon([kernel, matrix], 0.02, weight_decay=0.1)
    before = kernel.detach().clone()
    for _ in range(2):
        kernel.grad = torch.randn(kernel.shape, generator=made)
        matrix.grad = kernel.grad.flatten(1)
        optimizer.step()
    assert torch.equal(kernel.flatten(1), matrix)
    assert not torch.allclose(kernel, before, atol=1e-3)


def test_a_step_turns_a_gradient_into_one_that_moves_all_directions_alike() -> None:
    weight = torch.zeros(3, 5, requires_grad=True)
    optimizer = Muon([weight], 1.0, weight_decay=0.0)
    weight.grad = torch.diag(torch.tensor([100.0, 1.0, 0.2, 0.0, 0.0]))[:3]
    optimizer.step()
    lengths = torch.linalg.svdvals(weight.detach()) / (0.2 * 5**0.5)
    # The iteration leaves them between 0.7 and 1.2 but for what is a thousandth of the rest.
    assert ((lengths > 0.3) & (lengths < 1.3)).all()
