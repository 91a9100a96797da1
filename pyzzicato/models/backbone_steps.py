"""The backbones one step at a time, in numpy: the same sums as their modules, on vectors.

For one step of one piece torch spends its time on everything but the products; numpy's own
expenses are a tenth of that.
"""

from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from .conv1d import Conv1dBackbone
from .convolution import CausalConv
from .lstm import LstmBackbone
from .wavenet import GatedBlock, WaveNetBackbone

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]


class BackboneStep(Protocol):
    """A backbone that takes one step and remembers."""

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector `(C,)` after one more step `(C_in,)`."""
        ...


def as_array(weight: Tensor) -> NDArray[np.float32]:
    """Returns a weight as numpy sees it, float32; shared with the module where it is that."""
    array: NDArray[np.float32] = weight.detach().float().cpu().numpy()
    return array


def by_columns(weight: Matrix) -> Matrix:
    """Returns a copy of a weight `(C_out, C_in)`, transposed: a vector times it is quicker."""
    return np.ascontiguousarray(weight.T)


class Dense:
    """A linear layer on vectors."""

    def __init__(self, layer: nn.Linear) -> None:
        self._weight = by_columns(as_array(layer.weight))
        self._bias = None if layer.bias is None else as_array(layer.bias)

    def __call__(self, x: Vector) -> Vector:
        """Returns `(C_out,)` for `(C_in,)`."""
        y: Vector = x.dot(self._weight)
        if self._bias is not None:
            y += self._bias
        return y

    def halve(self) -> None:
        """Halves what the layer makes of its input, the bias left as it is."""
        self._weight *= 0.5


class DelayLine:
    """A causal convolution that keeps the steps it will see again.

    They lie in a ring that is written twice, one after the other, so that those it sees now are
    always in one piece.
    """

    def __init__(self, conv: CausalConv) -> None:
        self._weight = by_columns(as_array(conv.weight.flatten(1)))
        self._bias = as_array(conv.bias)
        self._length = conv.past + 1
        self._dilation = conv.dilation
        self._ring = np.zeros((2, self._length, conv.weight.shape[2]), dtype=np.float32)
        self._twice = self._ring.reshape(2 * self._length, -1)
        self._place = 0

    def __call__(self, x: Vector) -> Vector:
        """Returns `(C_out,)` for `(C_in,)`."""
        self._ring[:, self._place] = x
        self._place += 1
        seen = self._twice[self._place : self._place + self._length : self._dilation]
        self._place %= self._length
        y: Vector = seen.ravel().dot(self._weight)
        y += self._bias
        return y

    def halve_gates(self) -> None:
        """Halves the second half of what the convolution gives, the gates of a WaveNet's block."""
        size = len(self._bias) // 2
        self._weight[:, size:] *= 0.5
        self._bias = np.concatenate((self._bias[:size], self._bias[size:] * 0.5))


class Conv1dStep:
    """`Conv1dBackbone` step by step."""

    def __init__(self, backbone: Conv1dBackbone) -> None:
        self._layers = [DelayLine(cast(CausalConv, layer)) for layer in backbone.layers]

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        for layer in self._layers:
            x = layer(x)
            np.maximum(x, 0, out=x)
        return x


class WaveNetStep:
    """`WaveNetBackbone` step by step."""

    def __init__(self, backbone: WaveNetBackbone) -> None:
        blocks = [cast(GatedBlock, block) for block in backbone.blocks]
        self._embed = Dense(backbone.embed)
        self._blocks = [(DelayLine(block.conv), Dense(block.out)) for block in blocks]
        for conv, out in self._blocks:
            conv.halve_gates()
            out.halve()
        self._dense = Dense(backbone.dense)

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        x = self._embed(x)
        size = len(x)
        # What goes on to the next block, and what is summed over all of them.
        both = np.concatenate((x, np.zeros(size, dtype=np.float32)))
        for conv, out in self._blocks:
            y = conv(both[:size])
            # sigmoid(x) is (tanh(x / 2) + 1) / 2: one tanh for signal and gate, and both halvings
            # are in the weights.
            np.tanh(y, out=y)
            gated = y[size:]
            gated += 1
            gated *= y[:size]
            both += out(gated)
        return np.maximum(self._dense(np.maximum(both[size:], 0)), 0)


class LstmStep:
    """`LstmBackbone` step by step."""

    def __init__(self, backbone: LstmBackbone) -> None:
        weights = [[as_array(w) for w in layer] for layer in backbone.lstm.all_weights]
        # One product instead of two.
        self._layers = [
            _in_our_order(np.concatenate((w_x, w_h), axis=1), b_x + b_h)
            for w_x, w_h, b_x, b_h in weights
        ]
        size = backbone.lstm.hidden_size
        self._hidden = [np.zeros(size, dtype=np.float32) for _ in self._layers]
        self._cells = [np.zeros(size, dtype=np.float32) for _ in self._layers]
        self._dense = Dense(backbone.dense1), Dense(backbone.dense2)

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        for i, (weight, bias) in enumerate(self._layers):
            gates = np.concatenate((x, self._hidden[i])).dot(weight)
            gates += bias
            n = len(self._cells[i])
            np.tanh(gates, out=gates)
            opening = gates[: 3 * n]
            opening += 1
            opening *= 0.5
            cell = gates[n : 2 * n]
            cell *= self._cells[i]
            gates[:n] *= gates[3 * n :]
            cell += gates[:n]
            x = np.tanh(cell)
            x *= gates[2 * n : 3 * n]
            self._hidden[i], self._cells[i] = x, cell
        for dense in self._dense:
            x = dense(x)
            np.maximum(x, 0, out=x)
        return x


def _in_our_order(weight: Matrix, bias: Vector) -> tuple[Matrix, Vector]:
    """Returns an LSTM's weight by columns, and its bias, gates in the order input, forget, output,
    cell; torch has the cell before the output.

    The three that open are halved: sigmoid(x) is (tanh(x / 2) + 1) / 2, so that one tanh serves all
    four.
    """  # noqa: D205
    n = len(bias) // 4
    order = np.r_[: 2 * n, 3 * n : 4 * n, 2 * n : 3 * n]
    share = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32), n)
    return by_columns(weight[order] * share[:, None]), bias[order] * share


def step_backbone(backbone: nn.Module) -> BackboneStep:
    """Returns a backbone that has heard nothing yet, ready to take steps."""
    if isinstance(backbone, LstmBackbone):
        return LstmStep(backbone)
    if isinstance(backbone, WaveNetBackbone):
        return WaveNetStep(backbone)
    assert isinstance(backbone, Conv1dBackbone)  # the model knows no other
    return Conv1dStep(backbone)
