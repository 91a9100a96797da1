"""The backbones in numpy, one step at a time, against their torch modules and by hand."""

import math

import numpy as np
import pytest
import torch
from conftest import tiny_config
from torch import nn

from pyzzicato.models.backbone_steps import (
    DelayLine,
    Dense,
    LstmStep,
    as_array,
    step_backbone,
)
from pyzzicato.models.convolution import CausalConv
from pyzzicato.models.lstm import LstmBackbone
from pyzzicato.models.model import BACKBONES


def vectors(n: int, size: int) -> np.ndarray:
    """Returns `(n, size)` random numbers, float32."""
    return torch.randn(n, size).numpy()


def test_a_weight_is_shared_with_its_module() -> None:
    layer = nn.Linear(3, 2)
    array = as_array(layer.weight)
    with torch.no_grad():
        layer.weight[1, 2] = 7.0
    assert array[1, 2] == 7.0
    assert array.dtype == np.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_a_weight_of_another_precision_becomes_float32(dtype: torch.dtype) -> None:
    weight = nn.Parameter(torch.tensor([[1.0, -0.375], [2.0**-10, 100.0]], dtype=dtype))
    array = as_array(weight)
    assert array.dtype == np.float32
    assert array.tolist() == [[1.0, -0.375], [2.0**-10, 100.0]]


def test_a_linear_layer_by_hand() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [0.0, -1.0]]))
        layer.bias.copy_(torch.tensor([10.0, 20.0]))
    x = np.float32([3.0, 4.0])
    assert Dense(layer)(x).tolist() == [21.0, 16.0]
    layer.bias = None
    assert Dense(layer)(x).tolist() == [11.0, -4.0]
    assert x.tolist() == [3.0, 4.0]


def test_a_delay_line_by_hand() -> None:
    conv = CausalConv(1, 1, kernel_size=3, dilation=2)
    with torch.no_grad():
        # The taps of two steps, one step and none before the last one, each two steps apart.
        conv.weight.copy_(torch.tensor([[[100.0], [10.0], [1.0]]]))
        conv.bias.fill_(0.5)
    line = DelayLine(conv)
    heard = [float(line(np.float32([n]))[0]) for n in (1, 2, 3, 4, 5, 6, 7)]
    assert heard == [1.5, 2.5, 13.5, 24.5, 135.5, 246.5, 357.5]


@torch.no_grad()
@pytest.mark.parametrize(("kernel_size", "dilation"), [(1, 1), (2, 1), (3, 4), (5, 1), (2, 16)])
def test_a_delay_line_equals_the_convolution(kernel_size: int, dilation: int) -> None:
    conv = CausalConv(3, 4, kernel_size, dilation)
    conv.bias.normal_()
    x = vectors(70, 3)
    whole, _ = conv(torch.from_numpy(x)[None], conv.start(1))
    line = DelayLine(conv)
    for step, expected in zip(x, whole[0].numpy(), strict=True):
        assert line(step) == pytest.approx(expected, abs=1e-5)


def test_a_delay_line_keeps_what_it_heard_though_the_vector_changes() -> None:
    conv = CausalConv(2, 1, kernel_size=2)
    kept, changed = DelayLine(conv), DelayLine(conv)
    x = vectors(3, 2)
    for step in x:
        expected = kept(step.copy())
        reused = step.copy()
        assert changed(reused) == pytest.approx(expected)
        reused.fill(9.0)


@torch.no_grad()
def test_the_gates_of_an_lstm_by_hand() -> None:
    backbone = LstmBackbone(1, tiny_config(backbone="lstm", n_layers=1, hidden_size=1))
    for weight in backbone.parameters():
        weight.zero_()
    # Input, forget, cell, output; the two biases add up.
    backbone.lstm.weight_ih_l0.copy_(torch.tensor([[0.0], [0.0], [1.0], [0.0]]))
    backbone.lstm.bias_ih_l0.copy_(torch.tensor([1.0, 2.0, 0.0, 3.0]))
    backbone.lstm.bias_hh_l0.copy_(torch.tensor([-1.0, -1.0, 0.0, 1.0]))
    for dense in (backbone.dense1, backbone.dense2):
        dense.weight[:, 0] = 1.0
    step = LstmStep(backbone)

    def opening(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    first = opening(0) * math.tanh(0.7)
    second = opening(1) * first + opening(0) * math.tanh(0.2)
    for x, cell in ((0.7, first), (0.2, second)):
        hidden = step(np.float32([x]))
        assert hidden.tolist() == pytest.approx([opening(4) * math.tanh(cell)] * 8, rel=1e-5)


SHAPES = [
    {"backbone": "lstm", "n_layers": 1},
    {"backbone": "lstm", "n_layers": 3, "hidden_size": 12, "dense_size": 5},
    {"backbone": "wavenet", "n_layers": 1, "kernel_size": 1},
    {"backbone": "wavenet", "n_layers": 5, "kernel_size": 2, "dense_size": 5},
    {"backbone": "wavenet", "n_layers": 3, "kernel_size": 4},
    {"backbone": "conv1d", "n_layers": 1, "kernel_size": 7},
    {"backbone": "conv1d", "n_layers": 3, "kernel_size": 3},
]


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_backbone_equals_its_module_over_a_long_sequence(shape: dict[str, object]) -> None:
    config = tiny_config(**shape, dropout=0.5)
    backbone = BACKBONES[config.backbone](6, config).eval()
    for weight in backbone.parameters():
        weight.add_(0.3 * torch.randn_like(weight))
    x = vectors(1000, 6)
    whole, _ = backbone(torch.from_numpy(x)[None], backbone.start(1))
    step = step_backbone(backbone)
    for vector, expected in zip(x, whole[0].numpy(), strict=True):
        hidden = step(vector)
        assert hidden.dtype == np.float32 and hidden.shape == (backbone.out_size,)
        assert np.allclose(hidden, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("backbone", BACKBONES)
def test_two_steps_of_one_backbone_share_nothing_but_weights(backbone: str) -> None:
    module = BACKBONES[backbone](6, tiny_config(backbone=backbone))
    alone, one, other = (step_backbone(module) for _ in range(3))
    for x, y in zip(vectors(20, 6), vectors(20, 6), strict=True):
        kept = x.copy()
        hidden = one(x)
        expected = hidden.copy()
        other(y)
        assert np.array_equal(alone(x), expected)
        # What was given and what was returned stay as they were.
        assert np.array_equal(x, kept) and np.array_equal(hidden, expected)
