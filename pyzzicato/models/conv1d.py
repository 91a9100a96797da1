"""The article's plain Conv1D network: a few causal convolutions, one after the other."""

from typing import cast

import torch
from torch import Tensor, nn

from .config import PyzzicatoConfig
from .convolution import CausalConv

Conv1dState = tuple[Tensor, ...]


class Conv1dBackbone(nn.Module):
    """`n_layers` causal convolutions of `kernel_size` frames, each with a ReLU.

    It sees `n_layers * (kernel_size - 1) + 1` frames.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__()
        sizes = [in_size] + [config.hidden_size] * config.n_layers
        self.layers = nn.ModuleList(
            CausalConv(a, b, config.kernel_size) for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.out_size = config.hidden_size

    def start(self, batch_size: int) -> Conv1dState:
        """Returns the state before the first frame."""
        return tuple(cast(CausalConv, layer).start(batch_size) for layer in self.layers)

    def forward(self, x: Tensor, state: Conv1dState) -> tuple[Tensor, Conv1dState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last frame."""
        is_step = x.shape[1] == 1
        x = x.squeeze(1) if is_step else x
        after = []
        for layer, past in zip(self.layers, state, strict=True):
            x, past = cast(CausalConv, layer).step(x, past) if is_step else layer(x, past)
            x = self.dropout(torch.relu(x))
            after.append(past)
        return x[:, None] if is_step else x, tuple(after)
