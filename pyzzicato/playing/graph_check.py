"""Is a graph from a stranger what it should be? Asked before it is opened.

A graph is data, and onnxruntime runs no code of it; but it may name files to read, ask for
operators of other makers, be of any size, or never come to an end. What a graph must be is written
down in `pyzzicato/models/export.py`.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import show_value
from ..models.architecture import Architecture
from ..representations import representation_of
from .decoding.draw import Draw
from .graph import GraphRun, StepGraph

if TYPE_CHECKING:
    import onnx

MAX_GRAPH_BYTES = 600_000_000
"""As many as the most weights that a checkpoint may have, in float16, and what is between them."""
MAX_NODES = 20_000
MAX_STATE_NUMBERS = 25_000_000
"""Numbers that a graph remembers from step to step, a hundred megabytes."""
_STANDARD_DOMAINS = ("", "ai.onnx")
_TRIAL_S = 10.0
_TRIAL_STEPS = 3
_CONTROLS = ("step", "uniform", "temperature", "top_a", "bias", "view_weights")


def check_graph(path: Path, architecture: Architecture) -> StepGraph:
    """Returns a graph, opened, after it has been checked and has played a few steps.

    Args:
        path: of the graph.
        architecture: what the checkpoint says that it is of.

    Raises:
        ValueError: if it is too large, no ONNX graph, has other operators than the standard ones or
            data outside the file, weights that are no numbers, or other inputs and outputs than a
            graph of this architecture has; or if it fails, or takes too long for a step.
    """
    size = path.stat().st_size
    if size > MAX_GRAPH_BYTES:
        raise ValueError(f"{path.name} must be at most {MAX_GRAPH_BYTES} bytes long, got {size}")
    _check_file(path)
    graph = StepGraph(path)
    _check_contract(graph, architecture)
    _try_steps(graph, architecture)
    return graph


def _check_file(path: Path) -> None:
    # Imported here: what is bundled needs no check, and playing then does without it.
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf has an exception of its own for each fault.
        raise ValueError(f"{path.name} is no ONNX graph: {str(error)[:200]}") from error
    domains = {entry.domain for entry in model.opset_import} | {f.domain for f in model.functions}
    n_nodes = 0
    for node in _nodes(model.graph):
        n_nodes += 1
        domains.add(node.domain)
    others = sorted(domains - {*_STANDARD_DOMAINS})
    if others:
        raise ValueError(
            f"{path.name} must have standard operators only, got some of {others[0][:60]!r}"
        )
    if model.functions or not 0 < n_nodes <= MAX_NODES:
        raise ValueError(
            f"{path.name} must have 1 to {MAX_NODES} nodes and no functions, got {n_nodes} and "
            f"{len(model.functions)}"
        )
    for tensor in _tensors(model.graph):
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError(f"{path.name} must hold all its data, got some in another file")
        if not _is_finite(tensor):
            raise ValueError(
                f"{path.name} must hold finite weights, got NaN or infinity in {tensor.name[:60]!r}"
            )


def _nodes(graph: "onnx.GraphProto") -> Iterator["onnx.NodeProto"]:
    """Yields all nodes, also those of loops and branches."""
    for node in graph.node:
        yield node
        for inner in _inner_graphs(node):
            yield from _nodes(inner)


def _tensors(graph: "onnx.GraphProto") -> Iterator["onnx.TensorProto"]:
    """Yields all weights and constants, also those of loops and branches."""
    yield from graph.initializer
    sparse = [*graph.sparse_initializer]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                sparse.append(attribute.sparse_tensor)
            sparse += attribute.sparse_tensors
        for inner in _inner_graphs(node):
            yield from _tensors(inner)
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def _inner_graphs(node: "onnx.NodeProto") -> Iterator["onnx.GraphProto"]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _is_finite(tensor: "onnx.TensorProto") -> bool:
    from onnx import numpy_helper

    try:
        values = numpy_helper.to_array(tensor)
    except Exception:  # Whatever is wrong with it, these are no weights.
        return False
    if values.dtype.kind != "f" or not values.size:
        return True
    # A constant of one number may well be infinite: a mask is.
    return values.size == 1 or bool(np.isfinite(values).all())


def _check_contract(graph: StepGraph, architecture: Architecture) -> None:
    numbers = representation_of(architecture).numbers
    n_logits = sum(numbers.values())
    is_frame = len(numbers) == 1
    n_uniform = n_logits if is_frame else len(numbers)
    expected = {
        "step": [n_uniform],
        "uniform": [n_uniform],
        "temperature": [len(numbers)],
        "top_a": [len(numbers)],
        "bias": [n_logits],
        "view_weights": ["views"],
    }
    for name, shape in expected.items():
        if name not in graph.inputs or list(graph.inputs[name].shape) != shape:
            got = graph.inputs[name].shape if name in graph.inputs else "none"
            raise ValueError(f"the graph must take {name} of shape {shape}, got {got}")
    wanted = ["next_step", "logits"]
    n_remembered = 0
    for name in graph.inputs:
        kind, _, place = name.partition(".")
        if name in _CONTROLS or kind == "condition":
            continue
        if kind not in ("state", "past"):
            raise ValueError(f"the graph takes {name[:60]!r}, which nobody gives")
        wanted.append(f"{'next_state' if kind == 'state' else 'row'}.{place}")
        n_remembered += _state_size(name, graph.inputs[name].shape)
    if n_remembered > MAX_STATE_NUMBERS:
        raise ValueError(
            f"the graph must remember at most {MAX_STATE_NUMBERS} numbers, got {n_remembered}"
        )
    if sorted(wanted) != sorted(graph.outputs):
        raise ValueError(f"the graph must give {', '.join(sorted(wanted))[:300]}")


def _state_size(name: str, shape: list[Any]) -> int:
    size = 1
    for axis in shape:
        if axis not in ("views", "steps") and (not isinstance(axis, int) or axis < 0):
            raise ValueError(
                f"the graph must say the shape of {name[:60]!r}, got {show_value(axis)}"
            )
        size *= axis if isinstance(axis, int) else 1
    return size


def _try_steps(graph: StepGraph, architecture: Architecture) -> None:
    """Plays a few steps, with a limit on the time that they take."""
    numbers = representation_of(architecture).numbers
    draw = Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))
    try:
        run = GraphRun(graph, {})
    except (KeyError, ValueError) as error:
        raise ValueError(f"the graph must remember plain numbers, got {error}") from error
    limit = threading.Timer(_TRIAL_S, run.stop)
    limit.start()
    try:
        run.feed(np.zeros((2, graph.size("step")), dtype=np.uint8))
        for _ in range(_TRIAL_STEPS):
            step, logits = run.draw(draw)
            _check_step(step, logits, list(numbers.values()))
    except ValueError:
        raise
    except Exception as error:  # onnxruntime has an exception of its own for each fault.
        raise ValueError(f"the graph fails when it plays: {str(error)[:200]}") from error
    finally:
        limit.cancel()


def _check_step(step: np.ndarray, logits: np.ndarray, sizes: list[int]) -> None:
    highest = np.array(sizes) if len(sizes) > 1 else np.full(sizes[0], 2)
    if logits.shape[-1] != sum(sizes) or not np.isfinite(logits).all():
        raise ValueError(f"the graph must give {sum(sizes)} finite logits, got {logits.shape}")
    if step.shape != highest.shape or (step >= highest).any():
        raise ValueError(f"the graph must give a step of its representation, got {step.shape}")
