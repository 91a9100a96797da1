"""A causal convolution that carries its past from one part of a sequence to the next."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CausalConv(nn.Module):
    """Convolution over time that sees the present and the past only.

    The state is the input's last `(kernel_size - 1) * dilation` frames; zeros stand for the time
    before the first frame. One frame or many, the sums are the same.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: frames seen, the present one included.
        dilation: distance between the frames seen.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.past = (kernel_size - 1) * dilation
        # Kept as (out, kernel, in): for one step it is a plain matrix over the seen frames.
        self.weight = nn.Parameter(torch.empty(out_channels, kernel_size, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.kaiming_uniform_(self.weight.view(out_channels, -1), a=5**0.5)

    def start(self, batch_size: int) -> Tensor:
        """Returns the state before the first frame: `(B, past, C_in)` zeros."""
        return self.weight.new_zeros(batch_size, self.past, self.weight.shape[2])

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Returns `(B, T, C_out)` and the state after the last frame.

        Args:
            x: `(B, T, C_in)`, T at least 1.
            state: from `start` or from the call before.
        """
        if x.shape[1] == 1:
            y, state = self.step(x.squeeze(1), state)
            return y[:, None], state
        seen = torch.cat((state, x), dim=1)
        kernel = self.weight.transpose(1, 2)
        y = F.conv1d(seen.transpose(1, 2), kernel, self.bias, dilation=self.dilation)
        return y.transpose(1, 2), seen[:, seen.shape[1] - self.past :]

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what `forward` does for one frame `(B, C_in)`: `(B, C_out)`, by one matrix."""
        if not self.past:  # A state of no rows would be taken for one that grows, see `export.py`.
            return F.linear(x, self.weight.flatten(1), self.bias), state
        seen = torch.cat((state, x[:, None]), dim=1)
        taps = seen[:, :: self.dilation].flatten(1)
        return F.linear(taps, self.weight.flatten(1), self.bias), seen[:, 1:]
