"""The article's LSTM: recurrent layers followed by dense layers."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import PyzzicatoConfig

LstmState = tuple[Tensor, Tensor]
_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class LstmBackbone(nn.Module):
    """`n_layers` LSTM layers and two dense layers; the head's output layer is the third.

    The state is the LSTM's own: hidden and cell, each `(n_layers, B, C)`.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__()
        between = config.dropout if config.n_layers > 1 else 0.0
        self.lstm = nn.LSTM(
            in_size, config.hidden_size, config.n_layers, batch_first=True, dropout=between
        )
        self.dropout = nn.Dropout(config.dropout)
        self.dense1 = nn.Linear(config.hidden_size, config.dense_size)
        self.dense2 = nn.Linear(config.dense_size, config.dense_size)
        self.out_size = config.dense_size

    def start(self, batch_size: int) -> LstmState:
        """Returns the state before the first frame: zeros."""
        shape = (self.lstm.num_layers, batch_size, self.lstm.hidden_size)
        zeros = self.dense1.weight.new_zeros(shape)
        return zeros, zeros

    def forward(self, x: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last frame."""
        is_step = x.shape[1] == 1
        y, state = self._step(x.squeeze(1), state) if is_step else self.lstm(x, state)
        y = torch.relu(self.dense1(self.dropout(y)))
        y = torch.relu(self.dense2(self.dropout(y)))
        return y[:, None] if is_step else y, state

    def _step(self, x: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """Returns what the LSTM gives for one step `(B, C_in)`, `(B, C)`, and the state.

        These are plain sums, which graphs run fast.

        The gates are in torch's order: input, forget, cell, output (Hochreiter & Schmidhuber 1997,
        with the forget gate of Gers et al. 2000).
        """
        hidden, cell = [], []
        for i, (h, c) in enumerate(zip(*state, strict=True)):
            w_x, w_h, b_x, b_h = (getattr(self.lstm, f"{name}_l{i}") for name in _WEIGHTS)
            gates = F.linear(torch.cat((x, h), dim=-1), torch.cat((w_x, w_h), dim=-1), b_x + b_h)
            enter, keep, new, out = gates.chunk(4, dim=-1)
            c = torch.sigmoid(keep) * c + torch.sigmoid(enter) * torch.tanh(new)
            x = torch.sigmoid(out) * torch.tanh(c)
            hidden.append(x)
            cell.append(c)
            if i + 1 < self.lstm.num_layers:
                x = F.dropout(x, self.lstm.dropout, self.training)
        return x, (torch.stack(hidden), torch.stack(cell))
