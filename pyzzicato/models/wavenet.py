"""The article's pseudo-WaveNet: gated dilated convolutions and a classification block.

Gates, residual and skip connections as in van den Oord et al. 2016, "WaveNet: A Generative Model
for Raw Audio", section 2.3; dilations 1, 2, 4, ... as in the article.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import PyzzicatoConfig
from .convolution import CausalConv

WaveNetState = tuple[Tensor, ...]


class GatedBlock(nn.Module):
    """One dilated convolution, gated, with a residual and a skip output.

    Args:
        size: channels in and out.
        kernel_size: frames seen by the convolution.
        dilation: distance between them.
    """

    def __init__(self, size: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.conv = CausalConv(size, 2 * size, kernel_size, dilation)
        self.out = nn.Linear(size, 2 * size)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the residual output, the skip output (both `(B, T, C)`) and the state."""
        y, state = self.conv(x, state)
        signal, gate = y.chunk(2, dim=-1)
        residual, skip = self.out(torch.tanh(signal) * torch.sigmoid(gate)).chunk(2, dim=-1)
        return x + residual, skip, state


class WaveNetBackbone(nn.Module):
    """`n_layers` gated blocks with dilations 1, 2, 4, ..., summed skips, one dense layer.

    It sees `(kernel_size - 1) * (2**n_layers - 1) + 1` frames. The dense layer and the head's
    output layer are the article's classification block.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.embed = nn.Linear(in_size, size)
        self.blocks = nn.ModuleList(
            GatedBlock(size, config.kernel_size, 2**i) for i in range(config.n_layers)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(size, config.dense_size)
        self.out_size = config.dense_size

    def start(self, batch_size: int) -> WaveNetState:
        """Returns the state before the first frame."""
        return tuple(cast(GatedBlock, block).conv.start(batch_size) for block in self.blocks)

    def forward(self, x: Tensor, state: WaveNetState) -> tuple[Tensor, WaveNetState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last frame."""
        if x.shape[1] == 1:
            y, state = self._step(x.squeeze(1), state)
            return y[:, None], state
        x = self.embed(x)
        total: Tensor | None = None
        after = []
        for block, past in zip(self.blocks, state, strict=True):
            x, skip, past = block(x, past)
            total = skip if total is None else total + skip
            after.append(past)
        assert total is not None  # n_layers is at least 1
        hidden = self.dense(self.dropout(torch.relu(total)))
        return torch.relu(hidden), tuple(after)

    def _step(self, x: Tensor, state: WaveNetState) -> tuple[Tensor, WaveNetState]:
        """Returns for one frame `(B, C_in)` what `forward` does, in fewer and larger sums."""
        x = self.embed(x)
        size = x.shape[-1]
        blocks = [cast(GatedBlock, block) for block in self.blocks]
        gated, after = [], []
        for block, past in zip(blocks, state, strict=True):
            y, past = block.conv.step(x, past)
            signal, gate = y.chunk(2, dim=-1)
            gated.append(torch.tanh(signal) * torch.sigmoid(gate))
            x = x + F.linear(gated[-1], block.out.weight[:size], block.out.bias[:size])
            after.append(past)
        weights = torch.cat([block.out.weight[size:] for block in blocks], dim=1)
        biases = torch.stack([block.out.bias[size:] for block in blocks]).sum(0)
        total = F.linear(torch.cat(gated, dim=-1), weights, biases)
        return torch.relu(self.dense(self.dropout(torch.relu(total)))), tuple(after)
