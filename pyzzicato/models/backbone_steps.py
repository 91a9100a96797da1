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


class Dense:
    """A linear layer on vectors."""

    def __init__(self, layer: nn.Linear) -> None:
        self._weight = as_array(layer.weight)
        self._bias = None if layer.bias is None else as_array(layer.bias)

    def __call__(self, x: Vector) -> Vector:
        """Returns `(C_out,)` for `(C_in,)`."""
        y: Vector = self._weight @ x
        return y if self._bias is None else y + self._bias


class DelayLine:
    """A causal convolution that keeps the steps it will see again.

    They lie in a ring that is written twice, one after the other, so that those it sees now are
    always in one piece.
    """

    def __init__(self, conv: CausalConv) -> None:
        self._weight = as_array(conv.weight.flatten(1))
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
        y: Vector = self._weight @ seen.ravel()
        y += self._bias
        return y


class Conv1dStep:
    """`Conv1dBackbone` step by step."""

    def __init__(self, backbone: Conv1dBackbone) -> None:
        self._layers = [DelayLine(cast(CausalConv, layer)) for layer in backbone.layers]

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        for layer in self._layers:
            x = np.maximum(layer(x), 0)
        return x


class WaveNetStep:
    """`WaveNetBackbone` step by step."""

    def __init__(self, backbone: WaveNetBackbone) -> None:
        blocks = [cast(GatedBlock, block) for block in backbone.blocks]
        self._embed = Dense(backbone.embed)
        self._blocks = [(DelayLine(block.conv), Dense(block.out)) for block in blocks]
        self._dense = Dense(backbone.dense)

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        x = self._embed(x)
        size = len(x)
        total = np.zeros(size, dtype=np.float32)
        for conv, out in self._blocks:
            y = conv(x)
            y = out(np.tanh(y[:size]) * sigmoid(y[size:]))
            x = x + y[:size]
            total += y[size:]
        return np.maximum(self._dense(np.maximum(total, 0)), 0)


class LstmStep:
    """`LstmBackbone` step by step; gates in torch's order: input, forget, cell, output."""

    def __init__(self, backbone: LstmBackbone) -> None:
        weights = [[as_array(w) for w in layer] for layer in backbone.lstm.all_weights]
        # One product instead of two, and by columns, in two thirds of the time.
        self._layers = [
            (np.ascontiguousarray(np.concatenate((w_x, w_h), axis=1).T), b_x + b_h)
            for w_x, w_h, b_x, b_h in weights
        ]
        size = backbone.lstm.hidden_size
        self._hidden = [np.zeros(size, dtype=np.float32) for _ in self._layers]
        self._cells = [np.zeros(size, dtype=np.float32) for _ in self._layers]
        self._dense = Dense(backbone.dense1), Dense(backbone.dense2)

    def __call__(self, x: Vector) -> Vector:
        """Returns the hidden vector after one more step."""
        for i, (weight, bias) in enumerate(self._layers):
            gates = np.concatenate((x, self._hidden[i])) @ weight
            gates += bias
            n = len(self._cells[i])
            opening = sigmoid(gates)
            cell = opening[n : 2 * n] * self._cells[i]
            cell += opening[:n] * np.tanh(gates[2 * n : 3 * n])
            x = opening[3 * n :] * np.tanh(cell)
            self._hidden[i], self._cells[i] = x, cell
        for dense in self._dense:
            x = np.maximum(dense(x), 0)
        return x


def sigmoid(x: Vector) -> Vector:
    """Returns `1 / (1 + exp(-x))`, by way of tanh, which does not overflow."""
    y: Vector = np.tanh(np.float32(0.5) * x)
    y *= np.float32(0.5)
    y += np.float32(0.5)
    return y


def step_backbone(backbone: nn.Module) -> BackboneStep:
    """Returns a backbone that has heard nothing yet, ready to take steps."""
    if isinstance(backbone, LstmBackbone):
        return LstmStep(backbone)
    if isinstance(backbone, WaveNetBackbone):
        return WaveNetStep(backbone)
    assert isinstance(backbone, Conv1dBackbone)  # the model knows no other
    return Conv1dStep(backbone)
