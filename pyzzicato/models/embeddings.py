"""From the steps of a representation to what a backbone takes in."""

import torch
from torch import Tensor, nn


class RollEmbedding(nn.Module):
    """A frame as it is: 88 zeros and ones, one for each key."""

    n_attributes = 88
    """Numbers a step holds."""
    out_size = 88

    def forward(self, steps: Tensor, dtype: torch.dtype) -> Tensor:
        """Returns `(B, T, 88)` floats for `(B, T, 88)` steps."""
        return steps.to(dtype)
