"""What a network carries from step to step, as one flat row of tensors."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Growing(NamedTuple):
    """A part of a state that keeps a row of every step.

    Attributes:
        past: `(B, N, ...)`, the rows before the last call's steps.
        new: `(B, T, ...)`, those of its steps; None before the first.
    """

    past: Tensor
    new: Tensor | None = None

    def rows(self, most: int) -> Tensor:
        """Returns the last rows, at most so many, `(B, N, ...)`."""
        if self.new is None:
            return self.past
        joined = torch.cat((self.past, self.new), dim=1)
        return joined[:, max(0, joined.shape[1] - most) :]


def flatten(state: Any) -> tuple[list[Tensor | Growing], Any]:
    """Returns the parts of a state in a row, and its shape, for `unflatten`."""
    if isinstance(state, Tensor | Growing):
        return [state], type(state)
    if state is None or state == ():
        return [], state
    parts: list[Tensor | Growing] = []
    shapes = []
    for part in state:
        found, shape = flatten(part)
        parts += found
        shapes.append(shape)
    return parts, (type(state), shapes)


def unflatten(tensors: Sequence[Tensor], shape: Any) -> Any:
    """Returns a state of a shape from its tensors, of growing parts the rows so far."""
    row = list(tensors)
    state = _build(row, shape)
    assert not row
    return state


def _build(row: list[Tensor], shape: Any) -> Any:
    if shape is Growing:
        return Growing(row.pop(0))
    if isinstance(shape, type) and issubclass(shape, Tensor):
        return row.pop(0)
    if shape is None or shape == ():
        return shape
    kind, shapes = shape
    parts = [_build(row, one) for one in shapes]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
