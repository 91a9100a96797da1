"""The article's LSTM: recurrent layers followed by dense layers."""

import torch
from torch import Tensor, nn

from .config import PyzzicatoConfig

LstmState = tuple[Tensor, Tensor]


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
        y, state = self._one(x, state) if x.shape[1] == 1 else self.lstm(x, state)
        y = torch.relu(self.dense1(self.dropout(y)))
        return torch.relu(self.dense2(self.dropout(y))), state

    def _one(self, x: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """Returns what `self.lstm` does for one frame, in evaluation, six times faster.

        On a CPU the whole-sequence kernel prepares its weights anew at each call, which for a
        single frame costs more than the frame itself.
        """
        y = x[:, 0]
        hidden, cell = [], []
        for i in range(self.lstm.num_layers):
            h, c = torch.lstm_cell(y, (state[0][i], state[1][i]), *self.lstm.all_weights[i])
            y = nn.functional.dropout(h, self.lstm.dropout, self.training)
            hidden.append(h)
            cell.append(c)
        return hidden[-1][:, None], (torch.stack(hidden), torch.stack(cell))
