"""The step of a model as a graph, `model.onnx`, which plays without torch.

What a graph takes and gives is the same for all models, by name:

    takes   step            (A,) whole numbers, the piece's latest step
            condition.NAME  (V,) whole numbers, a condition of the piece in each view
            uniform, temperature, top_a, bias, view_weights     how to draw, see `drawing.Controls`
            state.N         what it remembers, zeros at first
            past.N          the same, which grows by a row a step along axis 1, empty at first
    gives   next_step       (A,) the next step, drawn
            logits          (V, L) of all that was drawn, without bias
            next_state.N    takes the place of state.N
            row.N           is to be added to past.N

V is the number of views of the piece: one, or two for guidance. Whoever plays a graph feeds it the
step that it gave, or the seed's steps one after the other, whose draws count for nothing.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from .drawing import Controls
from .model import PyzzicatoModel
from .state import Growing, flatten, unflatten

OPSET = 20
_EXAMPLE_ROWS, _MOST_ROWS = 3, 1 << 20
_TALKATIVE = ("torch.onnx._internal.exporter._registration", "torch.export._trace")
_SMALL = 64
"""Weights of fewer numbers stay in float32."""


class _Step(nn.Module):
    """`PyzzicatoModel.play` on a flat row of tensors, as graphs have it."""

    def __init__(self, model: PyzzicatoModel, n_views: int) -> None:
        super().__init__()
        self.model = model
        self.names = model.condition_names
        self.parts, self.shape = flatten(self._start(n_views))

    def _start(self, n_views: int) -> Any:
        return self.model.embedding.start(1), self.model.backbone.start(n_views)

    def parts_of(self, n_views: int) -> list[Tensor | Growing]:
        """Returns the parts of the state before the first step."""
        return flatten(self._start(n_views))[0]

    def forward(self, step: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        n = len(self.names)
        conditions = dict(zip(self.names, rest[:n], strict=True))
        controls = Controls(*rest[n : n + 5])
        state = unflatten(rest[n + 5 :], self.shape)
        drawn, logits, after = self.model.play(step, conditions, state, controls)
        parts, _ = flatten(after)
        return drawn, logits, *(_given(part) for part in parts)


def _given(part: Tensor | Growing) -> Tensor:
    """Returns what a graph gives for a part of the state: the new row of one that grows."""
    if isinstance(part, Growing):
        assert part.new is not None  # a step has been taken
        return part.new
    return part


def write_graph(model: PyzzicatoModel, path: Path) -> None:
    """Writes the step of a model as an ONNX graph, its weights rounded to float16.

    Args:
        model: in evaluation mode, on the CPU.
        path: of the file.
    """
    n_views = 2  # An example of more than one, so that the graph takes any number.
    step = _Step(model.float(), n_views).eval()
    sizes = model.head.draw_sizes
    inputs: dict[str, tuple[Tensor, Any]] = {
        "step": (torch.zeros(model.embedding.n_attributes, dtype=torch.long), None)
    }
    views, steps = Dim("views", min=1, max=64), Dim("steps", min=0, max=_MOST_ROWS)
    for name in step.names:
        inputs[f"condition.{name}"] = (torch.zeros(n_views, dtype=torch.long), {0: views})
    inputs["uniform"] = torch.full((sizes.uniform,), 0.5), None
    inputs["temperature"] = torch.ones(sizes.numbers), None
    inputs["top_a"] = torch.zeros(sizes.numbers), None
    inputs["bias"] = torch.zeros(sizes.logits), None
    inputs["view_weights"] = torch.full((n_views,), 1 / n_views), {0: views}
    outputs = ["next_step", "logits"]
    for i, (part, one_more) in enumerate(zip(step.parts, step.parts_of(n_views + 1), strict=True)):
        grows = isinstance(part, Growing)
        tensor, other = (p.past if isinstance(p, Growing) else p for p in (part, one_more))
        axes = {axis: views for axis, n in enumerate(tensor.shape) if n != other.shape[axis]}
        if tensor.dim() > 1 and not tensor.shape[1]:
            tensor = tensor.new_zeros(len(tensor), _EXAMPLE_ROWS, *tensor.shape[2:])
            axes[1] = steps
        # A copy: an LSTM begins with one tensor twice, which would be taken for one input.
        inputs[f"{'past' if grows else 'state'}.{i}"] = tensor.clone(), axes or None
        outputs.append(f"{'row' if grows else 'next_state'}.{i}")
    tensors, shapes = zip(*inputs.values(), strict=True)
    with torch.no_grad(), _quietly():
        program = torch.onnx.export(
            step,
            tensors,
            dynamo=True,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=(shapes[0], tuple(shapes[1:])),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        program.save(Path(folder, "graph.onnx"))
        graph = onnx.load(Path(folder, "graph.onnx"))
    _forget_origin(graph)
    _halve(graph.graph)
    onnx.save(graph, path)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps to itself what the exporter notes of packages and axes; its faults are raised."""
    logs = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _forget_origin(graph: onnx.ModelProto) -> None:
    """Takes out what the exporter notes of the code: paths of this machine, among others.

    The draw of a piece goes by a checksum of the graph: one network is to have one, wherever its
    graph was made.
    """
    left = [graph.graph, *graph.functions]
    del graph.metadata_props[:]
    while left:
        part = left.pop()
        del part.metadata_props[:]
        part.ClearField("doc_string")
        for node in part.node:
            del node.metadata_props[:]
            node.ClearField("doc_string")
            left += [attribute.g for attribute in node.attribute if attribute.HasField("g")]
        if isinstance(part, onnx.GraphProto):
            for value in (*part.input, *part.output, *part.value_info, *part.initializer):
                del value.metadata_props[:]
                value.ClearField("doc_string")


def _halve(graph: onnx.GraphProto) -> None:
    """Keeps the weights of a graph in float16; they are made float32 again when it is opened."""
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
